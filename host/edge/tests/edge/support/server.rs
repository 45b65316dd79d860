//! A host without WebAssembly, on a free port.

use std::net::SocketAddr;
use std::rc::Rc;
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

use holdfast_core::limits::{Limits, OnError, RawLimits, SlowConsumer, TenantLimits};
use holdfast_core::manifest::HostPattern;
use holdfast_core::plugin::Handlers;
use holdfast_core::{PluginId, Settings, Volume};
use holdfast_edge::{
    Addresses, Destination, Entrance, Hub, Incoming, Lane, Listener, Point, Route, Site, Trigger,
};
use tokio::runtime::{Builder, LocalOptions, LocalRuntime};

use super::native::{Native, Record, TENANT};

/// How a server is to be.
pub(crate) struct Options {
    pub(crate) limits: RawLimits,
    pub(crate) slow_consumer: SlowConsumer,
    pub(crate) on_error: OnError,
    pub(crate) handlers: Handlers,
    pub(crate) loops: usize,
    pub(crate) tenant_limits: TenantLimits,
    /// Connections of one address, the tests' own included; 0 for no limit.
    pub(crate) connections_per_address_max: u32,
    /// Connections of all together.
    pub(crate) connections_max: usize,
    pub(crate) entrance: Entrance,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            limits: RawLimits::default(),
            slow_consumer: SlowConsumer::default(),
            on_error: OnError::default(),
            handlers: Handlers {
                http: true,
                http_alone: false,
                websocket: true,
            },
            loops: 1,
            tenant_limits: TenantLimits::default(),
            connections_per_address_max: 0,
            connections_max: usize::MAX,
            entrance: Entrance::default(),
        }
    }
}

/// The plugin of most tests.
pub(crate) const PLUGIN: PluginId = PluginId(1);
/// Its neighbour, behind `/other`.
const OTHER: PluginId = PluginId(2);

/// A running server. Ends when it is dropped.
pub(crate) struct Server {
    pub(crate) address: SocketAddr,
    pub(crate) hub: Arc<Hub>,
    pub(crate) record: Arc<Record>,
    first: Settings,
    trigger: Trigger,
    threads: Vec<JoinHandle<()>>,
}

impl Options {
    pub(crate) fn start(self) -> Server {
        let hub = Hub::new();
        let first = self.settings();
        hub.set_site(Site::new(vec![
            route("/", first.clone()),
            route("/other", other(&first)),
        ]));
        let listener = Listener::bind("127.0.0.1:0".parse().unwrap()).unwrap();
        let addresses = Addresses::new(self.connections_per_address_max, Vec::new());
        let listener = listener
            .with_addresses(addresses)
            .with_connections_max(self.connections_max)
            .with_entrance(self.entrance.clone());
        let Point::Tcp(address) = *listener.point() else {
            panic!("a TCP listener");
        };
        let (trigger, drain) = holdfast_edge::drain();
        let record = Arc::<Record>::default();
        let mut lanes = Vec::new();
        let mut threads = Vec::new();
        for _ in 0..self.loops {
            let (lane, incoming) = Lane::new();
            lanes.push(lane);
            let native = Native {
                hub: hub.clone(),
                record: record.clone(),
            };
            let drain = drain.clone();
            threads.push(std::thread::spawn(move || {
                event_loop(native, incoming, drain);
            }));
        }
        threads.push(std::thread::spawn(move || {
            runtime().block_on(listener.accept(lanes, drain)).unwrap();
        }));
        Server {
            address,
            hub,
            record,
            first,
            trigger,
            threads,
        }
    }

    fn settings(&self) -> Settings {
        let limits = Limits::resolve(&self.limits, self.slow_consumer, self.on_error).unwrap();
        Settings {
            id: PLUGIN,
            generation: 1,
            tenant: TENANT,
            name: "native".into(),
            tenant_name: "default".into(),
            tenant_limits: Arc::new(self.tenant_limits.clone()),
            handlers: self.handlers,
            connection: limits.connection,
            http: limits.http,
            access_log: true,
            metrics: Arc::default(),
            log: Arc::new(Volume::new(limits.log.bytes_per_second_max)),
        }
    }
}

fn route(path: &str, settings: Settings) -> Route {
    Route {
        host: HostPattern::Any,
        path: path.to_owned(),
        kind: None,
        to: Destination::Plugin(Arc::new(settings)),
    }
}

fn other(first: &Settings) -> Settings {
    Settings {
        id: OTHER,
        ..first.clone()
    }
}

fn event_loop(native: Native, incoming: Incoming, drain: holdfast_edge::Drain) {
    let hub = native.hub.clone();
    runtime().block_on(holdfast_edge::serve(hub, Rc::new(native), incoming, drain));
}

fn runtime() -> LocalRuntime {
    Builder::new_current_thread()
        .enable_all()
        .build_local(LocalOptions::default())
        .unwrap()
}

impl Server {
    pub(crate) fn start() -> Self {
        Options::default().start()
    }

    /// WebSockets of the plugin.
    pub(crate) fn connection_count(&self) -> u32 {
        self.hub.connection_count(PLUGIN)
    }

    /// Bytes that wait for its clients.
    pub(crate) fn queue_bytes(&self) -> u64 {
        self.first.metrics.queue_bytes.get()
    }

    /// Brings the plugin's second generation, with other limits, for new
    /// connections and for each open one from its next event on.
    pub(crate) fn reload(&self, limits: &RawLimits) -> Arc<Settings> {
        let (slow_consumer, on_error) = (SlowConsumer::Wait, OnError::Close);
        let limits = Limits::resolve(limits, slow_consumer, on_error).unwrap();
        let second = Settings {
            generation: 2,
            connection: limits.connection,
            http: limits.http,
            ..self.first.clone()
        };
        self.record.install(Arc::new(second.clone()));
        self.hub.set_site(Site::new(vec![
            route("/", second.clone()),
            route("/other", other(&self.first)),
        ]));
        Arc::new(second)
    }

    /// Removes the plugin; its neighbour stays.
    pub(crate) fn remove(&self) {
        let routes = vec![route("/other", other(&self.first))];
        self.hub.set_site(Site::new(routes));
        self.hub.close_plugin(PLUGIN);
    }

    /// Starts the shut-down.
    pub(crate) fn drain(&self, timeout: Duration) {
        self.trigger.start(timeout);
    }

    /// Whether all threads have ended.
    pub(crate) fn has_ended(&self) -> bool {
        self.threads.iter().all(JoinHandle::is_finished)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.trigger.start(Duration::ZERO);
        for thread in self.threads.drain(..) {
            let ended = thread.join();
            if !std::thread::panicking() {
                ended.unwrap();
            }
        }
    }
}
