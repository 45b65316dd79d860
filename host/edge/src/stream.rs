//! The bytes of one connection.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::{Buf, Bytes};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

#[cfg(feature = "memory-transport")]
pub(crate) mod memory;

/// What a WebSocket keeps of its connection. Plain TCP; TLS will make it an
/// enum.
#[cfg(not(feature = "memory-transport"))]
pub(crate) type Stream = tokio::net::TcpStream;
#[cfg(feature = "memory-transport")]
pub(crate) use memory::Stream;

/// The same on its way to its loop.
#[cfg(not(feature = "memory-transport"))]
pub(crate) type Arriving = std::net::TcpStream;
#[cfg(feature = "memory-transport")]
pub(crate) use memory::Arriving;

/// A connection that was accepted.
pub(crate) fn arriving(stream: std::net::TcpStream) -> Arriving {
    #[cfg(feature = "memory-transport")]
    return Arriving::Tcp(stream);
    #[cfg(not(feature = "memory-transport"))]
    stream
}

/// A stream whose first bytes have been read already.
pub(crate) struct Begun {
    pub(crate) first: Bytes,
    pub(crate) stream: Stream,
}

impl AsyncRead for Begun {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if self.first.is_empty() {
            return Pin::new(&mut self.stream).poll_read(context, buffer);
        }
        let len = self.first.len().min(buffer.remaining());
        buffer.put_slice(self.first.get(..len).unwrap_or_default());
        self.first.advance(len);
        if self.first.is_empty() {
            self.first = Bytes::new();
        }
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Begun {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(context, bytes)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write_vectored(context, slices)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}
