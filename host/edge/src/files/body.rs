//! A body that is read from a file while it is sent, as fast as the client takes
//! it.

use std::collections::VecDeque;
use std::future::Future;
use std::io;
use std::ops::Range;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use holdfast_core::event::{Body, BodyError};
use http_body::{Frame, SizeHint};
use http_body_util::BodyExt;

use super::open::Patience;
use super::shelf::Open;

/// What is read at a time; files up to this one are read at once.
pub(super) const CHUNK_BYTES_MAX: usize = 32 << 10;

/// What a body is made of.
#[derive(Debug)]
pub(super) enum Piece {
    Bytes(Bytes),
    /// These bytes of the file.
    Range(Range<u64>),
}

impl Piece {
    pub(super) fn len(&self) -> u64 {
        match self {
            Self::Bytes(bytes) => bytes.len() as u64,
            Self::Range(range) => range.end - range.start,
        }
    }
}

/// A body of these pieces. If the file changes it breaks off, and the client sees
/// that it has not got all.
pub(super) fn body(file: Arc<Open>, pieces: Vec<Piece>) -> Body {
    FileBody {
        file,
        pieces: pieces.into(),
        reading: None,
    }
    .boxed_unsync()
}

struct FileBody {
    file: Arc<Open>,
    /// What is not read yet.
    pieces: VecDeque<Piece>,
    /// What a thread reads.
    reading: Option<Pin<Box<dyn Future<Output = io::Result<Bytes>> + Send>>>,
}

impl FileBody {
    /// Reads the first bytes of a range. None if a thread has to.
    fn begin(&mut self, range: &Range<u64>) -> Option<io::Result<Bytes>> {
        let len = usize::try_from(range.end - range.start).unwrap_or(usize::MAX);
        let (offset, len) = (range.start, len.min(CHUNK_BYTES_MAX));
        match self.file.read(offset, len, Patience::None) {
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                let file = Arc::clone(&self.file);
                self.reading = Some(Box::pin(async move {
                    let shelf = Arc::clone(file.shelf());
                    let work = move || file.read(offset, len, Patience::Disk);
                    shelf.on_disk(work).await
                }));
                None
            }
            read => Some(read),
        }
    }

    fn poll_chunk(&mut self, context: &mut Context<'_>) -> Poll<Option<io::Result<Bytes>>> {
        let Some(piece) = self.pieces.pop_front() else {
            return Poll::Ready(None);
        };
        let range = match piece {
            Piece::Bytes(bytes) => return Poll::Ready(Some(Ok(bytes))),
            Piece::Range(range) => range,
        };
        let begun = match self.reading {
            None => self.begin(&range),
            Some(_) => None,
        };
        let read = match (begun, &mut self.reading) {
            (Some(read), _) => read,
            (None, Some(reading)) => match reading.as_mut().poll(context) {
                Poll::Ready(read) => read,
                Poll::Pending => {
                    self.pieces.push_front(Piece::Range(range));
                    return Poll::Pending;
                }
            },
            (None, None) => return Poll::Ready(None),
        };
        self.reading = None;
        let bytes = match read {
            Ok(bytes) => bytes,
            Err(error) => {
                // Nothing comes after an error.
                self.pieces.clear();
                return Poll::Ready(Some(Err(error)));
            }
        };
        let rest = range.start + bytes.len() as u64..range.end;
        if !rest.is_empty() {
            self.pieces.push_front(Piece::Range(rest));
        }
        Poll::Ready(Some(Ok(bytes)))
    }
}

impl http_body::Body for FileBody {
    type Data = Bytes;
    type Error = BodyError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        let chunk = ready!(self.poll_chunk(context));
        Poll::Ready(chunk.map(|chunk| Ok(Frame::data(chunk?))))
    }

    fn is_end_stream(&self) -> bool {
        self.pieces.is_empty()
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.pieces.iter().map(Piece::len).sum())
    }
}
