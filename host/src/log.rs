//! The log: one line an event, on standard error, as text for people or as JSON
//! for machines; and the same lines for whoever asks the admin listener for them.
//! The access log is another one.

mod access;
mod layer;
mod line;
mod tail;
mod writer;

use std::io::IsTerminal;

use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{EnvFilter, fmt};

use crate::cli::{Color, LogFormat};
pub(crate) use access::Access;
use layer::Machines;
pub(crate) use tail::{Filter, Tails};
pub(crate) use writer::Flush;

/// What is logged unless somebody asks for something else.
pub(crate) const DEFAULT_FILTER: &str = "info";

/// How the log is written.
#[derive(Clone, Copy)]
pub(crate) struct Style<'a> {
    pub(crate) color: Color,
    pub(crate) format: LogFormat,
    pub(crate) filter: Option<&'a str>,
}

/// Starts the log. A filter that can't be read is reported, and the default is
/// used. What is written is complete when the first result is dropped; by the
/// second it can be read.
///
/// # Errors
/// Fails when no thread can be started.
pub(crate) fn init(style: Style<'_>, default: &str) -> std::io::Result<(Flush, Tails)> {
    let ansi = has_colors(style.color, &std::io::stderr());
    let (filter, error) = match EnvFilter::try_new(style.filter.unwrap_or(default)) {
        Ok(filter) => (filter, None),
        Err(error) => (EnvFilter::new(default), Some(error)),
    };
    let (sink, flush) = writer::start(std::io::stderr())?;
    let tails = Tails::default();
    let people = match style.format {
        LogFormat::Text => {
            let layer = fmt::layer().with_ansi(ansi);
            Some(layer.with_writer(sink.clone()))
        }
        LogFormat::Json => None,
    };
    let sink = people.is_none().then_some(sink);
    tracing_subscriber::registry()
        .with(filter)
        .with(people)
        .with(Machines::new(tails.clone(), sink))
        .init();
    if let Some(error) = error {
        tracing::warn!(%error, "the log filter can't be read; `{default}` is used");
    }
    Ok((flush, tails))
}

/// Whether to write with colours to a stream.
pub(crate) fn has_colors(color: Color, stream: &impl IsTerminal) -> bool {
    match color {
        Color::Auto => stream.is_terminal() && std::env::var_os("NO_COLOR").is_none(),
        Color::Always => true,
        Color::Never => false,
    }
}
