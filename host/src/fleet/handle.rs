//! How others reach the deploy thread.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{SyncSender, TrySendError};

use holdfast_core::PluginId;
use holdfast_core::metrics::LoadMetrics;
use holdfast_edge::Hub;
use tokio::sync::oneshot;

use super::{Board, Census, Change, Command, Look, Name, Refusal, Report, Status, Upload};
use crate::depot::Kept;
use holdfast_runtime::Runtime;

/// Commands that wait for the deploy thread. It takes them even while a
/// component is loaded.
pub(super) const COMMANDS_MAX: usize = 256;

/// Sends commands to the deploy thread, and reads its board.
#[derive(Clone)]
pub(crate) struct Handle {
    pub(super) sender: SyncSender<Command>,
    pub(super) board: Board,
    pub(super) runtime: Arc<Runtime>,
    pub(crate) hub: Arc<Hub>,
    pub(super) load: Arc<LoadMetrics>,
    /// The host is about to end.
    pub(super) is_stopping: Arc<AtomicBool>,
}

/// The deploy thread has ended, or too many commands wait for it.
#[derive(Debug, thiserror::Error)]
#[error("the deploy thread takes no commands")]
pub(crate) struct Closed;

impl Handle {
    /// Asks for a look, of which nobody wants to know what has come. Nothing is
    /// asked twice: if too many commands wait, there are looks among them.
    pub(crate) fn look(&self, look: Look) {
        let _ = self.sender.try_send(Command::Look(look, None));
    }

    /// Looks at all files now; the answer comes when all is done.
    pub(crate) fn reload(&self) -> Result<oneshot::Receiver<Report>, Closed> {
        self.ask(|reply| Command::Look(Look::asked(), Some(reply)))
    }

    /// See [`Command::Rollback`].
    pub(crate) fn roll_back(
        &self,
        name: Name,
        digest: Option<String>,
    ) -> Result<oneshot::Receiver<Result<Change, Refusal>>, Closed> {
        self.ask(|reply| Command::Rollback(name, digest, reply))
    }

    /// See [`Command::Promote`].
    pub(crate) fn promote(
        &self,
        name: Name,
    ) -> Result<oneshot::Receiver<Result<Change, Refusal>>, Closed> {
        self.ask(|reply| Command::Promote(name, reply))
    }

    /// Lets a kept component serve a plugin in place of the manifest's file.
    pub(crate) fn deploy(
        &self,
        name: Name,
        component: Kept,
    ) -> Result<oneshot::Receiver<Result<Change, Refusal>>, Closed> {
        self.ask(|reply| {
            Command::Deploy(Box::new(Upload {
                name,
                component,
                reply,
            }))
        })
    }

    /// What is deployed, without waiting for the deploy thread.
    pub(crate) fn status(&self) -> Status {
        Status {
            is_ready: self.is_ready(),
            ..Status::of(&self.board, &self.runtime, &self.hub)
        }
    }

    /// Whether clients are to be sent here: no longer once the host has been asked
    /// to end.
    pub(crate) fn is_ready(&self) -> bool {
        !self.is_stopping.load(Ordering::Relaxed)
    }

    /// What is counted, without waiting for the deploy thread.
    pub(crate) fn census(&self) -> Census {
        Census::take(&self.board, &self.runtime, &self.hub, &self.load)
    }

    /// A generation has failed its probation. Called on an event loop, so it
    /// returns at once.
    pub(super) fn failing(&self, id: PluginId, number: u32) {
        if let Err(TrySendError::Full(_)) = self.sender.try_send(Command::Failing(id, number)) {
            tracing::error!(
                plugin = id.0,
                generation = number,
                "no rollback: too many commands wait"
            );
        }
    }

    /// Tells the thread that the host ends. It may have ended already, or be told
    /// once more by [`Deploy::stop`](super::Deploy::stop).
    pub(crate) fn stop(&self) {
        self.is_stopping.store(true, Ordering::Relaxed);
        let _ = self.sender.try_send(Command::Stop);
    }

    fn ask<T>(
        &self,
        command: impl FnOnce(oneshot::Sender<T>) -> Command,
    ) -> Result<oneshot::Receiver<T>, Closed> {
        let (reply, answer) = oneshot::channel();
        self.sender.try_send(command(reply)).map_err(|_| Closed)?;
        Ok(answer)
    }
}
