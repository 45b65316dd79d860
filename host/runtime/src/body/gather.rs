//! Short bodies, sent whole. A guest gives the head of a response and then its
//! body, and says only afterwards that the body is complete. Sent as it comes,
//! that makes two writes and a chunked coding of five bytes; so the head waits
//! for what comes at once behind it.

use std::future::poll_fn;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use holdfast_core::event::{Body as EdgeBody, BodyError};
use http_body::{Body, Frame, SizeHint};
use http_body_util::BodyExt;
use wasmtime_wasi_http::Error;

use super::{GuestBody, from_guest, whole};

/// Turns of the event loop for which a head waits: some microseconds.
const TURNS_MAX: u32 = 12;

/// The body for the edge: in one piece, and so with a length, if it is complete
/// within a moment.
pub(super) async fn gather(mut body: impl GuestBody) -> EdgeBody {
    let mut first: Option<Piece> = None;
    for _ in 0..TURNS_MAX {
        while let Poll::Ready(frame) = once(&mut body).await {
            match (frame, first.take()) {
                (None, None) => return EdgeBody::default(),
                (None, Some(Ok(frame))) if frame.is_data() => {
                    return whole(frame.into_data().unwrap_or_default());
                }
                (Some(frame), None) => first = Some(frame),
                // More than one piece streams as it comes.
                (second, before) => return streamed([before, second], body),
            }
        }
        yield_turn().await;
    }
    match first {
        Some(first) => streamed([Some(first), None], body),
        None => from_guest(body),
    }
}

type Piece = Result<Frame<Bytes>, Error>;

async fn once(body: &mut impl GuestBody) -> Poll<Option<Piece>> {
    poll_fn(|context| Poll::Ready(Pin::new(&mut *body).poll_frame(context))).await
}

/// Lets everything else that is ready run once. Unlike tokio's own, it does not
/// look for input before it goes on.
async fn yield_turn() {
    let mut has_yielded = false;
    poll_fn(|context| {
        if std::mem::replace(&mut has_yielded, true) {
            return Poll::Ready(());
        }
        context.waker().wake_by_ref();
        Poll::Pending
    })
    .await;
}

fn streamed(pieces: [Option<Piece>; 2], rest: impl GuestBody) -> EdgeBody {
    let pieces = pieces.into_iter().flatten().collect::<Vec<_>>();
    let begun = Begun {
        pieces: pieces.into_iter(),
        rest: from_guest(rest),
    };
    begun.boxed_unsync()
}

/// A body of which something was taken already.
struct Begun {
    pieces: std::vec::IntoIter<Piece>,
    rest: EdgeBody,
}

impl Body for Begun {
    type Data = Bytes;
    type Error = BodyError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        match self.pieces.next() {
            Some(piece) => Poll::Ready(Some(piece.map_err(BodyError::from))),
            None => Pin::new(&mut self.rest).poll_frame(context),
        }
    }

    fn is_end_stream(&self) -> bool {
        self.pieces.as_slice().is_empty() && self.rest.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        match self.pieces.as_slice().is_empty() {
            true => self.rest.size_hint(),
            // Of no use any more: a part of it is gone from the rest.
            false => SizeHint::default(),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::VecDeque;

    use super::*;

    /// Gives what it is told to, in that order; none is a turn without.
    struct Script(VecDeque<Option<&'static str>>);

    impl Body for Script {
        type Data = Bytes;
        type Error = Error;

        fn poll_frame(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Piece>> {
            match self.0.pop_front() {
                None => Poll::Ready(None),
                Some(Some(text)) => Poll::Ready(Some(Ok(Frame::data(text.into())))),
                Some(None) => {
                    context.waker().wake_by_ref();
                    Poll::Pending
                }
            }
        }
    }

    /// Length, if it is whole, and content.
    fn gathered(script: &[Option<&'static str>]) -> (Option<u64>, Bytes) {
        let script = Script(script.iter().copied().collect()).boxed_unsync();
        let runtime = tokio::runtime::Builder::new_current_thread().build();
        runtime.unwrap().block_on(async {
            let body = gather(script).await;
            let len = body.size_hint().exact();
            (len, body.collect().await.unwrap().to_bytes())
        })
    }

    #[test]
    fn what_is_complete_at_once_has_a_length() {
        assert_eq!(gathered(&[]), (Some(0), Bytes::new()));
        assert_eq!(gathered(&[Some("ab")]), (Some(2), "ab".into()));
        let script = [None, Some("ab"), None];
        assert_eq!(gathered(&script), (Some(2), "ab".into()));
    }

    #[test]
    fn everything_else_streams_and_nothing_is_lost() {
        let script = [Some("a"), Some("b")];
        assert_eq!(gathered(&script), (None, "ab".into()));
        let script = [Some("a"), None, Some("b"), Some("c")];
        assert_eq!(gathered(&script), (None, "abc".into()));
        let pause = [None; TURNS_MAX as usize];
        let late = [&pause[..], &[Some("late")]].concat();
        assert_eq!(gathered(&late), (None, "late".into()));
        let early = [&[Some("early")], &pause[..]].concat();
        assert_eq!(gathered(&early), (None, "early".into()));
    }
}
