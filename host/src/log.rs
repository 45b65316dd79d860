//! The log: one line an event, on standard error.

mod writer;

use std::io::IsTerminal;

use tracing_subscriber::EnvFilter;

use crate::cli::Color;
pub(crate) use writer::Flush;

/// What is logged unless somebody asks for something else.
pub(crate) const DEFAULT_FILTER: &str = "info";

/// Starts the log. A filter that can't be read is reported, and the default is
/// used. What is written is complete when the result is dropped.
///
/// # Errors
/// Fails when no thread can be started.
pub(crate) fn init(color: Color, filter: Option<&str>, default: &str) -> std::io::Result<Flush> {
    let ansi = has_colors(color, &std::io::stderr());
    let (parsed, error) = match EnvFilter::try_new(filter.unwrap_or(default)) {
        Ok(parsed) => (parsed, None),
        Err(error) => (EnvFilter::new(default), Some(error)),
    };
    let (sink, flush) = writer::start(std::io::stderr())?;
    tracing_subscriber::fmt()
        .with_env_filter(parsed)
        .with_ansi(ansi)
        .with_writer(sink)
        .init();
    if let Some(error) = error {
        tracing::warn!(%error, "the log filter can't be read; `{default}` is used");
    }
    Ok(flush)
}

/// Whether to write with colours to a stream.
pub(crate) fn has_colors(color: Color, stream: &impl IsTerminal) -> bool {
    match color {
        Color::Auto => stream.is_terminal() && std::env::var_os("NO_COLOR").is_none(),
        Color::Always => true,
        Color::Never => false,
    }
}
