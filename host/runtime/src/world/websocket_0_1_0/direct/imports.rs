//! The imports `connections` and `topics`.

use std::time::Instant;

use holdfast_core::message::MessageRef;
use holdfast_core::{ConnectionId, Edge, TenantId, edge as core};
use wasmtime::Result;

use super::super::imports::SUBSCRIBERS_MAX;
use crate::direct::{
    Context, Definitions, Mem, aligned, give, no_case, offset, places, room, view,
};
use crate::guest::Guest;
use crate::share::note_hosted;

const CONNECTIONS: &str = "holdfast:websocket/connections@0.1";
const TOPICS: &str = "holdfast:websocket/topics@0.1";

/// The functions of each interface.
pub(crate) const IMPORTS: &[(&str, &[&str])] = &[
    (CONNECTIONS, &["send", "close", "get", "set-attachment"]),
    (
        TOPICS,
        &[
            "subscribe",
            "unsubscribe",
            "publish",
            "count",
            "subscribers",
        ],
    ),
];

/// Adds both interfaces.
pub(crate) fn define(linker: &mut Definitions) -> Result<()> {
    define_connections(linker)?;
    define_topics(linker)
}

fn define_connections(linker: &mut Definitions) -> Result<()> {
    linker.func_wrap(
        CONNECTIONS,
        "send",
        |mut caller: Context<'_>, id, id_len, case: u32, at: u32, len: u32, result: u32| {
            let (mut memory, guest) = view(&mut caller)?;
            let (edge, tenant) = edge(guest);
            let message = message(&memory, case, at, len)?;
            let sent = match connection(&memory, id, id_len)? {
                Some(id) => edge.send(tenant, id, message),
                None => Err(core::SendError::Gone),
            };
            let sent = sent.map_err(|error| match error {
                core::SendError::Gone => (0, 0),
                core::SendError::Full(bytes) => (1, bytes),
                core::SendError::TooLarge(max) => (2, max),
            });
            put_number(&mut memory, result, sent)
        },
    )?;
    linker.func_wrap(
        CONNECTIONS,
        "close",
        |mut caller: Context<'_>, id, id_len, code: u32, at: u32, len: u32, result: u32| {
            let (mut memory, guest) = view(&mut caller)?;
            let (edge, tenant) = edge(guest);
            let reason = memory.text(at, len)?;
            let closed = match connection(&memory, id, id_len)? {
                // Of a number in the flat form, as many bits count as it has.
                Some(id) => edge.close(tenant, id, code as u16, reason),
                None => Err(core::CloseError::Gone),
            };
            match closed {
                Ok(()) => memory.put(result, &[0]),
                Err(core::CloseError::Gone) => memory.put(result, &[1, 0]),
                Err(core::CloseError::InvalidCode) => memory.put(result, &[1, 1]),
                Err(core::CloseError::ReasonTooLong) => memory.put(result, &[1, 2]),
            }
        },
    )?;
    linker.func_wrap_async(
        CONNECTIONS,
        "get",
        |mut caller: Context<'_>, (id, id_len, result): (u32, u32, u32)| {
            Box::new(async move {
                let result = aligned(result, 8)?;
                let (mut memory, guest) = view(&mut caller)?;
                let (edge, tenant) = edge(guest);
                let id = connection(&memory, id, id_len)?;
                let Some(state) = id.and_then(|id| edge.get(tenant, id)) else {
                    return memory.put(result, &[0]);
                };
                let at = give(&mut caller, &state.attachment).await?;
                let (mut memory, _) = view(&mut caller)?;
                memory.put(result, &[1])?;
                memory.put_span(offset(result, 8)?, at, state.attachment.len())?;
                let version = state.attachment_version.to_le_bytes();
                memory.put(offset(result, 16)?, &version)?;
                memory.put(offset(result, 24)?, &state.buffered_bytes.to_le_bytes())
            })
        },
    )?;
    linker.func_wrap(
        CONNECTIONS,
        "set-attachment",
        |mut caller: Context<'_>,
         id,
         id_len,
         at: u32,
         len: u32,
         case: u32,
         version: u64,
         result| {
            let (mut memory, guest) = view(&mut caller)?;
            let (edge, tenant) = edge(guest);
            let expected = match case {
                0 => None,
                1 => Some(version),
                other => return no_case(other),
            };
            let attachment = memory.bytes(at, len)?;
            let version = match connection(&memory, id, id_len)? {
                Some(id) => edge.set_attachment(tenant, id, attachment, expected),
                None => Err(core::AttachmentError::Gone),
            };
            let version = version.map_err(|error| match error {
                core::AttachmentError::Gone => (0, 0),
                core::AttachmentError::Conflict(version) => (1, version),
                core::AttachmentError::TooLarge(max) => (2, max),
            });
            put_number(&mut memory, result, version)
        },
    )?;
    Ok(())
}

fn define_topics(linker: &mut Definitions) -> Result<()> {
    linker.func_wrap(
        TOPICS,
        "subscribe",
        |mut caller: Context<'_>, id, id_len, at: u32, len: u32, result: u32| {
            let (mut memory, guest) = view(&mut caller)?;
            let (edge, tenant) = edge(guest);
            let topic = memory.text(at, len)?;
            let subscribed = match connection(&memory, id, id_len)? {
                Some(id) => edge.subscribe(tenant, id, topic),
                None => Err(core::SubscribeError::Gone),
            };
            let result = aligned(result, 4)?;
            let (case, max) = match subscribed {
                Ok(()) => return memory.put(result, &[0]),
                Err(core::SubscribeError::Gone) => (0, 0),
                Err(core::SubscribeError::TooMany(max)) => (1, max),
                Err(core::SubscribeError::InvalidName(max)) => (2, max),
            };
            memory.put(result, &[1])?;
            memory.put(offset(result, 4)?, &[case])?;
            memory.put(offset(result, 8)?, &max.to_le_bytes())
        },
    )?;
    linker.func_wrap(
        TOPICS,
        "unsubscribe",
        |mut caller: Context<'_>, id, id_len, at: u32, len: u32| {
            let (memory, guest) = view(&mut caller)?;
            let (edge, tenant) = edge(guest);
            let topic = memory.text(at, len)?;
            if let Some(id) = connection(&memory, id, id_len)? {
                edge.unsubscribe(tenant, id, topic);
            }
            Ok(())
        },
    )?;
    linker.func_wrap(TOPICS, "publish", publish)?;
    linker.func_wrap(
        TOPICS,
        "count",
        |mut caller: Context<'_>, at: u32, len: u32| {
            let (memory, guest) = view(&mut caller)?;
            let (edge, tenant) = edge(guest);
            Ok(edge.count(tenant, memory.text(at, len)?))
        },
    )?;
    linker.func_wrap_async(
        TOPICS,
        "subscribers",
        |mut caller: Context<'_>, (at, len, limit, result): (u32, u32, u32, u32)| {
            Box::new(async move { subscribers(&mut caller, (at, len), limit, result).await })
        },
    )?;
    Ok(())
}

#[expect(clippy::too_many_arguments, reason = "they are those of the interface")]
fn publish(
    mut caller: Context<'_>,
    topic: u32,
    topic_len: u32,
    case: u32,
    at: u32,
    len: u32,
    has_except: u32,
    except: u32,
    except_len: u32,
    result: u32,
) -> Result<()> {
    let (mut memory, guest) = view(&mut caller)?;
    let (edge, tenant) = edge(guest);
    let max = guest.plugin().message_bytes_max;
    let topic = memory.text(topic, topic_len)?;
    let message = message(&memory, case, at, len)?;
    let except = match has_except {
        0 => None,
        1 => connection(&memory, except, except_len)?,
        other => return no_case(other),
    };
    let result = aligned(result, 8)?;
    if message.payload().len() > max {
        memory.put(result, &[1])?;
        memory.put(offset(result, 8)?, &[0])?;
        return memory.put(offset(result, 16)?, &(max as u64).to_le_bytes());
    }
    // A topic may have thousands of subscribers.
    let begin = Instant::now();
    let delivery = edge.publish(tenant, topic, message, except);
    note_hosted(begin.elapsed());
    memory.put(result, &[0])?;
    memory.put(offset(result, 8)?, &delivery.queued.to_le_bytes())?;
    memory.put(offset(result, 12)?, &delivery.full.to_le_bytes())
}

async fn subscribers(
    caller: &mut Context<'_>,
    topic: (u32, u32),
    limit: u32,
    result: u32,
) -> Result<()> {
    /// Bytes of two strings or lists.
    const EACH: usize = 16;
    let (memory, guest) = view(caller)?;
    let (edge, tenant) = edge(guest);
    let limit = limit.min(SUBSCRIBERS_MAX) as usize;
    let topic = memory.text(topic.0, topic.1)?;
    let subscribers = edge.subscribers(tenant, topic, limit);
    let list = room(&mut *caller, 4, subscribers.len() * EACH).await?;
    for (place, (id, attachment)) in places(list, EACH as u32).zip(&subscribers) {
        let name = id.to_hex();
        let name = name.as_str().as_bytes();
        let name_at = give(caller, name).await?;
        let attachment_at = give(caller, attachment).await?;
        let (mut memory, _) = view(caller)?;
        memory.put_span(place, name_at, name.len())?;
        memory.put_span(offset(place, 8)?, attachment_at, attachment.len())?;
    }
    let (mut memory, _) = view(caller)?;
    memory.put_span(aligned(result, 4)?, list, subscribers.len())
}

/// Writes a `result<u64, …>` whose errors have a number, too.
fn put_number(memory: &mut Mem<'_>, at: u32, number: Result<u64, (u8, u64)>) -> Result<()> {
    let content = offset(aligned(at, 8)?, 8)?;
    match number {
        Ok(number) => {
            memory.put(at, &[0])?;
            memory.put(content, &number.to_le_bytes())
        }
        Err((case, number)) => {
            memory.put(at, &[1])?;
            memory.put(content, &[case])?;
            memory.put(offset(content, 8)?, &number.to_le_bytes())
        }
    }
}

fn edge(guest: &Guest) -> (&dyn Edge, TenantId) {
    let plugin = guest.plugin();
    (plugin.edge.as_ref(), plugin.settings.tenant)
}

/// The connection which the guest names, if it is one.
fn connection(memory: &Mem<'_>, at: u32, len: u32) -> Result<Option<ConnectionId>> {
    Ok(memory.text(at, len)?.parse().ok())
}

/// A message, as it lies in the guest's memory.
fn message<'m>(memory: &'m Mem<'_>, case: u32, at: u32, len: u32) -> Result<MessageRef<'m>> {
    match case {
        0 => Ok(MessageRef::Text(memory.text(at, len)?)),
        1 => Ok(MessageRef::Binary(memory.bytes(at, len)?)),
        other => no_case(other),
    }
}
