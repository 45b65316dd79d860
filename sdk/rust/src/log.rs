//! Lines for the host's log (`wasi:logging`), which adds the plugin and the
//! tenant. The macros take what [`format!`] takes.
//!
//! ```no_run
//! let room = "lobby";
//! holdfast::log::info!("{room} has a visitor");
//! ```

use std::fmt::Arguments;

use crate::bindings::wasi::logging::logging as wire;

#[doc(inline)]
pub use crate::{
    __log_critical as critical, __log_debug as debug, __log_error as error, __log_info as info,
    __log_trace as trace, __log_warn as warn,
};

/// How important a line is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Level {
    /// The flow of control and the values of variables.
    Trace,
    /// Of interest to somebody who is debugging.
    Debug,
    /// Of interest to somebody who is watching.
    Info,
    /// Something that may become harmful.
    Warn,
    /// Something has failed.
    Error,
    /// Nothing works any more.
    Critical,
}

/// Writes one line. `context` says which part of the program it comes from; the
/// macros give the module's path.
pub fn log(level: Level, context: &str, message: Arguments<'_>) {
    let level = match level {
        Level::Trace => wire::Level::Trace,
        Level::Debug => wire::Level::Debug,
        Level::Info => wire::Level::Info,
        Level::Warn => wire::Level::Warn,
        Level::Error => wire::Level::Error,
        Level::Critical => wire::Level::Critical,
    };
    match message.as_str() {
        Some(text) => wire::log(level, context, text),
        None => wire::log(level, context, &message.to_string()),
    }
}

#[doc(hidden)]
#[macro_export]
macro_rules! __log {
    ($level:ident, $($arguments:tt)+) => {
        $crate::log::log(
            $crate::log::Level::$level,
            ::std::module_path!(),
            ::std::format_args!($($arguments)+),
        )
    };
}

/// Writes a line at [`Level::Trace`](crate::log::Level::Trace).
#[doc(hidden)]
#[macro_export]
macro_rules! __log_trace {
    ($($arguments:tt)+) => { $crate::__log!(Trace, $($arguments)+) };
}

/// Writes a line at [`Level::Debug`](crate::log::Level::Debug).
#[doc(hidden)]
#[macro_export]
macro_rules! __log_debug {
    ($($arguments:tt)+) => { $crate::__log!(Debug, $($arguments)+) };
}

/// Writes a line at [`Level::Info`](crate::log::Level::Info).
#[doc(hidden)]
#[macro_export]
macro_rules! __log_info {
    ($($arguments:tt)+) => { $crate::__log!(Info, $($arguments)+) };
}

/// Writes a line at [`Level::Warn`](crate::log::Level::Warn).
#[doc(hidden)]
#[macro_export]
macro_rules! __log_warn {
    ($($arguments:tt)+) => { $crate::__log!(Warn, $($arguments)+) };
}

/// Writes a line at [`Level::Error`](crate::log::Level::Error).
#[doc(hidden)]
#[macro_export]
macro_rules! __log_error {
    ($($arguments:tt)+) => { $crate::__log!(Error, $($arguments)+) };
}

/// Writes a line at [`Level::Critical`](crate::log::Level::Critical).
#[doc(hidden)]
#[macro_export]
macro_rules! __log_critical {
    ($($arguments:tt)+) => { $crate::__log!(Critical, $($arguments)+) };
}
