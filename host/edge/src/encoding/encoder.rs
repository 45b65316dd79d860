//! The encoders, each of a library. They are fast and small rather than thorough:
//! they run on an event loop, and one is kept for each response that streams.

use std::io::{self, Write};

use brotli::CompressorWriter;
use zlib_rs::{Deflate, DeflateConfig, DeflateFlush, Status};
use zstd_safe::zstd_sys::ZSTD_EndDirective;
use zstd_safe::{CCtx, CParameter, InBuffer, OutBuffer};

use super::Coding;

/// Of texts, these make some 26 % each. Higher levels take several times as long
/// for the next percent.
const GZIP_LEVEL: i32 = 4;
const BROTLI_LEVEL: u32 = 3;
const ZSTD_LEVEL: i32 = 1;

/// How far back they refer, as a power of two in bytes.
const GZIP_WINDOW_BITS: i32 = 14;
const BROTLI_WINDOW_BITS: u32 = 16;
const ZSTD_WINDOW_BITS: u32 = 16;
/// For zlib: with the head and the end of gzip.
const GZIP_FORMAT: i32 = 16;

/// The buffer between brotli and its output, in bytes.
const BROTLI_BUFFER_BYTES: usize = 4 << 10;
/// By how much an output grows at a time, in bytes.
const ROOM_BYTES: usize = 8 << 10;

const KIB: u64 = 1 << 10;

/// What an encoder takes at most with these parameters, as measured on a stream
/// of many megabytes, and what waits of its output.
pub(super) fn bytes(coding: Coding) -> u64 {
    match coding {
        Coding::Brotli => 1100 * KIB,
        Coding::Zstd => 576 * KIB,
        Coding::Gzip => 384 * KIB,
    }
}

/// One body that is being encoded.
pub(super) enum Encoder {
    Brotli(Box<CompressorWriter<Vec<u8>>>),
    Zstd(CCtx<'static>),
    Gzip(Box<Deflate>),
}

impl Encoder {
    pub(super) fn new(coding: Coding) -> io::Result<Self> {
        Ok(match coding {
            Coding::Brotli => Self::Brotli(Box::new(CompressorWriter::new(
                Vec::new(),
                BROTLI_BUFFER_BYTES,
                BROTLI_LEVEL,
                BROTLI_WINDOW_BITS,
            ))),
            Coding::Zstd => {
                let mut context = CCtx::try_create().ok_or(io::ErrorKind::OutOfMemory)?;
                for parameter in [
                    CParameter::CompressionLevel(ZSTD_LEVEL),
                    CParameter::WindowLog(ZSTD_WINDOW_BITS),
                ] {
                    context.set_parameter(parameter).map_err(zstd_error)?;
                }
                Self::Zstd(context)
            }
            Coding::Gzip => Self::Gzip(Box::new(Deflate::new_with_config(DeflateConfig {
                level: GZIP_LEVEL,
                window_bits: GZIP_FORMAT + GZIP_WINDOW_BITS,
                ..DeflateConfig::default()
            }))),
        })
    }

    /// Takes all of the input, and adds to the output what is ready of it.
    pub(super) fn encode(&mut self, input: &[u8], output: &mut Vec<u8>) -> io::Result<()> {
        match self {
            Self::Brotli(writer) => {
                writer.write_all(input)?;
                output.append(writer.get_mut());
                Ok(())
            }
            Self::Zstd(context) => zstd(context, input, ZSTD_EndDirective::ZSTD_e_continue, output),
            Self::Gzip(deflate) => gzip(deflate, input, DeflateFlush::NoFlush, output),
        }
    }

    /// Adds what is left, so that the client can read all that was encoded.
    pub(super) fn flush(&mut self, output: &mut Vec<u8>) -> io::Result<()> {
        match self {
            Self::Brotli(writer) => {
                writer.flush()?;
                output.append(writer.get_mut());
                Ok(())
            }
            Self::Zstd(context) => zstd(context, &[], ZSTD_EndDirective::ZSTD_e_flush, output),
            Self::Gzip(deflate) => gzip(deflate, &[], DeflateFlush::SyncFlush, output),
        }
    }

    /// Adds the end.
    pub(super) fn finish(self, output: &mut Vec<u8>) -> io::Result<()> {
        match self {
            Self::Brotli(writer) => {
                output.append(&mut writer.into_inner());
                Ok(())
            }
            Self::Zstd(mut context) => {
                zstd(&mut context, &[], ZSTD_EndDirective::ZSTD_e_end, output)
            }
            Self::Gzip(mut deflate) => gzip(&mut deflate, &[], DeflateFlush::Finish, output),
        }
    }
}

fn gzip(
    deflate: &mut Deflate,
    mut input: &[u8],
    flush: DeflateFlush,
    output: &mut Vec<u8>,
) -> io::Result<()> {
    if input.is_empty() && flush == DeflateFlush::NoFlush {
        return Ok(());
    }
    loop {
        let (begin, taken, made) = (output.len(), deflate.total_in(), deflate.total_out());
        output.resize(begin + ROOM_BYTES, 0);
        let room = output.get_mut(begin..).unwrap_or_default();
        let status = deflate.compress(input, room, flush);
        let status = status.map_err(|error| io::Error::other(error.as_str()))?;
        let made = (deflate.total_out() - made) as usize;
        output.truncate(begin + made);
        let taken = (deflate.total_in() - taken) as usize;
        input = input.get(taken..).unwrap_or_default();
        // With room left, all has come out.
        let is_done = match flush {
            DeflateFlush::Finish => status == Status::StreamEnd,
            _ => input.is_empty() && made < ROOM_BYTES,
        };
        if is_done {
            return Ok(());
        }
        if made == 0 && taken == 0 {
            return Err(io::Error::other("gzip gets no further"));
        }
    }
}

fn zstd(
    context: &mut CCtx<'static>,
    input: &[u8],
    end: ZSTD_EndDirective,
    output: &mut Vec<u8>,
) -> io::Result<()> {
    let is_continued = end == ZSTD_EndDirective::ZSTD_e_continue;
    let mut input = InBuffer::around(input);
    loop {
        let begin = output.len();
        output.resize(begin + ROOM_BYTES, 0);
        let room = output.get_mut(begin..).unwrap_or_default();
        let mut room = OutBuffer::around(room);
        let left = context.compress_stream2(&mut room, &mut input, end);
        let made = room.pos();
        output.truncate(begin + made);
        let left = left.map_err(zstd_error)?;
        let is_taken = input.pos() == input.src.len();
        if is_taken && (is_continued || left == 0) {
            return Ok(());
        }
    }
}

fn zstd_error(code: usize) -> io::Error {
    io::Error::other(zstd_safe::get_error_name(code))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Lines that differ.
    fn text() -> Vec<u8> {
        let lines = (0..40_000u32).map(|it| format!("{} {it}\n", it.wrapping_mul(2_654_435_761)));
        lines.collect::<String>().into_bytes()
    }

    #[test]
    fn they_are_as_small_as_they_say() {
        let text = text();
        let mut encoder = Encoder::new(Coding::Zstd).unwrap();
        let mut output = Vec::new();
        encoder.encode(&text, &mut output).unwrap();
        if let Encoder::Zstd(context) = &encoder {
            assert!(context.sizeof() as u64 <= bytes(Coding::Zstd));
        }
    }

    #[test]
    fn what_is_flushed_is_out() {
        let text = text();
        for coding in Coding::ALL {
            let mut encoder = Encoder::new(coding).unwrap();
            let mut output = Vec::new();
            encoder.encode(b"data: 1\n\n", &mut output).unwrap();
            encoder.flush(&mut output).unwrap();
            let first = output.len();
            assert!((1..64).contains(&first), "{coding:?} {first}");
            for piece in text.chunks(5000) {
                encoder.encode(piece, &mut output).unwrap();
            }
            encoder.finish(&mut output).unwrap();
            let part = output.len() as f64 / text.len() as f64;
            assert!((0.1..0.6).contains(&part), "{coding:?} {part}");
        }
    }

    #[test]
    fn an_empty_body_has_an_end() {
        for coding in Coding::ALL {
            let mut output = Vec::new();
            Encoder::new(coding).unwrap().finish(&mut output).unwrap();
            assert!((1..64).contains(&output.len()), "{coding:?} {output:?}");
        }
    }
}
