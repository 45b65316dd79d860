//! The imports `connections` and `topics`: arguments in, the edge, answers out.
//! The tenant comes from the store, never from the guest.

use std::time::Instant;

use holdfast_core::{ConnectionId, Edge, TenantId};
use wasmtime::component::{Linker, WasmList, WasmStr};
use wasmtime::{Result, StoreContextMut};

use super::answers::{
    AttachmentError, CloseError, Delivery, PublishError, SendError, State, SubscribeError,
    Subscriber,
};
use super::types::GuestMessage;
use crate::guest::Guest;
use crate::share::note_hosted;

const CONNECTIONS: &str = "holdfast:websocket/connections@0.1.0";
const TOPICS: &str = "holdfast:websocket/topics@0.1.0";

/// The most subscribers one call of `topics.subscribers` returns.
pub(super) const SUBSCRIBERS_MAX: u32 = 1000;

type Context<'a> = StoreContextMut<'a, Guest>;

/// Adds both interfaces.
pub(crate) fn add_to_linker(linker: &mut Linker<Guest>) -> Result<()> {
    add_connections(linker)?;
    add_topics(linker)
}

fn add_connections(linker: &mut Linker<Guest>) -> Result<()> {
    let mut connections = linker.instance(CONNECTIONS)?;
    connections.func_wrap(
        "send",
        |store: Context<'_>, (id, message): (WasmStr, GuestMessage)| {
            let (edge, tenant) = edge(&store);
            let sent = match parse(&id, &store)? {
                Some(id) => message.with(&store, |message| edge.send(tenant, id, message))?,
                None => Err(holdfast_core::edge::SendError::Gone),
            };
            Ok((sent.map_err(SendError::from),))
        },
    )?;
    connections.func_wrap(
        "close",
        |store: Context<'_>, (id, code, reason): (WasmStr, u16, WasmStr)| {
            let (edge, tenant) = edge(&store);
            let reason = reason.to_str(&store)?;
            let closed = match parse(&id, &store)? {
                Some(id) => edge.close(tenant, id, code, &reason),
                None => Err(holdfast_core::edge::CloseError::Gone),
            };
            Ok((closed.map_err(CloseError::from),))
        },
    )?;
    connections.func_wrap("get", |store: Context<'_>, (id,): (WasmStr,)| {
        let (edge, tenant) = edge(&store);
        let state = parse(&id, &store)?.and_then(|id| edge.get(tenant, id));
        Ok((state.map(State::from),))
    })?;
    connections.func_wrap(
        "set-attachment",
        |store: Context<'_>, (id, attachment, expected): (WasmStr, WasmList<u8>, Option<u64>)| {
            let (edge, tenant) = edge(&store);
            let version = match parse(&id, &store)? {
                Some(id) => {
                    edge.set_attachment(tenant, id, attachment.as_le_slice(&store), expected)
                }
                None => Err(holdfast_core::edge::AttachmentError::Gone),
            };
            Ok((version.map_err(AttachmentError::from),))
        },
    )
}

fn add_topics(linker: &mut Linker<Guest>) -> Result<()> {
    let mut topics = linker.instance(TOPICS)?;
    topics.func_wrap(
        "subscribe",
        |store: Context<'_>, (id, topic): (WasmStr, WasmStr)| {
            let (edge, tenant) = edge(&store);
            let topic = topic.to_str(&store)?;
            let subscribed = match parse(&id, &store)? {
                Some(id) => edge.subscribe(tenant, id, &topic),
                None => Err(holdfast_core::edge::SubscribeError::Gone),
            };
            Ok((subscribed.map_err(SubscribeError::from),))
        },
    )?;
    topics.func_wrap(
        "unsubscribe",
        |store: Context<'_>, (id, topic): (WasmStr, WasmStr)| {
            let (edge, tenant) = edge(&store);
            if let Some(id) = parse(&id, &store)? {
                edge.unsubscribe(tenant, id, &topic.to_str(&store)?);
            }
            Ok(())
        },
    )?;
    topics.func_wrap(
        "publish",
        |store: Context<'_>, (topic, message, except): (WasmStr, GuestMessage, Option<WasmStr>)| {
            let (edge, tenant) = edge(&store);
            let max = store.data().plugin().message_bytes_max;
            let except = match except {
                Some(except) => parse(&except, &store)?,
                None => None,
            };
            let topic = topic.to_str(&store)?;
            // A topic may have thousands of subscribers.
            let begin = Instant::now();
            let published = message.with(&store, |message| {
                if message.payload().len() > max {
                    return Err(PublishError::TooLarge(max as u64));
                }
                Ok(Delivery::from(
                    edge.publish(tenant, &topic, message, except),
                ))
            })?;
            note_hosted(begin.elapsed());
            Ok((published,))
        },
    )?;
    topics.func_wrap("count", |store: Context<'_>, (topic,): (WasmStr,)| {
        let (edge, tenant) = edge(&store);
        Ok((edge.count(tenant, &topic.to_str(&store)?),))
    })?;
    topics.func_wrap(
        "subscribers",
        |store: Context<'_>, (topic, limit): (WasmStr, u32)| {
            let (edge, tenant) = edge(&store);
            let limit = limit.min(SUBSCRIBERS_MAX) as usize;
            let subscribers = edge
                .subscribers(tenant, &topic.to_str(&store)?, limit)
                .into_iter()
                .map(|(id, attachment)| Subscriber {
                    connection: id.to_string(),
                    attachment,
                })
                .collect::<Vec<_>>();
            Ok((subscribers,))
        },
    )
}

fn edge<'a>(store: &'a Context<'_>) -> (&'a dyn Edge, TenantId) {
    let plugin = store.data().plugin();
    (plugin.edge.as_ref(), plugin.settings.tenant)
}

/// The id which the guest has written, if it is one. Another text is answered
/// like an id that never was.
fn parse(id: &WasmStr, store: &Context<'_>) -> Result<Option<ConnectionId>> {
    Ok(id.to_str(store)?.parse().ok())
}
