//! Requests which guests make and send.

use wasmtime::Result;
use wasmtime::component::Resource;
use wasmtime_wasi_http::p3::bindings::http::types::{self, ErrorCode, HostRequest, Method, Scheme};

use super::super::View;
use super::super::client;
use super::super::request::Request;
use super::messages::Given;
use crate::direct::{Context, Definitions, Kind, Mem, aligned, no_case, view};

const TYPES: &str = "wasi:http/types@0.3";
const CLIENT: &str = "wasi:http/client@0.3";

/// The functions of each interface.
pub(crate) const IMPORTS: &[(&str, &[&str])] = &[
    (
        TYPES,
        &[
            "[static]request.new",
            "[method]request.set-method",
            "[method]request.set-path-with-query",
            "[method]request.set-scheme",
            "[method]request.set-authority",
        ],
    ),
    (CLIENT, &["[async]send"]),
];

/// Adds both interfaces.
pub(crate) fn define(linker: &mut Definitions) -> Result<()> {
    linker.func_wrap(TYPES, "[static]request.new", new_request)?;
    linker.func_wrap(
        TYPES,
        "[method]request.set-method",
        |mut caller: Context<'_>, request: u32, case: u32, at: u32, len: u32| {
            let (memory, guest) = view(&mut caller)?;
            let request = guest.direct.handles.borrow(Kind::Request, request)?;
            let method = match case {
                0 => Method::Get,
                1 => Method::Head,
                2 => Method::Post,
                3 => Method::Put,
                4 => Method::Delete,
                5 => Method::Connect,
                6 => Method::Options,
                7 => Method::Trace,
                8 => Method::Patch,
                9 => Method::Other(short(&memory, at, len)?),
                other => return no_case(other),
            };
            guest.http_0_3().set_method(request, method).map(flat)
        },
    )?;
    linker.func_wrap(
        TYPES,
        "[method]request.set-scheme",
        |mut caller: Context<'_>, request: u32, is_some: u32, case: u32, at: u32, len: u32| {
            let (memory, guest) = view(&mut caller)?;
            let request = guest.direct.handles.borrow(Kind::Request, request)?;
            let scheme = match (is_some, case) {
                (0, _) => None,
                (1, 0) => Some(Scheme::Http),
                (1, 1) => Some(Scheme::Https),
                (1, 2) => Some(Scheme::Other(short(&memory, at, len)?)),
                (1, other) | (other, _) => return no_case(other),
            };
            guest.http_0_3().set_scheme(request, scheme).map(flat)
        },
    )?;
    const TEXTS: [(&str, Set); 2] = [
        (
            "[method]request.set-path-with-query",
            |view, request, path| view.set_path_with_query(request, path),
        ),
        (
            "[method]request.set-authority",
            |view, request, authority| view.set_authority(request, authority),
        ),
    ];
    for (name, set) in TEXTS {
        linker.func_wrap(
            TYPES,
            name,
            move |mut caller: Context<'_>, request: u32, is_some: u32, at: u32, len: u32| {
                let (memory, guest) = view(&mut caller)?;
                let request = guest.direct.handles.borrow(Kind::Request, request)?;
                let text = optional(&memory, is_some, at, len)?;
                set(&mut guest.http_0_3(), request, text).map(flat)
            },
        )?;
    }
    linker.func_wrap(
        CLIENT,
        "[async]send",
        |mut caller: Context<'_>, request: u32, result: u32| {
            let guest = caller.data_mut();
            let request = guest.direct.handles.take(Kind::Request, request)?;
            let sent = client::send(&mut guest.http_0_3(), request)?;
            guest.direct.call_for_response(sent, aligned(result, 8)?)
        },
    )?;
    Ok(())
}

/// Sets a part of a request, which may also be none.
type Set = fn(&mut View<'_>, Resource<types::Request>, Option<String>) -> Result<Result<(), ()>>;

/// `result` without content.
fn flat(result: Result<(), ()>) -> u32 {
    u32::from(result.is_err())
}

/// A text of which only a short one can be valid.
fn short(memory: &Mem<'_>, at: u32, len: u32) -> Result<String> {
    /// More than any part of a target may have.
    const LEN_MAX: u32 = 64 << 10;
    if len > LEN_MAX {
        wasmtime::bail!("a part of a request has more than {LEN_MAX} bytes");
    }
    Ok(memory.text(at, len)?.to_owned())
}

fn optional(memory: &Mem<'_>, is_some: u32, at: u32, len: u32) -> Result<Option<String>> {
    match is_some {
        0 => Ok(None),
        1 => short(memory, at, len).map(Some),
        other => no_case(other),
    }
}

#[expect(clippy::too_many_arguments, reason = "they are those of the interface")]
fn new_request(
    mut caller: Context<'_>,
    headers: u32,
    has_contents: u32,
    contents: u32,
    ending: u32,
    has_options: u32,
    options: u32,
    result: u32,
) -> Result<()> {
    let (mut memory, guest) = view(&mut caller)?;
    let options = match has_options {
        0 => None,
        1 => {
            let options = guest.direct.handles.take(Kind::Options, options)?;
            Some(guest.http_0_3().table.options.take(options)?.into())
        }
        other => return no_case(other),
    };
    let given = Given {
        headers,
        contents: (has_contents, contents),
        ending,
        mismatch: ErrorCode::HttpRequestBodySize,
    };
    let (headers, body, sent) = given.take(guest, &mut memory)?;
    let request = Request::outgoing(headers, options, body);
    let request = guest.http_0_3().table.requests.push(request)?;
    let request = guest.direct.give_request(&request)?;
    memory.put_span(aligned(result, 4)?, request, sent as usize)
}
