//! The runtime on one event loop: implements the trait by which the edge
//! delivers events.

use std::cell::RefCell;
use std::rc::Rc;
use std::sync::Arc;

use holdfast_core::PluginId;
use holdfast_core::event::{Event, Failure, Outcome};
use holdfast_core::plugin::{LocalFuture, Plugins};

use crate::pool::Pool;
use crate::runtime::Runtime;

/// The pools of one event loop.
pub struct Local {
    runtime: Arc<Runtime>,
    pools: RefCell<Vec<Option<Rc<Pool>>>>,
}

impl Local {
    /// For the event loop that calls this.
    pub fn new(runtime: Arc<Runtime>) -> Rc<Self> {
        Rc::new(Self {
            runtime,
            pools: RefCell::default(),
        })
    }

    /// The pool of the plugin's current generation.
    fn pool(&self, id: PluginId) -> Option<Rc<Pool>> {
        let index = id.0 as usize;
        let plugin = self.runtime.plugin(id)?;
        let mut pools = self.pools.borrow_mut();
        if pools.len() <= index {
            pools.resize_with(index + 1, || None);
        }
        let slot = pools.get_mut(index)?;
        match slot {
            Some(pool) if Arc::ptr_eq(pool.plugin(), &plugin) => Some(Rc::clone(pool)),
            _ => Some(Rc::clone(slot.insert(Pool::new(plugin)))),
        }
    }
}

impl Plugins for Local {
    fn deliver(&self, plugin: PluginId, event: Event) -> LocalFuture<Outcome> {
        match self.pool(plugin) {
            Some(pool) => pool.run(event),
            None => Box::pin(std::future::ready(Outcome::Failed(Failure::NoHandler))),
        }
    }
}
