//! What a run needs: programs, guests, folders, cores, and how long to measure.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};

use super::case::{Case, Measure};
use super::manifest::GUESTS;
use super::options::Options;
use super::peers::{Installed, Peer};
use super::plugins;
use crate::programs::{self, BENCH, HOST, Profile};
use crate::{guests, place};

/// Everything that cases share.
pub(crate) struct Kit {
    /// For what this command writes.
    pub(crate) folder: PathBuf,
    pub(crate) host: PathBuf,
    pub(crate) tool: PathBuf,
    pub(crate) guests: PathBuf,
    pub(crate) cores: Option<Cores>,
    pub(crate) pace: Pace,
    /// Those that were asked for; or why one is not there.
    pub(crate) peers: BTreeMap<Peer, Result<Installed, String>>,
}

/// One for whoever is measured, another for who measures.
#[derive(Clone, Copy)]
pub(crate) struct Cores {
    pub(crate) server: usize,
    pub(crate) client: usize,
}

/// How long, and how often.
#[derive(Clone, Copy)]
pub(crate) struct Pace {
    pub(crate) is_quick: bool,
    /// How often each contender has its turn.
    pub(crate) rounds: usize,
    pub(crate) warm_seconds: f64,
    pub(crate) measure_seconds: f64,
}

const FULL: Pace = Pace {
    is_quick: false,
    rounds: 5,
    warm_seconds: 1.0,
    measure_seconds: 4.0,
};

const QUICK: Pace = Pace {
    is_quick: true,
    rounds: 2,
    warm_seconds: 0.3,
    measure_seconds: 1.0,
};

impl Kit {
    /// Builds and installs what is missing.
    pub(crate) fn prepare(options: &Options, cases: &[&Case]) -> Result<Self> {
        let host = programs::build(HOST, Profile::Release)?;
        let tool = programs::build(BENCH, Profile::Release)?;
        guests::build(&GUESTS)?;
        let folder = place::target()?.join("bench");
        for part in ["logs", "cache"] {
            let part = folder.join(part);
            std::fs::create_dir_all(&part)
                .with_context(|| format!("can't make {}", part.display()))?;
        }
        let peers = if options.with_peers {
            install_peers(&folder, cases)
        } else {
            BTreeMap::new()
        };
        let kit = Self {
            host,
            tool,
            guests: place::guests()?,
            cores: cores(),
            pace: if options.is_quick { QUICK } else { FULL },
            folder,
            peers,
        };
        for case in cases {
            if let Measure::Plugins(count) = case.measure {
                plugins::make(&kit, kit.pace.count(count))?;
            }
        }
        Ok(kit)
    }

    /// Where compiled components are kept.
    pub(crate) fn cache(&self) -> PathBuf {
        self.folder.join("cache")
    }

    /// A program that will run on the core for servers.
    pub(crate) fn on_server_core(&self, program: &Path) -> Command {
        self.pinned(self.cores.map(|cores| cores.server), program)
    }

    /// The load generator's package, on the core for clients.
    pub(crate) fn on_client_core(&self) -> Command {
        self.pinned(self.cores.map(|cores| cores.client), &self.tool)
    }

    fn pinned(&self, core: Option<usize>, program: &Path) -> Command {
        let core = core.map_or_else(|| "any".to_owned(), |core| core.to_string());
        let mut command = Command::new(&self.tool);
        command.arg("pin").arg(core).arg(program);
        command
    }
}

impl Pace {
    pub(crate) fn count(self, count: super::case::Count) -> usize {
        if self.is_quick {
            count.quick
        } else {
            count.full
        }
    }
}

/// The last two cores, since the first is where others tend to be; none on a
/// machine with a single one.
fn cores() -> Option<Cores> {
    let count = std::thread::available_parallelism().map_or(1, usize::from);
    (count >= 2).then(|| Cores {
        server: count - 2,
        client: count - 1,
    })
}

fn install_peers(folder: &Path, cases: &[&Case]) -> BTreeMap<Peer, Result<Installed, String>> {
    let mut peers = BTreeMap::new();
    for peer in cases.iter().flat_map(|case| case.peers()) {
        peers.entry(peer).or_insert_with(|| {
            peer.install(folder).map_err(|error| {
                eprintln!("{peer:?} is left out: {error:#}");
                format!("{error:#}")
            })
        });
    }
    peers
}
