//! One stream of HTTP/2 as bytes in both directions.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::{Buf, Bytes};
use h2::{RecvStream, SendStream};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// What a CONNECT has opened.
#[derive(Debug)]
pub struct Tunnel {
    sender: SendStream<Bytes>,
    receiver: RecvStream,
    rest: Bytes,
}

impl Tunnel {
    /// Made of both halves.
    pub(super) fn new(sender: SendStream<Bytes>, receiver: RecvStream) -> Self {
        Self {
            sender,
            receiver,
            rest: Bytes::new(),
        }
    }

    /// Resets the stream.
    pub fn reset(&mut self) {
        self.sender.send_reset(h2::Reason::CANCEL);
    }
}

impl AsyncRead for Tunnel {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        while self.rest.is_empty() {
            match ready!(self.receiver.poll_data(context)) {
                Some(Ok(piece)) => {
                    let taken = self.receiver.flow_control().release_capacity(piece.len());
                    taken.map_err(io::Error::other)?;
                    self.rest = piece;
                }
                Some(Err(error)) => return Poll::Ready(Err(io::Error::other(error))),
                None => return Poll::Ready(Ok(())),
            }
        }
        let length = self.rest.len().min(buffer.remaining());
        buffer.put_slice(&self.rest[..length]);
        self.rest.advance(length);
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Tunnel {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.sender.reserve_capacity(bytes.len());
        let room = loop {
            match ready!(self.sender.poll_capacity(context)) {
                Some(Ok(0)) => {}
                Some(room) => break room.map_err(io::Error::other)?,
                None => return Poll::Ready(Err(io::ErrorKind::BrokenPipe.into())),
            }
        };
        let length = room.min(bytes.len());
        let piece = Bytes::copy_from_slice(&bytes[..length]);
        let sent = self.sender.send_data(piece, false);
        Poll::Ready(sent.map(|()| length).map_err(io::Error::other))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        let sent = self.sender.send_data(Bytes::new(), true);
        Poll::Ready(sent.map_err(io::Error::other))
    }
}
