//! A host without WebAssembly, on a free port.

use std::net::SocketAddr;
use std::rc::Rc;
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

use holdfast_core::limits::{Limits, OnError, RawLimits, SlowConsumer};
use holdfast_core::plugin::Handlers;
use holdfast_core::{PluginId, Settings};
use holdfast_edge::{Hub, Incoming, Lane, Listener, Route, Site, Trigger};
use tokio::runtime::{Builder, LocalOptions, LocalRuntime};

use super::native::{Native, Record, TENANT};

/// How a server is to be.
pub(crate) struct Options {
    pub(crate) limits: RawLimits,
    pub(crate) slow_consumer: SlowConsumer,
    pub(crate) on_error: OnError,
    pub(crate) handlers: Handlers,
    pub(crate) loops: usize,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            limits: RawLimits::default(),
            slow_consumer: SlowConsumer::default(),
            on_error: OnError::default(),
            handlers: Handlers {
                http: true,
                websocket: true,
            },
            loops: 1,
        }
    }
}

/// A running server. Ends when it is dropped.
pub(crate) struct Server {
    pub(crate) address: SocketAddr,
    pub(crate) hub: Arc<Hub>,
    pub(crate) record: Arc<Record>,
    trigger: Trigger,
    threads: Vec<JoinHandle<()>>,
}

impl Options {
    pub(crate) fn start(self) -> Server {
        let hub = Hub::new();
        hub.set_site(Site::new(vec![Route {
            host: None,
            path: "/".to_owned(),
            kind: None,
            settings: Arc::new(self.settings()),
        }]));
        let listener = Listener::bind("127.0.0.1:0".parse().unwrap()).unwrap();
        let address = listener.local_address();
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
            trigger,
            threads,
        }
    }

    fn settings(&self) -> Settings {
        let limits = Limits::resolve(&self.limits, self.slow_consumer, self.on_error).unwrap();
        Settings {
            id: PluginId(1),
            generation: 1,
            tenant: TENANT,
            name: "native".into(),
            tenant_name: "default".into(),
            handlers: self.handlers,
            connection: limits.connection,
            http: limits.http,
        }
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
        self.hub.connection_count(PluginId(1))
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
