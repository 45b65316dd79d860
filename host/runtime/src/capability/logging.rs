//! `wasi:logging/logging`: lines for the host's log.

use wasmtime::component::{ComponentType, Lift, Linker, WasmStr};
use wasmtime::{Result, StoreContextMut};

use crate::guest::Guest;

const LOGGING: &str = "wasi:logging/logging@0.1.0-draft";

/// The longest line that is kept whole, in bytes.
pub(crate) const LINE_BYTES_MAX: usize = 8 << 10;

/// `level`.
#[derive(ComponentType, Lift, Clone, Copy)]
#[component(enum)]
#[repr(u8)]
#[allow(dead_code, reason = "guests make them")]
enum Level {
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

/// Adds the interface.
pub(crate) fn add_to_linker(linker: &mut Linker<Guest>) -> Result<()> {
    linker.instance(LOGGING)?.func_wrap(
        "log",
        |store: StoreContextMut<'_, Guest>,
         (level, context, message): (Level, WasmStr, WasmStr)| {
            let context = context.to_str(&store)?;
            let message = message.to_str(&store)?;
            log(store.data(), level, clip(&context), clip(&message));
            Ok(())
        },
    )
}

fn log(guest: &Guest, level: Level, context: &str, message: &str) {
    let identity = &guest.plugin().identity;
    let (tenant, plugin) = (&*identity.tenant_name, &*identity.name);
    macro_rules! at {
        ($level:ident) => {
            tracing::$level!(target: "guest", tenant, plugin, context, "{message}")
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

/// The text up to the limit, at the end of a character.
pub(crate) fn clip(text: &str) -> &str {
    let end = text.floor_char_boundary(LINE_BYTES_MAX);
    text.get(..end).unwrap_or(text)
}
