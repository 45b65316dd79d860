//! The generations of one plugin that serve: an immutable picture. Every change
//! makes a new one, and an event sees one picture from its beginning to its end.
//!
//! ```text
//!  install ──► canary ──promote──► stable ──install──► old ──tidy──► gone
//!     │           └─────abandon─────────────────────────▲
//!     └──► stable (all, pin, or the first of its plugin)
//! ```
//!
//! Connections go to the generation where they belong at their next event. An
//! old generation is needed only for those that stay with it, or might have to.
//! Of one that is gone, its *heir* is kept: connections which have had no event
//! since still carry its number.

use std::collections::BTreeMap;
use std::sync::Arc;

use holdfast_core::ConnectionId;
use holdfast_core::deploy::Strategy;

use crate::placement::{Candidate, Placement, Target};
use crate::plugin::Plugin;

/// Heirs from which on those are dropped that no connection needs.
const HEIRS_MAX: usize = 64;

/// Heirs that are kept all the same: of a connection that is not there any more,
/// the last event may be on its way.
const HEIRS_MIN: usize = 32;

/// The generations of one plugin.
#[derive(Clone)]
pub(crate) struct Lineup {
    pub(crate) stable: Arc<Plugin>,
    pub(crate) canary: Option<Arc<Plugin>>,
    /// Oldest first.
    pub(crate) old: Vec<Old>,
    /// Oldest first.
    heirs: Vec<Heir>,
    placement: Placement,
}

/// A generation that takes no new work.
#[derive(Clone)]
pub(crate) struct Old {
    pub(crate) plugin: Arc<Plugin>,
    /// Whether its connections go back, even where others would be pinned.
    pub(crate) is_given_up: bool,
}

/// What is known of a generation that is gone.
#[derive(Clone)]
struct Heir {
    number: u32,
    format: Arc<str>,
    /// The generation to which its connections belong instead.
    heir: u32,
}

/// How many connections carry the number of which generation.
pub(crate) type Counts = BTreeMap<u32, u32>;

/// Where a connection belongs that is not where it should be.
pub(crate) struct Whereabouts<'a> {
    pub(crate) plugin: &'a Arc<Plugin>,
    /// The format of the connection's attachment.
    pub(crate) format: &'a Arc<str>,
    is_given_up: bool,
}

impl Lineup {
    /// Of the first generation, which is for everybody.
    pub(crate) fn new(plugin: Arc<Plugin>) -> Self {
        Self::of(plugin, None, Vec::new(), Vec::new())
    }

    fn of(
        stable: Arc<Plugin>,
        canary: Option<Arc<Plugin>>,
        old: Vec<Old>,
        heirs: Vec<Heir>,
    ) -> Self {
        let placement = Placement {
            stable: candidate(&stable),
            canary: canary.as_ref().map(candidate),
        };
        Self {
            stable,
            canary,
            old,
            heirs,
            placement,
        }
    }

    /// With one more generation, which takes over as its strategy says.
    pub(crate) fn install(&self, plugin: Arc<Plugin>) -> Self {
        let is_canary = matches!(plugin.deploy.strategy, Strategy::Canary(_));
        let mut old = self.old.clone();
        if !is_canary {
            old.push(retired(&self.stable, false));
        }
        // Another canary takes its share, and others go back to the stable one.
        old.extend(self.canary.iter().map(|it| retired(it, is_canary)));
        let heirs = self.heirs.clone();
        match is_canary {
            true => Self::of(Arc::clone(&self.stable), Some(plugin), old, heirs),
            false => Self::of(plugin, None, old, heirs),
        }
    }

    /// With the canary for everybody, if there is one.
    pub(crate) fn promote(&self) -> Option<Self> {
        let canary = Arc::clone(self.canary.as_ref()?);
        let mut old = self.old.clone();
        old.push(retired(&self.stable, false));
        Some(Self::of(canary, None, old, self.heirs.clone()))
    }

    /// Without its canary, if there is one.
    pub(crate) fn abandon(&self) -> Option<Self> {
        let canary = self.canary.as_ref()?;
        let mut old = self.old.clone();
        old.push(retired(canary, true));
        let stable = Arc::clone(&self.stable);
        Some(Self::of(stable, None, old, self.heirs.clone()))
    }

    /// Without the old generations that nobody needs, if there are any. Without
    /// counts: that nobody would need, wherever connections are.
    pub(crate) fn tidy(&self, counts: Option<&Counts>) -> Option<Self> {
        let is_needed = |old: &Old| self.is_needed(old, counts);
        let (old, gone): (Vec<_>, Vec<_>) = self.old.iter().cloned().partition(is_needed);
        let mut heirs = self.heirs_kept(counts);
        if gone.is_empty() && heirs.len() == self.heirs.len() {
            return None;
        }
        for Old { plugin, .. } in gone {
            let heir = self.stable.number();
            for other in heirs.iter_mut().filter(|it| it.heir == plugin.number()) {
                other.heir = heir;
            }
            heirs.push(Heir {
                number: plugin.number(),
                format: Arc::clone(plugin.format()),
                heir,
            });
        }
        let canary = self.canary.clone();
        Some(Self::of(Arc::clone(&self.stable), canary, old, heirs))
    }

    /// Whether [`Self::tidy`] finds more to do when it has counts.
    pub(crate) fn is_untidy(&self) -> bool {
        !self.old.is_empty() || self.heirs.len() >= HEIRS_MAX
    }

    /// The heirs without those of generations whose number no connection carries,
    /// if there are many.
    fn heirs_kept(&self, counts: Option<&Counts>) -> Vec<Heir> {
        let mut heirs = self.heirs.clone();
        if let Some(counts) = counts
            && heirs.len() >= HEIRS_MAX
        {
            let mut rest = heirs.len() - HEIRS_MIN;
            heirs.retain(|heir| {
                let is_recent = rest == 0;
                rest = rest.saturating_sub(1);
                is_recent || counts.contains_key(&heir.number)
            });
        }
        heirs
    }

    /// Whether a connection may be on it that stays with it, or that might have
    /// to because it can't be migrated.
    fn is_needed(&self, old: &Old, counts: Option<&Counts>) -> bool {
        let number = old.plugin.number();
        let is_carried = |number| counts.is_none_or(|counts| counts.contains_key(number));
        let inherited = self.heirs.iter().filter(|it| it.heir == number);
        let formats = inherited
            .map(|it| (&it.number, &it.format))
            .chain([(&number, old.plugin.format())])
            .filter_map(|(number, format)| is_carried(number).then_some(format));
        let canary = self.canary.as_ref().map(|_| Target::Canary);
        let keeps = |format: &str, target: Target| {
            self.placement.stays(target, old.is_given_up) || self.plugin(target).migrates(format)
        };
        formats.into_iter().any(|format| {
            let mut targets = [Target::Stable].into_iter().chain(canary);
            targets.any(|target| keeps(format, target))
        })
    }

    fn plugin(&self, target: Target) -> &Arc<Plugin> {
        match (target, &self.canary) {
            (Target::Canary, Some(canary)) => canary,
            _ => &self.stable,
        }
    }

    /// The generation for a request; see [`Placement::request`].
    pub(crate) fn for_request(&self, turn: u8) -> &Arc<Plugin> {
        self.plugin(self.placement.request(turn))
    }

    /// The generation for a connection; see [`Placement::connection`].
    pub(crate) fn for_connection(&self, id: ConnectionId) -> &Arc<Plugin> {
        self.plugin(self.placement.connection(id))
    }

    /// Where a connection is that carries this number; none if that is not known
    /// any more.
    pub(crate) fn whereabouts(&self, number: u32) -> Option<Whereabouts<'_>> {
        if let Some(found) = self.member(number) {
            return Some(found);
        }
        let heir = self.heirs.iter().find(|it| it.number == number)?;
        Some(Whereabouts {
            format: &heir.format,
            ..self.member(heir.heir)?
        })
    }

    /// Whether a connection that is there stays there, wherever it belongs.
    pub(crate) fn stays(&self, id: ConnectionId, whereabouts: &Whereabouts<'_>) -> bool {
        let target = self.placement.connection(id);
        self.placement.stays(target, whereabouts.is_given_up)
    }

    fn member(&self, number: u32) -> Option<Whereabouts<'_>> {
        let is_given_up = |plugin| {
            let old = self.old.iter();
            let mut old = old.filter(|it| Arc::ptr_eq(&it.plugin, plugin));
            old.any(|it| it.is_given_up)
        };
        let plugin = self.all().find(|plugin| plugin.number() == number)?;
        Some(Whereabouts {
            plugin,
            format: plugin.format(),
            is_given_up: is_given_up(plugin),
        })
    }

    /// All of them, the newest work first.
    pub(crate) fn all(&self) -> impl Iterator<Item = &Arc<Plugin>> {
        let old = self.old.iter().rev().map(|it| &it.plugin);
        [&self.stable].into_iter().chain(&self.canary).chain(old)
    }

    pub(crate) fn contains(&self, plugin: &Arc<Plugin>) -> bool {
        self.all().any(|it| Arc::ptr_eq(it, plugin))
    }
}

fn candidate(plugin: &Arc<Plugin>) -> Candidate {
    Candidate {
        handlers: plugin.settings.handlers,
        strategy: plugin.deploy.strategy,
    }
}

fn retired(plugin: &Arc<Plugin>, is_given_up: bool) -> Old {
    Old {
        plugin: Arc::clone(plugin),
        is_given_up,
    }
}
