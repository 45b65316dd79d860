//! What `deployments.json` says of a plugin.

use std::collections::BTreeMap;
use std::io;

use serde::{Deserialize, Serialize};

use crate::fleet::Name;

/// The form of the list. Another one is not read.
const VERSION: u32 = 1;

/// What was deployed of one plugin. All components are named by their digests.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Record {
    /// What serves in place of the manifest's file; none if the file does.
    pub(crate) digest: Option<String>,
    /// What was in the manifest's file then. Once it has another content, the
    /// file serves again.
    pub(crate) file: Option<String>,
    /// What serves a share.
    pub(crate) canary: Option<String>,
    /// What has served before, newest first.
    pub(crate) history: Vec<String>,
}

#[derive(Serialize, Deserialize)]
struct List {
    version: u32,
    plugins: Vec<Line>,
}

#[derive(Serialize, Deserialize)]
struct Line {
    tenant: String,
    plugin: String,
    #[serde(flatten)]
    record: Record,
}

impl Record {
    /// Whether it says nothing.
    pub(super) fn is_empty(&self) -> bool {
        self.digests().next().is_none()
    }

    /// All components that it names.
    pub(super) fn digests(&self) -> impl Iterator<Item = &str> {
        let serving = self.digest.iter().chain(&self.canary);
        serving.chain(&self.history).map(String::as_str)
    }
}

/// Reads the list.
pub(super) fn parse(text: &[u8]) -> io::Result<BTreeMap<Name, Record>> {
    let list: List = serde_json::from_slice(text)?;
    if list.version != VERSION {
        let text = format!("the list of deployments is of version {}", list.version);
        return Err(io::Error::other(text));
    }
    let lines = list.plugins.into_iter().map(|line| {
        let name = Name {
            tenant: line.tenant,
            plugin: line.plugin,
        };
        (name, line.record)
    });
    Ok(lines.collect())
}

/// Writes the list.
pub(super) fn text(records: &BTreeMap<Name, Record>) -> io::Result<Vec<u8>> {
    let lines = records.iter().map(|(name, record)| Line {
        tenant: name.tenant.clone(),
        plugin: name.plugin.clone(),
        record: record.clone(),
    });
    let list = List {
        version: VERSION,
        plugins: lines.collect(),
    };
    Ok(serde_json::to_vec_pretty(&list)?)
}
