//! Tenants with a folder of their own: `tenants/NAME/tenant.toml`, and what the
//! host has read of it. Whatever is wrong in one of them concerns that one.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use holdfast_core::manifest::{self, Join, Manifest, ManifestError, Part, Raw, RawOwn, Strictness};

use super::beneath;
use super::fault::Fault;
use super::look::{Look, Why};
use super::source::check;
use super::stamp::{Seen, Stamp, content};
use crate::problem::Problem;

/// The file in a tenant's folder.
const FILE: &str = "tenant.toml";
/// Bytes of the largest of them.
const BYTES_MAX: u64 = 1 << 20;

/// The operator's part of the manifest.
pub(super) struct Main {
    pub(super) raw: Raw,
    pub(super) manifest: Manifest,
}

/// The tenants that have folders.
#[derive(Default)]
pub(super) struct Tenants {
    folder: Option<PathBuf>,
    own: BTreeMap<String, Own>,
    /// Why the folder can't be read.
    fault: Option<Fault>,
}

/// What a tenant says of itself.
#[derive(Default)]
struct Own {
    seen: Seen,
    /// What it said when that last held.
    raw: Option<RawOwn>,
    /// What that means under what the operator says, or why it can't be had; none
    /// until somebody wants to know. Of many tenants few change at a time.
    part: Option<Result<Part, String>>,
    /// Why what it says now is not in force.
    fault: Option<Fault>,
    /// What of it is left out.
    left_out: Option<Fault>,
}

impl Tenants {
    /// Looks at the folders. True if something is to be put in force. With a new
    /// manifest, what has failed is tried again.
    pub(super) fn look(&mut self, main: &Main, is_new: bool, look: &Look) -> bool {
        let folder = &main.manifest.tenants_folder;
        let mut is_changed = false;
        if self.folder != *folder {
            is_changed = !self.own.is_empty();
            *self = Self {
                folder: folder.clone(),
                ..Self::default()
            };
        }
        let Some(folder) = folder else {
            return is_changed;
        };
        let names = match names(folder) {
            Ok(names) => names,
            Err(error) => {
                if self.fault.is_none() {
                    let fault = unreadable(folder, &error);
                    fault.log("the tenants' folders are as they were");
                    self.fault = Some(fault);
                }
                return is_changed;
            }
        };
        self.fault = None;
        let gone = self.own.extract_if(.., |name, _| !names.contains(name));
        for (tenant, own) in gone {
            tracing::info!(tenant, "tenant removed");
            is_changed |= own.raw.is_some();
        }
        for name in names {
            let own = self.own.entry(name.clone()).or_default();
            is_changed |= own.look(&folder.join(&name), &name, (main, is_new), look);
        }
        is_changed
    }

    /// The whole manifest: the operator's part, and then tenant by tenant.
    pub(super) fn join(&mut self, main: &Main) -> Manifest {
        let mut join = Join::new(main.manifest.clone());
        for (name, own) in &mut self.own {
            let (Some(raw), Some(folder)) = (&own.raw, &self.folder) else {
                continue;
            };
            let part = own.part.get_or_insert_with(|| {
                let (folder, leave_out) = (folder.join(name), Strictness::LeaveOut);
                let part = resolve(&folder, name, raw, &main.raw, leave_out);
                part.map_err(|problem| problem.message)
            });
            let left_out = match part {
                Ok(part) => join.add(part),
                Err(message) => vec![message.clone()],
            };
            own.leave_out(name, left_out);
        }
        join.finish()
    }

    /// The files that matter.
    pub(super) fn files(&self) -> impl Iterator<Item = PathBuf> {
        let names = self.own.keys();
        let folder = self.folder.as_ref();
        names.filter_map(move |name| Some(folder?.join(name).join(FILE)))
    }

    /// The folder in which everything matters.
    pub(super) fn folder(&self) -> Option<&Path> {
        self.folder.as_deref()
    }

    /// What is wrong with which tenant.
    pub(super) fn faults(&self) -> impl Iterator<Item = (&String, &Fault)> {
        let own = self.own.iter();
        own.filter_map(|(name, own)| Some((name, own.fault.as_ref().or(own.left_out.as_ref())?)))
    }

    /// Since when everything is wrong that is: tells whether that has changed.
    pub(super) fn fault_times(&self) -> Vec<SystemTime> {
        let faults = self.faults().map(|(_, fault)| fault).chain(&self.fault);
        faults.map(|fault| fault.at).collect()
    }

    /// What is wrong with the folder of all.
    pub(super) fn fault(&self) -> Option<&Fault> {
        self.fault.as_ref()
    }
}

impl Own {
    /// Looks at one tenant. True if what it says has changed and holds.
    fn look(
        &mut self,
        folder: &Path,
        name: &str,
        (main, is_new): (&Main, bool),
        look: &Look,
    ) -> bool {
        if is_new {
            self.part = None;
        }
        let path = folder.join(FILE);
        let stamp = Stamp::of(&path);
        if stamp.is_none() && self.seen == Seen::default() {
            // A folder that is still being filled, or is none of a tenant.
            return false;
        }
        let is_retry = (is_new || look.why == Why::Asked) && self.fault.is_some();
        let is_due = self.seen.is_due(stamp, look.why == Why::Poll);
        if look.is_busy(&path) || !(is_due || is_retry) {
            return false;
        }
        let text = beneath::read_text(Some(folder), &path, BYTES_MAX);
        let content = text.as_ref().ok().map(|text| content(text.as_bytes()));
        let is_same = content.is_some() && content == self.seen.content;
        if is_same && !is_retry {
            self.seen = Seen::new(stamp, content);
            return false;
        }
        let read = text.map_err(|error| {
            Problem::new(
                format!("{}: it can't be read: {error}", path.display()),
                "check that this user may read the file; to remove a tenant, remove its folder",
            )
        });
        let read = read.and_then(|text| read_own(folder, name, &text, &main.raw));
        match read {
            Ok((_, part)) if part.plugins().iter().any(|it| look.is_busy(&it.component)) => {
                // The file stays due: it is taken together with them.
                false
            }
            Ok((raw, _)) => {
                self.seen = Seen::new(stamp, content);
                self.raw = Some(raw);
                self.part = None;
                self.fault = None;
                true
            }
            Err(problem) => {
                self.seen = Seen::new(stamp, content.clone());
                let fault = Fault::from(problem).in_file(path, content);
                fault.log_of_tenant(name, "a tenant's file is not in force");
                self.fault = Some(fault);
                false
            }
        }
    }

    /// Notes what of it is left out; none are good news.
    fn leave_out(&mut self, name: &str, sentences: Vec<String>) {
        if sentences.is_empty() {
            self.left_out = None;
            return;
        }
        let message = sentences.join("; ");
        if self
            .left_out
            .as_ref()
            .is_some_and(|it| it.message == message)
        {
            return;
        }
        let hint = "another host or path is free, or the operator can change what is the tenant's";
        let fault = Fault::new(message, hint);
        fault.log_of_tenant(name, "a part of a tenant is left out");
        self.left_out = Some(fault);
    }
}

/// What a tenant's file says, if that holds.
fn read_own(
    folder: &Path,
    name: &str,
    text: &str,
    operator: &Raw,
) -> Result<(RawOwn, Part), Problem> {
    let file = folder.join(FILE).display().to_string();
    let raw = manifest::parse_own(&file, text)?;
    let part = resolve(folder, name, &raw, operator, Strictness::Refuse)?;
    check(part.plugins())?;
    Ok((raw, part))
}

fn resolve(
    folder: &Path,
    name: &str,
    raw: &RawOwn,
    operator: &Raw,
    strictness: Strictness,
) -> Result<Part, ManifestError> {
    let file = folder.join(FILE).display().to_string();
    manifest::resolve_own(&file, folder, name, raw, operator, strictness)
}

/// The folders in the folder. Those which begin with a dot are none of a tenant.
fn names(folder: &Path) -> std::io::Result<BTreeSet<String>> {
    let mut names = BTreeSet::new();
    for entry in std::fs::read_dir(folder)? {
        let entry = entry?;
        let name = entry.file_name().to_string_lossy().into_owned();
        // Without asking the system for each, unless it is a link.
        let kind = entry.file_type()?;
        let is_folder = kind.is_dir() || (kind.is_symlink() && entry.path().is_dir());
        if !name.starts_with('.') && is_folder {
            names.insert(name);
        }
    }
    Ok(names)
}

fn unreadable(folder: &Path, error: &std::io::Error) -> Fault {
    Fault::new(
        format!("{}: it can't be read: {error}", folder.display()),
        "make the folder which `tenants` names, with one folder for each tenant",
    )
}
