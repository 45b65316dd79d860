//! `wasi:logging/logging`: lines for the host's log.

use wasmtime::component::{ComponentType, Lift, Linker, WasmStr};
use wasmtime::{Result, StoreContextMut};

use crate::guest::Guest;
use crate::line::line;
use crate::subject::{Subject, subject};

/// The interface, and as it was called before it had a version.
const LOGGING: [&str; 2] = ["wasi:logging/logging@0.1.0-draft", "wasi:logging/logging"];

/// `level`.
#[derive(ComponentType, Lift, Clone, Copy)]
#[component(enum)]
#[repr(u8)]
pub(crate) enum Level {
    #[component(name = "trace")]
    Trace,
    #[component(name = "debug")]
    Debug,
    #[component(name = "info")]
    Info,
    #[component(name = "warn")]
    Warn,
    #[component(name = "error")]
    Error,
    #[component(name = "critical")]
    Critical,
}

impl Level {
    /// By the number of its case.
    pub(crate) fn of(case: u32) -> Option<Self> {
        Some(match case {
            0 => Self::Trace,
            1 => Self::Debug,
            2 => Self::Info,
            3 => Self::Warn,
            4 => Self::Error,
            5 => Self::Critical,
            _ => return None,
        })
    }
}

/// Adds the interface under both names.
pub(crate) fn add_to_linker(linker: &mut Linker<Guest>) -> Result<()> {
    LOGGING.iter().try_for_each(|name| add(linker, name))
}

fn add(linker: &mut Linker<Guest>, name: &str) -> Result<()> {
    linker.instance(name)?.func_wrap(
        "log",
        |mut store: StoreContextMut<'_, Guest>,
         (level, context, message): (Level, WasmStr, WasmStr)| {
            let subject = subject(&mut store);
            let context = context.to_str(&store)?;
            let message = message.to_str(&store)?;
            write(store.data(), &subject, level, &context, &message);
            Ok(())
        },
    )
}

/// Writes a guest's words to the log.
pub(crate) fn write(guest: &Guest, subject: &Subject, level: Level, context: &str, message: &str) {
    let (context, message) = (&*line(context), &*line(message));
    if !guest.plugin().may_log(context.len() + message.len()) {
        return;
    }
    let settings = &guest.plugin().settings;
    let (tenant, plugin) = (&*settings.tenant_name, &*settings.name);
    let generation = settings.generation;
    let connection = subject.connection.map(tracing::field::display);
    let request_id = subject.request_id();
    macro_rules! at {
        ($level:ident) => {
            tracing::$level!(
                target: "guest",
                tenant, plugin, generation, connection, request_id, context, "{message}"
            )
        };
    }
    match level {
        Level::Trace => at!(trace),
        Level::Debug => at!(debug),
        Level::Info => at!(info),
        Level::Warn => at!(warn),
        Level::Error | Level::Critical => at!(error),
    }
}
