//! SIGTERM and Ctrl-C: the first asks for an orderly end, the second insists.

use std::time::Duration;

use holdfast_edge::Trigger;
use tokio::signal::unix::{Signal, SignalKind, signal};

/// Exit code after the second signal: that of a process ended by SIGINT.
const INSISTED: i32 = 130;

/// The signals that end the host.
pub(crate) struct Signals {
    interrupt: Signal,
    terminate: Signal,
}

impl Signals {
    /// Catches them from now on.
    pub(crate) fn catch() -> std::io::Result<Self> {
        Ok(Self {
            interrupt: signal(SignalKind::interrupt())?,
            terminate: signal(SignalKind::terminate())?,
        })
    }

    /// Starts the shut-down at the first signal, and ends the process at the
    /// second. Never returns.
    pub(crate) async fn obey(mut self, trigger: &Trigger, timeout: Duration) {
        self.next().await;
        tracing::info!(timeout_ms = timeout.as_millis() as u64, "shutting down");
        trigger.start(timeout);
        self.next().await;
        tracing::warn!("ended by a second signal");
        std::process::exit(INSISTED);
    }

    async fn next(&mut self) {
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
        }
    }
}
