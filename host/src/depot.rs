//! Components that were deployed by upload, and which plugin runs which of them:
//! what of it survives the end of the process.
//!
//! ```text
//! DATA/components/SHA256.wasm   each written once, under the name of its content
//! DATA/deployments.json         replaced as a whole
//! ```
//!
//! Files appear by being renamed, after their content has reached the disk. So
//! whenever the process ends, the list is the old one or the new one, and the
//! components which it names are there.

mod file;
mod record;

use std::collections::{BTreeMap, HashMap};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use holdfast_runtime::Digest;

use crate::fleet::Name;
pub(crate) use record::Record;

/// Bytes of the largest list.
const LIST_BYTES_MAX: u64 = 64 << 20;

/// Where deployed components are kept.
pub(crate) struct Depot {
    components: PathBuf,
    list: PathBuf,
    shelves: Mutex<Shelves>,
    /// Held by whoever writes a component: two may bring the same.
    writing: Mutex<()>,
}

/// What is kept.
#[derive(Default)]
struct Shelves {
    records: BTreeMap<Name, Record>,
    /// Components that somebody is about to deploy, and how many are.
    pending: HashMap<String, u32>,
}

/// Why no kept component is meant.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum FindError {
    /// None begins so.
    #[error("no component of the plugin that is kept has a digest which begins with `{0}`")]
    Unknown(String),
    /// Several do.
    #[error("more than one component of the plugin has a digest which begins with `{0}`")]
    Ambiguous(String),
}

impl Depot {
    /// Opens the depot of a data folder, or makes it. What nobody needs is
    /// removed.
    ///
    /// # Errors
    /// Fails when the folder can't be used, or the list can't be read.
    pub(crate) fn open(data: &Path) -> io::Result<Arc<Self>> {
        let components = data.join("components");
        std::fs::create_dir_all(&components)?;
        let list = data.join("deployments.json");
        let records = match file::read(&list, LIST_BYTES_MAX) {
            Ok(text) => record::parse(&text)?,
            Err(error) if error.kind() == io::ErrorKind::NotFound => BTreeMap::new(),
            Err(error) => return Err(error),
        };
        let shelves = Shelves {
            records,
            pending: HashMap::new(),
        };
        let depot = Self {
            components,
            list,
            shelves: Mutex::new(shelves),
            writing: Mutex::default(),
        };
        depot.sweep(&depot.lock());
        Ok(Arc::new(depot))
    }

    /// Keeps a component until the result is dropped, and as long as a record
    /// names it. Waits for the disk.
    pub(crate) fn keep(self: &Arc<Self>, bytes: &[u8]) -> io::Result<Kept> {
        let kept = self.reserve(&mut self.lock(), Digest::of(bytes).to_string());
        let _writing = self.writing.lock().unwrap_or_else(PoisonError::into_inner);
        let path = self.path(&kept.digest);
        // One that is there has reached the disk before it had this name.
        if !path.exists() {
            file::write(&path, bytes)?;
        }
        Ok(kept)
    }

    /// The component of a plugin that is kept and whose digest begins so.
    pub(crate) fn find(self: &Arc<Self>, name: &Name, prefix: &str) -> Result<Kept, FindError> {
        let mut shelves = self.lock();
        let record = shelves.records.get(name);
        let digests = record.into_iter().flat_map(Record::digests);
        let mut meant: Vec<_> = digests.filter(|it| it.starts_with(prefix)).collect();
        meant.sort_unstable();
        meant.dedup();
        match meant[..] {
            [] => Err(FindError::Unknown(prefix.to_owned())),
            [digest] => {
                let digest = digest.to_owned();
                Ok(self.reserve(&mut shelves, digest))
            }
            _ => Err(FindError::Ambiguous(prefix.to_owned())),
        }
    }

    /// Where the component of this digest is, if it is kept.
    pub(crate) fn path(&self, digest: &str) -> PathBuf {
        self.components.join(digest).with_extension("wasm")
    }

    /// What is known of a plugin.
    pub(crate) fn record(&self, name: &Name) -> Record {
        self.lock().records.get(name).cloned().unwrap_or_default()
    }

    /// Notes what a plugin runs. When this returns, it survives whatever happens.
    ///
    /// # Errors
    /// Fails when it can't be written; then the record is as before.
    pub(crate) fn set_record(&self, name: &Name, record: Record) -> io::Result<()> {
        let mut shelves = self.lock();
        if shelves.records.get(name).unwrap_or(&Record::default()) == &record {
            return Ok(());
        }
        let mut records = shelves.records.clone();
        match record.is_empty() {
            true => records.remove(name),
            false => records.insert(name.clone(), record),
        };
        file::write(&self.list, &record::text(&records)?)?;
        shelves.records = records;
        self.sweep(&shelves);
        Ok(())
    }

    /// Removes components that nobody needs. One that can't be removed harms
    /// nobody.
    fn sweep(&self, shelves: &Shelves) {
        let Ok(entries) = std::fs::read_dir(&self.components) else {
            return;
        };
        for path in entries.filter_map(|entry| Some(entry.ok()?.path())) {
            let digest = path.file_stem().and_then(|it| it.to_str()).unwrap_or("");
            let is_component = path.extension().is_some_and(|it| it == "wasm");
            // A file that is being written has another name.
            let digest = digest.split('.').next().unwrap_or("");
            let mut named = shelves.records.values().flat_map(Record::digests);
            let is_needed = shelves.pending.contains_key(digest)
                || (is_component && named.any(|it| it == digest));
            if !is_needed {
                let _ = std::fs::remove_file(path);
            }
        }
    }

    fn reserve(self: &Arc<Self>, shelves: &mut Shelves, digest: String) -> Kept {
        *shelves.pending.entry(digest.clone()).or_default() += 1;
        Kept {
            depot: Arc::clone(self),
            digest,
        }
    }

    fn lock(&self) -> MutexGuard<'_, Shelves> {
        self.shelves.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A component that stays as long as this lives.
pub(crate) struct Kept {
    depot: Arc<Depot>,
    digest: String,
}

impl Kept {
    /// Where it is.
    pub(crate) fn path(&self) -> PathBuf {
        self.depot.path(&self.digest)
    }

    /// Its SHA-256, in lower-case hexadecimal digits.
    pub(crate) fn digest(&self) -> &str {
        &self.digest
    }
}

impl Drop for Kept {
    fn drop(&mut self) {
        let mut shelves = self.depot.lock();
        if let Some(count) = shelves.pending.get_mut(&self.digest) {
            *count -= 1;
            if *count == 0 {
                shelves.pending.remove(&self.digest);
            }
        }
    }
}

/// For fuzzing: reads the list of deployments, and writes it as it was.
#[cfg(test)]
pub(crate) fn fuzz(data: &[u8]) {
    if let Ok(records) = record::parse(data) {
        let text = record::text(&records).unwrap();
        assert_eq!(record::parse(&text).unwrap(), records);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name() -> Name {
        Name {
            tenant: "acme".into(),
            plugin: "chat".into(),
        }
    }

    fn folder(name: &str) -> PathBuf {
        let id = std::process::id();
        let path = std::env::temp_dir().join(format!("holdfast-depot-{id}-{name}"));
        let _ = std::fs::remove_dir_all(&path);
        path
    }

    fn running(digest: &str, history: &[&str]) -> Record {
        Record {
            digest: Some(digest.to_owned()),
            history: history.iter().map(|&it| it.to_owned()).collect(),
            ..Record::default()
        }
    }

    #[test]
    fn what_is_recorded_is_there_after_a_restart() {
        let data = folder("restart");
        let depot = Depot::open(&data).unwrap();
        let (one, other) = (depot.keep(b"one").unwrap(), depot.keep(b"other").unwrap());
        let record = running(one.digest(), &[]);
        depot.set_record(&name(), record.clone()).unwrap();
        assert!(other.path().exists(), "somebody is about to deploy it");
        let unused = other.path();
        drop(other);
        // As a process leaves it that was killed while it wrote.
        std::fs::write(data.join("deployments.json.partial"), b"{").unwrap();
        let half = data.join("components/0123.wasm.partial");
        std::fs::write(&half, b"half").unwrap();

        let depot = Depot::open(&data).unwrap();
        assert_eq!(depot.record(&name()), record);
        assert_eq!(std::fs::read(one.path()).unwrap(), b"one");
        assert!(!unused.exists() && !half.exists());
        std::fs::remove_dir_all(&data).unwrap();
    }

    #[test]
    fn a_component_goes_with_the_last_record_that_names_it() {
        let data = folder("sweep");
        let depot = Depot::open(&data).unwrap();
        let kept = depot.keep(b"one").unwrap();
        let (path, digest) = (kept.path(), kept.digest().to_owned());
        depot
            .set_record(&name(), running("ab", &[&digest]))
            .unwrap();
        drop(kept);
        let found = depot.find(&name(), &digest[..6]).unwrap();
        depot.set_record(&name(), Record::default()).unwrap();
        assert!(path.exists(), "it was found just now");
        drop(found);
        let missing = depot.find(&name(), &digest[..6]).err();
        assert_eq!(missing, Some(FindError::Unknown(digest[..6].to_owned())));
        depot.set_record(&name(), running("ab", &["ac"])).unwrap();
        assert!(!path.exists());
        let two = depot.find(&name(), "a").err();
        assert_eq!(two, Some(FindError::Ambiguous("a".into())));
        std::fs::remove_dir_all(&data).unwrap();
    }
}
