//! One event loop of the edge, and clients in memory.

use std::rc::Rc;
use std::sync::Arc;
use std::thread::{JoinHandle, sleep};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use bytes::Bytes;
use holdfast_core::Edge;
use holdfast_core::manifest::HostPattern;
use holdfast_edge::{Destination, Drain, Hub, Incoming, Lane, Route, Script, Site, Trigger, drain};
use tokio::runtime::{Builder, LocalOptions};

use super::plugin::{Echo, Ids, PUBLISH, TENANT, TOPIC, settings};
use crate::client;

const PAYLOAD_BYTES: usize = 64;
/// Time for a step; a million connections take some seconds.
const STEP_MAX: Duration = Duration::from_secs(300);
/// Handshakes at a time. Each needs the buffers of an HTTP connection until it is
/// answered.
const PARALLEL: u64 = 64;
const POLL: Duration = Duration::from_micros(100);

/// What is measured, and who keeps it busy.
pub(super) struct Stage {
    hub: Arc<Hub>,
    ids: Arc<Ids>,
    lane: Lane,
    echo: Arc<Script>,
    publisher: Arc<Script>,
    trigger: Trigger,
    event_loop: JoinHandle<Result<()>>,
}

impl Stage {
    /// For at most so many clients.
    pub(super) fn build(count_max: usize) -> Result<Self> {
        let hub = Hub::new();
        hub.set_site(Site::new(vec![Route {
            host: HostPattern::Any,
            path: "/".to_owned(),
            kind: None,
            to: Destination::Plugin(Arc::new(settings()?)),
        }]));
        // One for who publishes.
        let ids = Arc::new(Ids::new(count_max + 1));
        let (lane, incoming) = Lane::new();
        let (trigger, drain) = drain();
        let event_loop = std::thread::spawn({
            let (hub, ids) = (hub.clone(), ids.clone());
            move || serve(Echo { hub, ids }, incoming, drain)
        });
        let script = |message: &[u8]| {
            let says = [
                client::handshake(client::LOCALHOST, "/"),
                client::masked_text(message),
            ];
            Script::new(says.map(Bytes::from).to_vec())
        };
        Ok(Self {
            hub,
            ids,
            lane,
            echo: script(&client::payload(PAYLOAD_BYTES)),
            publisher: script(PUBLISH.as_bytes()),
            trigger,
            event_loop,
        })
    }

    /// Opens so many more connections, each of which has had its echo then.
    pub(super) fn open(&self, count: usize) -> Result<()> {
        let before = self.echo.heard_count();
        // The answer to the handshake, and the echo.
        let heard_with = |opened: u64| before + 2 * opened;
        for opened in 0..count as u64 {
            self.until_heard(heard_with(opened.saturating_sub(PARALLEL)))?;
            if !self.lane.connect(&self.echo) {
                bail!("the event loop has ended");
            }
        }
        self.until_heard(heard_with(count as u64))
    }

    /// Subscribes every client to the topic.
    pub(super) fn subscribe_all(&self) -> Result<()> {
        let mut failure = None;
        self.ids.for_each(|id| {
            if let Err(error) = self.hub.subscribe(TENANT, *id, TOPIC) {
                failure = Some(error);
            }
        });
        failure.map_or(Ok(()), |error| Err(error.into()))
    }

    /// One more client tells all others something; returns how long it takes
    /// until they have it.
    pub(super) fn publish(&self) -> Result<Duration> {
        let subscribers = self.hub.count(TENANT, TOPIC);
        let expected = self.echo.heard_count() + u64::from(subscribers);
        let begin = Instant::now();
        if !self.lane.connect(&self.publisher) {
            bail!("the event loop has ended");
        }
        self.until_heard(expected)?;
        Ok(begin.elapsed())
    }

    fn until_heard(&self, expected: u64) -> Result<()> {
        let deadline = Instant::now() + STEP_MAX;
        while self.echo.heard_count() < expected {
            if Instant::now() > deadline {
                let heard = self.echo.heard_count();
                bail!("the clients have heard {heard} times, not {expected} times");
            }
            sleep(POLL);
        }
        Ok(())
    }

    /// Ends the event loop.
    pub(super) fn end(self) -> Result<()> {
        self.trigger.start(Duration::ZERO);
        drop(self.lane);
        match self.event_loop.join() {
            Ok(ended) => ended,
            Err(_) => bail!("the event loop has panicked"),
        }
    }
}

fn serve(echo: Echo, incoming: Incoming, drain: Drain) -> Result<()> {
    let runtime = Builder::new_current_thread()
        .enable_all()
        .build_local(LocalOptions::default())
        .context("no event loop")?;
    let hub = echo.hub.clone();
    runtime.block_on(holdfast_edge::serve(hub, Rc::new(echo), incoming, drain));
    Ok(())
}
