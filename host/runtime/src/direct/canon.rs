//! Built-in functions of the component model which async functions need: those of
//! tasks, of what they wait for, and of streams and futures.

use wasmtime::Result;

use super::pipes::{Flow, Read};
use super::{Context, Definitions, Kind, State, codes, view};

const BUILT_IN: &str = "holdfast:direct";

/// The functions of each interface.
pub(crate) const IMPORTS: &[(&str, &[&str])] = &[(
    BUILT_IN,
    &[
        "task.return",
        "task.cancel",
        "subtask.drop",
        "subtask.cancel",
        "context.get-0",
        "context.set-0",
        "context.get-1",
        "context.set-1",
        "waitable-set.new",
        "waitable-set.drop",
        "waitable-set.poll",
        "waitable.join",
        "stream.new",
        "stream.read",
        "stream.write",
        "stream.cancel-read",
        "stream.cancel-write",
        "stream.drop-readable",
        "stream.drop-writable",
        "ending.new",
        "ending.read",
        "ending.write",
        "ending.cancel-read",
        "ending.cancel-write",
        "ending.drop-readable",
        "ending.drop-writable",
        "sent.new",
        "sent.read",
        "sent.write",
        "sent.cancel-read",
        "sent.cancel-write",
        "sent.drop-readable",
        "sent.drop-writable",
    ],
)];

/// Adds all of them.
pub(super) fn define(linker: &mut Definitions) -> Result<()> {
    define_tasks(linker)?;
    define_waits(linker)?;
    for flow in Flow::ALL {
        define_flow(linker, flow)?;
    }
    define_stream(linker)?;
    define_future(linker, Flow::Ending)?;
    define_future(linker, Flow::Sent)
}

fn define_tasks(linker: &mut Definitions) -> Result<()> {
    linker.func_wrap(BUILT_IN, "task.return", task_return)?;
    // The host cancels no task.
    linker.func_wrap(BUILT_IN, "task.cancel", || -> Result<()> {
        wasmtime::bail!("a task says that it was cancelled, which it was not")
    })?;
    linker.func_wrap(
        BUILT_IN,
        "subtask.drop",
        |mut caller: Context<'_>, handle: u32| caller.data_mut().direct.drop_subtask(handle),
    )?;
    linker.func_wrap(
        BUILT_IN,
        "subtask.cancel",
        |mut caller: Context<'_>, handle: u32| caller.data_mut().direct.cancel_subtask(handle),
    )?;
    for (slot, get, set) in [
        (0, "context.get-0", "context.set-0"),
        (1, "context.get-1", "context.set-1"),
    ] {
        linker.func_wrap(BUILT_IN, get, move |mut caller: Context<'_>| {
            let tasks = &mut caller.data_mut().direct.tasks;
            tasks.slot(slot).copied()
        })?;
        linker.func_wrap(BUILT_IN, set, move |mut caller: Context<'_>, value: u32| {
            let tasks = &mut caller.data_mut().direct.tasks;
            tasks.slot(slot).map(|slot| *slot = value)
        })?;
    }
    Ok(())
}

#[expect(clippy::too_many_arguments, reason = "they are those of the result")]
fn task_return(
    mut caller: Context<'_>,
    case: u32,
    content: u32,
    first: u32,
    second: u64,
    third: u32,
    fourth: u32,
    fifth: u32,
    sixth: u32,
) -> Result<()> {
    let (memory, guest) = view(&mut caller)?;
    let returned = match case {
        0 => Ok(guest.direct.handles.take(Kind::Response, content)?),
        1 => {
            let flat = (case, content, first, second, third, fourth, fifth, sixth);
            Err(codes::returned(&memory, flat)?)
        }
        other => return super::no_case(other),
    };
    guest.direct.tasks.return_now(returned)
}

fn define_waits(linker: &mut Definitions) -> Result<()> {
    linker.func_wrap(BUILT_IN, "waitable-set.new", |mut caller: Context<'_>| {
        caller.data_mut().direct.new_set()
    })?;
    linker.func_wrap(
        BUILT_IN,
        "waitable-set.drop",
        |mut caller: Context<'_>, set: u32| caller.data_mut().direct.drop_set(set),
    )?;
    linker.func_wrap(
        BUILT_IN,
        "waitable-set.poll",
        |mut caller: Context<'_>, set: u32, at: u32| {
            let (mut memory, guest) = view(&mut caller)?;
            let event = guest.direct.next_event(set)?.unwrap_or_default();
            memory.put_span(super::aligned(at, 4)?, event.handle, event.payload as usize)?;
            Ok(event.code)
        },
    )?;
    linker.func_wrap(
        BUILT_IN,
        "waitable.join",
        |mut caller: Context<'_>, handle: u32, set: u32| caller.data_mut().direct.join(handle, set),
    )?;
    Ok(())
}

fn define_flow(linker: &mut Definitions, flow: Flow) -> Result<()> {
    let name = |function: &str| format!("{}.{function}", flow.name());
    linker.func_wrap(BUILT_IN, &name("new"), move |mut caller: Context<'_>| {
        caller.data_mut().direct.new_pipe(flow)
    })?;
    for (is_writer, cancel, drop) in [
        (false, "cancel-read", "drop-readable"),
        (true, "cancel-write", "drop-writable"),
    ] {
        linker.func_wrap(
            BUILT_IN,
            &name(cancel),
            move |mut caller: Context<'_>, handle: u32| {
                let state = &mut caller.data_mut().direct;
                state.cancel(flow, handle, is_writer)
            },
        )?;
        linker.func_wrap(
            BUILT_IN,
            &name(drop),
            move |mut caller: Context<'_>, handle: u32| {
                let state = &mut caller.data_mut().direct;
                state.drop_end(flow, handle, is_writer)
            },
        )?;
    }
    Ok(())
}

fn define_stream(linker: &mut Definitions) -> Result<()> {
    linker.func_wrap(
        BUILT_IN,
        "stream.write",
        |mut caller: Context<'_>, handle: u32, at: u32, len: u32| {
            let (mut memory, guest) = view(&mut caller)?;
            State::write(guest, &mut memory, Flow::Stream, handle, at, len)
        },
    )?;
    linker.func_wrap(
        BUILT_IN,
        "stream.read",
        |mut caller: Context<'_>, handle: u32, at: u32, len: u32| {
            let (mut memory, guest) = view(&mut caller)?;
            match State::read(guest, &mut memory, Flow::Stream, handle, at, len)? {
                Read::Done(result) => Ok(result),
                Read::Value(_) => wasmtime::bail!("a stream of bytes has another value"),
            }
        },
    )?;
    Ok(())
}

fn define_future(linker: &mut Definitions, flow: Flow) -> Result<()> {
    linker.func_wrap(
        BUILT_IN,
        &format!("{}.write", flow.name()),
        move |mut caller: Context<'_>, handle: u32, at: u32| {
            let (mut memory, guest) = view(&mut caller)?;
            State::write(guest, &mut memory, flow, handle, at, 1)
        },
    )?;
    linker.func_wrap_async(
        BUILT_IN,
        &format!("{}.read", flow.name()),
        move |mut caller: Context<'_>, (handle, at): (u32, u32)| {
            Box::new(async move {
                let (mut memory, guest) = view(&mut caller)?;
                match State::read(guest, &mut memory, flow, handle, at, 1)? {
                    Read::Done(result) => Ok(result),
                    Read::Value(value) => {
                        codes::put_value(&mut caller, at, value).await?;
                        Ok(0)
                    }
                }
            })
        },
    )?;
    Ok(())
}
