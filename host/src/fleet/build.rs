//! From a file, or from a component that is there already, to a generation which
//! can be installed. Slow: it may compile, and it runs the guest once.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Instant, SystemTime};

use holdfast_core::deploy::Deploy;
use holdfast_core::manifest::{Plugin, Value};
use holdfast_core::metrics::PluginMetrics;
use holdfast_core::{PluginId, Secret, Settings, TenantId};
use holdfast_runtime::{
    AllowList, Folders, Generation, Grants, LoadError, Loaded, Loader, Prepared, Runtime,
};

use super::beneath;
use super::deployed::settings;
use super::fault::Fault;
use super::stamp::{Content, Seen, Stamp, content};
use super::version::Version;
use crate::images::{Images, PullError};
use crate::problem::Problem;

/// What makes generations.
pub(crate) struct Builder {
    pub(crate) loader: Loader,
    pub(crate) images: Images,
    pub(crate) runtime: Arc<Runtime>,
}

/// What a generation is to be.
pub(crate) struct Order {
    pub(crate) id: PluginId,
    pub(crate) tenant: TenantId,
    pub(crate) number: u32,
    /// What is counted of the plugin.
    pub(crate) metrics: Arc<PluginMetrics>,
    pub(crate) entry: Arc<Plugin>,
    /// How it takes over.
    pub(crate) deploy: Deploy,
    /// The file to look into; none to take `loaded`.
    pub(crate) file: Option<Look>,
    /// What to take if the file has nothing new; none if there is to be no new
    /// generation then.
    pub(crate) loaded: Option<Loaded>,
}

/// A file, and what of it is known.
pub(crate) struct Look {
    pub(crate) path: PathBuf,
    /// Contents that are not to be loaded: what serves, and what was there when
    /// the file was last looked at.
    pub(crate) known: Vec<Content>,
}

/// What has come of an [`Order`].
pub(crate) struct Done {
    /// The file as it was found, if one was looked into.
    pub(crate) seen: Option<Seen>,
    pub(crate) result: Result<Option<Built>, Fault>,
}

/// A generation which has been tried and can be installed.
pub(crate) struct Built {
    pub(crate) prepared: Prepared,
    pub(crate) version: Version,
    /// How long it took.
    pub(crate) load_ms: u64,
}

impl Builder {
    /// Looks into the file, if there is one to look into, and makes the
    /// generation.
    pub(crate) fn run(&self, order: Order) -> Done {
        let begin = Instant::now();
        let Some(file) = &order.file else {
            let result = match &order.loaded {
                Some(loaded) => self.prepare(&order, loaded.clone(), begin).map(Some),
                None => Ok(None),
            };
            return Done {
                seen: None,
                result: result.map_err(|error| fault(&order, error, None)),
            };
        };
        // The stamp comes first: whatever happens to the file from now on makes
        // another one.
        let stamp = Stamp::of(&file.path);
        let read = self.read(&order.entry, &file.path);
        let content = read.as_ref().ok().map(|it| content(it));
        let is_known = content.as_ref().is_some_and(|it| file.known.contains(it));
        let loaded = match (is_known, read) {
            (true, _) => Ok(order.loaded.clone()),
            (false, Ok(bytes)) => self.loader.load(&bytes).map(Some).map_err(Failure::from),
            (false, Err(error)) => Err(error),
        };
        let prepare = |loaded| self.prepare(&order, loaded, begin);
        let result = loaded.and_then(|loaded| loaded.map(prepare).transpose());
        Done {
            result: result.map_err(|error| fault(&order, error, content.clone())),
            seen: Some(Seen::new(stamp, content)),
        }
    }

    pub(super) fn read(&self, entry: &Plugin, path: &Path) -> Result<Vec<u8>, Failure> {
        // A component that was uploaded is somewhere else.
        let is_entrys = path == entry.component;
        match (&entry.image, &entry.root) {
            (Some(image), _) if is_entrys => Ok(self.images.pull(image)?),
            (None, Some(root)) if is_entrys => {
                let file = beneath::open(Some(root), path).map_err(LoadError::from)?;
                Ok(self.loader.read_file(file)?)
            }
            _ => Ok(self.loader.read(path)?),
        }
    }

    fn prepare(&self, order: &Order, loaded: Loaded, begin: Instant) -> Result<Built, Failure> {
        let entry = &order.entry;
        let settings = Arc::new(Settings {
            generation: order.number,
            handlers: loaded.handlers(),
            ..settings(entry, order.id, order.tenant, &order.metrics)
        });
        let prepared = self.runtime.prepare(Generation {
            settings: Arc::clone(&settings),
            loaded: loaded.clone(),
            grants: Grants {
                config: secrets(&entry.config),
                env: secrets(&entry.env),
                folders: Folders::open(&entry.folders)?,
                // Checked when the manifest was read.
                allow_http: AllowList::parse(&entry.allow_http).unwrap_or_default(),
            },
            limits: entry.limits.clone(),
            deploy: order.deploy,
        })?;
        Ok(Built {
            prepared,
            version: Version {
                number: order.number,
                digest: loaded.digest().to_string(),
                entry: Arc::clone(entry),
                settings,
                loaded,
                since: SystemTime::now(),
                given_up: false,
            },
            load_ms: begin.elapsed().as_millis() as u64,
        })
    }
}

fn secrets(values: &BTreeMap<String, Value>) -> BTreeMap<String, Secret> {
    let values = values.iter();
    let values = values.filter_map(|(key, value)| Some((key.clone(), value.secret.clone()?)));
    values.collect()
}

/// Why there is no generation.
#[derive(Debug, thiserror::Error)]
pub(super) enum Failure {
    #[error(transparent)]
    Load(#[from] LoadError),
    #[error(transparent)]
    Pull(#[from] PullError),
}

fn fault(order: &Order, failure: Failure, content: Option<Content>) -> Fault {
    let file = order.file.as_ref().map(|file| file.path.clone());
    let path = file.unwrap_or_else(|| order.entry.component.clone());
    let hint = match &failure {
        Failure::Load(error) => error.hint(),
        Failure::Pull(error) => error.hint(),
    };
    let problem = Problem::new(format!("{}: {failure}", path.display()), hint);
    Fault::from(problem).in_file(path, content)
}
