//! Clients in memory, for benchmarks: as many as there is memory for, whatever
//! the system's limit of open files. Not part of the host.

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll, Waker};

use bytes::Bytes;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;

/// Where every client in memory comes from.
pub(crate) const ADDRESS: SocketAddr =
    SocketAddr::new(std::net::IpAddr::V4(Ipv4Addr::LOCALHOST), 0);

/// What clients in memory say. They share it, so a client costs the process
/// nothing beside what the host keeps for it.
#[derive(Debug)]
pub struct Script {
    /// Each of them is said after the answer to the one before.
    says: Vec<Bytes>,
    heard_count: AtomicU64,
    heard_bytes: AtomicU64,
}

impl Script {
    /// The first thing to say is a request; the last is followed by silence.
    pub fn new(says: Vec<Bytes>) -> Arc<Self> {
        Arc::new(Self {
            says,
            heard_count: AtomicU64::new(0),
            heard_bytes: AtomicU64::new(0),
        })
    }

    /// Writes of the host to all these clients.
    pub fn heard_count(&self) -> u64 {
        self.heard_count.load(Ordering::Acquire)
    }

    /// Bytes in all these writes.
    pub fn heard_bytes(&self) -> u64 {
        self.heard_bytes.load(Ordering::Acquire)
    }
}

/// The host's end of the way to one of them.
#[derive(Debug)]
pub(crate) struct Memory {
    script: Arc<Script>,
    /// How many things have been said.
    said: u32,
    /// Whether the last one has been answered.
    answered: bool,
    /// Of who wants to hear the next one. Boxed, so that it is no larger than a
    /// real client.
    listener: Option<Box<Waker>>,
}

impl Memory {
    pub(crate) fn new(script: Arc<Script>) -> Self {
        Self {
            script,
            said: 0,
            answered: true,
            listener: None,
        }
    }

    fn read(&mut self, context: &Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let next = self.script.says.get(self.said as usize);
        match next {
            Some(bytes) if self.answered && bytes.len() <= buffer.remaining() => {
                buffer.put_slice(bytes);
                self.said += 1;
                self.answered = false;
                Poll::Ready(Ok(()))
            }
            Some(_) => {
                self.listener = Some(Box::new(context.waker().clone()));
                Poll::Pending
            }
            None => Poll::Pending,
        }
    }

    fn write(&mut self, len: usize) -> Poll<io::Result<usize>> {
        self.answered = true;
        if let Some(listener) = self.listener.take() {
            listener.wake();
        }
        let script = &self.script;
        script.heard_bytes.fetch_add(len as u64, Ordering::Release);
        script.heard_count.fetch_add(1, Ordering::Release);
        Poll::Ready(Ok(len))
    }
}

/// A stream on its way to its loop.
#[derive(Debug)]
pub(crate) enum Arriving {
    Tcp(std::net::TcpStream),
    Memory(Memory),
}

/// A real client or one in memory.
#[derive(Debug)]
pub(crate) enum Stream {
    Tcp(TcpStream),
    Memory(Memory),
}

impl Stream {
    pub(crate) fn from_std(stream: Arriving) -> io::Result<Self> {
        Ok(match stream {
            Arriving::Tcp(stream) => Self::Tcp(TcpStream::from_std(stream)?),
            Arriving::Memory(memory) => Self::Memory(memory),
        })
    }
}

impl AsyncRead for Stream {
    fn poll_read(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Tcp(stream) => Pin::new(stream).poll_read(context, buffer),
            Self::Memory(memory) => memory.read(context, buffer),
        }
    }
}

impl AsyncWrite for Stream {
    fn poll_write(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        match self.get_mut() {
            Self::Tcp(stream) => Pin::new(stream).poll_write(context, bytes),
            Self::Memory(memory) => memory.write(bytes.len()),
        }
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        match self.get_mut() {
            Self::Tcp(stream) => Pin::new(stream).poll_write_vectored(context, slices),
            Self::Memory(memory) => memory.write(slices.iter().map(|slice| slice.len()).sum()),
        }
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Tcp(stream) => Pin::new(stream).poll_flush(context),
            Self::Memory(_) => Poll::Ready(Ok(())),
        }
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Tcp(stream) => Pin::new(stream).poll_shutdown(context),
            Self::Memory(_) => Poll::Ready(Ok(())),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_client_in_memory_makes_no_task_larger() {
        assert_eq!(size_of::<Stream>(), size_of::<TcpStream>());
    }
}
