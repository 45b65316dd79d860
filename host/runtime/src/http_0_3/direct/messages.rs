//! Messages with bodies: what is made of the ends of streams and futures which a
//! guest gives away, and which it gets.

use bytes::Bytes;
use wasmtime::{Result, bail};
use wasmtime_wasi_http::p3::bindings::http::types::ErrorCode;

use super::super::fields::FieldMap;
use super::super::incoming::Incoming;
use super::super::outgoing::Outgoing;
use super::super::response::Body;
use crate::direct::{Flow, Kind, Mem, Peer, State, Taking, no_case};
use crate::guest::Guest;

/// What a guest gives for a message: handles of its header fields, of its contents as
/// an option, and of what follows them; and the error for a body of another length.
pub(super) struct Given {
    pub(super) headers: u32,
    pub(super) contents: (u32, u32),
    pub(super) ending: u32,
    pub(super) mismatch: fn(Option<u64>) -> ErrorCode,
}

impl Given {
    /// The header fields, the body, and the future that tells the guest how it went.
    pub(super) fn take(
        self,
        guest: &mut Guest,
        memory: &mut Mem<'_>,
    ) -> Result<(FieldMap, Body, u32)> {
        let contents = match self.contents {
            (0, _) => None,
            (1, contents) => Some(contents),
            (other, _) => return no_case(other),
        };
        let headers = guest.direct.handles.take(Kind::Fields, self.headers)?;
        let headers = guest.http_0_3().take_fields(headers)?;
        let (body, sent) = body(
            guest,
            memory,
            &headers,
            contents,
            self.ending,
            self.mismatch,
        )?;
        Ok((headers, body, sent))
    }
}

fn body(
    guest: &mut Guest,
    memory: &mut Mem<'_>,
    headers: &FieldMap,
    contents: Option<u32>,
    ending: u32,
    mismatch: fn(Option<u64>) -> ErrorCode,
) -> Result<(Body, u32)> {
    let direct = &mut guest.direct;
    let contents = match contents {
        Some(contents) => Some(direct.take_reader(Flow::Stream, contents)?),
        None => None,
    };
    let ending = direct.take_reader(Flow::Ending, ending)?;
    let contents = match contents {
        Some(Taking::OfHost(Peer::Incoming(incoming, first))) => {
            direct.drop_taken(ending)?;
            let sent = direct.give_reader(Flow::Sent, Peer::Done)?;
            return Ok((handed_on(*incoming, first), sent));
        }
        Some(Taking::OfHost(_)) => bail!("a stream of bytes is written by something else"),
        Some(Taking::OfGuest(pipe)) => Some(pipe),
        None => None,
    };
    let (body, ends) = Outgoing::open(contents.is_some(), headers.length(), mismatch);
    if let (Some(pipe), Some(writer)) = (contents, ends.writer) {
        State::read_by_host(guest, memory, pipe, Peer::Writer(writer))?;
    }
    match ending {
        Taking::OfGuest(pipe) => {
            State::read_by_host(guest, memory, pipe, Peer::Closer(ends.closer))?;
        }
        // What follows a body that came in is to follow this one.
        Taking::OfHost(Peer::Tail(tail)) => {
            tokio::task::spawn_local(tail.pass_on(ends.closer));
        }
        Taking::OfHost(_) => bail!("the end of a body is written by something else"),
    }
    let sent = guest
        .direct
        .give_reader(Flow::Sent, Peer::Witness(ends.witness))?;
    Ok((Body::Guest(body), sent))
}

/// The body for a guest that reads it: a stream, and a future for what follows.
pub(super) fn consume(guest: &mut Guest, body: Body, handled: u32) -> Result<(u32, u32)> {
    let direct = &mut guest.direct;
    // Nobody here wants to know how the guest liked it.
    let handled = direct.take_reader(Flow::Sent, handled)?;
    direct.drop_taken(handled)?;
    let (first, rest) = match body {
        Body::Begun(first, rest) => (first, rest),
        body => (Bytes::new(), body.into()),
    };
    let (incoming, tail) = Incoming::open(rest);
    let incoming = Peer::Incoming(Box::new(incoming), first);
    let stream = direct.give_reader(Flow::Stream, incoming)?;
    Ok((stream, direct.give_reader(Flow::Ending, Peer::Tail(tail))?))
}

/// A body that came in and goes out again. What goes to and fro gets no larger by
/// that: a guest may do it as often as it likes.
fn handed_on(incoming: Incoming, first: Bytes) -> Body {
    let rest = incoming.into_body();
    match first.is_empty() {
        true => Body::Host(rest),
        false => Body::Begun(first, rest),
    }
}
