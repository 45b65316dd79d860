//! `holdfast serve` and `holdfast run`: from a manifest to a running host, and
//! to its end.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use holdfast_core::limits::FileLimits;
use holdfast_core::manifest::{DrainTimes, Manifest};
use holdfast_core::metrics::EdgeMetrics;
use holdfast_edge::{AccessLog, Drain, Hub, HubConfig, Lane, Trigger, drain};
use holdfast_runtime::{Compiler, EngineLimits, Engines, Loader, Runtime};

use crate::admin::{Admin, Front, Published, places};
use crate::cli::{Operation, Storage};
use crate::compile;
use crate::dev::{Dev, Live, Running};
use crate::entrances::Entrances;
use crate::event_loops::EventLoops;
use crate::fleet::{Ceiling, Certificates, Deploy, Handle, Source, Start};
use crate::images::Images;
use crate::log::{Access, Tails};
use crate::memory;
use crate::problem::Problem;
use crate::signals::Signals;
use crate::system;
use crate::watch::{Inlet, Watch};

/// What to serve, and how.
pub(crate) struct Plan<'a> {
    pub(crate) manifest: Manifest,
    pub(crate) source: Source,
    /// The file by which operators name this host.
    pub(crate) origin: &'a Path,
    pub(crate) storage: &'a Storage,
    pub(crate) operation: &'a Operation,
    /// By which the log can be read.
    pub(crate) tails: &'a Tails,
    /// The project that is built first, and watched in place of the files.
    pub(crate) dev: Option<Dev>,
}

impl Plan<'_> {
    /// Builds the project, if there is one; false if a signal ends that.
    fn build_first(&mut self) -> Result<bool, Problem> {
        let Some(dev) = &mut self.dev else {
            return Ok(true);
        };
        let is_built = dev.build_first()?;
        // It may have changed meanwhile.
        (self.source, self.manifest) = Source::read(dev.manifest())?;
        Ok(is_built)
    }
}

/// Serves until a signal ends it.
pub(crate) fn serve(mut plan: Plan<'_>) -> Result<(), Problem> {
    let files_max = system::raise_file_limit();
    let host = plan.manifest.host.clone();
    let entrances = Entrances::bind(
        &host,
        system::connections_max(host.connections_max, files_max),
    )?;
    if !plan.build_first()? {
        return Ok(());
    }
    let certificates = Certificates::open(&plan.manifest)?;
    let metrics = Arc::<EdgeMetrics>::default();
    let start = |config| Access::start(config, &metrics);
    let access = host.access_log.as_ref().map(start).transpose()?;
    let access_log = access.as_ref().map(|access| Arc::clone(access.log()));
    let entrances = entrances.open(&host, certificates.tls(), &metrics, access_log.as_ref());
    let engines = Engines::new(&engine_limits(&plan.manifest))?;
    let loader = Loader::new(
        engines,
        system::cache(plan.storage)?,
        Compiler::Child(compile::program()?),
        host.load,
    )?;
    let files = FileLimits {
        open_max: Some(system::open_max(host.files.open_max, files_max)),
        ..host.files
    };
    let hub = Hub::with(HubConfig {
        heads: host.head,
        files,
        encoding: host.encoding,
        metrics: Arc::clone(&metrics),
        access_log: access_log.clone(),
    });
    hub.set_close_window(Duration::from_millis(host.drain.spread_ms));
    hub.set_drain_code(host.drain_close_code);
    let runtime = Runtime::new(
        hub.clone(),
        system::store(plan.storage, host.keyvalue_sync_ms)?,
        host.instances_max,
    );
    let depot = system::depot(plan.storage)?;
    let inlet = Inlet::new();
    let (fleet, handle) = Start {
        manifest: plan.manifest,
        source: plan.source,
        certificates,
        loader,
        images: Images {
            settings: host.images.clone(),
            shelf: system::shelf(plan.storage),
            component_bytes_max: host.load.component_bytes_max,
        },
        runtime: Arc::clone(&runtime),
        hub: Arc::clone(&hub),
        depot: depot.clone(),
        on_files: Box::new(inlet.on_files()),
    }
    .run()?;

    let (trigger, drain) = drain();
    let count = match host.threads {
        Some(count) => count,
        None => std::thread::available_parallelism().map_or(1, usize::from),
    };
    let (event_loops, lanes) = EventLoops::start(count, &hub, &runtime, &drain, files.reads_max)?;
    let deploy = Deploy::start(fleet, handle.clone())?;
    let watch = match plan.operation.no_watch {
        true => {
            // Otherwise the fleet would fill it.
            drop(inlet);
            None
        }
        false => Some(Watch::start(inlet, handle.clone())?),
    };
    let live = Live {
        fleet: handle.clone(),
        hub,
        drain: drain.clone(),
        address: entrances.address(),
    };
    let dev = plan.dev.map(|dev| dev.start(live)).transpose()?;
    let admin = match plan.operation.no_admin {
        true => None,
        false => Some(Admin::bind(&host, depot, plan.tails.clone())?),
    };
    let serving = Serving {
        admin,
        entrances,
        lanes,
        event_loops,
        trigger,
        drain,
        drain_times: host.drain,
        access_log,
        metrics,
    };
    let published = serving.publish(&places(plan.storage.data.as_deref(), plan.origin));
    let served = serving.until_the_end(&handle);
    drop(published);
    watch.map(Watch::stop).transpose()?;
    dev.map(Running::stop).transpose()?;
    deploy.stop()?;
    served?;
    drop(access);
    tracing::info!("ended");
    Ok(())
}

/// What takes part in serving.
struct Serving {
    admin: Option<Admin>,
    entrances: Entrances,
    lanes: Vec<Lane>,
    event_loops: EventLoops,
    trigger: Trigger,
    drain: Drain,
    drain_times: DrainTimes,
    access_log: Option<Arc<AccessLog>>,
    metrics: Arc<EdgeMetrics>,
}

impl Serving {
    /// Tells this user where the admin listener is, for as long as the result
    /// lives.
    fn publish(&self, places: &[PathBuf]) -> Vec<Published> {
        let Some(admin) = &self.admin else {
            return Vec::new();
        };
        let meeting = admin.meeting();
        let publish = |place: &PathBuf| match meeting.publish(place.clone()) {
            Ok(published) => Some(published),
            Err(error) => {
                let file = place.display();
                tracing::warn!(%file, %error, "`holdfast status` finds this host by --admin only");
                None
            }
        };
        places.iter().filter_map(publish).collect()
    }

    /// Accepts connections until a signal comes and all has ended.
    fn until_the_end(self, fleet: &Handle) -> anyhow::Result<()> {
        let main = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()?;
        main.block_on(async {
            let signals = Signals::catch(self.access_log.clone())?;
            self.entrances.log();
            let front = Front {
                address: self.entrances.address(),
                drain: self.drain.clone(),
                refused: self.entrances.refused(),
                metrics: self.metrics,
            };
            let admin = async {
                match self.admin {
                    Some(admin) => admin.run(fleet.clone(), front).await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                failed = admin => Ok(failed.map(|never| match never {})?),
                () = signals.obey(&self.trigger, self.drain_times, fleet) => Ok(()),
                accepted = async {
                    self.entrances.accept(self.lanes, self.drain).await?;
                    // The loops say when they are done; meanwhile a second signal
                    // is still heard.
                    tokio::task::spawn_blocking(|| self.event_loops.join()).await?
                } => accepted,
                never = memory::give_back() => match never {},
            }
        })
    }
}

/// What the engines have to be able to hold.
fn engine_limits(manifest: &Manifest) -> EngineLimits {
    let ceiling = Ceiling::of(manifest);
    EngineLimits {
        instances_max: manifest.host.instances_max,
        memory_bytes_max: ceiling.memory_bytes_max,
        table_elements_max: ceiling.table_elements_max,
    }
}
