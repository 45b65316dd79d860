//! The thread which builds generations, so that the deploy thread can roll
//! another plugin back while a component is compiled.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};

use super::Command;
use super::build::{Builder, Done, Order};
use super::fault::Fault;
use super::stamp::{Seen, Stamp};

/// Hands orders to the thread. It ends after the order at which it is when this
/// is dropped.
pub(crate) struct Worker(SyncSender<Order>);

impl Worker {
    /// Starts the thread; what comes of its orders goes to `done`.
    pub(crate) fn start(builder: Arc<Builder>, done: SyncSender<Command>) -> std::io::Result<Self> {
        // One at a time: the deploy thread waits for each.
        let (sender, orders): (_, Receiver<Order>) = sync_channel(1);
        // Nobody joins it: at the end of the host nobody waits for a compiler.
        std::thread::Builder::new()
            .name("load".into())
            .spawn(move || {
                while let Ok(order) = orders.recv() {
                    let built = run(&builder, order);
                    if done.send(Command::Built(Box::new(built))).is_err() {
                        break;
                    }
                }
            })?;
        Ok(Self(sender))
    }

    /// Hands over an order; false if the thread is gone.
    pub(crate) fn order(&self, order: Order) -> bool {
        self.0.send(order).is_ok()
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
