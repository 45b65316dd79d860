//! What the process asks of the system at its start.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use holdfast_runtime::{Cache, Store};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

use crate::cli::Storage;
use crate::depot::Depot;
use crate::images::Shelf;
use crate::problem::Problem;

/// Open files for which the kernel's table has room from the start. Each takes 8
/// bytes of it.
const FILES_LEN: u64 = 1 << 16;

/// Raises the limit of open files as far as this user may: each connection is
/// one. Returns the limit; none if there is none.
pub(crate) fn raise_file_limit() -> Option<u64> {
    match raised_file_limit() {
        Ok(max) => max,
        Err(error) => {
            tracing::warn!(%error, "the limit of open files stays as it is");
            getrlimit(Resource::Nofile).current
        }
    }
}

fn raised_file_limit() -> rustix::io::Result<Option<u64>> {
    let limit = getrlimit(Resource::Nofile);
    let raised = Rlimit {
        current: limit.maximum,
        maximum: limit.maximum,
    };
    setrlimit(Resource::Nofile, raised)?;
    Ok(limit.maximum)
}

/// Has the kernel make its table of open files as large as it may become, or large
/// at least. By itself it grows in steps, and where there are threads, whoever
/// opens the file for which it has to grow waits until every core has passed
/// through the scheduler: that would be an event loop, which accepts a connection
/// and holds up all others for some 15 ms. So this comes before the first thread.
pub(crate) fn make_room_for_files() {
    // If it can't be raised, this is said when it is asked for.
    let max = raised_file_limit().ok().flatten();
    let len = max.map_or(FILES_LEN, |max| max.min(FILES_LEN));
    let last = i32::try_from(len.saturating_sub(1)).unwrap_or(i32::MAX);
    // The copy is closed at once. Without one, the table grows by itself.
    let _ = rustix::io::fcntl_dupfd_cloexec(std::io::stderr(), last);
}

/// The most connections: what the operator says, or as many as there may be files,
/// but for a tenth, which the host needs itself.
pub(crate) fn connections_max(wanted: Option<u32>, files_max: Option<u64>) -> usize {
    let of_files = files_max.map_or(u64::MAX, |max| max - max.div_ceil(10));
    let count = wanted.map_or(of_files, u64::from);
    usize::try_from(count).unwrap_or(usize::MAX)
}

/// The most files from which responses stream: what the operator says, or half of
/// the tenth that is not for connections.
pub(crate) fn open_max(wanted: Option<u32>, files_max: Option<u64>) -> u32 {
    let of_files = files_max.map_or(u64::from(u32::MAX), |max| (max / 20).max(1));
    wanted.unwrap_or(u32::try_from(of_files).unwrap_or(u32::MAX))
}

/// The store of keys and values, of which a change is on the disk after so long.
pub(crate) fn store(storage: &Storage, sync_ms: u64) -> Result<Store, Problem> {
    let Some(folder) = &storage.data else {
        return Ok(Store::in_memory()?);
    };
    let open = || {
        std::fs::create_dir_all(folder)?;
        Store::open(&folder.join("store.redb"), Duration::from_millis(sync_ms))
    };
    open().map_err(|error| {
        let message = format!("{}: can't be the data folder: {error:#}", folder.display());
        Problem::new(message, "give a folder to --data which no other host uses")
    })
}

/// Where deployed components are kept, if there is a data folder.
pub(crate) fn depot(storage: &Storage) -> Result<Option<Arc<Depot>>, Problem> {
    let Some(folder) = &storage.data else {
        return Ok(None);
    };
    let depot = Depot::open(folder).map_err(|error| {
        let folder = folder.display();
        let message = format!("{folder}: the deployed components can't be read: {error}");
        Problem::new(message, "mend `deployments.json`, or move it away")
    })?;
    Ok(Some(depot))
}

/// The cache of compiled components, if there is to be one.
pub(crate) fn cache(storage: &Storage) -> Result<Option<Cache>, Problem> {
    if storage.no_cache {
        return Ok(None);
    }
    if let Some(folder) = &storage.cache {
        let cache = Cache::open(folder.clone(), storage.cache_bytes_max).map_err(|error| {
            let message = format!("{}: can't be the cache: {error}", folder.display());
            Problem::new(message, "give another folder to --cache, or use --no-cache")
        })?;
        return Ok(Some(cache));
    }
    let Some(folder) = user_cache() else {
        return Ok(None);
    };
    let cache = Cache::open(folder.join("holdfast"), storage.cache_bytes_max);
    if let Err(error) = &cache {
        tracing::warn!(folder = %folder.display(), %error, "no cache of compiled components");
    }
    Ok(cache.ok())
}

/// Where components from registries are kept: among what is to survive, or in the
/// cache; none if there is neither.
pub(crate) fn shelf(storage: &Storage) -> Option<Shelf> {
    let cache = || match &storage.cache {
        Some(folder) => Some(folder.clone()),
        None => user_cache().map(|folder| folder.join("holdfast")),
    };
    let folder = match &storage.data {
        Some(data) => Some(data.clone()),
        None if storage.no_cache => None,
        None => cache(),
    };
    let folder = folder?.join("images");
    Some(Shelf::new(&folder, storage.cache_bytes_max))
}

/// The user's cache folder (XDG Base Directory Specification).
fn user_cache() -> Option<PathBuf> {
    let folder = |name| std::env::var_os(name).map(PathBuf::from);
    folder("XDG_CACHE_HOME")
        .filter(|folder| folder.is_absolute())
        .or_else(|| folder("HOME").map(|home| home.join(".cache")))
}
