//! Makes lines for machines of what happens.

use std::io::Write;

use tracing::{Event, Subscriber};
use tracing_subscriber::Layer;
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::layer::Context;

use super::line::Line;
use super::tail::Tails;
use super::writer::Sink;

/// Gives each line to those who read the log, and writes it, if it is to be
/// written like that.
pub(super) struct Machines {
    tails: Tails,
    sink: Option<Sink>,
}

impl Machines {
    pub(super) fn new(tails: Tails, sink: Option<Sink>) -> Self {
        Self { tails, sink }
    }
}

impl<S: Subscriber> Layer<S> for Machines {
    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        let line = Line::of(event);
        if let Some(sink) = &self.sink {
            // It is dropped and counted if there is no room.
            let _ = sink.make_writer().write_all(&line.json);
        }
        self.tails.push(line);
    }
}
