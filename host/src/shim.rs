//! Stands in for what the runtime and the edge are about to have, with the same
//! signatures. Goes when they have it.

use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use holdfast_core::plugin::Handlers;
use holdfast_core::{PluginId, Settings};
use holdfast_edge::Hub;
use holdfast_runtime as real;
use sha2::{Digest as _, Sha256};

pub(crate) use real::{Engines, Grants, LoadError};

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Digest([u8; 32]);

impl fmt::Display for Digest {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0
            .iter()
            .try_for_each(|it| write!(formatter, "{it:02x}"))
    }
}

#[derive(Clone)]
pub(crate) struct Loaded {
    inner: real::Loaded,
    digest: Digest,
}

impl Loaded {
    pub(crate) fn digest(&self) -> &Digest {
        &self.digest
    }

    pub(crate) fn handlers(&self) -> Handlers {
        self.inner.handlers()
    }
}

pub(crate) struct Loader(real::Loader);

impl Loader {
    pub(crate) fn new(engines: Engines, cache: Option<real::Cache>) -> anyhow::Result<Self> {
        Ok(Self(real::Loader::new(engines, cache)?))
    }

    pub(crate) fn load_file(&self, path: &Path) -> Result<Loaded, LoadError> {
        let bytes = std::fs::read(path)?;
        Ok(Loaded {
            inner: self.0.load(&bytes)?,
            digest: Digest(Sha256::digest(&bytes).into()),
        })
    }
}

pub(crate) struct Generation {
    pub(crate) settings: Arc<Settings>,
    pub(crate) loaded: Loaded,
    pub(crate) grants: Grants,
    pub(crate) limits: holdfast_core::limits::Limits,
    pub(crate) deploy: holdfast_core::deploy::Deploy,
}

pub(crate) struct Prepared(Generation);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Role {
    Stable,
    #[expect(dead_code)]
    Canary,
    #[expect(dead_code)]
    Old,
}

#[derive(Clone, Debug)]
pub(crate) struct GenerationStatus {
    pub(crate) number: u32,
    pub(crate) role: Role,
    pub(crate) events: u64,
    pub(crate) failed: u64,
    pub(crate) migrations_failed: u64,
    pub(crate) last_migration_error: Option<String>,
}

pub(crate) struct Runtime {
    pub(crate) inner: Arc<real::Runtime>,
    numbers: Mutex<HashMap<PluginId, u32>>,
}

impl Runtime {
    pub(crate) fn new(edge: Arc<Hub>, store: real::Store) -> Arc<Self> {
        Arc::new(Self {
            inner: real::Runtime::new(edge, store),
            numbers: Mutex::default(),
        })
    }

    pub(crate) fn on_failing(&self, _: impl Fn(PluginId, u32) + Send + Sync + 'static) {}

    pub(crate) fn prepare(&self, generation: Generation) -> Result<Prepared, LoadError> {
        Ok(Prepared(generation))
    }

    pub(crate) fn install(&self, prepared: Prepared) {
        let it = prepared.0;
        let mut numbers = self.numbers.lock().unwrap_or_else(PoisonError::into_inner);
        numbers.insert(it.settings.id, it.settings.generation);
        self.inner.install(real::Generation {
            settings: it.settings,
            loaded: it.loaded.inner,
            grants: it.grants,
            limits: it.limits,
            deploy: it.deploy,
        });
    }

    pub(crate) fn promote(&self, _: PluginId) -> bool {
        false
    }

    pub(crate) fn abandon(&self, _: PluginId) -> bool {
        false
    }

    pub(crate) fn remove(&self, _: PluginId) {}

    pub(crate) fn tidy(&self) {}

    pub(crate) fn has_old(&self) -> bool {
        false
    }

    pub(crate) fn generations(&self, id: PluginId) -> Vec<GenerationStatus> {
        let numbers = self.numbers.lock().unwrap_or_else(PoisonError::into_inner);
        let status = |number: &u32| GenerationStatus {
            number: *number,
            role: Role::Stable,
            events: 0,
            failed: 0,
            migrations_failed: 0,
            last_migration_error: None,
        };
        numbers.get(&id).map(status).into_iter().collect()
    }
}

pub(crate) trait HubShim {
    fn close_plugin(&self, id: PluginId);
    fn generation_counts(&self, id: PluginId) -> BTreeMap<u32, u32>;
}

impl HubShim for Hub {
    fn close_plugin(&self, _: PluginId) {}

    fn generation_counts(&self, id: PluginId) -> BTreeMap<u32, u32> {
        [(1, self.connection_count(id))].into()
    }
}
