//! Why a component can't be loaded.

use std::fmt;
use std::path::PathBuf;

use crate::capability::elsewhere::provider;

/// Why a component can't be loaded, and what to do about it.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// The file can't be read.
    #[error("it can't be read: {0}")]
    Read(#[from] std::io::Error),
    /// A folder, a pipe, a socket or a device.
    #[error("it is not a file")]
    NotAFile,
    /// More than is read.
    #[error("it has {bytes} bytes, more than the {max} of `component_bytes_max`")]
    TooLarge {
        /// Its size, as far as it was looked at.
        bytes: u64,
        /// See [`LoadLimits::component_bytes_max`](holdfast_core::limits::LoadLimits).
        max: u64,
    },
    /// Nothing is in it.
    #[error("it is empty")]
    Empty,
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
    /// The compiler was ended after so many milliseconds.
    #[error("to compile it takes longer than the {0} ms of `compile_timeout_ms`")]
    CompileTimeout(u64),
    /// The compiler has ended since it had no more than so many bytes.
    #[error("to compile it takes more memory than the {0} bytes of `compile_memory_bytes_max`")]
    CompileMemory(u64),
    /// The compiler has crashed, or can't be started.
    #[error("the compiler has failed: {0}")]
    Compiler(String),
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
    #[error("it imports what this host does not provide: {0}")]
    MissingImport(Imports),
    /// It imports a known interface, but not as published.
    #[error("its imports do not fit: {0}")]
    WrongImport(String),
    /// A folder that it was granted can't be opened.
    #[error("the folder {} can't be opened: {why}", path.display())]
    Folder {
        /// Where it should be.
        path: PathBuf,
        /// What the system says.
        why: String,
    },
    /// No instance of it could be made.
    #[error("it does not start: {0}")]
    Start(String),
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

/// Imports that are missing, each with who provides it.
#[derive(Debug)]
pub struct Imports(pub Vec<String>);

impl fmt::Display for Imports {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let imports = self.0.iter();
        let imports = imports.map(|name| format!("`{name}` ({})", provider(name)));
        formatter.write_str(&imports.collect::<Vec<_>>().join(", "))
    }
}

impl LoadError {
    /// What to do about it.
    pub fn hint(&self) -> &'static str {
        match self {
            Self::Read(_) => "check the path, and that this user may read the file",
            Self::NotAFile => "give a file; folders, pipes and devices are not read",
            Self::TooLarge { .. } => {
                "leave out what it does not need, such as debug information, or raise \
                 `component_bytes_max` in `[load]`"
            }
            Self::Empty | Self::NotWasm => "give the .wasm file which your toolchain has built",
            Self::CoreModule => {
                "build for the target wasm32-wasip2, or turn it into a component with \
                 `wasm-tools component new`"
            }
            Self::Precompiled => {
                "give the component it was compiled from; Holdfast keeps its own cache"
            }
            Self::Invalid(_) => "build it again with a current toolchain",
            Self::CompileTimeout(_) => {
                "build a smaller component, or raise `compile_timeout_ms` in `[load]`"
            }
            Self::CompileMemory(_) => {
                "build a smaller component, or raise `compile_memory_bytes_max` in `[load]`"
            }
            Self::Compiler(_) => {
                "if the machine has enough memory, report it together with the component"
            }
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
            Self::Folder { .. } => "make it, or take it out of `folders`",
            Self::Start(_) => {
                "find out what it does before its first event; it has as much time and memory \
                 for that as the plugin's limits say"
            }
            Self::MissingImport(_) => {
                "remove what needs it; `holdfast inspect` lists all imports of a component"
            }
        }
    }
}
