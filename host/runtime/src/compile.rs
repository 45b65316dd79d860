//! Compiles components. A component that has been made to keep a compiler busy,
//! to fill its memory or to crash it must harm nobody else: the host gives each
//! to a process of its own, which has a deadline, a bound of its memory and a low
//! priority. When it has ended, all its memory has gone back to the system.
//!
//! ```text
//!  host ── component ──► stdin ┐
//!       ◄── machine code ─ stdout ├ holdfast compile
//!       ◄── one line ──── stderr ┘
//! ```
//! Machine code is taken from that process and from the cache, never from a
//! tenant.

mod child;
pub(crate) mod direct;
mod parent;
pub(crate) mod pieces;

use std::hash::{Hash, Hasher};
use std::path::PathBuf;
use std::time::Instant;

use holdfast_core::limits::LoadLimits;
use wasmtime::Engine;
use wasmtime::component::Component;

pub use child::compile_stdin;

use crate::cache::{Cache, Draft};
use crate::digest::Digest;
use crate::direct::{imports, is_there};
use crate::engine::{Engines, Form};
use crate::load::LoadError;

/// Raised whenever something else is made of a component.
const VERSION: u32 = 3;

/// What the machine code of a component depends on, besides the component and the
/// settings of the engine.
pub(crate) fn fingerprint(hasher: &mut impl Hasher) {
    VERSION.hash(hasher);
    direct::GLUE_BYTES.hash(hasher);
    // Whether a component is linked directly depends on what modules get.
    for import in imports() {
        import.hash(hasher);
    }
}

/// The child's exit code for what is no valid component.
const EXIT_INVALID: u8 = 10;

/// The child's exit code when it has noticed that its memory is used up. Mostly
/// it can't, and aborts.
const EXIT_MEMORY: u8 = 11;

/// Who compiles.
#[derive(Clone, Debug)]
pub enum Compiler {
    /// The caller itself, without any bound. For tools and for components that
    /// are trusted.
    InProcess,
    /// A child process for each component: this program, with the verb
    /// `compile`, which has to call [`compile_stdin`].
    Child(PathBuf),
}

impl Compiler {
    /// Compiles a component, and keeps its machine code if there is a cache.
    pub(crate) fn compile(
        &self,
        engines: &Engines,
        limits: &LoadLimits,
        digest: Digest,
        bytes: &[u8],
        cache: Option<&Cache>,
    ) -> Result<Component, LoadError> {
        let failed = |error: anyhow::Error| LoadError::Compiler(format!("{error:#}"));
        match self {
            Self::InProcess => {
                let (_, component) = choose(engines.both(), bytes)
                    .map_err(|error| LoadError::Invalid(format!("{error:#}")))?;
                if let Some(cache) = cache {
                    cache.keep(digest, &component);
                }
                Ok(component)
            }
            Self::Child(program) => {
                let draft = Draft::new(cache).map_err(|error| failed(error.into()))?;
                let output = draft.output().map_err(|error| failed(error.into()))?;
                let begin = Instant::now();
                let form = parent::compile(program, limits, bytes, output)?;
                let (took, digest_short) = (begin.elapsed(), digest.short());
                let compile_ms = took.as_millis() as u64;
                match took > parent::QUIET {
                    true => tracing::info!(digest = digest_short, compile_ms, "component compiled"),
                    false => {
                        tracing::debug!(digest = digest_short, compile_ms, "component compiled")
                    }
                }
                let component = draft.load(engines.get(form)).map_err(failed)?;
                if let Some(cache) = cache {
                    cache.put(component.engine(), digest, draft);
                }
                Ok(component)
            }
        }
    }
}

/// Compiles for the engine which suits the component better.
fn choose(engines: &[Engine; 2], bytes: &[u8]) -> wasmtime::Result<(Form, Component)> {
    if direct::is_claimed(bytes) {
        let text = "it exports names which the host keeps for itself (`holdfast-…`)";
        return Err(wasmtime::Error::msg(text));
    }
    match pieces::cut(bytes) {
        Ok(cut) => {
            if let Some(prepared) = direct::prepare(&cut, is_there)
                && let Ok(chosen) = choose_as_it_is(engines, &prepared)
            {
                return Ok(chosen);
            }
            choose_as_it_is(engines, &cut)
        }
        Err(error) => {
            // The engine says better what is wrong with it.
            choose_as_it_is(engines, bytes)?;
            Err(wasmtime::Error::new(error))
        }
    }
}

fn choose_as_it_is(engines: &[Engine; 2], bytes: &[u8]) -> wasmtime::Result<(Form, Component)> {
    let [plain, waiting] = engines;
    // Async functions and types are refused before anything is compiled. What
    // imports 0.3 without using any of them finds its imports only over there.
    if let Ok(component) = Component::from_binary(plain, bytes)
        && !imports_0_3(&component)
    {
        return Ok((Form::Plain, component));
    }
    Ok((Form::Waiting, Component::from_binary(waiting, bytes)?))
}

fn imports_0_3(component: &Component) -> bool {
    let kind = component.component_type();
    let mut imports = kind.imports(component.engine());
    imports.any(|(name, _)| name.starts_with("wasi:") && name.contains("@0.3."))
}
