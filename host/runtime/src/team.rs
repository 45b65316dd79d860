//! One plugin on one event loop: the pools of its generations, and which of them
//! an event goes to.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::rc::Rc;
use std::sync::Arc;

use holdfast_core::event::{ConnectionState, Event, Outcome};
use holdfast_core::plugin::LocalFuture;
use holdfast_core::{ConnectionId, PluginId};

use crate::lineup::{Lineup, Whereabouts};
use crate::migrate::Move;
use crate::plugin::Plugin;
use crate::pool::Pool;

/// A plugin's pools.
pub(crate) struct Team {
    id: PluginId,
    lineup: RefCell<Arc<Lineup>>,
    /// Of the generations that have had an event here.
    pools: RefCell<Vec<Rc<Pool>>>,
    /// Counts the requests, from 0 to 99 and again.
    turn: Cell<u8>,
    /// Open connections which a generation could not migrate. It does not try
    /// them again.
    stuck: RefCell<HashMap<ConnectionId, u32>>,
}

impl Team {
    pub(crate) fn new(id: PluginId, lineup: Arc<Lineup>) -> Rc<Self> {
        Rc::new(Self {
            id,
            lineup: RefCell::new(lineup),
            pools: RefCell::default(),
            turn: Cell::new(0),
            stuck: RefCell::default(),
        })
    }

    pub(crate) fn id(&self) -> PluginId {
        self.id
    }

    /// Goes over to a new lineup. Returns the pools of generations which are not
    /// in it.
    pub(crate) fn update(&self, lineup: Arc<Lineup>) -> Vec<Rc<Pool>> {
        if Arc::ptr_eq(&self.lineup.borrow(), &lineup) {
            return Vec::new();
        }
        let is_gone = |pool: &mut Rc<Pool>| !lineup.contains(pool.plugin());
        let gone = self.pools.borrow_mut().extract_if(.., is_gone).collect();
        self.lineup.replace(lineup);
        gone
    }

    /// Gives all pools away, since the plugin is gone.
    pub(crate) fn disband(&self) -> Vec<Rc<Pool>> {
        self.pools.take()
    }

    /// Runs an event in the generation where it belongs.
    pub(crate) fn deliver(self: &Rc<Self>, event: Event) -> LocalFuture<Outcome> {
        let lineup = self.lineup.borrow();
        let plugin = match &event {
            Event::Http(_) => lineup.for_request(self.next_turn()),
            Event::Accept(handshake) => {
                let plugin = lineup.for_connection(handshake.id);
                if plugin.number() != handshake.generation {
                    adopt(plugin, handshake.id);
                }
                plugin
            }
            Event::Open(state) | Event::Message(state, _) => {
                let plugin = lineup.for_connection(state.id);
                if plugin.number() != state.generation {
                    let is_stuck = self.is_stuck(state.id, plugin);
                    return self.change_over(&lineup, plugin, is_stuck, event);
                }
                plugin
            }
            Event::Close(state, _) => {
                let plugin = lineup.for_connection(state.id);
                let is_stuck = self.is_stuck(state.id, plugin);
                self.stuck.borrow_mut().remove(&state.id);
                if plugin.number() != state.generation {
                    return self.change_over(&lineup, plugin, is_stuck, event);
                }
                plugin
            }
        };
        self.pool(&lineup, plugin).run(event)
    }

    /// Runs an event of a connection that is not in the generation where it
    /// belongs: moves it there first, or lets it stay.
    fn change_over(
        self: &Rc<Self>,
        lineup: &Lineup,
        target: &Arc<Plugin>,
        is_stuck: bool,
        event: Event,
    ) -> LocalFuture<Outcome> {
        let (Event::Open(state) | Event::Message(state, _) | Event::Close(state, _)) = &event
        else {
            return self.pool(lineup, target).run(event);
        };
        let here = lineup.whereabouts(state.generation);
        // What it has no other place than its target for, does not stay.
        let elsewhere = here.as_ref().filter(|it| !Arc::ptr_eq(it.plugin, target));
        if let Some(here) = elsewhere
            && (is_stuck || lineup.stays(state.id, here))
        {
            return self.stay(lineup, here, state).run(event);
        }
        let format = here.as_ref().map(|it| it.format);
        let Some(from) = format.filter(|format| target.migrates(format)) else {
            adopt(target, state.id);
            return self.pool(lineup, target).run(event);
        };
        let fallback = elsewhere.map(|here| self.pool(lineup, here.plugin));
        let task = Move {
            team: Rc::clone(self),
            target: self.pool(lineup, target),
            fallback,
            from: Arc::clone(from),
        };
        Box::pin(task.run(event))
    }

    /// The pool where a connection stays. If its own generation is gone, then it
    /// belongs to the heir from now on.
    fn stay(&self, lineup: &Lineup, here: &Whereabouts<'_>, state: &ConnectionState) -> Rc<Pool> {
        if here.plugin.number() != state.generation {
            adopt(here.plugin, state.id);
        }
        self.pool(lineup, here.plugin)
    }

    /// The pool of a generation. If an event has come too late for its lineup,
    /// then nobody else shall find the pool.
    fn pool(&self, lineup: &Lineup, plugin: &Arc<Plugin>) -> Rc<Pool> {
        let mut pools = self.pools.borrow_mut();
        let known = pools.iter().find(|it| Arc::ptr_eq(it.plugin(), plugin));
        if let Some(pool) = known {
            return Rc::clone(pool);
        }
        debug_assert!(lineup.contains(plugin), "of this lineup");
        let pool = Pool::new(Arc::clone(plugin));
        pools.push(Rc::clone(&pool));
        pool
    }

    fn next_turn(&self) -> u8 {
        let turn = self.turn.get();
        self.turn.set((turn + 1) % 100);
        turn
    }

    fn is_stuck(&self, id: ConnectionId, target: &Plugin) -> bool {
        self.stuck.borrow().get(&id) == Some(&target.number())
    }

    /// Remembers that a connection can't go there.
    pub(crate) fn set_stuck(&self, id: ConnectionId, target: &Plugin) {
        self.stuck.borrow_mut().insert(id, target.number());
    }
}

/// Lets a connection belong to a generation, with its attachment as it is.
pub(crate) fn adopt(plugin: &Plugin, id: ConnectionId) {
    // Only fails if the connection has ended; then there is nothing to do.
    let _ = plugin.edge.adopt(id, &plugin.settings, None);
}
