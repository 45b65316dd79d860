//! The words in which a case is described.

use super::manifest::Plugins;
use super::peers::Peer;
use super::tenants::Tenants;

/// One thing to compare.
pub(crate) struct Case {
    /// For `--case`, for files, and in the template of the document.
    pub(crate) name: &'static str,
    pub(crate) title: &'static str,
    /// Of the figure that is compared.
    pub(crate) unit: &'static str,
    pub(crate) better: Better,
    pub(crate) measure: Measure,
    /// The first one is the baseline.
    pub(crate) contenders: &'static [Contender],
}

/// Which of two figures wins.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Better {
    More,
    Less,
}

impl Better {
    pub(crate) fn text(self) -> &'static str {
        match self {
            Self::More => "more is better",
            Self::Less => "less is better",
        }
    }
}

/// One who takes part.
pub(crate) struct Contender {
    pub(crate) label: &'static str,
    pub(crate) server: Server,
}

/// What is started.
pub(crate) enum Server {
    /// A baseline of the load generator's package: its kind, and more options.
    Raw(&'static str, &'static [&'static str]),
    /// The host.
    Holdfast(Plugins),
    /// The host with a plugin that computes for ever, and one that waits.
    HoldfastBusy,
    /// The host, whose component the load generator replaces all the time.
    HoldfastReloaded,
    /// The host with many tenants.
    HoldfastTenants(Tenants),
    /// The host with tenants of whom one wants more than its share.
    HoldfastShared,
    /// Somebody else's server; left out without `--peers`.
    Peer(Peer),
}

/// How a figure comes about.
pub(crate) enum Measure {
    /// By the load generator: its kind, and more options.
    Load(&'static [&'static str]),
    /// The same, with a number that `--quick` makes smaller.
    Many {
        load: &'static [&'static str],
        key: &'static str,
        count: Count,
    },
    /// The time from the start of the process to the first answer.
    ColdStart,
    /// The memory of so many different plugins.
    Plugins(Count),
    /// What each of a contender's many tenants costs.
    Tenants,
    /// Inside the edge: so many connections over transports in memory.
    Memory(Count),
    /// The time from the rename of a component to the first answer by it.
    ReloadTime,
    /// Inside the runtime, without sockets.
    Runtime,
}

/// How many of something.
#[derive(Clone, Copy)]
pub(crate) struct Count {
    pub(crate) full: usize,
    pub(crate) quick: usize,
}

impl Case {
    pub(crate) fn peers(&self) -> impl Iterator<Item = Peer> {
        self.contenders.iter().filter_map(|it| match it.server {
            Server::Peer(peer) => Some(peer),
            _ => None,
        })
    }
}
