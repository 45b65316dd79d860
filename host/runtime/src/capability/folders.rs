//! `wasi:filesystem`: the folders which the operator has granted, for reading.
//! A link in them may lead elsewhere inside of its folder, and nowhere else; the
//! kernel sees to that while it follows it. Files are read by threads that come
//! and go, so that no event loop waits for a disk.

use std::collections::BTreeMap;
use std::fs::File;
use std::io;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError, Weak};

use holdfast_core::metrics::LimitHit;
use wasmtime::component::{HasData, Linker, Resource};
use wasmtime::{Result, StoreContextMut};
use wasmtime_wasi::filesystem::{
    Descriptor, WasiFilesystem, WasiFilesystemCtx, WasiFilesystemCtxView, WasiFilesystemView,
};
use wasmtime_wasi::p2::bindings::filesystem::types as v0_2;
use wasmtime_wasi::p3::bindings::filesystem::types as v0_3;
use wasmtime_wasi::{FsPerms, WasiCtxBuilder};

use crate::guest::Guest;
use crate::load::LoadError;

/// The interfaces as the library names them, of which one function each has
/// another in its place.
const TYPES_0_2: &str = "wasi:filesystem/types@0.2.12";
const TYPES_0_3: &str = "wasi:filesystem/types@0.3.0";
const OPEN_AT: &str = "[method]descriptor.open-at";

/// Folders which a guest can read; none by default. Each is opened once for all
/// instances: one that is replaced stays the one that it was.
#[derive(Clone, Default)]
pub struct Folders(WasiFilesystemCtx);

impl Folders {
    /// Opens folders; the keys are what the guest calls them.
    ///
    /// # Errors
    /// Fails when one of them is no folder that can be read.
    pub fn open(folders: &BTreeMap<String, PathBuf>) -> Result<Self, LoadError> {
        let mut builder = WasiCtxBuilder::new();
        for (guest, host) in folders {
            let opened = is_folder(host).and_then(|()| {
                let opened = builder.preopened_dir(host, guest, FsPerms::ReadOnly);
                opened.map(drop).map_err(io::Error::other)
            });
            opened.map_err(|error| LoadError::Folder {
                path: host.clone(),
                why: format!("{error:#}"),
            })?;
        }
        Ok(Self(builder.build().filesystem().clone()))
    }

    /// For one instance.
    pub(crate) fn context(&self) -> WasiFilesystemCtx {
        self.0.clone()
    }
}

impl std::fmt::Debug for Folders {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("Folders")
    }
}

/// Opening what is no folder could block.
fn is_folder(path: &std::path::Path) -> io::Result<()> {
    match std::fs::metadata(path)?.is_dir() {
        true => Ok(()),
        false => Err(io::ErrorKind::NotADirectory.into()),
    }
}

/// Files that the instances of one generation have open, streams of them
/// included.
#[derive(Debug, Default)]
pub(crate) struct OpenFiles(Mutex<Vec<Weak<File>>>);

impl OpenFiles {
    /// Counts one more, if there may be one more.
    fn enter(&self, file: &Arc<File>, max: usize) -> bool {
        let mut open = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if open.len() >= max {
            open.retain(|file| file.strong_count() > 0);
        }
        let may_be = open.len() < max;
        if may_be {
            open.push(Arc::downgrade(file));
        }
        may_be
    }
}

/// Counts what a guest opens. Comes behind what adds the interfaces.
pub(crate) fn add_to_linker(linker: &mut Linker<Guest>, concurrent: bool) -> Result<()> {
    linker.allow_shadowing(true);
    add_0_2(linker)?;
    if concurrent {
        add_0_3(linker)?;
    }
    linker.allow_shadowing(false);
    Ok(())
}

fn add_0_2(linker: &mut Linker<Guest>) -> Result<()> {
    type Arguments = (
        Resource<Descriptor>,
        v0_2::PathFlags,
        String,
        v0_2::OpenFlags,
        v0_2::DescriptorFlags,
    );
    linker.instance(TYPES_0_2)?.func_wrap_async(
        OPEN_AT,
        |mut store: StoreContextMut<'_, Guest>, (folder, how, path, open, flags): Arguments| {
            Box::new(async move {
                let mut view = store.data_mut().filesystem();
                let opened =
                    v0_2::HostDescriptor::open_at(&mut view, folder, how, path, open, flags).await;
                let opened = match opened {
                    Ok(opened) => keep(store.data_mut(), opened)?.ok_or(v0_2::ErrorCode::Quota),
                    Err(error) => Err(error.downcast()?),
                };
                Ok((opened,))
            })
        },
    )
}

fn add_0_3(linker: &mut Linker<Guest>) -> Result<()> {
    type Arguments = (
        Resource<Descriptor>,
        v0_3::PathFlags,
        String,
        v0_3::OpenFlags,
        v0_3::DescriptorFlags,
    );
    linker.instance(TYPES_0_3)?.func_wrap_concurrent(
        OPEN_AT,
        |accessor, (folder, how, path, open, flags): Arguments| {
            Box::pin(async move {
                let view = accessor.with_getter::<WasiFilesystem>(view);
                let opened = <WasiFilesystem as v0_3::HostDescriptorWithStore<Guest>>::open_at(
                    &view, folder, how, path, open, flags,
                );
                let opened = match opened.await {
                    Ok(opened) => accessor
                        .with(|mut store| keep(store.get(), opened))?
                        .ok_or(v0_3::ErrorCode::Quota),
                    Err(error) => Err(error.downcast()?),
                };
                Ok((opened,))
            })
        },
    )
}

fn view(guest: &mut Guest) -> <WasiFilesystem as HasData>::Data<'_> {
    guest.filesystem()
}

/// Counts what was opened, or closes it again.
fn keep(guest: &mut Guest, opened: Resource<Descriptor>) -> Result<Option<Resource<Descriptor>>> {
    let plugin = Arc::clone(guest.plugin());
    let WasiFilesystemCtxView { table, .. } = guest.filesystem();
    let file = match table.get(&opened)? {
        Descriptor::File(file) => &file.file,
        Descriptor::Dir(folder) => &folder.dir,
    };
    if plugin
        .shared
        .files
        .enter(file, plugin.files.open_max as usize)
    {
        return Ok(Some(opened));
    }
    table.delete(opened)?;
    plugin.settings.metrics.note_limit(LimitHit::Files);
    Ok(None)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_closed_counts_no_more() {
        let open = OpenFiles::default();
        let file = || Arc::new(File::open("/dev/null").unwrap());
        let (one, other) = (file(), file());
        assert!(open.enter(&one, 2));
        assert!(open.enter(&other, 2));
        assert!(!open.enter(&file(), 2));
        drop(one);
        assert!(open.enter(&file(), 2));
    }

    #[test]
    fn only_folders_are_opened() {
        let of = |path: &str| {
            let folders = BTreeMap::from([("/a".to_owned(), PathBuf::from(path))]);
            Folders::open(&folders).map_err(|error| error.to_string())
        };
        assert!(of("/").is_ok());
        for path in ["/dev/null", "/nowhere"] {
            assert!(of(path).unwrap_err().contains(path));
        }
    }
}
