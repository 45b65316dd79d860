//! Bodies on their way out.

use std::cell::RefCell;
use std::error::Error as StdError;
use std::fmt::{self, Display, Formatter};
use std::rc::Rc;

use bytes::Bytes;
use wasip3::wit_bindgen::{StreamWriter, spawn_local};
use wasip3::wit_stream;

use super::HeaderMap;
use super::body::Producer;
use super::parts::{Ending, Parts};

/// Sends a body piece by piece; see [`Body::stream`](super::Body::stream).
/// Dropping it ends the body.
pub struct Sender {
    writer: StreamWriter<u8>,
    trailers: Rc<RefCell<HeaderMap>>,
}

impl Sender {
    /// Sends a piece. Returns when the host has taken all of it, which it does
    /// only as fast as the peer reads. Fails when the peer is gone.
    pub async fn send(&mut self, piece: impl Into<Bytes>) -> Result<(), Closed> {
        let rest = self.writer.write_all(Vec::from(piece.into())).await;
        if rest.is_empty() { Ok(()) } else { Err(Closed) }
    }

    /// Sets the trailers (RFC 9110, section 6.5) that follow the body.
    pub fn set_trailers(&mut self, trailers: HeaderMap) {
        self.trailers.replace(trailers);
    }
}

impl fmt::Debug for Sender {
    fn fmt(&self, formatter: &mut Formatter<'_>) -> fmt::Result {
        formatter.write_str("Sender(..)")
    }
}

/// Nobody reads the body any more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Closed;

impl Display for Closed {
    fn fmt(&self, formatter: &mut Formatter<'_>) -> fmt::Result {
        formatter.write_str("nobody reads the body any more")
    }
}

impl StdError for Closed {}

/// A body that `producer` writes.
pub(super) fn write_stream(producer: Producer) -> Parts {
    let (writer, stream) = wit_stream::new();
    let trailers = Rc::new(RefCell::new(HeaderMap::new()));
    let sender = Sender {
        writer,
        trailers: Rc::clone(&trailers),
    };
    let handle = spawn_local(async move {
        match producer(sender).await {
            Ok(()) => Ok(trailers.take()),
            Err(error) => {
                // That the peer went away is no fault of the handler's.
                if error.downcast_ref::<Closed>().is_none() {
                    eprintln!("the body was broken off: {error}");
                }
                Err(error.to_string())
            }
        }
    });
    Parts {
        stream,
        ending: Ending::Ours(handle),
    }
}
