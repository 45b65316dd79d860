//! Interfaces of which guests have a part each: their settings, the log, and time.

use std::time::Duration;

use wasmtime::Result;
use wasmtime_wasi::clocks::WasiClocksView;
use wasmtime_wasi::p3::bindings::clocks::monotonic_clock;

use super::memory::{aligned, give, no_case, offset};
use super::{Context, Definitions, view};
use crate::capability::logging::{self, Level};

const CONFIG: &str = "wasi:config/store@0.2.0-rc.1";
const LOGGING: &str = "wasi:logging/logging@0.1.0-draft";
const MONOTONIC_CLOCK: &str = "wasi:clocks/monotonic-clock@0.3";

/// No key of a setting is longer, in bytes.
const KEY_BYTES_MAX: u32 = 64 << 10;

/// The functions of each interface.
pub(crate) const IMPORTS: &[(&str, &[&str])] = &[
    (CONFIG, &["get"]),
    (LOGGING, &["log"]),
    (MONOTONIC_CLOCK, &["now", "[async]wait-for"]),
];

/// Adds all of them.
pub(super) fn define(linker: &mut Definitions) -> Result<()> {
    linker.func_wrap_async(
        CONFIG,
        "get",
        |mut caller: Context<'_>, (key, len, result): (u32, u32, u32)| {
            Box::new(async move {
                let result = aligned(result, 4)?;
                let (mut memory, guest) = view(&mut caller)?;
                let config = &guest.plugin().grants.config;
                let is_short = len <= KEY_BYTES_MAX;
                let key = memory.text(key, len.min(KEY_BYTES_MAX))?;
                let value = config.get(key).filter(|_| is_short);
                let value = value.map(|it| it.reveal().to_owned());
                memory.put(result, &[0])?;
                memory.put(offset(result, 4)?, &[u8::from(value.is_some())])?;
                let Some(value) = value else {
                    return Ok(());
                };
                let at = give(&mut caller, value.as_bytes()).await?;
                let (mut memory, _) = view(&mut caller)?;
                memory.put_span(offset(result, 8)?, at, value.len())
            })
        },
    )?;
    linker.func_wrap(
        LOGGING,
        "log",
        |mut caller: Context<'_>, level: u32, context, context_len, at: u32, len: u32| {
            let Some(level) = Level::of(level) else {
                return no_case(level);
            };
            let (memory, guest) = view(&mut caller)?;
            let (context, message) = (memory.text(context, context_len)?, memory.text(at, len)?);
            logging::write(guest, guest.subjects.alone(), level, context, message);
            Ok(())
        },
    )?;
    linker.func_wrap(MONOTONIC_CLOCK, "now", |mut caller: Context<'_>| {
        monotonic_clock::Host::now(&mut caller.data_mut().clocks())
    })?;
    linker.func_wrap(
        MONOTONIC_CLOCK,
        "[async]wait-for",
        |mut caller: Context<'_>, ns: u64| {
            let state = &mut caller.data_mut().direct;
            state.call_for_time(Duration::from_nanos(ns))
        },
    )?;
    Ok(())
}
