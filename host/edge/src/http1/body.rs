//! The body of a request on its way from its connection to whoever reads it. One
//! piece at a time: the connection reads no more of it than is asked for.

use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker};

use bytes::Bytes;
use holdfast_core::event::BodyError;
use http::HeaderMap;
use http_body::{Frame, SizeHint};

use crate::lock::lock;

/// The reader's end.
#[derive(Debug)]
pub(crate) struct Incoming {
    shared: Arc<Mutex<Shared>>,
    /// Bytes that are still to come, where that is known.
    left: Option<u64>,
    is_over: bool,
}

/// The connection's end. Dropped before the body is over, it breaks off.
#[derive(Debug)]
pub(super) struct Feeder {
    shared: Arc<Mutex<Shared>>,
}

#[derive(Debug, Default)]
struct Shared {
    piece: Option<Bytes>,
    end: Option<End>,
    /// The reader waits for the next piece.
    is_wanted: bool,
    /// There is no reader any more.
    is_abandoned: bool,
    reader: Option<Waker>,
    feeder: Option<Waker>,
}

#[derive(Debug)]
enum End {
    Whole(Option<HeaderMap>),
    Broken,
}

/// What the reader would do with the next piece.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Appetite {
    /// It waits for it.
    Hungry,
    /// There is no reader any more.
    Gone,
}

/// The two ends of a body of so many bytes.
pub(super) fn channel(len: Option<u64>) -> (Feeder, Incoming) {
    let shared = Arc::<Mutex<Shared>>::default();
    let feeder = Feeder {
        shared: Arc::clone(&shared),
    };
    let incoming = Incoming {
        shared,
        left: len,
        is_over: false,
    };
    (feeder, incoming)
}

impl Feeder {
    /// Waits until the reader wants the next piece.
    pub(super) fn poll_appetite(&mut self, context: &mut Context<'_>) -> Poll<Appetite> {
        let mut shared = lock(&self.shared);
        if shared.is_abandoned {
            return Poll::Ready(Appetite::Gone);
        }
        if shared.is_wanted {
            return Poll::Ready(Appetite::Hungry);
        }
        let waker = context.waker();
        match &mut shared.feeder {
            Some(known) => known.clone_from(waker),
            none => *none = Some(waker.clone()),
        }
        Poll::Pending
    }

    /// Gives the reader the piece that it wants.
    pub(super) fn feed(&mut self, piece: Bytes) {
        self.tell(|shared| shared.piece = Some(piece));
    }

    /// That was all.
    pub(super) fn end(self, trailers: Option<HeaderMap>) {
        self.tell(|shared| shared.end = Some(End::Whole(trailers)));
    }

    fn tell(&self, change: impl FnOnce(&mut Shared)) {
        let mut shared = lock(&self.shared);
        change(&mut shared);
        shared.is_wanted = false;
        let reader = shared.reader.take();
        drop(shared);
        if let Some(reader) = reader {
            reader.wake();
        }
    }
}

impl Drop for Feeder {
    fn drop(&mut self) {
        self.tell(|shared| {
            shared.end.get_or_insert(End::Broken);
        });
    }
}

impl http_body::Body for Incoming {
    type Data = Bytes;
    type Error = BodyError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        if self.is_over {
            return Poll::Ready(None);
        }
        let this = &mut *self;
        let mut shared = lock(&this.shared);
        if let Some(piece) = shared.piece.take() {
            if let Some(left) = &mut this.left {
                *left = left.saturating_sub(piece.len() as u64);
            }
            return Poll::Ready(Some(Ok(Frame::data(piece))));
        }
        if let Some(end) = shared.end.take() {
            this.is_over = true;
            return Poll::Ready(match end {
                End::Whole(None) => None,
                End::Whole(Some(trailers)) => Some(Ok(Frame::trailers(trailers))),
                End::Broken => Some(Err("the body has broken off".into())),
            });
        }
        shared.is_wanted = true;
        shared.reader = Some(context.waker().clone());
        let feeder = shared.feeder.take();
        drop(shared);
        if let Some(feeder) = feeder {
            feeder.wake();
        }
        Poll::Pending
    }

    fn is_end_stream(&self) -> bool {
        self.is_over || self.left == Some(0)
    }

    fn size_hint(&self) -> SizeHint {
        self.left.map_or_else(SizeHint::new, SizeHint::with_exact)
    }
}

impl Drop for Incoming {
    fn drop(&mut self) {
        let mut shared = lock(&self.shared);
        shared.is_abandoned = true;
        shared.piece = None;
        let feeder = shared.feeder.take();
        drop(shared);
        if let Some(feeder) = feeder {
            feeder.wake();
        }
    }
}

#[cfg(test)]
mod tests {
    use http_body::Body as _;

    use super::*;

    fn poll(incoming: &mut Incoming) -> Poll<Option<Result<Frame<Bytes>, String>>> {
        let mut context = Context::from_waker(Waker::noop());
        let frame = Pin::new(incoming).poll_frame(&mut context);
        frame.map(|frame| frame.map(|frame| frame.map_err(|error| error.to_string())))
    }

    fn appetite(feeder: &mut Feeder) -> Poll<Appetite> {
        feeder.poll_appetite(&mut Context::from_waker(Waker::noop()))
    }

    #[test]
    fn a_body_comes_as_it_is_read() {
        let (mut feeder, mut incoming) = channel(Some(3));
        assert!(appetite(&mut feeder).is_pending(), "nobody reads");
        assert!(poll(&mut incoming).is_pending());
        assert_eq!(appetite(&mut feeder), Poll::Ready(Appetite::Hungry));
        feeder.feed(Bytes::from_static(b"ab"));
        assert!(appetite(&mut feeder).is_pending(), "one piece at a time");
        assert!(matches!(poll(&mut incoming), Poll::Ready(Some(Ok(_)))));
        assert_eq!(incoming.size_hint().exact(), Some(1));
        assert!(poll(&mut incoming).is_pending() && !incoming.is_end_stream());
        feeder.feed(Bytes::from_static(b"c"));
        feeder.end(None);
        assert!(matches!(poll(&mut incoming), Poll::Ready(Some(Ok(_)))));
        assert!(incoming.is_end_stream());
        assert!(matches!(poll(&mut incoming), Poll::Ready(None)));
    }

    #[test]
    fn trailers_come_last() {
        let (feeder, mut incoming) = channel(None);
        feeder.end(Some(HeaderMap::new()));
        let Poll::Ready(Some(Ok(frame))) = poll(&mut incoming) else {
            panic!("they are there");
        };
        assert!(frame.is_trailers());
        assert!(matches!(poll(&mut incoming), Poll::Ready(None)));
        assert!(incoming.is_end_stream());
    }

    #[test]
    fn each_end_learns_that_the_other_is_gone() {
        let (feeder, mut incoming) = channel(Some(3));
        drop(feeder);
        assert!(matches!(poll(&mut incoming), Poll::Ready(Some(Err(_)))));
        assert!(matches!(poll(&mut incoming), Poll::Ready(None)));
        let (mut feeder, incoming) = channel(Some(3));
        drop(incoming);
        assert_eq!(appetite(&mut feeder), Poll::Ready(Appetite::Gone));
    }
}
