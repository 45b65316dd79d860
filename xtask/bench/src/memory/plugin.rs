//! Handlers in native code: an echo, which subscribes nobody, and on another path
//! somebody who tells everybody.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use holdfast_core::event::Handshake;
use holdfast_core::limits::{Limits, OnError, RawLimits, SlowConsumer, TenantLimits};
use holdfast_core::plugin::{Handlers, LocalFuture};
use holdfast_core::{
    ConnectionId, Edge, Event, Message, MessageRef, Outcome, PluginId, Plugins, Settings, TenantId,
    Volume,
};
use holdfast_edge::Hub;

const PLUGIN: PluginId = PluginId(0);
pub(super) const TENANT: TenantId = TenantId(0);
/// To which everybody is subscribed in the end.
pub(super) const TOPIC: &str = "everybody";
/// A message that is published instead of being echoed.
pub(super) const PUBLISH: &str = "publish";

/// The handlers.
pub(super) struct Echo {
    pub(super) hub: Arc<Hub>,
    pub(super) ids: Arc<Ids>,
}

/// The connections that were accepted. Made as large as it will be before memory
/// is measured for the first time.
pub(super) struct Ids(Mutex<Vec<ConnectionId>>);

impl Ids {
    pub(super) fn new(count: usize) -> Self {
        // Written once, since the system gives memory only then.
        let mut ids = vec![ConnectionId(u128::MAX); count];
        ids.clear();
        Self(Mutex::new(ids))
    }

    fn add(&self, handshake: &Handshake) {
        let mut ids = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        ids.push(handshake.id);
    }

    /// Those there are now, one after the other.
    pub(super) fn for_each(&self, visit: impl FnMut(&ConnectionId)) {
        let ids = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        ids.iter().for_each(visit);
    }
}

impl Plugins for Echo {
    fn deliver(&self, _: PluginId, event: Event) -> LocalFuture<Outcome> {
        let outcome = match event {
            Event::Accept(handshake) => {
                self.ids.add(&handshake);
                Outcome::Accepted(Box::default())
            }
            Event::Message(state, message) => {
                self.receive(state.id, &message);
                Outcome::Done
            }
            _ => Outcome::Done,
        };
        Box::pin(std::future::ready(outcome))
    }

    // There is one tenant, which shares with nobody.
    fn charge(&self, _: TenantId, _: Duration) {}
}

impl Echo {
    fn receive(&self, id: ConnectionId, message: &Message) {
        let message = message.as_ref();
        if message == MessageRef::Text(PUBLISH) {
            self.hub.publish(TENANT, TOPIC, message, Some(id));
        } else {
            // Who is gone is missed by the stage, which counts.
            let _ = self.hub.send(TENANT, id, message);
        }
    }
}

/// The echo as the edge knows it.
pub(super) fn settings() -> anyhow::Result<Settings> {
    let raw = RawLimits {
        connections_max: Some(u32::MAX),
        // These clients answer no ping.
        idle_timeout_ms: Some(0),
        ..RawLimits::default()
    };
    let limits = Limits::resolve(&raw, SlowConsumer::default(), OnError::default())?;
    Ok(Settings {
        id: PLUGIN,
        generation: 1,
        tenant: TENANT,
        name: "echo".into(),
        tenant_name: "default".into(),
        // They come faster than any tenant may have them.
        tenant_limits: Arc::new(TenantLimits {
            connections_max: u32::MAX,
            handshakes_per_second_max: u32::MAX,
            ..TenantLimits::default()
        }),
        metrics: Arc::default(),
        handlers: Handlers {
            http: false,
            http_alone: false,
            websocket: true,
        },
        connection: limits.connection,
        http: limits.http,
        log: Arc::new(Volume::new(limits.log.bytes_per_second_max)),
        access_log: false,
    })
}
