//! The bytes of one connection.
//!
//! An enum, so that plain TCP, of which there are most, costs no more than
//! without the others: they are boxed, and a WebSocket is no larger for them.

use std::io::{self, IoSlice};
use std::os::fd::{AsRawFd, RawFd};
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::{Buf, Bytes};
use hyper::upgrade::Upgraded;
use hyper_util::rt::TokioIo;
use rustix::io::Errno;
use rustix::net::{self, RecvFlags, SendAncillaryBuffer, SendFlags};
use tokio::io::{AsyncRead, AsyncWrite, Interest, ReadBuf};
use tokio::net::{TcpStream, UnixStream};
use tokio_rustls::server::TlsStream;

use crate::http2::Open;

#[cfg(feature = "memory-transport")]
pub(crate) mod memory;

/// What is written at once to a stream of HTTP/2: whatever is taken is copied,
/// and waits for the client's window.
const HTTP2_WRITE_BYTES_MAX: usize = 16 << 10;

/// What a WebSocket keeps of its connection.
pub(crate) enum Stream {
    Tcp(TcpStream),
    /// An enum of its own, for which there is room in that of the others.
    Other(Other),
}

/// What is not plain TCP.
pub(crate) enum Other {
    Tls(Box<TlsStream<TcpStream>>),
    Unix(Box<UnixStream>),
    /// One stream of a connection that speaks HTTP/2 (RFC 8441).
    Http2(Box<Tunnelled>),
    #[cfg(feature = "memory-transport")]
    Memory(memory::Memory),
}

/// One stream of a connection that speaks HTTP/2.
pub(crate) struct Tunnelled {
    io: TokioIo<Upgraded>,
    _open: Open,
}

/// A connection on its way to its loop.
#[derive(Debug)]
pub(crate) enum Arriving {
    Tcp(std::net::TcpStream),
    Unix(std::os::unix::net::UnixStream),
    #[cfg(feature = "memory-transport")]
    Memory(memory::Memory),
}

impl Stream {
    /// A connection that has come to its loop.
    pub(crate) fn from_arriving(stream: Arriving) -> io::Result<Self> {
        Ok(match stream {
            Arriving::Tcp(stream) => Self::Tcp(TcpStream::from_std(stream)?),
            Arriving::Unix(stream) => {
                Self::Other(Other::Unix(Box::new(UnixStream::from_std(stream)?)))
            }
            #[cfg(feature = "memory-transport")]
            Arriving::Memory(memory) => Self::Other(Other::Memory(memory)),
        })
    }

    /// A connection after its TLS handshake.
    pub(crate) fn of_tls(stream: Box<TlsStream<TcpStream>>) -> Self {
        Self::Other(Other::Tls(stream))
    }

    /// A stream of HTTP/2, after the 200.
    pub(crate) fn of_http2(upgraded: Upgraded, open: Open) -> Self {
        Self::Other(Other::Http2(Box::new(Tunnelled {
            io: TokioIo::new(upgraded),
            _open: open,
        })))
    }

    /// Whether it may have taken bytes which it has not sent. Plain TCP has none.
    pub(crate) fn is_buffered(&self) -> bool {
        matches!(self, Self::Other(Other::Tls(_) | Other::Http2(_)))
    }

    /// The socket of plain TCP, for as long as this is there.
    pub(crate) fn tcp_socket(&self) -> Option<RawFd> {
        match self {
            Self::Tcp(stream) => Some(stream.as_raw_fd()),
            Self::Other(_) => None,
        }
    }

    /// Writes what the socket has room for, past the runtime and its books. None
    /// if there is no room, or no such way: then it is for [`AsyncWrite`] to do.
    pub(crate) fn write_now(&self, slices: &[IoSlice<'_>]) -> Option<io::Result<usize>> {
        let Self::Tcp(stream) = self else {
            return None;
        };
        // Straight to the system: the C library would look for a cancellation of
        // the thread before and behind each call.
        let flags = SendFlags::NOSIGNAL;
        let result = match slices {
            [slice] => net::send(stream, slice, flags),
            _ => net::sendmsg(stream, slices, &mut SendAncillaryBuffer::default(), flags),
        };
        match result {
            Err(Errno::AGAIN | Errno::INTR) => None,
            result => Some(result.map_err(io::Error::from)),
        }
    }

    /// Reads what there is, none if the client has nothing more to say.
    pub(crate) fn poll_recv(
        &mut self,
        context: &mut Context<'_>,
        buffer: &mut [u8],
    ) -> Poll<io::Result<usize>> {
        let Self::Tcp(stream) = self else {
            let mut buffer = ReadBuf::new(buffer);
            ready!(Pin::new(self).poll_read(context, &mut buffer))?;
            return Poll::Ready(Ok(buffer.filled().len()));
        };
        loop {
            ready!(stream.poll_read_ready(context))?;
            // Straight to the system, as for writing.
            match net::recv(&*stream, &mut *buffer, RecvFlags::empty()) {
                Ok((len, _)) if 0 < len && len < buffer.len() => {
                    // That was all: the system need not be asked again to know it.
                    not_ready(stream);
                    return Poll::Ready(Ok(len));
                }
                Ok((len, _)) => return Poll::Ready(Ok(len)),
                Err(Errno::AGAIN) => not_ready(stream),
                Err(Errno::INTR) => {}
                Err(error) => return Poll::Ready(Err(error.into())),
            }
        }
    }

    /// Sends these bytes.
    pub(crate) fn poll_send(&mut self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.is_buffered() {
            true => Pin::new(self).poll_flush(context),
            false => Poll::Ready(Ok(())),
        }
    }
}

/// Notes that there is nothing to read now.
fn not_ready(stream: &TcpStream) {
    let nothing = || Err::<(), _>(io::ErrorKind::WouldBlock.into());
    let _ = stream.try_io(Interest::READABLE, nothing);
}

/// Calls the same function of whatever it is.
macro_rules! each {
    ($self:ident, $stream:ident => $call:expr) => {
        match $self.get_mut() {
            Stream::Tcp($stream) => $call,
            Stream::Other(Other::Tls($stream)) => $call,
            Stream::Other(Other::Unix($stream)) => $call,
            Stream::Other(Other::Http2(tunnelled)) => {
                let $stream = &mut tunnelled.io;
                $call
            }
            #[cfg(feature = "memory-transport")]
            Stream::Other(Other::Memory($stream)) => $call,
        }
    };
}

impl AsyncRead for Stream {
    fn poll_read(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        each!(self, stream => Pin::new(stream).poll_read(context, buffer))
    }
}

impl AsyncWrite for Stream {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        if let Self::Other(Other::Http2(tunnelled)) = &mut *self {
            let len = bytes.len().min(HTTP2_WRITE_BYTES_MAX);
            let bytes = bytes.get(..len).unwrap_or_default();
            return Pin::new(&mut tunnelled.io).poll_write(context, bytes);
        }
        each!(self, stream => Pin::new(stream).poll_write(context, bytes))
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        if let Self::Other(Other::Http2(tunnelled)) = &mut *self {
            // One frame for many messages.
            return Pin::new(&mut tunnelled.io).poll_write(context, &joined(slices));
        }
        each!(self, stream => Pin::new(stream).poll_write_vectored(context, slices))
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        each!(self, stream => Pin::new(stream).poll_flush(context))
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        each!(self, stream => Pin::new(stream).poll_shutdown(context))
    }
}

/// The beginning of some slices, as much as is written at once.
fn joined(slices: &[IoSlice<'_>]) -> Vec<u8> {
    let len = slices.iter().map(|slice| slice.len()).sum::<usize>();
    let mut joined = Vec::with_capacity(len.min(HTTP2_WRITE_BYTES_MAX));
    for slice in slices {
        let room = HTTP2_WRITE_BYTES_MAX - joined.len();
        let len = slice.len().min(room);
        joined.extend_from_slice(slice.get(..len).unwrap_or_default());
        if len == room {
            break;
        }
    }
    joined
}

/// Writes to a stream as to the one in its field.
macro_rules! writes_to {
    ($stream:ident $(<$inner:ident>)?, $field:ident) => {
        impl$(<$inner: tokio::io::AsyncWrite + Unpin>)? tokio::io::AsyncWrite for $stream$(<$inner>)? {
            fn poll_write(
                mut self: std::pin::Pin<&mut Self>,
                context: &mut std::task::Context<'_>,
                bytes: &[u8],
            ) -> std::task::Poll<std::io::Result<usize>> {
                std::pin::Pin::new(&mut self.$field).poll_write(context, bytes)
            }

            fn poll_write_vectored(
                mut self: std::pin::Pin<&mut Self>,
                context: &mut std::task::Context<'_>,
                slices: &[std::io::IoSlice<'_>],
            ) -> std::task::Poll<std::io::Result<usize>> {
                std::pin::Pin::new(&mut self.$field).poll_write_vectored(context, slices)
            }

            fn is_write_vectored(&self) -> bool {
                self.$field.is_write_vectored()
            }

            fn poll_flush(
                mut self: std::pin::Pin<&mut Self>,
                context: &mut std::task::Context<'_>,
            ) -> std::task::Poll<std::io::Result<()>> {
                std::pin::Pin::new(&mut self.$field).poll_flush(context)
            }

            fn poll_shutdown(
                mut self: std::pin::Pin<&mut Self>,
                context: &mut std::task::Context<'_>,
            ) -> std::task::Poll<std::io::Result<()>> {
                std::pin::Pin::new(&mut self.$field).poll_shutdown(context)
            }
        }
    };
}
pub(crate) use writes_to;

/// A stream whose first bytes have been read already.
pub(crate) struct Begun<S = Stream> {
    pub(crate) first: Bytes,
    pub(crate) stream: S,
}

impl<S: AsyncRead + Unpin> AsyncRead for Begun<S> {
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

writes_to!(Begun<S>, stream);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn other_transports_make_no_task_larger() {
        assert_eq!(size_of::<Stream>(), size_of::<TcpStream>());
    }

    #[test]
    fn no_more_is_joined_than_is_written() {
        let (small, large) = ([1; 5], [2; HTTP2_WRITE_BYTES_MAX]);
        assert_eq!(
            joined(&[IoSlice::new(&small), IoSlice::new(&small)]),
            [1; 10]
        );
        let slices = [&small[..], &large, &small].map(IoSlice::new);
        let joined = joined(&slices);
        assert_eq!(joined.len(), HTTP2_WRITE_BYTES_MAX);
        assert_eq!(joined[..6], [1, 1, 1, 1, 1, 2]);
    }
}
