//! The interfaces of WASI 0.2 which the standard libraries of languages import,
//! whether a program uses them or not. The library does what they do; here is how
//! they are called.

use wasmtime::Result;
use wasmtime_wasi::WasiView;
use wasmtime_wasi::cli::WasiCliView;
use wasmtime_wasi::p2::bindings::{cli, clocks, io, random};
use wasmtime_wasi::p2::{DynOutputStream, DynPollable, StreamError};
use wasmtime_wasi::p3::bindings::random::random as secure_0_3;
use wasmtime_wasi::random::WasiRandomCtx;

use super::memory::{aligned, give, no_case, offset, places};
use super::{Context, Definitions, Kind, room, view};
use crate::guest::Guest;

const ENVIRONMENT: &str = "wasi:cli/environment@0.2";
const EXIT: &str = "wasi:cli/exit@0.2";
const STDIN: &str = "wasi:cli/stdin@0.2";
const STDOUT: &str = "wasi:cli/stdout@0.2";
const STDERR: &str = "wasi:cli/stderr@0.2";
const TERMINAL_INPUT: &str = "wasi:cli/terminal-input@0.2";
const TERMINAL_OUTPUT: &str = "wasi:cli/terminal-output@0.2";
const TERMINAL_STDIN: &str = "wasi:cli/terminal-stdin@0.2";
const TERMINAL_STDOUT: &str = "wasi:cli/terminal-stdout@0.2";
const TERMINAL_STDERR: &str = "wasi:cli/terminal-stderr@0.2";
const MONOTONIC_CLOCK: &str = "wasi:clocks/monotonic-clock@0.2";
const WALL_CLOCK: &str = "wasi:clocks/wall-clock@0.2";
const ERROR: &str = "wasi:io/error@0.2";
const POLL: &str = "wasi:io/poll@0.2";
const STREAMS: &str = "wasi:io/streams@0.2";
const INSECURE_SEED: &str = "wasi:random/insecure-seed@0.2";
const RANDOM_0_3: &str = "wasi:random/random@0.3";
const RANDOM: &str = "wasi:random/random@0.2";

/// The functions of each interface.
pub(crate) const IMPORTS: &[(&str, &[&str])] = &[
    (ENVIRONMENT, &["get-environment"]),
    (EXIT, &["exit"]),
    (STDIN, &["get-stdin"]),
    (STDOUT, &["get-stdout"]),
    (STDERR, &["get-stderr"]),
    (TERMINAL_INPUT, &["[resource-drop]terminal-input"]),
    (TERMINAL_OUTPUT, &["[resource-drop]terminal-output"]),
    (TERMINAL_STDIN, &["get-terminal-stdin"]),
    (TERMINAL_STDOUT, &["get-terminal-stdout"]),
    (TERMINAL_STDERR, &["get-terminal-stderr"]),
    (
        MONOTONIC_CLOCK,
        &["now", "subscribe-instant", "subscribe-duration"],
    ),
    (WALL_CLOCK, &["now"]),
    (ERROR, &["[resource-drop]error"]),
    (POLL, &["[resource-drop]pollable", "[method]pollable.block"]),
    (
        STREAMS,
        &[
            "[resource-drop]input-stream",
            "[resource-drop]output-stream",
            "[method]output-stream.check-write",
            "[method]output-stream.write",
            "[method]output-stream.blocking-flush",
            "[method]output-stream.subscribe",
        ],
    ),
    (INSECURE_SEED, &["insecure-seed"]),
    (RANDOM, &["get-random-bytes", "get-random-u64"]),
    (RANDOM_0_3, &["get-random-bytes"]),
];

/// Adds all of them.
pub(crate) fn define(linker: &mut Definitions) -> Result<()> {
    define_cli(linker)?;
    define_terminals(linker)?;
    define_io(linker)?;
    define_streams(linker)?;
    define_clocks(linker)?;
    define_random(linker)
}

fn define_cli(linker: &mut Definitions) -> Result<()> {
    use cli::{environment, exit, stderr, stdin, stdout};
    linker.func_wrap_async(
        ENVIRONMENT,
        "get-environment",
        |mut caller: Context<'_>, (result,): (u32,)| {
            Box::new(async move {
                let variables = environment::Host::get_environment(&mut caller.data_mut().cli())?;
                let pairs = variables.iter().flat_map(|(name, value)| [name, value]);
                put_list(&mut caller, aligned(result, 4)?, pairs, 2).await
            })
        },
    )?;
    linker.func_wrap(EXIT, "exit", |mut caller: Context<'_>, status: u32| {
        let status = match status {
            0 => Ok(()),
            1 => Err(()),
            other => return no_case(other),
        };
        exit::Host::exit(&mut caller.data_mut().cli(), status)
    })?;
    linker.func_wrap(STDIN, "get-stdin", |mut caller: Context<'_>| {
        let stream = stdin::Host::get_stdin(&mut caller.data_mut().cli())?;
        let handles = &mut caller.data_mut().direct.handles;
        handles.give(Kind::InputStream, &stream)
    })?;
    linker.func_wrap(STDOUT, "get-stdout", |mut caller: Context<'_>| {
        let stream = stdout::Host::get_stdout(&mut caller.data_mut().cli())?;
        let handles = &mut caller.data_mut().direct.handles;
        handles.give(Kind::OutputStream, &stream)
    })?;
    linker.func_wrap(STDERR, "get-stderr", |mut caller: Context<'_>| {
        let stream = stderr::Host::get_stderr(&mut caller.data_mut().cli())?;
        let handles = &mut caller.data_mut().direct.handles;
        handles.give(Kind::OutputStream, &stream)
    })?;
    Ok(())
}

/// Writes a list of strings, or of records of so many strings.
async fn put_list<'s>(
    caller: &mut Context<'_>,
    result: u32,
    texts: impl Iterator<Item = &'s String>,
    each: usize,
) -> Result<()> {
    let texts: Vec<_> = texts.collect();
    let list = room(&mut *caller, 4, texts.len() * 8).await?;
    for (place, text) in places(list, 8).zip(&texts) {
        let at = give(caller, text.as_bytes()).await?;
        view(caller)?.0.put_span(place, at, text.len())?;
    }
    view(caller)?.0.put_span(result, list, texts.len() / each)
}

/// No stream of a guest is a terminal.
fn define_terminals(linker: &mut Definitions) -> Result<()> {
    for (interface, name) in [
        (TERMINAL_STDIN, "get-terminal-stdin"),
        (TERMINAL_STDOUT, "get-terminal-stdout"),
        (TERMINAL_STDERR, "get-terminal-stderr"),
    ] {
        linker.func_wrap(interface, name, |mut caller: Context<'_>, result: u32| {
            view(&mut caller)?.0.put(aligned(result, 4)?, &[0])
        })?;
    }
    linker.func_wrap(
        TERMINAL_INPUT,
        "[resource-drop]terminal-input",
        |mut caller: Context<'_>, handle: u32| {
            let handles = &mut caller.data_mut().direct.handles;
            handles.take::<()>(Kind::TerminalInput, handle).map(drop)
        },
    )?;
    linker.func_wrap(
        TERMINAL_OUTPUT,
        "[resource-drop]terminal-output",
        |mut caller: Context<'_>, handle: u32| {
            let handles = &mut caller.data_mut().direct.handles;
            handles.take::<()>(Kind::TerminalOutput, handle).map(drop)
        },
    )?;
    Ok(())
}

fn define_io(linker: &mut Definitions) -> Result<()> {
    use io::{error, poll};
    linker.func_wrap(
        ERROR,
        "[resource-drop]error",
        |mut caller: Context<'_>, handle: u32| {
            let guest = caller.data_mut();
            let error = guest.direct.handles.take(Kind::Error, handle)?;
            error::HostError::drop(guest.table(), error)
        },
    )?;
    linker.func_wrap(
        POLL,
        "[resource-drop]pollable",
        |mut caller: Context<'_>, handle: u32| {
            let guest = caller.data_mut();
            let pollable = guest.direct.handles.take(Kind::Pollable, handle)?;
            poll::HostPollable::drop(guest.table(), pollable)
        },
    )?;
    linker.func_wrap_async(
        POLL,
        "[method]pollable.block",
        |mut caller: Context<'_>, (handle,): (u32,)| {
            Box::new(async move {
                let guest = caller.data_mut();
                let pollable = guest
                    .direct
                    .handles
                    .borrow::<DynPollable>(Kind::Pollable, handle)?;
                poll::HostPollable::block(guest.table(), pollable).await
            })
        },
    )?;
    Ok(())
}

fn define_streams(linker: &mut Definitions) -> Result<()> {
    use io::streams::{HostInputStream, HostOutputStream};
    linker.func_wrap_async(
        STREAMS,
        "[resource-drop]input-stream",
        |mut caller: Context<'_>, (handle,): (u32,)| {
            Box::new(async move {
                let guest = caller.data_mut();
                let stream = guest.direct.handles.take(Kind::InputStream, handle)?;
                HostInputStream::drop(guest.table(), stream).await
            })
        },
    )?;
    linker.func_wrap_async(
        STREAMS,
        "[resource-drop]output-stream",
        |mut caller: Context<'_>, (handle,): (u32,)| {
            Box::new(async move {
                let guest = caller.data_mut();
                let stream = guest.direct.handles.take(Kind::OutputStream, handle)?;
                HostOutputStream::drop(guest.table(), stream).await
            })
        },
    )?;
    linker.func_wrap(
        STREAMS,
        "[method]output-stream.check-write",
        |mut caller: Context<'_>, handle: u32, result: u32| {
            let guest = caller.data_mut();
            let stream = output(guest, handle)?;
            match HostOutputStream::check_write(guest.table(), stream) {
                Ok(len) => {
                    let (mut memory, _) = view(&mut caller)?;
                    let result = aligned(result, 8)?;
                    memory.put(result, &[0])?;
                    memory.put(offset(result, 8)?, &len.to_le_bytes())
                }
                Err(error) => put_error(&mut caller, aligned(result, 8)?, 8, error),
            }
        },
    )?;
    linker.func_wrap(
        STREAMS,
        "[method]output-stream.write",
        |mut caller: Context<'_>, handle: u32, at: u32, len: u32, result: u32| {
            let (memory, guest) = view(&mut caller)?;
            let bytes = memory.bytes(at, len)?;
            if bytes.len() > guest.plugin().instance.call_bytes_max {
                return Err(wasmtime::Error::msg("more is written than a call may have"));
            }
            let (bytes, stream) = (bytes.to_vec(), output(guest, handle)?);
            let written = HostOutputStream::write(guest.table(), stream, bytes);
            put_done(&mut caller, result, written)
        },
    )?;
    linker.func_wrap_async(
        STREAMS,
        "[method]output-stream.blocking-flush",
        |mut caller: Context<'_>, (handle, result): (u32, u32)| {
            Box::new(async move {
                let guest = caller.data_mut();
                let stream = output(guest, handle)?;
                let flushed = HostOutputStream::blocking_flush(guest.table(), stream).await;
                put_done(&mut caller, result, flushed)
            })
        },
    )?;
    linker.func_wrap(
        STREAMS,
        "[method]output-stream.subscribe",
        |mut caller: Context<'_>, handle: u32| {
            let guest = caller.data_mut();
            let stream = output(guest, handle)?;
            let pollable = HostOutputStream::subscribe(guest.table(), stream)?;
            guest.direct.handles.give(Kind::Pollable, &pollable)
        },
    )?;
    Ok(())
}

type Output = wasmtime::component::Resource<DynOutputStream>;

fn output(guest: &Guest, handle: u32) -> Result<Output> {
    guest.direct.handles.borrow(Kind::OutputStream, handle)
}

/// Writes a `result<_, stream-error>`.
fn put_done(caller: &mut Context<'_>, result: u32, done: Result<(), StreamError>) -> Result<()> {
    let result = aligned(result, 4)?;
    match done {
        Ok(()) => view(caller)?.0.put(result, &[0]),
        Err(error) => put_error(caller, result, 4, error),
    }
}

/// Writes the error of a result whose content is so many bytes behind its
/// beginning.
fn put_error(caller: &mut Context<'_>, result: u32, by: u32, error: StreamError) -> Result<()> {
    let (case, handle) = match error {
        StreamError::Trap(error) => return Err(error),
        StreamError::Closed => (1, 0),
        StreamError::LastOperationFailed(error) => {
            let guest = caller.data_mut();
            let error = guest.table().push(error)?;
            (0, guest.direct.handles.give(Kind::Error, &error)?)
        }
    };
    let (mut memory, _) = view(caller)?;
    memory.put(result, &[1])?;
    let content = offset(result, by)?;
    memory.put(content, &[case])?;
    memory.put(offset(content, 4)?, &handle.to_le_bytes())
}

fn define_clocks(linker: &mut Definitions) -> Result<()> {
    use clocks::{monotonic_clock, wall_clock};
    use wasmtime_wasi::clocks::WasiClocksView;
    linker.func_wrap(MONOTONIC_CLOCK, "now", |mut caller: Context<'_>| {
        monotonic_clock::Host::now(&mut caller.data_mut().clocks())
    })?;
    linker.func_wrap(
        MONOTONIC_CLOCK,
        "subscribe-instant",
        |mut caller: Context<'_>, when: u64| {
            let guest = caller.data_mut();
            let pollable = monotonic_clock::Host::subscribe_instant(&mut guest.clocks(), when)?;
            guest.direct.handles.give(Kind::Pollable, &pollable)
        },
    )?;
    linker.func_wrap(
        MONOTONIC_CLOCK,
        "subscribe-duration",
        |mut caller: Context<'_>, ns: u64| {
            let guest = caller.data_mut();
            let pollable = monotonic_clock::Host::subscribe_duration(&mut guest.clocks(), ns)?;
            guest.direct.handles.give(Kind::Pollable, &pollable)
        },
    )?;
    linker.func_wrap(WALL_CLOCK, "now", |mut caller: Context<'_>, result: u32| {
        let now = wall_clock::Host::now(&mut caller.data_mut().clocks())?;
        let (mut memory, _) = view(&mut caller)?;
        let result = aligned(result, 8)?;
        memory.put(result, &now.seconds.to_le_bytes())?;
        memory.put(offset(result, 8)?, &now.nanoseconds.to_le_bytes())
    })?;
    Ok(())
}

fn define_random(linker: &mut Definitions) -> Result<()> {
    use random::{insecure_seed, random as secure};
    linker.func_wrap(
        INSECURE_SEED,
        "insecure-seed",
        |mut caller: Context<'_>, result: u32| {
            let (low, high) =
                insecure_seed::Host::insecure_seed(caller.data_mut().ctx().ctx.random())?;
            let (mut memory, _) = view(&mut caller)?;
            let result = aligned(result, 8)?;
            memory.put(result, &low.to_le_bytes())?;
            memory.put(offset(result, 8)?, &high.to_le_bytes())
        },
    )?;
    linker.func_wrap(RANDOM, "get-random-u64", |mut caller: Context<'_>| {
        secure::Host::get_random_u64(caller.data_mut().ctx().ctx.random())
    })?;
    type Get = fn(&mut WasiRandomCtx, u64) -> Result<Vec<u8>>;
    let versions: [(&str, Get); 2] = [
        (RANDOM, |random, len| {
            secure::Host::get_random_bytes(random, len)
        }),
        // Of as many as there may be at once.
        (RANDOM_0_3, |random, len_max| {
            secure_0_3::Host::get_random_bytes(random, len_max)
        }),
    ];
    for (interface, get) in versions {
        linker.func_wrap_async(
            interface,
            "get-random-bytes",
            move |mut caller: Context<'_>, (len, result): (u64, u32)| {
                Box::new(async move {
                    let bytes = get(caller.data_mut().ctx().ctx.random(), len)?;
                    let at = give(&mut caller, &bytes).await?;
                    let (mut memory, _) = view(&mut caller)?;
                    memory.put_span(aligned(result, 4)?, at, bytes.len())
                })
            },
        )?;
    }
    Ok(())
}
