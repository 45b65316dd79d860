//! Sends to many sockets with one call of the system: Linux' io_uring.
//!
//! What is asked for here does not wait, so that it is done when the call returns,
//! and nothing is under way in the system before or after. Where there is no such
//! ring (an older system, a container that is not allowed to use one, another memory
//! limit), the sockets are written to one by one.
#![allow(
    unsafe_code,
    reason = "the system gets addresses of what is to be sent, which no safe code can describe"
)]

use std::io;
use std::os::fd::RawFd;

use io_uring::{IoUring, Probe, opcode, types};
use rustix::net::SendFlags;

/// Sockets at a time, while which nothing else happens on the loop.
pub(crate) const SENDS_MAX: usize = 64;

/// A ring of one thread.
pub(crate) struct Ring(IoUring);

impl Ring {
    /// None if the system gives none, or one that can't do this.
    pub(crate) fn new() -> Option<Self> {
        let mut builder = IoUring::builder();
        builder.dontfork();
        let ring = builder.build(SENDS_MAX as u32).ok()?;
        // The first systems with rings could not send.
        let mut probe = Probe::new();
        ring.submitter().register_probe(&mut probe).ok()?;
        probe.is_supported(opcode::Send::CODE).then_some(Self(ring))
    }

    /// Sends to each of these sockets, [`SENDS_MAX`] at most, what it has room for.
    /// `sent` has then for each what came of it, in their order: how much it was, or
    /// none if there was no room, or nothing was tried.
    ///
    /// # Errors
    /// If the system fails to do it. The ring is not to be used any more then.
    pub(crate) fn send<'a>(
        &mut self,
        sends: impl Iterator<Item = (RawFd, &'a [u8])>,
        sent: &mut Vec<Sent>,
    ) -> io::Result<()> {
        const FLAGS: SendFlags = SendFlags::NOSIGNAL.union(SendFlags::DONTWAIT);
        sent.clear();
        let mut submission = self.0.submission();
        for (index, (socket, bytes)) in sends.take(SENDS_MAX).enumerate() {
            let len = u32::try_from(bytes.len()).unwrap_or(u32::MAX);
            let send = opcode::Send::new(types::Fd(socket), bytes.as_ptr(), len)
                .flags(FLAGS.bits().cast_signed())
                .build()
                .user_data(index as u64);
            // SAFETY: the bytes are there until this returns. The system looks at them
            // while it takes this up and at no other time, since it is told not to
            // wait; what it has not taken up goes with the ring.
            let pushed = unsafe { submission.push(&send) };
            pushed.map_err(|_| io::ErrorKind::OutOfMemory)?;
            sent.push(None);
        }
        drop(submission);
        let mut left = sent.len();
        while left > 0 {
            let submitted = self.0.submit_and_wait(left);
            for completion in self.0.completion() {
                left = left.saturating_sub(1);
                if let Some(sent) = sent.get_mut(completion.user_data() as usize) {
                    *sent = result(completion.result());
                }
            }
            // Only now: what has been sent is not to be sent again.
            match submitted {
                Err(error) if error.kind() != io::ErrorKind::Interrupted => return Err(error),
                _ => {}
            }
        }
        Ok(())
    }
}

/// What has come of sending.
pub(crate) type Sent = Option<io::Result<usize>>;

fn result(result: i32) -> Sent {
    let Ok(len) = usize::try_from(result) else {
        let error = io::Error::from_raw_os_error(-result);
        // The last two are those of a system that can't do this with such a socket.
        let is_over = !matches!(
            error.kind(),
            io::ErrorKind::WouldBlock
                | io::ErrorKind::Interrupted
                | io::ErrorKind::InvalidInput
                | io::ErrorKind::Unsupported
        );
        return is_over.then_some(Err(error));
    };
    Some(Ok(len))
}

#[cfg(test)]
mod tests {
    use std::io::Read;
    use std::net::{Shutdown, TcpListener, TcpStream};
    use std::os::fd::AsRawFd;

    use super::*;

    /// Both ends of a connection.
    fn pair(listener: &TcpListener) -> (TcpStream, TcpStream) {
        let client = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        (listener.accept().unwrap().0, client)
    }

    #[test]
    fn each_gets_its_own_and_a_full_or_broken_one_disturbs_nobody() {
        let Some(mut ring) = Ring::new() else {
            // A system that has none, which the host then does without, too.
            return;
        };
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let mut pairs: Vec<_> = (0..5).map(|_| pair(&listener)).collect();
        pairs[1].0.shutdown(Shutdown::Write).unwrap();
        let large = vec![7; 64 << 20];
        for round in 0..3 {
            let texts: Vec<_> = (0..5).map(|index| format!("{round} {index}")).collect();
            let sends = pairs.iter().zip(&texts).enumerate();
            let sends = sends.map(|(index, ((server, _), text))| match index {
                3 => (server.as_raw_fd(), &large[..]),
                _ => (server.as_raw_fd(), text.as_bytes()),
            });
            let mut sent = Vec::new();
            ring.send(sends, &mut sent).unwrap();
            assert!(
                matches!(&sent[1], Some(Err(error)) if error.kind() == io::ErrorKind::BrokenPipe)
            );
            match round {
                0 => assert!(matches!(sent[3], Some(Ok(len)) if 0 < len && len < large.len())),
                _ => assert!(sent[3].is_none(), "there is no room"),
            }
            for index in [0, 2, 4] {
                assert!(matches!(sent[index], Some(Ok(3))));
                let mut text = [0; 3];
                pairs[index].1.read_exact(&mut text).unwrap();
                assert_eq!(text, texts[index].as_bytes());
            }
        }
    }

    #[test]
    fn many_are_sent_to_at_a_time_and_no_more() {
        let Some(mut ring) = Ring::new() else {
            return;
        };
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let (server, mut client) = pair(&listener);
        let mut sent = Vec::new();
        for _ in 0..3 {
            let sends = std::iter::repeat_n((server.as_raw_fd(), &b"a"[..]), SENDS_MAX + 1);
            ring.send(sends, &mut sent).unwrap();
            assert_eq!(sent.len(), SENDS_MAX);
            assert!(sent.iter().all(|it| matches!(it, Some(Ok(1)))));
            client.read_exact(&mut [0; SENDS_MAX]).unwrap();
        }
    }
}
