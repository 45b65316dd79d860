//! The thread which builds generations, so that the deploy thread can roll
//! another plugin back while a component is compiled. It is there only while
//! there is something to build: a host that idles has few threads.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::sync::mpsc::SyncSender;

use super::Command;
use super::build::{Builder, Done, Order};
use super::fault::Fault;
use super::stamp::{Seen, Stamp};

/// Has orders carried out.
pub(crate) struct Worker {
    builder: Arc<Builder>,
    done: SyncSender<Command>,
}

impl Worker {
    /// What comes of its orders goes to `done`.
    pub(crate) fn new(builder: Arc<Builder>, done: SyncSender<Command>) -> Self {
        Self { builder, done }
    }

    /// Starts on an order; false if there can't be a thread for it. The deploy
    /// thread gives one at a time.
    pub(crate) fn order(&self, order: Order) -> bool {
        let (builder, done) = (Arc::clone(&self.builder), self.done.clone());
        // Nobody joins it: at the end of the host nobody waits for a compiler.
        let thread = std::thread::Builder::new()
            .name("load".into())
            .spawn(move || {
                let built = run(&builder, order);
                // If nobody takes it, the host has ended.
                let _ = done.send(Command::Built(Box::new(built)));
            });
        thread.is_ok()
    }
}

/// A compiler that panics fails for this component alone.
fn run(builder: &Builder, order: Order) -> Done {
    let path = order.entry.component.clone();
    let run = AssertUnwindSafe(|| builder.run(order));
    std::panic::catch_unwind(run).unwrap_or_else(|_| {
        let message = format!("{}: the loader has panicked", path.display());
        let fault = Fault::new(message, "report it, with the component");
        Done {
            seen: Some(Seen::new(Stamp::of(&path), None)),
            result: Err(fault.in_file(path, None)),
        }
    })
}
