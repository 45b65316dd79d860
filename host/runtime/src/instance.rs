//! One instance: a store and the handlers in it.

use std::sync::Arc;
use std::time::Instant;

use tokio::sync::OwnedSemaphorePermit;
use wasmtime::Store;
use wasmtime_wasi_http::{p2, p3};

use crate::cooling::Use;
use crate::direct::Direct;
use crate::guest::Guest;
use crate::http_0_3;
use crate::load::{Http, Parts};
use crate::plugin::Plugin;
use crate::tenant::Lodging;
use crate::world::websocket_0_1_0 as websocket;

/// An instance nobody uses at the moment.
pub(crate) struct Instance {
    pub(crate) store: Store<Guest>,
    pub(crate) handlers: Handlers,
    /// Events it has seen.
    pub(crate) uses: u64,
    /// When its last event ended.
    pub(crate) idle_since: Instant,
    place: Option<Place>,
    /// The last to be dropped.
    _use: Use,
}

/// Its place among those of the plugin, and among those of the tenant.
pub(crate) struct Place {
    _plugin: OwnedSemaphorePermit,
    _tenant: Lodging,
}

impl Place {
    pub(crate) fn new(plugin: OwnedSemaphorePermit, tenant: Lodging) -> Self {
        Self {
            _plugin: plugin,
            _tenant: tenant,
        }
    }
}

/// What an instance exports.
pub(crate) struct Handlers {
    pub(crate) websocket: Option<WebSocketHandlers>,
    pub(crate) http: Option<HttpHandler>,
}

/// The WebSocket handlers of an instance.
pub(crate) enum WebSocketHandlers {
    /// Those of a component.
    Component(Box<websocket::Handlers>),
    /// Those of its module, linked directly.
    Direct(Box<websocket::direct::Handlers>),
}

/// The HTTP handler of an instance.
pub(crate) enum HttpHandler {
    V0_2(p2::bindings::Proxy),
    V0_3(p3::bindings::Service),
    /// The same version, of a module that is linked directly.
    Direct(http_0_3::direct::Handlers),
}

impl Instance {
    /// Makes an instance. The guest's own start function may run, so the caller
    /// sets a deadline, and holds a place for it.
    pub(crate) async fn new(plugin: &Arc<Plugin>) -> wasmtime::Result<Self> {
        let loaded = &plugin.loaded;
        let use_ = Use::new(&loaded.parts);
        // Its memory is made accessible before the limiter hears of it.
        plugin.tenant.house.reaper.pause().await;
        let mut store = Guest::store(loaded.parts.pre.engine(), plugin);
        let handlers = match &loaded.parts.direct {
            Some(direct) => Handlers::of_module(direct, &mut store).await?,
            None => Handlers::of_component(&loaded.parts, &mut store).await?,
        };
        Ok(Self {
            store,
            handlers,
            uses: 0,
            idle_since: Instant::now(),
            place: None,
            _use: use_,
        })
    }

    /// Has it keep its place for as long as it lives.
    pub(crate) fn keep(&mut self, place: Place) {
        self.place = Some(place);
    }
}

impl Handlers {
    async fn of_component(parts: &Parts, store: &mut Store<Guest>) -> wasmtime::Result<Self> {
        let instance = parts.pre.instantiate_async(&mut *store).await?;
        store.data_mut().set_made();
        let websocket = parts.websocket.as_ref();
        let websocket =
            websocket.map(|indices| WebSocketHandlers::Component(Box::new(indices.of(instance))));
        let http = match &parts.http {
            Some(Http::V0_2(indices)) => Some(HttpHandler::V0_2(indices.load(store, &instance)?)),
            Some(Http::V0_3(indices)) => Some(HttpHandler::V0_3(indices.load(store, &instance)?)),
            None => None,
        };
        Ok(Self { websocket, http })
    }

    async fn of_module(direct: &Direct, store: &mut Store<Guest>) -> wasmtime::Result<Self> {
        let handlers = direct.instantiate(store).await?;
        let websocket = handlers.websocket.map(Box::new);
        Ok(Self {
            websocket: websocket.map(WebSocketHandlers::Direct),
            http: handlers.http.map(HttpHandler::Direct),
        })
    }
}

impl WebSocketHandlers {
    /// Asks for the format of the attachments; "" if the guest names none.
    pub(crate) async fn format(&self, store: &mut Store<Guest>) -> wasmtime::Result<String> {
        match self {
            Self::Component(handlers) => handlers.format(store).await,
            Self::Direct(handlers) => handlers.format(store).await,
        }
    }
}

impl Drop for Instance {
    fn drop(&mut self) {
        if !self.store.data().is_large() {
            return;
        }
        let plugin = Arc::clone(self.store.data().plugin());
        // One without memory takes its place, since there has to be one.
        let empty = Guest::store(self.store.engine(), &plugin);
        let store = std::mem::replace(&mut self.store, empty);
        plugin.tenant.house.reaper.take(store, self.place.take());
    }
}
