//! From bytes to a component that can be instantiated: compiled or found in the
//! cache, its handlers found, its imports linked.

mod error;
mod read;

use std::collections::HashMap;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Instant;

use holdfast_core::limits::LoadLimits;
use holdfast_core::metrics::LoadMetrics;
use holdfast_core::plugin;
use wasmtime::component::{Component, InstancePre, Linker};
use wasmtime::{Engine, Precompiled};
use wasmtime_wasi_http::{p2, p3};

pub use error::{Imports, LoadError, Names};

use crate::cache::{self, Cache};
use crate::capability;
use crate::compile::Compiler;
use crate::compile::direct::is_added;
use crate::cooling::Uses;
use crate::digest::Digest;
use crate::direct::{self, Direct};
use crate::engine::{Engines, Form};
use crate::epoch::Epoch;
use crate::guest::Guest;
use crate::http_0_3;
use crate::world::websocket_0_1_0 as websocket;

/// Loads components.
pub struct Loader {
    engines: Engines,
    plain: Linker<Guest>,
    waiting: Linker<Guest>,
    /// Modules get their imports here. Whoever looks one up does so alone: there is
    /// room for one.
    direct: Mutex<[direct::Linker; 2]>,
    cache: Option<Cache>,
    compiler: Compiler,
    limits: LoadLimits,
    metrics: Arc<LoadMetrics>,
    /// One component is compiled at a time: the compiler takes all cores by
    /// itself, and its limit of memory is then that of all of them.
    busy: Mutex<()>,
    /// Components that somebody uses: each is in memory once.
    used: Mutex<HashMap<Digest, Weak<Parts>>>,
}

/// A component whose instances can be made.
#[derive(Clone)]
pub struct Loaded {
    /// Shared by all who load the same component.
    pub(crate) parts: Arc<Parts>,
}

/// What a component is made of.
pub(crate) struct Parts {
    digest: Digest,
    pub(crate) pre: InstancePre<Guest>,
    pub(crate) http: Option<Http>,
    pub(crate) websocket: Option<websocket::Indices>,
    /// Where its module is linked directly, instances are made of that.
    pub(crate) direct: Option<Direct>,
    pub(crate) uses: Uses,
    /// That of its engine.
    pub(crate) epoch: Arc<Epoch>,
}

/// Which HTTP handler a component exports.
#[derive(Clone)]
pub(crate) enum Http {
    /// `wasi:http/incoming-handler@0.2`.
    V0_2(p2::bindings::ProxyIndices),
    /// `wasi:http/handler@0.3`.
    V0_3(p3::bindings::ServiceIndices),
}

impl Loader {
    /// Makes what components may import. Without a cache everything is compiled
    /// whenever it is loaded.
    ///
    /// # Errors
    /// Fails when the engines refuse what is to be imported.
    pub fn new(
        engines: Engines,
        cache: Option<Cache>,
        compiler: Compiler,
        limits: LoadLimits,
    ) -> anyhow::Result<Self> {
        Ok(Self {
            plain: linker(engines.get(Form::Plain), false)?,
            waiting: linker(engines.get(Form::Waiting), true)?,
            direct: Mutex::new([
                direct::Linker::new(engines.get(Form::Plain))?,
                direct::Linker::new(engines.get(Form::Waiting))?,
            ]),
            engines,
            cache,
            compiler,
            limits,
            metrics: Arc::default(),
            busy: Mutex::new(()),
            used: Mutex::default(),
        })
    }

    /// What is counted of loading.
    pub fn metrics(&self) -> &Arc<LoadMetrics> {
        &self.metrics
    }

    /// Reads and loads a file. Takes as long as compiling takes, unless the
    /// cache has it; never call it on an event loop.
    ///
    /// # Errors
    /// See [`LoadError`].
    pub fn load_file(&self, path: &Path) -> Result<Loaded, LoadError> {
        self.load(&self.read(path)?)
    }

    /// Loads a component.
    ///
    /// # Errors
    /// See [`LoadError`].
    pub fn load(&self, bytes: &[u8]) -> Result<Loaded, LoadError> {
        let digest = Digest::of(bytes);
        if let Some(parts) = self.used().get(&digest).and_then(Weak::upgrade) {
            return Ok(Loaded { parts });
        }
        let loaded = self.link(digest, &self.compile(digest, bytes)?)?;
        let mut used = self.used();
        used.retain(|_, parts| parts.strong_count() > 0);
        used.insert(digest, Arc::downgrade(&loaded.parts));
        Ok(loaded)
    }

    /// Gives memory back that belongs to components which nobody has used since
    /// the call before the last. To be called now and then.
    pub fn cool(&self) {
        let used: Vec<_> = self.used().values().filter_map(Weak::upgrade).collect();
        let cold = used.iter().filter(|parts| parts.uses.cool());
        cold.for_each(|parts| parts.release());
    }

    fn used(&self) -> MutexGuard<'_, HashMap<Digest, Weak<Parts>>> {
        self.used.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Reads the file of a component, which may be anything.
    ///
    /// # Errors
    /// Fails when it is no regular file, too large, or can't be read.
    pub fn read(&self, path: &Path) -> Result<Vec<u8>, LoadError> {
        read::read(path, self.limits.component_bytes_max)
    }

    /// The same of a file that is open already. Whoever opened it made sure that
    /// reading does not block.
    ///
    /// # Errors
    /// As those of [`Self::read`].
    pub fn read_file(&self, file: std::fs::File) -> Result<Vec<u8>, LoadError> {
        read::read_file(file, self.limits.component_bytes_max)
    }

    /// Links a component of one of the engines.
    pub(crate) fn link(&self, digest: Digest, component: &Component) -> Result<Loaded, LoadError> {
        let is_plain = Engine::same(component.engine(), self.engines.get(Form::Plain));
        let linker = match is_plain {
            true => &self.plain,
            false => &self.waiting,
        };
        let mut parts = link(linker, digest, component, self.engines.epoch())?;
        let linkers = self.direct.lock().unwrap_or_else(PoisonError::into_inner);
        let [plain, waiting] = &*linkers;
        let direct = if is_plain { plain } else { waiting };
        parts.direct = direct.find(component).map_err(wrong_handler)?;
        drop(linkers);
        Ok(Loaded {
            parts: Arc::new(parts),
        })
    }

    /// Compiles a component, or takes it from the cache.
    pub(crate) fn compile(&self, digest: Digest, bytes: &[u8]) -> Result<Component, LoadError> {
        check_format(bytes)?;
        if let Some(component) = self.cached(digest) {
            self.metrics.cache_hits.add(1);
            return Ok(component);
        }
        let _alone = self.busy.lock().unwrap_or_else(PoisonError::into_inner);
        let cache = self.cache.as_ref();
        let begin = Instant::now();
        let compiled = self
            .compiler
            .compile(&self.engines, &self.limits, digest, bytes, cache);
        let counter = match &compiled {
            Ok(_) => &self.metrics.compiled,
            Err(_) => &self.metrics.failed,
        };
        counter.add(1);
        let ns = u64::try_from(begin.elapsed().as_nanos());
        self.metrics.compile_ns.add(ns.unwrap_or(u64::MAX));
        compiled
    }

    fn cached(&self, digest: Digest) -> Option<Component> {
        let cache = self.cache.as_ref()?;
        let mut engines = self.engines.both().iter();
        engines.find_map(|engine| cache.get(engine, digest))
    }
}

impl Parts {
    /// Lets the system have what it can read again from the file of the machine
    /// code.
    pub(crate) fn release(&self) {
        if let Err(error) = cache::release(self.pre.component()) {
            tracing::debug!(%error, "compiled code stays in memory");
        }
    }
}

impl Loaded {
    /// Which component it is.
    pub fn digest(&self) -> &Digest {
        &self.parts.digest
    }

    /// How it is linked, for people: the host links its module itself, or the engine
    /// does so by its component model.
    pub fn linked(&self) -> &'static str {
        match self.parts.direct {
            Some(_) => "directly",
            None => "as a component",
        }
    }

    /// Which handlers the component has.
    pub fn handlers(&self) -> plugin::Handlers {
        plugin::Handlers {
            http: self.parts.http.is_some(),
            http_alone: matches!(self.parts.http, Some(Http::V0_2(_))),
            websocket: self.parts.websocket.is_some(),
        }
    }
}

fn linker(engine: &Engine, concurrent: bool) -> wasmtime::Result<Linker<Guest>> {
    let mut linker = Linker::new(engine);
    wasmtime_wasi::p2::add_to_linker_async(&mut linker)?;
    p2::add_only_http_to_linker_async(&mut linker)?;
    if concurrent {
        wasmtime_wasi::p3::add_to_linker(&mut linker)?;
        http_0_3::add_to_linker(&mut linker)?;
    }
    capability::folders::add_to_linker(&mut linker, concurrent)?;
    websocket::add_to_linker(&mut linker)?;
    capability::config::add_to_linker(&mut linker)?;
    capability::keyvalue::add_to_linker(&mut linker)?;
    capability::logging::add_to_linker(&mut linker)?;
    Ok(linker)
}

/// Tells apart what is not even a component, for a clear error.
fn check_format(bytes: &[u8]) -> Result<(), LoadError> {
    if Engine::detect_precompiled(bytes)
        .is_some_and(|kind| matches!(kind, Precompiled::Component | Precompiled::Module))
    {
        return Err(LoadError::Precompiled);
    }
    match bytes {
        [] => Err(LoadError::Empty),
        // Magic number, version, and layer (component model, binary format).
        [0, b'a', b's', b'm', _, _, 1, 0, ..] => Ok(()),
        [0, b'a', b's', b'm', _, _, _, _, ..] => Err(LoadError::CoreModule),
        [0, b'a', b's', b'm', ..] => Err(LoadError::Invalid("it ends in its header".into())),
        _ => Err(LoadError::NotWasm),
    }
}

fn link(
    linker: &Linker<Guest>,
    digest: Digest,
    component: &Component,
    epoch: &Arc<Epoch>,
) -> Result<Parts, LoadError> {
    let engine = component.engine();
    let kind = component.component_type();
    let exports: Vec<String> = kind
        .exports(engine)
        .filter(|(name, _)| !is_added(name))
        .map(|(name, _)| name.to_owned())
        .collect();
    let imports: Vec<String> = kind
        .imports(engine)
        .map(|(name, _)| name.to_owned())
        .collect();
    if let Some(name) = imports
        .iter()
        .chain(&exports)
        .find(|name| is_unknown_version(name))
    {
        return Err(LoadError::UnknownVersion(name.clone()));
    }
    let missing: Vec<String> = imports
        .into_iter()
        .filter(|name| capability::provision(name).is_none())
        .collect();
    if !missing.is_empty() {
        return Err(LoadError::MissingImport(Imports(missing)));
    }
    let pre = linker
        .instantiate_pre(component)
        .map_err(|error| LoadError::WrongImport(format!("{error:#}")))?;
    let has = |prefix: &str| exports.iter().any(|name| name.starts_with(prefix));
    let http = if has("wasi:http/handler@0.3") {
        Some(Http::V0_3(
            p3::bindings::ServiceIndices::new(&pre).map_err(wrong_handler)?,
        ))
    } else if has("wasi:http/incoming-handler@0.2") {
        Some(Http::V0_2(
            p2::bindings::ProxyIndices::new(&pre).map_err(wrong_handler)?,
        ))
    } else {
        None
    };
    let websocket = websocket::Indices::find(&pre).map_err(wrong_handler)?;
    if websocket.is_none()
        && let Some(name) = exports.iter().find(|name| name.starts_with(WEBSOCKET))
    {
        let text = format!("`{name}` lacks one of its functions");
        return Err(LoadError::WrongHandler(text));
    }
    if http.is_none() && websocket.is_none() {
        return Err(LoadError::NoHandler(Names(exports)));
    }
    Ok(Parts {
        digest,
        pre,
        http,
        websocket,
        direct: None,
        uses: Uses::default(),
        epoch: Arc::clone(epoch),
    })
}

fn wrong_handler(error: wasmtime::Error) -> LoadError {
    LoadError::WrongHandler(format!("{error:#}"))
}

/// How the names of our handlers begin, whatever their form.
const WEBSOCKET: &str = "holdfast:websocket/websocket-handler";

/// Whether the name is one of our package, but not of a version we have.
fn is_unknown_version(name: &str) -> bool {
    let version = name
        .strip_prefix("holdfast:websocket/")
        .and_then(|rest| rest.split_once('@'))
        .map(|(_, version)| version);
    version.is_some_and(|version| !version.starts_with("0.1."))
}

#[cfg(test)]
mod tests;
