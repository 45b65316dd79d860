//! What a client makes of an encoded body, also of one that is not over.

use std::io::Read;

use zlib_rs::{Inflate, InflateFlush, Status};
use zstd_safe::{DCtx, InBuffer, OutBuffer};

const ROOM_BYTES: usize = 64 << 10;

/// What can be read of an encoded body so far, and whether that is all.
///
/// # Panics
/// Panics on a coding that nobody knows, and on what is malformed.
pub fn decoded(coding: &str, encoded: &[u8]) -> (Vec<u8>, bool) {
    match coding {
        "gzip" => gzip(encoded),
        "br" => brotli(encoded),
        "zstd" => zstd(encoded),
        "" => (encoded.to_vec(), false),
        other => panic!("the coding {other}"),
    }
}

/// The whole body.
///
/// # Panics
/// Panics if it is not whole.
pub fn whole(coding: &str, encoded: &[u8]) -> Vec<u8> {
    let (decoded, is_whole) = decoded(coding, encoded);
    assert!(is_whole || coding.is_empty(), "the end is missing");
    decoded
}

fn gzip(mut encoded: &[u8]) -> (Vec<u8>, bool) {
    // With the head and the end of gzip.
    let mut inflate = Inflate::new(true, 31);
    let (mut decoded, mut room) = (Vec::new(), vec![0; ROOM_BYTES]);
    loop {
        let (taken, made) = (inflate.total_in(), inflate.total_out());
        let status = inflate.decompress(encoded, &mut room, InflateFlush::NoFlush);
        let taken = (inflate.total_in() - taken) as usize;
        let made = (inflate.total_out() - made) as usize;
        decoded.extend(&room[..made]);
        encoded = &encoded[taken..];
        match status.expect("gzip") {
            Status::StreamEnd => {
                assert!(encoded.is_empty(), "something follows the end");
                return (decoded, true);
            }
            _ if taken == 0 && made == 0 => return (decoded, false),
            _ => {}
        }
    }
}

fn brotli(encoded: &[u8]) -> (Vec<u8>, bool) {
    let mut reader = brotli::Decompressor::new(encoded, 4096);
    let (mut decoded, mut room) = (Vec::new(), vec![0; ROOM_BYTES]);
    loop {
        match reader.read(&mut room) {
            Ok(0) => return (decoded, true),
            Ok(read) => decoded.extend(&room[..read]),
            Err(_) => return (decoded, false),
        }
    }
}

fn zstd(encoded: &[u8]) -> (Vec<u8>, bool) {
    let mut context = DCtx::create();
    let mut input = InBuffer::around(encoded);
    let (mut decoded, mut room) = (Vec::new(), vec![0; ROOM_BYTES]);
    loop {
        let mut output = OutBuffer::around(&mut room[..]);
        let left = context.decompress_stream(&mut output, &mut input);
        let left = left.expect("zstd");
        let made = output.pos();
        decoded.extend(&room[..made]);
        if left == 0 {
            assert_eq!(input.pos(), encoded.len(), "something follows the end");
            return (decoded, true);
        }
        if input.pos() == encoded.len() && made < ROOM_BYTES {
            return (decoded, false);
        }
    }
}
