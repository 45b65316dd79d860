//! The runtime on one event loop: implements the trait by which the edge
//! delivers events.

use std::cell::{Cell, OnceCell, RefCell};
use std::rc::{Rc, Weak};
use std::sync::Arc;
use std::task::Context;
use std::time::{Duration, Instant};

use holdfast_core::event::{ConnectionState, Event, Failure, Outcome, Request};
use holdfast_core::message::Message;
use holdfast_core::plugin::{LocalFuture, Plugins, begin};
use holdfast_core::{PluginId, TenantId};
use tokio::task::AbortHandle;

use crate::runtime::Runtime;
use crate::share::Shares;
use crate::team::Team;

/// The plugins on one event loop.
pub struct Local {
    runtime: Arc<Runtime>,
    shares: Rc<Shares>,
    /// Of those that have had an event here.
    teams: RefCell<Vec<Option<Rc<Team>>>>,
    /// The runtime's version which the teams have seen.
    seen: Cell<u64>,
    this: Weak<Self>,
    keeper: OnceCell<Keeper>,
}

impl Local {
    /// For the event loop that delivers events to it.
    pub fn new(runtime: Arc<Runtime>) -> Rc<Self> {
        Rc::new_cyclic(|this| Self {
            runtime,
            shares: Rc::default(),
            teams: RefCell::default(),
            seen: Cell::new(0),
            this: Weak::clone(this),
            keeper: OnceCell::new(),
        })
    }

    /// Lets the teams see what has changed, if anything has.
    fn refresh(&self) {
        let version = self.runtime.version();
        let seen = self.seen.replace(version);
        if seen == version {
            return;
        }
        // What goes is nobody's time.
        self.shares.clock().pass();
        // Retired at the end, when nothing here is borrowed: resources of guests
        // are dropped with their instances.
        let mut gone = Vec::new();
        let mut teams = self.teams.borrow_mut();
        for id in self.runtime.changed_since(seen) {
            let Some(slot) = teams.get_mut(id.0 as usize) else {
                continue;
            };
            let Some(team) = slot else { continue };
            match self.runtime.lineup(id) {
                Some(lineup) => gone.extend(team.update(lineup)),
                None => gone.extend(slot.take().into_iter().flat_map(|team| team.disband())),
            }
        }
        drop(teams);
        for pool in gone {
            pool.retire();
        }
    }

    /// The team of a plugin that has had no event here.
    fn team(&self, id: PluginId) -> Option<Rc<Team>> {
        let index = id.0 as usize;
        let team = Team::new(self.runtime.lineup(id)?, &self.shares);
        let mut teams = self.teams.borrow_mut();
        if teams.len() <= index {
            teams.resize_with(index + 1, || None);
        }
        let team = Rc::clone(teams.get_mut(index)?.insert(team));
        self.keeper
            .get_or_init(|| Keeper::new(&self.runtime, &self.this));
        Some(team)
    }
}

impl Plugins for Local {
    fn deliver(&self, plugin: PluginId, event: Event) -> LocalFuture<Outcome> {
        self.refresh();
        if let Some(Some(team)) = self.teams.borrow().get(plugin.0 as usize) {
            return team.deliver(event);
        }
        match self.team(plugin) {
            Some(team) => team.deliver(event),
            None => Box::pin(std::future::ready(Outcome::Failed(Failure::NoHandler))),
        }
    }

    fn deliver_now(
        &self,
        context: &mut Context<'_>,
        plugin: PluginId,
        state: ConnectionState,
        message: Message,
    ) -> Result<Outcome, LocalFuture<Outcome>> {
        self.refresh();
        let teams = self.teams.borrow();
        let Some(Some(team)) = teams.get(plugin.0 as usize) else {
            drop(teams);
            let event = Event::Message(state, message);
            return begin(self.deliver(plugin, event), context);
        };
        let team = Rc::clone(team);
        drop(teams);
        let outcome = team.deliver_now(context, state, message);
        // It may not have begun.
        self.shares.clock().pass();
        outcome
    }

    fn request(&self, plugin: PluginId, request: Request) -> Result<Outcome, LocalFuture<Outcome>> {
        self.refresh();
        let known = self.teams.borrow().get(plugin.0 as usize).cloned();
        match known.flatten() {
            Some(team) => team.request(request),
            None => Err(self.deliver(plugin, Event::Http(request))),
        }
    }

    fn last_turn(&self) -> Instant {
        self.shares.clock().last_turn()
    }

    fn follow(&self) {
        self.shares.clock().follow();
    }

    fn charge(&self, tenant: TenantId, time: Duration) {
        self.shares.charge(tenant, time);
    }
}

/// A task that refreshes an event loop which has no events, so that it keeps no
/// instances of a generation that is gone. Ends with the [`Local`].
struct Keeper(AbortHandle);

impl Keeper {
    fn new(runtime: &Arc<Runtime>, local: &Weak<Local>) -> Self {
        let (runtime, local) = (Arc::clone(runtime), Weak::clone(local));
        let keep = async move {
            loop {
                // Before it looks, so that it misses no change.
                let changed = runtime.changed();
                match local.upgrade() {
                    Some(local) => local.refresh(),
                    None => return,
                }
                changed.await;
            }
        };
        Self(tokio::task::spawn_local(keep).abort_handle())
    }
}

impl Drop for Keeper {
    fn drop(&mut self) {
        self.0.abort();
    }
}
