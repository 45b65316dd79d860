//! From bytes to a component that can be instantiated: compiled or found in the
//! cache, its handlers found, its imports linked.

use std::fmt;
use std::path::Path;

use holdfast_core::plugin;
use wasmtime::component::{Component, InstancePre, Linker};
use wasmtime::{Engine, Precompiled};
use wasmtime_wasi_http::{p2, p3};

use crate::cache::Cache;
use crate::capability;
use crate::engine::Engines;
use crate::guest::Guest;
use crate::http_0_3;
use crate::world::websocket_0_1_0 as websocket;

/// Loads components.
pub struct Loader {
    engines: Engines,
    plain: Linker<Guest>,
    waiting: Linker<Guest>,
    cache: Option<Cache>,
}

/// A component whose instances can be made.
#[derive(Clone)]
pub struct Loaded {
    pub(crate) pre: InstancePre<Guest>,
    pub(crate) http: Option<Http>,
    pub(crate) websocket: Option<websocket::Indices>,
}

/// Which HTTP handler a component exports.
#[derive(Clone)]
pub(crate) enum Http {
    /// `wasi:http/incoming-handler@0.2`.
    V0_2(p2::bindings::ProxyIndices),
    /// `wasi:http/handler@0.3`.
    V0_3(p3::bindings::ServiceIndices),
}

/// Why a component can't be loaded, and what to do about it.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// The file can't be read.
    #[error("it can't be read: {0}")]
    Read(#[from] std::io::Error),
    /// Not WebAssembly at all.
    #[error("it is not WebAssembly: it does not start with \"\\0asm\"")]
    NotWasm,
    /// A module of core WebAssembly.
    #[error("it is a core WebAssembly module, not a component")]
    CoreModule,
    /// Compiled ahead by some wasmtime.
    #[error("it is compiled machine code, which Holdfast does not run from files")]
    Precompiled,
    /// Invalid, or more than the engine allows.
    #[error("it is not a valid component: {0}")]
    Invalid(String),
    /// It has no handler.
    #[error("it exports no handler; its exports are {0}")]
    NoHandler(Names),
    /// It was built against a version of our package that we don't have.
    #[error("it is built against `{0}`, a version which this host does not have")]
    UnknownVersion(String),
    /// A handler is not of the published types.
    #[error("its handler does not fit: {0}")]
    WrongHandler(String),
    /// It imports what we don't have.
    #[error("it imports {0}, which this host does not provide")]
    MissingImport(Names),
    /// It imports a known interface, but not as published.
    #[error("its imports do not fit: {0}")]
    WrongImport(String),
}

/// Names in a sentence.
#[derive(Debug)]
pub struct Names(pub Vec<String>);

impl fmt::Display for Names {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.is_empty() {
            return formatter.write_str("none");
        }
        let names = self.0.iter().map(|name| format!("`{name}`"));
        formatter.write_str(&names.collect::<Vec<_>>().join(", "))
    }
}

impl LoadError {
    /// What to do about it.
    pub fn hint(&self) -> &'static str {
        match self {
            Self::Read(_) => "check the path, and that this user may read the file",
            Self::NotWasm => "give the .wasm file which your toolchain has built",
            Self::CoreModule => {
                "build for the target wasm32-wasip2, or turn it into a component with \
                 `wasm-tools component new`"
            }
            Self::Precompiled => {
                "give the component it was compiled from; Holdfast keeps its own cache"
            }
            Self::Invalid(_) => "build it again with a current toolchain",
            Self::NoHandler(_) => {
                "export `wasi:http/incoming-handler` (0.2), `wasi:http/handler` (0.3), or \
                 `holdfast:websocket/websocket-handler`"
            }
            Self::UnknownVersion(_) => {
                "build it against `holdfast:websocket@0.1.0`, or use a newer host"
            }
            Self::WrongHandler(_) | Self::WrongImport(_) => {
                "build it against the WIT files in the folder `wit`"
            }
            Self::MissingImport(_) => {
                "remove what needs it; `holdfast inspect` lists all imports of a component"
            }
        }
    }
}

impl Loader {
    /// Makes the engines and what components may import.
    ///
    /// # Errors
    /// Fails when the engines can't be made.
    pub fn new(engines: Engines, cache: Option<Cache>) -> anyhow::Result<Self> {
        Ok(Self {
            plain: linker(engines.plain(), false)?,
            waiting: linker(engines.waiting(), true)?,
            engines,
            cache,
        })
    }

    /// Reads and loads a file. Takes as long as compiling takes, unless the
    /// cache has it.
    ///
    /// # Errors
    /// See [`LoadError`].
    pub fn load_file(&self, path: &Path) -> Result<Loaded, LoadError> {
        self.load(&std::fs::read(path)?)
    }

    /// Loads a component.
    ///
    /// # Errors
    /// See [`LoadError`].
    pub fn load(&self, bytes: &[u8]) -> Result<Loaded, LoadError> {
        self.link(&self.compile(bytes)?)
    }

    /// Links a component of one of the engines.
    pub(crate) fn link(&self, component: &Component) -> Result<Loaded, LoadError> {
        let linker = if Engine::same(component.engine(), self.engines.plain()) {
            &self.plain
        } else {
            &self.waiting
        };
        link(linker, component)
    }

    /// Compiles a component, or takes it from the cache.
    pub(crate) fn compile(&self, bytes: &[u8]) -> Result<Component, LoadError> {
        check_format(bytes)?;
        let engines = [self.engines.plain(), self.engines.waiting()];
        if let Some(cache) = &self.cache {
            let cached = engines.iter().find_map(|engine| cache.get(engine, bytes));
            if let Some(component) = cached {
                return Ok(component);
            }
        }
        // The first refuses what needs the second, before it compiles anything.
        let component = Component::new(engines[0], bytes)
            .or_else(|_| Component::new(engines[1], bytes))
            .map_err(|error| LoadError::Invalid(format!("{error:#}")))?;
        if let Some(cache) = &self.cache
            && let Err(error) = cache.put(component.engine(), bytes, &component)
        {
            tracing::warn!(%error, "compiled component not kept");
        }
        Ok(component)
    }
}

impl Loaded {
    /// Which handlers the component has.
    pub fn handlers(&self) -> plugin::Handlers {
        plugin::Handlers {
            http: self.http.is_some(),
            websocket: self.websocket.is_some(),
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
        // Magic number, version, and layer (component model, binary format).
        [0, b'a', b's', b'm', _, _, 1, 0, ..] => Ok(()),
        [0, b'a', b's', b'm', _, _, _, _, ..] => Err(LoadError::CoreModule),
        [0, b'a', b's', b'm', ..] => Err(LoadError::Invalid("it ends in its header".into())),
        _ => Err(LoadError::NotWasm),
    }
}

fn link(linker: &Linker<Guest>, component: &Component) -> Result<Loaded, LoadError> {
    let engine = component.engine();
    let kind = component.component_type();
    let exports: Vec<String> = kind
        .exports(engine)
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
        return Err(LoadError::MissingImport(Names(missing)));
    }
    let pre = linker
        .instantiate_pre(component)
        .map_err(|error| LoadError::WrongImport(format!("{error:#}")))?;
    let wrong = |error: wasmtime::Error| LoadError::WrongHandler(format!("{error:#}"));
    let has = |prefix: &str| exports.iter().any(|name| name.starts_with(prefix));
    let http = if has("wasi:http/handler@0.3") {
        Some(Http::V0_3(
            p3::bindings::ServiceIndices::new(&pre).map_err(wrong)?,
        ))
    } else if has("wasi:http/incoming-handler@0.2") {
        Some(Http::V0_2(
            p2::bindings::ProxyIndices::new(&pre).map_err(wrong)?,
        ))
    } else {
        None
    };
    let websocket = websocket::Indices::find(&pre).map_err(wrong)?;
    if websocket.is_none()
        && let Some(name) = exports.iter().find(|name| name.starts_with(WEBSOCKET))
    {
        let text = format!("`{name}` lacks one of its functions");
        return Err(LoadError::WrongHandler(text));
    }
    if http.is_none() && websocket.is_none() {
        return Err(LoadError::NoHandler(Names(exports)));
    }
    Ok(Loaded {
        pre,
        http,
        websocket,
    })
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
