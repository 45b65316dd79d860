//! `holdfast serve`: from a manifest to a running host, and to its end.

use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use holdfast_core::manifest::{self, Manifest, Plugin};
use holdfast_core::{PluginId, Settings, TenantId};
use holdfast_edge::{BindError, Hub, Listener, Route, Site, drain};
use holdfast_runtime::{
    AllowList, Compiler, EngineLimits, Engines, Generation, Grants, Loader, Runtime,
};

use crate::cli::Storage;
use crate::compile;
use crate::event_loops::EventLoops;
use crate::problem::Problem;
use crate::signals::Signals;
use crate::system;

/// Reads and checks a manifest.
pub(crate) fn read(path: &Path) -> Result<Manifest, Problem> {
    let file = path.display().to_string();
    let text = std::fs::read_to_string(path).map_err(|error| {
        Problem::new(
            format!("{file}: it can't be read: {error}"),
            "check the path, and that this user may read the file",
        )
    })?;
    let folder = path.parent().unwrap_or(Path::new(""));
    Ok(manifest::resolve(
        &file,
        folder,
        &manifest::parse(&file, &text)?,
    )?)
}

/// Serves until a signal ends it.
pub(crate) fn serve(manifest: &Manifest, storage: &Storage) -> Result<(), Problem> {
    system::raise_file_limit();
    let listener = Listener::bind(manifest.host.listen).map_err(bind_problem)?;
    let engines = Engines::new(&engine_limits(manifest))?;
    let loader = Loader::new(
        engines,
        system::cache(storage)?,
        Compiler::Child(compile::program()?),
        manifest.host.load,
    )?;
    let hub = Hub::new();
    let runtime = Runtime::new(hub.clone(), system::store(storage)?);
    let settings = load(manifest, &loader, &runtime)?;
    hub.set_site(site(manifest, &settings));

    let (trigger, drain) = drain();
    let count = match manifest.host.threads {
        Some(count) => count,
        None => std::thread::available_parallelism().map_or(1, usize::from),
    };
    let (event_loops, lanes) = EventLoops::start(count, &hub, &runtime, &drain)?;
    let main = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(anyhow::Error::from)?;
    let timeout = Duration::from_millis(manifest.host.drain_timeout_ms);
    let accepted = main.block_on(async {
        let signals = Signals::catch()?;
        let address = listener.local_address();
        tracing::info!("listening on http://{address}");
        tokio::select! {
            () = signals.obey(&trigger, timeout) => Ok(()),
            accepted = async {
                listener.accept(lanes, drain).await?;
                // The loops say when they are done; meanwhile a second signal
                // is still heard.
                tokio::task::spawn_blocking(|| event_loops.join()).await?
            } => accepted,
        }
    });
    accepted?;
    tracing::info!("ended");
    Ok(())
}

fn bind_problem(error: BindError) -> Problem {
    let hint = match &error {
        BindError::InUse(_) => "end that process, or listen elsewhere: --listen, or `listen`",
        BindError::Denied(_) => "take a port from 1024 on, or give this user the permission",
        BindError::NotAvailable(_) | BindError::Other(..) => {
            "take 127.0.0.1 for this machine only, or 0.0.0.0 for everybody"
        }
    };
    Problem::new(error.to_string(), hint)
}

/// What the engines have to be able to hold.
fn engine_limits(manifest: &Manifest) -> EngineLimits {
    let instances = manifest
        .plugins
        .iter()
        .map(|plugin| &plugin.limits.instance);
    EngineLimits {
        instances_max: manifest.host.instances_max,
        memory_bytes_max: instances
            .clone()
            .map(|it| it.memory_bytes_max)
            .max()
            .unwrap_or(0),
        table_elements_max: instances.map(|it| it.table_elements_max).max().unwrap_or(0),
    }
}

/// Loads every plugin; the settings are in the manifest's order.
fn load(
    manifest: &Manifest,
    loader: &Loader,
    runtime: &Runtime,
) -> Result<Vec<Arc<Settings>>, Problem> {
    let mut tenants: HashMap<&str, TenantId> = HashMap::new();
    let mut settings = Vec::with_capacity(manifest.plugins.len());
    for (index, plugin) in manifest.plugins.iter().enumerate() {
        let next = TenantId(tenants.len() as u32);
        let tenant = *tenants.entry(&plugin.tenant).or_insert(next);
        settings.push(install(
            plugin,
            PluginId(index as u32),
            tenant,
            loader,
            runtime,
        )?);
    }
    Ok(settings)
}

fn install(
    plugin: &Plugin,
    id: PluginId,
    tenant: TenantId,
    loader: &Loader,
    runtime: &Runtime,
) -> Result<Arc<Settings>, Problem> {
    let allow_http = AllowList::parse(&plugin.allow_http).map_err(|error| {
        Problem::new(
            format!("plugin `{}`: {error}", plugin.name),
            "write it as example.com, *.example.com or example.com:8443",
        )
    })?;
    let begin = Instant::now();
    let loaded = loader
        .load_file(&plugin.component)
        .map_err(|error| Problem::component(&plugin.component, &error))?;
    let settings = Arc::new(Settings {
        id,
        generation: 1,
        tenant,
        name: plugin.name.as_str().into(),
        tenant_name: plugin.tenant.as_str().into(),
        handlers: loaded.handlers(),
        connection: plugin.limits.connection.clone(),
        http: plugin.limits.http.clone(),
    });
    tracing::info!(
        tenant = &*settings.tenant_name,
        plugin = &*settings.name,
        http = settings.handlers.http,
        websocket = settings.handlers.websocket,
        load_ms = begin.elapsed().as_millis() as u64,
        "plugin loaded"
    );
    let prepared = runtime
        .prepare(Generation {
            settings: Arc::clone(&settings),
            loaded,
            grants: Grants {
                config: plugin.config.clone(),
                allow_http,
            },
            limits: plugin.limits.clone(),
            deploy: plugin.deploy,
        })
        .map_err(|error| Problem::component(&plugin.component, &error))?;
    runtime.install(prepared);
    Ok(settings)
}

fn site(manifest: &Manifest, settings: &[Arc<Settings>]) -> Site {
    let routes = manifest.routes.iter().filter_map(|route| {
        Some(Route {
            host: route.host.clone(),
            path: route.path.clone(),
            kind: route.kind,
            settings: Arc::clone(settings.get(route.plugin)?),
        })
    });
    Site::new(routes.collect())
}
