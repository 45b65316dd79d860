//! What a component is, for people.

use std::time::{Duration, Instant};

use holdfast_core::plugin::Handlers;

use crate::capability::elsewhere::provider;
use crate::capability::{self, Provision};
use crate::compile::direct::is_added;
use crate::digest::Digest;
use crate::load::{LoadError, Loader};

/// What a component is.
#[derive(Debug)]
pub struct Inspection {
    /// What it is known by.
    pub digest: Digest,
    /// Its size in bytes.
    pub size: usize,
    /// How long it took to compile, or to take it from the cache.
    pub compile_time: Duration,
    /// Names of all it exports.
    pub exports: Vec<String>,
    /// All it imports.
    pub imports: Vec<Import>,
    /// Which handlers the host found, or why it would not run it.
    pub handlers: Result<Handlers, LoadError>,
    /// How the host would link it: see [`Loaded::linked`](crate::Loaded::linked).
    pub linked: Option<&'static str>,
}

/// One import.
#[derive(Debug)]
pub struct Import {
    /// Its full name.
    pub name: String,
    /// What the component has of it, or who provides it elsewhere.
    pub provision: Result<Provision, &'static str>,
}

impl Loader {
    /// Looks at a component without running it.
    ///
    /// # Errors
    /// Fails when it is no component at all, or can't be compiled.
    pub fn inspect(&self, bytes: &[u8]) -> Result<Inspection, LoadError> {
        let begin = Instant::now();
        let digest = Digest::of(bytes);
        let component = self.compile(digest, bytes)?;
        let compile_time = begin.elapsed();
        let kind = component.component_type();
        let engine = component.engine();
        let import = |(name, _): (&str, _)| Import {
            name: name.to_owned(),
            provision: capability::provision(name).ok_or_else(|| provider(name)),
        };
        let loaded = self.link(digest, &component);
        Ok(Inspection {
            digest,
            size: bytes.len(),
            compile_time,
            exports: kind
                .exports(engine)
                .filter(|(name, _)| !is_added(name))
                .map(|(name, _)| name.to_owned())
                .collect(),
            imports: kind.imports(engine).map(import).collect(),
            linked: loaded.as_ref().ok().map(|loaded| loaded.linked()),
            handlers: loaded.map(|loaded| loaded.handlers()),
        })
    }
}
