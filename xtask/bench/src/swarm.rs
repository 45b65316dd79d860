//! Many sockets on one thread, by epoll(7), edge-triggered: whoever is told of a
//! socket reads until a read is short, and writes until a write is refused.

use std::net::TcpStream;
use std::os::fd::OwnedFd;
use std::time::Duration;

use anyhow::{Context, Result};
use rustix::buffer::spare_capacity;
use rustix::event::{Timespec, epoll};

const EVENTS_MAX: usize = 512;

/// A set of sockets, each known by an index.
pub(crate) struct Swarm {
    epoll: OwnedFd,
    events: Vec<epoll::Event>,
}

impl Swarm {
    pub(crate) fn new() -> Result<Self> {
        Ok(Self {
            epoll: epoll::create(epoll::CreateFlags::CLOEXEC).context("no epoll")?,
            events: Vec::with_capacity(EVENTS_MAX),
        })
    }

    /// Adds a socket, and makes it one that does not block.
    pub(crate) fn add(&self, stream: &TcpStream, index: usize) -> Result<()> {
        stream.set_nonblocking(true)?;
        let flags = epoll::EventFlags::IN
            | epoll::EventFlags::OUT
            | epoll::EventFlags::RDHUP
            | epoll::EventFlags::ET;
        let data = epoll::EventData::new_u64(index as u64);
        epoll::add(&self.epoll, stream, data, flags).context("can't watch a socket")
    }

    /// Waits for at most `timeout`, and gives the indices of those sockets that
    /// have something to do.
    pub(crate) fn wait(&mut self, timeout: Duration) -> Result<impl Iterator<Item = usize>> {
        let timeout = Timespec {
            tv_sec: i64::try_from(timeout.as_secs()).unwrap_or(i64::MAX),
            tv_nsec: timeout.subsec_nanos().into(),
        };
        self.events.clear();
        let buffer = spare_capacity(&mut self.events);
        match epoll::wait(&self.epoll, buffer, Some(&timeout)) {
            Ok(_) | Err(rustix::io::Errno::INTR) => {}
            Err(error) => return Err(error).context("epoll fails"),
        }
        Ok(self.events.drain(..).map(|event| event.data.u64() as usize))
    }
}
