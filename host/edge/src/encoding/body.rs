//! A body that is encoded while it is sent.
//!
//! When the body pauses, what is there of it is flushed, so that no event of a
//! stream waits for the next. After so many bytes others have their turn, since
//! encoding takes longer than anything else that an event loop does by itself.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use holdfast_core::event::{Body, BodyError};
use http::HeaderMap;
use http_body::{Body as _, Frame};
use http_body_util::BodyExt;

use super::encoder::Encoder;
use super::{Coding, Place};

/// What is encoded before others have their turn, in bytes: a millisecond or
/// less.
const TURN_BYTES_MAX: usize = 16 << 10;
/// What is encoded at a time, in bytes.
const STEP_BYTES_MAX: usize = 8 << 10;
/// From so many bytes on, what has come out is sent.
const OUTPUT_BYTES_MAX: usize = 16 << 10;

/// Encodes a body. `place` is held to its end.
pub(super) fn encoded(body: Body, coding: Coding, place: Place) -> Body {
    Encoded {
        source: Source::Body(body),
        coding,
        encoder: None,
        place: Some(place),
        input: Bytes::new(),
        output: Vec::new(),
        is_flushed: true,
        turn_bytes: 0,
    }
    .boxed_unsync()
}

struct Encoded {
    source: Source,
    coding: Coding,
    /// From the first byte to the last.
    encoder: Option<Encoder>,
    place: Option<Place>,
    /// What is to be encoded.
    input: Bytes,
    /// What is to be sent.
    output: Vec<u8>,
    is_flushed: bool,
    /// What was encoded in this turn.
    turn_bytes: usize,
}

/// Where the input comes from.
enum Source {
    Body(Body),
    /// It has ended, with these trailers.
    Ended(Option<HeaderMap>),
}

type Polled = Poll<Option<Result<Frame<Bytes>, BodyError>>>;

impl Encoded {
    fn encoder(&mut self) -> io::Result<&mut Encoder> {
        let encoder = match self.encoder.take() {
            Some(encoder) => encoder,
            None => Encoder::new(self.coding)?,
        };
        Ok(self.encoder.insert(encoder))
    }

    /// Encodes the next bytes of the input.
    fn step(&mut self) -> io::Result<()> {
        let len = self.input.len().min(STEP_BYTES_MAX);
        let piece = self.input.split_to(len);
        let mut output = std::mem::take(&mut self.output);
        self.encoder()?.encode(&piece, &mut output)?;
        self.output = output;
        self.is_flushed = false;
        self.turn_bytes += len;
        Ok(())
    }

    /// Lets everything out that was encoded.
    fn flush(&mut self) -> io::Result<()> {
        if !self.is_flushed {
            let mut output = std::mem::take(&mut self.output);
            self.encoder()?.flush(&mut output)?;
            self.output = output;
            self.is_flushed = true;
        }
        Ok(())
    }

    fn finish(&mut self, trailers: Option<HeaderMap>) -> io::Result<()> {
        let encoder = match self.encoder.take() {
            Some(encoder) => encoder,
            None => Encoder::new(self.coding)?,
        };
        encoder.finish(&mut self.output)?;
        self.place = None;
        self.source = Source::Ended(trailers);
        Ok(())
    }

    fn frame(&mut self) -> Option<Frame<Bytes>> {
        if self.output.is_empty() {
            return None;
        }
        Some(Frame::data(std::mem::take(&mut self.output).into()))
    }

    /// Encodes what is there, until there is a frame or nothing more to do.
    fn advance(
        &mut self,
        context: &mut Context<'_>,
    ) -> Result<Poll<Option<Frame<Bytes>>>, BodyError> {
        loop {
            if self.output.len() >= OUTPUT_BYTES_MAX {
                return Ok(Poll::Ready(self.frame()));
            }
            if self.turn_bytes >= TURN_BYTES_MAX {
                self.turn_bytes = 0;
                context.waker().wake_by_ref();
                return Ok(Poll::Pending);
            }
            if !self.input.is_empty() {
                self.step()?;
                continue;
            }
            let body = match &mut self.source {
                Source::Body(body) => body,
                Source::Ended(trailers) => {
                    let trailers = trailers.take();
                    let frame = self.frame();
                    if frame.is_some() {
                        self.source = Source::Ended(trailers);
                        return Ok(Poll::Ready(frame));
                    }
                    return Ok(Poll::Ready(trailers.map(Frame::trailers)));
                }
            };
            match Pin::new(body).poll_frame(context) {
                Poll::Pending => {
                    self.turn_bytes = 0;
                    self.flush()?;
                    let frame = self.frame();
                    return Ok(match frame {
                        None => Poll::Pending,
                        frame => Poll::Ready(frame),
                    });
                }
                Poll::Ready(None) => self.finish(None)?,
                Poll::Ready(Some(frame)) => match frame?.into_data() {
                    Ok(data) => self.input = data,
                    Err(other) => self.finish(other.into_trailers().ok())?,
                },
            }
        }
    }
}

impl http_body::Body for Encoded {
    type Data = Bytes;
    type Error = BodyError;

    fn poll_frame(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Polled {
        match self.advance(context) {
            Ok(Poll::Ready(frame)) => Poll::Ready(frame.map(Ok)),
            Ok(Poll::Pending) => Poll::Pending,
            Err(error) => {
                self.source = Source::Ended(None);
                self.output.clear();
                self.input.clear();
                (self.encoder, self.place) = (None, None);
                Poll::Ready(Some(Err(error)))
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        matches!(self.source, Source::Ended(None)) && self.output.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::VecDeque;
    use std::sync::Arc;
    use std::task::Waker;

    use holdfast_core::limits::EncodingLimits;

    use super::super::Encoders;
    use super::*;

    /// What a body does when it is polled: pauses where there is nothing.
    struct Script(VecDeque<Option<Frame<Bytes>>>);

    impl http_body::Body for Script {
        type Data = Bytes;
        type Error = BodyError;

        fn poll_frame(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Polled {
            match self.0.pop_front() {
                Some(Some(frame)) => Poll::Ready(Some(Ok(frame))),
                Some(None) => Poll::Pending,
                None => Poll::Ready(None),
            }
        }
    }

    fn encoders() -> Arc<Encoders> {
        Encoders::new(&EncodingLimits::default())
    }

    /// What comes of every poll, to the end.
    fn polls(coding: Coding, script: Vec<Option<Frame<Bytes>>>) -> Vec<Option<Frame<Bytes>>> {
        let encoders = encoders();
        let before = encoders
            .bytes_left
            .load(std::sync::atomic::Ordering::Relaxed);
        let place = encoders.enter(coding).unwrap();
        let body = Script(script.into()).boxed_unsync();
        let mut body = encoded(body, coding, place);
        let mut context = Context::from_waker(Waker::noop());
        let mut polls = Vec::new();
        loop {
            match Pin::new(&mut body).poll_frame(&mut context) {
                Poll::Pending => polls.push(None),
                Poll::Ready(Some(frame)) => polls.push(Some(frame.unwrap())),
                Poll::Ready(None) => break,
            }
        }
        assert!(body.is_end_stream());
        // The memory is given back as soon as it is not needed.
        let after = encoders
            .bytes_left
            .load(std::sync::atomic::Ordering::Relaxed);
        assert_eq!(after, before);
        polls
    }

    fn data(text: &'static [u8]) -> Option<Frame<Bytes>> {
        Some(Frame::data(Bytes::from_static(text)))
    }

    #[test]
    fn a_pause_lets_everything_out() {
        for coding in Coding::ALL {
            let polls = polls(coding, vec![data(b"one"), None, None, data(b"two"), None]);
            let kinds: Vec<_> = polls.iter().map(Option::is_some).collect();
            // What is flushed, a pause without anything new, and so on; the end.
            assert_eq!(kinds, [true, false, true, true], "{coding:?}");
        }
    }

    #[test]
    fn trailers_come_after_the_end() {
        let mut trailers = HeaderMap::new();
        trailers.insert("x-end", "1".parse().unwrap());
        let script = vec![data(b"one"), Some(Frame::trailers(trailers))];
        let polls = polls(Coding::Gzip, script);
        assert_eq!(polls.len(), 2);
        assert!(polls[0].as_ref().unwrap().is_data());
        assert_eq!(
            polls[1].as_ref().unwrap().trailers_ref().unwrap()["x-end"],
            "1"
        );
    }

    #[test]
    fn others_have_their_turns() {
        static LARGE: [u8; 10 * TURN_BYTES_MAX] = [b'x'; 10 * TURN_BYTES_MAX];
        for coding in Coding::ALL {
            let polls = polls(coding, vec![data(&LARGE)]);
            let pauses = polls.iter().filter(|poll| poll.is_none()).count();
            assert_eq!(pauses, 10, "{coding:?}");
        }
    }
}
