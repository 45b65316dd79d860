//! The deploy thread: one command after the other, and what is to be done from
//! time to time.

use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, sync_channel};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use anyhow::Context;

use super::build::Builder;
use super::look::Deferred;
use super::{Command, Fleet, Handle};

/// How often removed plugins are looked at, while there are any.
const REMOVAL_TICK: Duration = Duration::from_millis(20);
/// How often old generations are looked at, while there are any.
const OLD_TICK: Duration = Duration::from_secs(1);

/// How often memory of what nobody uses is given back.
const COOL_TICK: Duration = Duration::from_secs(30);

/// How long the end of the host waits for a guest that is being tried.
const STOP_TIMEOUT: Duration = Duration::from_secs(1);

/// The running thread.
pub(crate) struct Deploy {
    thread: JoinHandle<()>,
    /// Closed when the thread has ended.
    ended: Receiver<()>,
    /// It owns the engines, and their clock has to go on while guests finish
    /// their events: the thread ends before the event loops do.
    _builder: Arc<Builder>,
    handle: Handle,
}

impl Deploy {
    /// Hands the fleet to a thread of its own.
    pub(crate) fn start(mut fleet: Fleet, handle: Handle) -> anyhow::Result<Self> {
        let builder = Arc::clone(&fleet.builder);
        let (ending, ended) = sync_channel(0);
        let run = move || {
            fleet.run();
            drop(ending);
        };
        let thread = std::thread::Builder::new()
            .name("deploy".into())
            .spawn(run)
            .context("can't start a thread")?;
        Ok(Self {
            thread,
            ended,
            _builder: builder,
            handle,
        })
    }

    /// Ends it. A component that is being loaded is not waited for, and a guest
    /// that is being tried not for long.
    pub(crate) fn stop(self) -> anyhow::Result<()> {
        self.handle.stop();
        if self.ended.recv_timeout(STOP_TIMEOUT) == Err(RecvTimeoutError::Timeout) {
            tracing::debug!("the deploy thread is left to its work");
            return Ok(());
        }
        if self.thread.join().is_err() {
            anyhow::bail!("the deploy thread has panicked");
        }
        Ok(())
    }
}

impl Fleet {
    fn run(&mut self) {
        while !self.stopping {
            match self.next() {
                Some(command) => self.obey(command),
                None => break,
            }
            self.catch_up();
        }
    }

    /// Does what takes long, one after the other.
    fn catch_up(&mut self) {
        while !self.stopping {
            if let Some(Deferred { look, replies }) = self.deferred.take() {
                let report = self.look(&look);
                for reply in replies {
                    // Whoever asked may be gone.
                    let _ = reply.send(report.clone());
                }
            } else if let Some(upload) = self.uploads.pop_front() {
                if let Some(result) = self.deploy(&upload.name, &upload.component) {
                    let _ = upload.reply.send(result);
                }
            } else {
                break;
            }
        }
    }

    /// The next command; none when nobody can send one any more.
    pub(super) fn next(&mut self) -> Option<Command> {
        loop {
            let now = Instant::now();
            if now >= self.cool_at {
                self.cool_at = now + COOL_TICK;
                self.builder.loader.cool();
            }
            let has_old = self.builder.runtime.has_old();
            let tick = match (self.removals.is_empty(), has_old) {
                (false, _) => REMOVAL_TICK,
                (true, true) => OLD_TICK,
                (true, false) => COOL_TICK,
            };
            let tick = tick.min(self.cool_at - now);
            match self.inbox.recv_timeout(tick) {
                Ok(command) => return Some(command),
                Err(RecvTimeoutError::Timeout) => self.tick(),
                Err(RecvTimeoutError::Disconnected) => return None,
            }
        }
    }

    fn tick(&mut self) {
        self.end_removals();
        self.builder.runtime.tidy();
    }

    /// Obeys what is done at once.
    pub(super) fn obey(&mut self, command: Command) {
        match command {
            Command::Look(look, reply) => match &mut self.deferred {
                Some(deferred) => deferred.join(look, reply),
                none => *none = Some(Deferred::new(look, reply)),
            },
            Command::Rollback(name, digest, reply) => {
                // Whoever asked may be gone; it is done all the same.
                let _ = reply.send(self.roll_back(&name, digest.as_deref()));
            }
            Command::Promote(name, reply) => {
                let _ = reply.send(self.promote(&name));
            }
            Command::Deploy(upload) => self.uploads.push_back(*upload),
            Command::Failing(id, number) => self.give_up(id, number),
            // Of an order for which nobody waits any more.
            Command::Built(_) => {}
            Command::Stop => self.stopping = true,
        }
    }
}
