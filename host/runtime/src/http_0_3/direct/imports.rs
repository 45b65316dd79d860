//! The imports: header fields, requests that came in, and responses.

use http::HeaderMap;
use wasmtime::Result;
use wasmtime::component::Resource;
use wasmtime_wasi_http::p3::bindings::http::types::{
    self, ErrorCode, Fields, HeaderError, HostFields, HostRequest, HostResponse,
};

use super::super::FIELDS_BYTES_MAX;
use super::super::fields::FieldMap;
use super::super::response::Response;
use super::messages::{self, Given};
use crate::direct::turns::{self, Form, Gift};
use crate::direct::{Context, Definitions, Kind, Mem, aligned, offset, view};
use crate::guest::Guest;

const TYPES: &str = "wasi:http/types@0.3";

/// The functions of each interface.
pub(crate) const IMPORTS: &[(&str, &[&str])] = &[(
    TYPES,
    &[
        "[constructor]fields",
        "[static]fields.from-list",
        "[method]fields.append",
        "[method]fields.set",
        "[method]fields.has",
        "[method]fields.copy-all",
        "[in-turns][method]fields.copy-all",
        "[method]fields.clone",
        "[resource-drop]fields",
        "[resource-drop]trailers",
        "[method]request.get-method",
        "[in-turns][method]request.get-method",
        "[method]request.get-path-with-query",
        "[in-turns][method]request.get-path-with-query",
        "[method]request.get-scheme",
        "[in-turns][method]request.get-scheme",
        "[method]request.get-authority",
        "[in-turns][method]request.get-authority",
        "[method]request.get-headers",
        "[static]request.consume-body",
        "[resource-drop]request",
        "[static]response.new",
        "[method]response.get-status-code",
        "[method]response.set-status-code",
        "[method]response.get-headers",
        "[static]response.consume-body",
        "[resource-drop]response",
    ],
)];

/// Adds all of them.
pub(crate) fn define(linker: &mut Definitions) -> Result<()> {
    define_fields(linker)?;
    define_requests(linker)?;
    define_parts(linker)?;
    define_responses(linker)
}

fn define_fields(linker: &mut Definitions) -> Result<()> {
    linker.func_wrap(TYPES, "[constructor]fields", |mut caller: Context<'_>| {
        let guest = caller.data_mut();
        let fields = HostFields::new(&mut guest.http_0_3())?;
        guest.direct.handles.give(Kind::Fields, &fields)
    })?;
    linker.func_wrap(TYPES, "[static]fields.from-list", from_list)?;
    linker.func_wrap(
        TYPES,
        "[method]fields.append",
        |mut caller: Context<'_>, fields, name, name_len, value, value_len: u32, result: u32| {
            let (mut memory, guest) = view(&mut caller)?;
            let fields = borrow(guest, fields)?;
            let appended = match field(&memory, (name, name_len), (value, value_len))? {
                Some((name, value)) => guest.http_0_3().append_field(&fields, name, value)?,
                None => Err(HeaderError::SizeExceeded),
            };
            put_set(&mut memory, aligned(result, 4)?, appended)
        },
    )?;
    linker.func_wrap(
        TYPES,
        "[method]fields.set",
        |mut caller: Context<'_>, fields, name, name_len, list, count, result: u32| {
            let (mut memory, guest) = view(&mut caller)?;
            let fields = borrow(guest, fields)?;
            let name = text_of_field(&memory, name, name_len)?;
            let set = match (name, values(&memory, list, count)?) {
                (Some(name), Some(values)) => {
                    guest
                        .http_0_3()
                        .set_field(&fields, name.as_bytes(), &values)?
                }
                _ => Err(HeaderError::SizeExceeded),
            };
            put_set(&mut memory, aligned(result, 4)?, set)
        },
    )?;
    linker.func_wrap(
        TYPES,
        "[method]fields.has",
        |mut caller: Context<'_>, fields: u32, name: u32, name_len: u32| {
            let (memory, guest) = view(&mut caller)?;
            let fields = borrow(guest, fields)?;
            let name = text_of_field(&memory, name, name_len)?;
            let map = guest.http_0_3().table.fields.get(&fields)?;
            Ok(u32::from(name.is_some_and(|name| map.contains_key(name))))
        },
    )?;
    turns::define(linker, TYPES, "[method]fields.copy-all", |guest, fields| {
        let fields = borrow(guest, fields)?;
        let fields = guest.http_0_3().table.fields.get(&fields)?;
        let fields = fields.iter();
        let pairs: Vec<_> = fields
            .map(|(name, value)| (name.as_str().as_bytes(), value.as_bytes()))
            .collect();
        Ok(Gift::pairs(pairs.into_iter()))
    })?;
    linker.func_wrap(
        TYPES,
        "[method]fields.clone",
        |mut caller: Context<'_>, fields: u32| {
            let guest = caller.data_mut();
            let fields = borrow(guest, fields)?;
            let copy = HostFields::clone(&mut guest.http_0_3(), fields)?;
            guest.direct.handles.give(Kind::Fields, &copy)
        },
    )?;
    for name in ["[resource-drop]fields", "[resource-drop]trailers"] {
        linker.func_wrap(TYPES, name, |mut caller: Context<'_>, fields: u32| {
            let guest = caller.data_mut();
            let fields = guest.direct.handles.take(Kind::Fields, fields)?;
            HostFields::drop(&mut guest.http_0_3(), fields)
        })?;
    }
    Ok(())
}

fn borrow(guest: &Guest, fields: u32) -> Result<Resource<Fields>> {
    guest.direct.handles.borrow(Kind::Fields, fields)
}

/// The name of a field, if it is not too long for one.
fn text_of_field<'a>(memory: &'a Mem<'_>, at: u32, len: u32) -> Result<Option<&'a str>> {
    match len as usize > FIELDS_BYTES_MAX {
        true => Ok(None),
        false => memory.text(at, len).map(Some),
    }
}

/// A field, if it is not too long for one.
fn field<'a>(
    memory: &'a Mem<'_>,
    (name, name_len): (u32, u32),
    (value, value_len): (u32, u32),
) -> Result<Option<(&'a [u8], &'a [u8])>> {
    let name = text_of_field(memory, name, name_len)?;
    Ok(
        match name.filter(|_| value_len as usize <= FIELDS_BYTES_MAX) {
            Some(name) => Some((name.as_bytes(), memory.bytes(value, value_len)?)),
            None => None,
        },
    )
}

/// The values of a field, if they are not too long together.
fn values(memory: &Mem<'_>, list: u32, count: u32) -> Result<Option<Vec<Vec<u8>>>> {
    /// Bytes of a list.
    const EACH: u32 = 8;
    memory.bytes(aligned(list, 4)?, count.saturating_mul(EACH))?;
    let mut values = Vec::new();
    let mut bytes = 0;
    for index in 0..count {
        let (at, len) = memory.span(list + index * EACH)?;
        bytes += size_of::<http::HeaderValue>() + len as usize;
        if bytes > FIELDS_BYTES_MAX {
            return Ok(None);
        }
        values.push(memory.bytes(at, len)?.to_vec());
    }
    Ok(Some(values))
}

/// Writes a `result<_, header-error>`.
fn put_set(memory: &mut Mem<'_>, result: u32, set: Result<(), HeaderError>) -> Result<()> {
    match set {
        Ok(()) => memory.put(result, &[0]),
        Err(error) => {
            memory.put(result, &[1])?;
            memory.put(offset(result, 4)?, &header_error(&error))
        }
    }
}

/// `header-error`, as far as it has no text.
fn header_error(error: &HeaderError) -> [u8; 5] {
    let case = match error {
        HeaderError::InvalidSyntax => 0,
        HeaderError::Forbidden => 1,
        HeaderError::Immutable => 2,
        HeaderError::SizeExceeded => 3,
        HeaderError::Other(_) => 4,
    };
    // The text of the last one begins with whether it is there.
    [case, 0, 0, 0, 0]
}

/// Reads the list no further than to the first entry that is refused.
fn from_list(mut caller: Context<'_>, list: u32, count: u32, result: u32) -> Result<()> {
    /// Bytes of two strings or lists.
    const EACH: u32 = 16;
    let (mut memory, guest) = view(&mut caller)?;
    let result = aligned(result, 4)?;
    memory.bytes(aligned(list, 4)?, count.saturating_mul(EACH))?;
    let mut fields = FieldMap::made(HeaderMap::new());
    for index in 0..count {
        let at = list + index * EACH;
        let appended = match field(&memory, memory.span(at)?, memory.span(at + 8)?)? {
            Some((name, value)) => fields.append(name, value),
            None => Err(HeaderError::SizeExceeded),
        };
        if let Err(error) = appended {
            return put_set(&mut memory, result, Err(error));
        }
    }
    let fields = guest.http_0_3().table.fields.push(fields)?;
    let fields = guest.direct.handles.give(Kind::Fields, &fields)?;
    memory.put(result, &[0])?;
    memory.put(offset(result, 4)?, &fields.to_le_bytes())
}

fn define_requests(linker: &mut Definitions) -> Result<()> {
    linker.func_wrap(
        TYPES,
        "[method]request.get-headers",
        |mut caller: Context<'_>, request: u32| {
            let guest = caller.data_mut();
            let request = guest.direct.handles.borrow(Kind::Request, request)?;
            let fields = HostRequest::get_headers(&mut guest.http_0_3(), request)?;
            guest.direct.handles.give(Kind::Fields, &fields)
        },
    )?;
    linker.func_wrap(
        TYPES,
        "[static]request.consume-body",
        |mut caller: Context<'_>, request: u32, handled: u32, result: u32| {
            let (mut memory, guest) = view(&mut caller)?;
            let request = guest.direct.handles.take(Kind::Request, request)?;
            let request = guest.http_0_3().table.requests.take(request)?;
            let (stream, ending) = messages::consume(guest, request.body, handled)?;
            memory.put_span(aligned(result, 4)?, stream, ending as usize)
        },
    )?;
    linker.func_wrap(
        TYPES,
        "[resource-drop]request",
        |mut caller: Context<'_>, request: u32| {
            let guest = caller.data_mut();
            let request = guest.direct.handles.take(Kind::Request, request)?;
            guest.http_0_3().table.drop_request(request)
        },
    )?;
    Ok(())
}

/// The parts of a request which are texts.
fn define_parts(linker: &mut Definitions) -> Result<()> {
    turns::define(
        linker,
        TYPES,
        "[method]request.get-path-with-query",
        |guest, request| {
            let request = guest.direct.handles.borrow(Kind::Request, request)?;
            Ok(optional(guest.http_0_3().get_path_with_query(request)?))
        },
    )?;
    turns::define(
        linker,
        TYPES,
        "[method]request.get-authority",
        |guest, request| {
            let request = guest.direct.handles.borrow(Kind::Request, request)?;
            Ok(optional(guest.http_0_3().get_authority(request)?))
        },
    )?;
    turns::define(
        linker,
        TYPES,
        "[method]request.get-method",
        |guest, request| {
            use types::Method as M;
            let request = guest.direct.handles.borrow(Kind::Request, request)?;
            Ok(match guest.http_0_3().get_method(request)? {
                M::Get => Gift::case(0),
                M::Head => Gift::case(1),
                M::Post => Gift::case(2),
                M::Put => Gift::case(3),
                M::Delete => Gift::case(4),
                M::Connect => Gift::case(5),
                M::Options => Gift::case(6),
                M::Trace => Gift::case(7),
                M::Patch => Gift::case(8),
                M::Other(name) => Gift::new(Form::CaseOfText(9)).text(name),
            })
        },
    )?;
    turns::define(
        linker,
        TYPES,
        "[method]request.get-scheme",
        |guest, request| {
            use types::Scheme as S;
            let request = guest.direct.handles.borrow(Kind::Request, request)?;
            Ok(match guest.http_0_3().get_scheme(request)? {
                None => Gift::case(0),
                Some(S::Http) => Gift::new(Form::Some(0)),
                Some(S::Https) => Gift::new(Form::Some(1)),
                Some(S::Other(name)) => Gift::new(Form::Some(2)).text(name),
            })
        },
    )
}

/// An `option<string>`.
fn optional(text: Option<String>) -> Gift {
    match text {
        Some(text) => Gift::new(Form::CaseOfText(1)).text(text),
        None => Gift::case(0),
    }
}

fn define_responses(linker: &mut Definitions) -> Result<()> {
    linker.func_wrap(TYPES, "[static]response.new", new_response)?;
    linker.func_wrap(
        TYPES,
        "[method]response.get-status-code",
        |mut caller: Context<'_>, response: u32| {
            let guest = caller.data_mut();
            let response = guest.direct.handles.borrow(Kind::Response, response)?;
            guest.http_0_3().get_status_code(response).map(u32::from)
        },
    )?;
    linker.func_wrap(
        TYPES,
        "[method]response.set-status-code",
        |mut caller: Context<'_>, response: u32, status: u32| {
            let guest = caller.data_mut();
            let response = guest.direct.handles.borrow(Kind::Response, response)?;
            // Of a number in the flat form, as many bits count as it has.
            let set = guest.http_0_3().set_status_code(response, status as u16)?;
            Ok(u32::from(set.is_err()))
        },
    )?;
    linker.func_wrap(
        TYPES,
        "[method]response.get-headers",
        |mut caller: Context<'_>, response: u32| {
            let guest = caller.data_mut();
            let response = guest.direct.handles.borrow(Kind::Response, response)?;
            let fields = HostResponse::get_headers(&mut guest.http_0_3(), response)?;
            guest.direct.handles.give(Kind::Fields, &fields)
        },
    )?;
    linker.func_wrap(
        TYPES,
        "[static]response.consume-body",
        |mut caller: Context<'_>, response: u32, handled: u32, result: u32| {
            let (mut memory, guest) = view(&mut caller)?;
            let response = guest.direct.handles.take(Kind::Response, response)?;
            let response = guest.http_0_3().table.responses.take(response)?;
            let (stream, ending) = messages::consume(guest, response.body, handled)?;
            memory.put_span(aligned(result, 4)?, stream, ending as usize)
        },
    )?;
    linker.func_wrap(
        TYPES,
        "[resource-drop]response",
        |mut caller: Context<'_>, response: u32| {
            let guest = caller.data_mut();
            let response = guest.direct.handles.take(Kind::Response, response)?;
            guest.http_0_3().table.responses.take(response).map(drop)
        },
    )?;
    Ok(())
}

fn new_response(
    mut caller: Context<'_>,
    headers: u32,
    has_contents: u32,
    contents: u32,
    ending: u32,
    result: u32,
) -> Result<()> {
    let (mut memory, guest) = view(&mut caller)?;
    let given = Given {
        headers,
        contents: (has_contents, contents),
        ending,
        mismatch: ErrorCode::HttpResponseBodySize,
    };
    let (headers, body, sent) = given.take(guest, &mut memory)?;
    let response = Response::outgoing(headers, body);
    let response = guest.http_0_3().table.responses.push(response)?;
    let response = guest.direct.handles.give(Kind::Response, &response)?;
    memory.put_span(aligned(result, 4)?, response, sent as usize)
}
