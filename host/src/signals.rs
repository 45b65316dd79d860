//! SIGTERM and Ctrl-C: the first asks for an orderly end, the second insists.
//! SIGHUP asks for a look at the files, and opens that of the access log anew.

use std::sync::Arc;
use std::time::Duration;

use holdfast_core::manifest::DrainTimes;
use holdfast_edge::{AccessLog, Trigger};
use tokio::signal::unix::{Signal, SignalKind, signal};

use crate::fleet::{Handle, Look};

/// Exit code after the second signal: that of a process ended by SIGINT.
const INSISTED: i32 = 130;

/// The signals that the host hears.
pub(crate) struct Signals {
    hangup: Signal,
    interrupt: Signal,
    terminate: Signal,
    access_log: Option<Arc<AccessLog>>,
}

impl Signals {
    /// Catches them from now on.
    pub(crate) fn catch(access_log: Option<Arc<AccessLog>>) -> std::io::Result<Self> {
        Ok(Self {
            hangup: signal(SignalKind::hangup())?,
            interrupt: signal(SignalKind::interrupt())?,
            terminate: signal(SignalKind::terminate())?,
            access_log,
        })
    }

    /// Starts the shut-down at the first signal that asks for it, after the delay,
    /// and ends the process at the second. Never returns.
    pub(crate) async fn obey(mut self, trigger: &Trigger, times: DrainTimes, fleet: &Handle) {
        self.next(Some(fleet)).await;
        // Nothing new is deployed from now on, and who asks is told so.
        fleet.stop();
        let DrainTimes {
            delay_ms,
            timeout_ms,
            spread_ms: _,
        } = times;
        tracing::info!(delay_ms, timeout_ms, "shutting down");
        let delay = tokio::time::sleep(Duration::from_millis(delay_ms));
        tokio::select! {
            () = delay => {}
            () = self.next(None) => insist(),
        }
        trigger.start(Duration::from_millis(timeout_ms));
        self.next(None).await;
        insist();
    }

    async fn next(&mut self, fleet: Option<&Handle>) {
        loop {
            tokio::select! {
                _ = self.interrupt.recv() => return,
                _ = self.terminate.recv() => return,
                _ = self.hangup.recv() => {
                    if let Some(log) = &self.access_log {
                        log.reopen();
                    }
                    if let Some(fleet) = fleet {
                        tracing::info!("asked by a signal to look at the files");
                        fleet.look(Look::asked());
                    }
                }
            }
        }
    }
}

fn insist() -> ! {
    tracing::warn!("ended by a second signal");
    std::process::exit(INSISTED);
}
