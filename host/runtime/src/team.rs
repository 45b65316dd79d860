//! One plugin on one event loop: the pools of its generations, and which of them
//! an event goes to.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::rc::Rc;
use std::sync::Arc;
use std::task::Context;

use holdfast_core::ConnectionId;
use holdfast_core::event::{ConnectionState, Event, Outcome, Request};
use holdfast_core::message::Message;
use holdfast_core::plugin::{LocalFuture, begin};

use crate::lineup::Lineup;
use crate::migrate::Move;
use crate::plugin::Plugin;
use crate::pool::Pool;
use crate::share::Shares;

/// A plugin's pools.
pub(crate) struct Team {
    lineup: RefCell<Arc<Lineup>>,
    shares: Rc<Shares>,
    /// Of the generations that have had an event here.
    pools: RefCell<Vec<Rc<Pool>>>,
    /// Counts the requests, from 0 to 99 and again.
    turn: Cell<u8>,
    /// Open connections which a generation could not migrate. It does not try
    /// them again.
    stuck: RefCell<HashMap<ConnectionId, u32>>,
}

impl Team {
    pub(crate) fn new(lineup: Arc<Lineup>, shares: &Rc<Shares>) -> Rc<Self> {
        Rc::new(Self {
            lineup: RefCell::new(lineup),
            shares: Rc::clone(shares),
            pools: RefCell::default(),
            turn: Cell::new(0),
            stuck: RefCell::default(),
        })
    }

    /// Goes over to a new lineup. Returns the pools of generations which are not
    /// in it.
    pub(crate) fn update(&self, lineup: Arc<Lineup>) -> Vec<Rc<Pool>> {
        if Arc::ptr_eq(&self.lineup.borrow(), &lineup) {
            return Vec::new();
        }
        let is_gone = |pool: &mut Rc<Pool>| !lineup.contains(pool.plugin());
        let gone = self.pools.borrow_mut().extract_if(.., is_gone).collect();
        let mut stuck = self.stuck.borrow_mut();
        stuck.retain(|_, target| lineup.all().any(|it| it.number() == *target));
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
            Event::Open(state) | Event::Message(state, _) | Event::Close(state, _) => {
                let plugin = lineup.for_connection(state.id);
                if plugin.number() != state.generation {
                    let (id, number) = (state.id, state.generation);
                    return self.change_over(&lineup, plugin, id, number, event);
                }
                plugin
            }
        };
        self.pool(plugin).run(event)
    }

    /// Runs a request in one of the generations.
    pub(crate) fn request(&self, request: Request) -> Result<Outcome, LocalFuture<Outcome>> {
        let lineup = self.lineup.borrow();
        let pool = self.pool(lineup.for_request(self.next_turn()));
        drop(lineup);
        pool.request(request)
    }

    /// Runs a message in the generation where its connection belongs, at once if
    /// it is there already.
    pub(crate) fn deliver_now(
        self: &Rc<Self>,
        context: &mut Context<'_>,
        state: ConnectionState,
        message: Message,
    ) -> Result<Outcome, LocalFuture<Outcome>> {
        let lineup = self.lineup.borrow();
        let plugin = lineup.for_connection(state.id);
        if plugin.number() != state.generation {
            drop(lineup);
            return begin(self.deliver(Event::Message(state, message)), context);
        }
        let pool = self.pool(plugin);
        drop(lineup);
        pool.run_now(context, state, message)
    }

    /// Runs an event of a connection that carries another number than that of the
    /// generation where it belongs: moves it there first, or lets it stay.
    fn change_over(
        self: &Rc<Self>,
        lineup: &Lineup,
        target: &Arc<Plugin>,
        id: ConnectionId,
        number: u32,
        event: Event,
    ) -> LocalFuture<Outcome> {
        let here = lineup.whereabouts(number);
        // None if the target is the only place that is left for it.
        let elsewhere = here.as_ref().filter(|it| !Arc::ptr_eq(it.plugin, target));
        let is_stuck = self.is_stuck(id, target);
        if matches!(event, Event::Close(..)) {
            self.stuck.borrow_mut().remove(&id);
        }
        if let Some(here) = elsewhere
            && (is_stuck || lineup.stays(id, here))
        {
            if here.plugin.number() != number {
                // Its own generation is gone: it belongs to the heir from now on.
                adopt(here.plugin, id);
            }
            return self.pool(here.plugin).run(event);
        }
        let format = here.as_ref().map(|it| it.format);
        let Some(from) = format.filter(|format| target.migrates(format)) else {
            adopt(target, id);
            return self.pool(target).run(event);
        };
        let task = Move {
            team: Rc::clone(self),
            target: self.pool(target),
            fallback: elsewhere.map(|here| self.pool(here.plugin)),
            from: Arc::clone(from),
        };
        Box::pin(task.run(event))
    }

    /// The pool of a generation that is in the lineup.
    fn pool(&self, plugin: &Arc<Plugin>) -> Rc<Pool> {
        let mut pools = self.pools.borrow_mut();
        let known = pools.iter().find(|it| Arc::ptr_eq(it.plugin(), plugin));
        if let Some(pool) = known {
            return Rc::clone(pool);
        }
        let pool = Pool::new(Arc::clone(plugin), &self.shares);
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
