//! Requests: a client's for a handler, and a guest's for somebody else.

use std::sync::Arc;

use holdfast_core::spare::emptied;
use holdfast_core::{RequestId, event};
use http::uri::{Authority, PathAndQuery, Scheme, Uri};
use http::{HeaderMap, Method};
use wasmtime::AsContextMut;
use wasmtime::component::{Access, FutureReader, Resource, StreamReader};
use wasmtime_wasi_http::RequestOptions;
use wasmtime_wasi_http::p3::bindings::http::types::{
    self, ErrorCode, Fields, HostRequest, HostRequestWithStore, Trailers,
};

use super::fields::FieldMap;
use super::outgoing::{Ending, Sent};
use super::response::Body;
use super::{Http, View};
use crate::body;
use crate::guest::Guest;
use crate::request::{host_authority, scheme};

/// What a request resource stands for.
pub(crate) struct Request {
    pub(super) method: Method,
    pub(super) scheme: Option<Scheme>,
    authority: Option<Authority>,
    pub(super) path_with_query: Option<PathAndQuery>,
    /// As they came in, until a guest looks at them, which few do.
    unread: Option<(HeaderMap, RequestId)>,
    headers: FieldMap,
    pub(super) options: Option<Arc<RequestOptions>>,
    pub(super) body: Body,
}

impl Request {
    /// One which a guest makes, without a target.
    pub(super) fn outgoing(
        headers: FieldMap,
        options: Option<Arc<RequestOptions>>,
        body: Body,
    ) -> Self {
        Self {
            method: Method::GET,
            scheme: None,
            authority: None,
            path_with_query: None,
            unread: None,
            headers,
            options,
            body,
        }
    }

    /// A client's, with the scheme and authority which HTTP/1.1 leaves to the
    /// connection and the Host field.
    pub(crate) fn incoming(request: event::Request) -> Self {
        let event::Request { id, head, body } = request;
        let head = *head;
        let uri = head.uri.into_parts();
        Self {
            method: head.method,
            scheme: uri.scheme.or_else(|| Some(scheme(&head.extensions))),
            authority: uri.authority,
            path_with_query: uri.path_and_query,
            unread: Some((head.headers, id)),
            headers: FieldMap::default(),
            options: None,
            body: Body::Host(body::to_guest(body)),
        }
    }

    /// The header fields, as a guest may see them.
    pub(super) fn headers(&mut self) -> &mut FieldMap {
        if let Some((mut unread, id)) = self.unread.take() {
            id.put(&mut unread);
            // The Host field is the target's from now on.
            if self.authority.is_none() {
                self.authority = host_authority(&unread);
            }
            self.headers = FieldMap::received(unread);
        }
        &mut self.headers
    }

    /// The authority to which it goes, or came.
    pub(super) fn authority(&mut self) -> &mut Option<Authority> {
        self.headers();
        &mut self.authority
    }

    /// The memory of its header fields, if it is worth keeping.
    pub(super) fn into_spare(self) -> Option<HeaderMap> {
        match self.unread {
            Some((unread, _)) => emptied(unread),
            None => self.headers.into_spare(),
        }
    }
}

impl HostRequestWithStore<Guest> for Http {
    fn new(
        mut store: Access<'_, Guest, Self>,
        headers: Resource<Fields>,
        contents: Option<StreamReader<u8>>,
        trailers: Ending,
        options: Option<Resource<types::RequestOptions>>,
    ) -> wasmtime::Result<(Resource<types::Request>, Sent)> {
        let mut view = store.get();
        let headers = view.take_fields(headers)?;
        let options = options.map(|options| view.table.options.take(options));
        let options = options.transpose()?.map(Into::into);
        let (body, sent) = Body::from_guest(
            store.as_context_mut(),
            &headers,
            contents,
            trailers,
            ErrorCode::HttpRequestBodySize,
        )?;
        let request = Request::outgoing(headers, options, body);
        Ok((store.get().table.requests.push(request)?, sent))
    }

    fn consume_body(
        mut store: Access<'_, Guest, Self>,
        request: Resource<types::Request>,
        handled: FutureReader<Result<(), ErrorCode>>,
    ) -> wasmtime::Result<(
        StreamReader<u8>,
        FutureReader<Result<Option<Resource<Trailers>>, ErrorCode>>,
    )> {
        let request = store.get().table.requests.take(request)?;
        request.body.consume(store.as_context_mut(), handled)
    }

    fn drop(
        mut store: Access<'_, Guest, Self>,
        request: Resource<types::Request>,
    ) -> wasmtime::Result<()> {
        store.get().table.drop_request(request)
    }
}

/// The guest is told that what it has given is invalid, not why.
type Set = wasmtime::Result<Result<(), ()>>;

impl View<'_> {
    fn set<T>(
        &mut self,
        request: &Resource<types::Request>,
        value: Result<T, ()>,
        set: impl FnOnce(&mut Request, T),
    ) -> Set {
        let request = self.table.requests.get_mut(request)?;
        Ok(value.map(|value| set(request, value)))
    }
}

impl HostRequest for View<'_> {
    fn get_method(&mut self, request: Resource<types::Request>) -> wasmtime::Result<types::Method> {
        Ok((&self.table.requests.get(&request)?.method).into())
    }

    fn set_method(&mut self, request: Resource<types::Request>, method: types::Method) -> Set {
        let method = Method::try_from(method).map_err(drop);
        self.set(&request, method, |request, method| request.method = method)
    }

    fn get_path_with_query(
        &mut self,
        request: Resource<types::Request>,
    ) -> wasmtime::Result<Option<String>> {
        let path = &self.table.requests.get(&request)?.path_with_query;
        Ok(path.as_ref().map(|path| path.as_str().to_owned()))
    }

    fn set_path_with_query(
        &mut self,
        request: Resource<types::Request>,
        path: Option<String>,
    ) -> Set {
        let path = path.map(|path| parse_path(&path)).transpose();
        self.set(&request, path, |request, path| {
            request.path_with_query = path
        })
    }

    fn get_scheme(
        &mut self,
        request: Resource<types::Request>,
    ) -> wasmtime::Result<Option<types::Scheme>> {
        let scheme = &self.table.requests.get(&request)?.scheme;
        Ok(scheme.as_ref().map(Into::into))
    }

    fn set_scheme(
        &mut self,
        request: Resource<types::Request>,
        scheme: Option<types::Scheme>,
    ) -> Set {
        let scheme = scheme.map(Scheme::try_from).transpose().map_err(drop);
        self.set(&request, scheme, |request, scheme| request.scheme = scheme)
    }

    fn get_authority(
        &mut self,
        request: Resource<types::Request>,
    ) -> wasmtime::Result<Option<String>> {
        let authority = self.table.requests.get_mut(&request)?.authority();
        Ok(authority.as_ref().map(|it| it.as_str().to_owned()))
    }

    fn set_authority(
        &mut self,
        request: Resource<types::Request>,
        authority: Option<String>,
    ) -> Set {
        let authority = authority.map(parse_authority).transpose();
        self.set(&request, authority, |request, authority| {
            *request.authority() = authority;
        })
    }

    fn get_options(
        &mut self,
        request: Resource<types::Request>,
    ) -> wasmtime::Result<Option<Resource<types::RequestOptions>>> {
        let Some(options) = &self.table.requests.get(&request)?.options else {
            return Ok(None);
        };
        let options = types::RequestOptions::new_immutable(Arc::clone(options));
        self.table.options.push(options).map(Some)
    }

    fn get_headers(
        &mut self,
        request: Resource<types::Request>,
    ) -> wasmtime::Result<Resource<Fields>> {
        let headers = self.table.requests.get_mut(&request)?.headers().share();
        self.table.fields.push(headers)
    }
}

/// The `path?query` of a request, which may also be empty.
fn parse_path(path: &str) -> Result<PathAndQuery, ()> {
    if !path.is_empty() && !path.starts_with(['/', '?']) {
        return Err(());
    }
    let uri = Uri::builder().path_and_query(path).build().map_err(drop)?;
    uri.path_and_query().cloned().ok_or(())
}

/// An authority whose port, if there is a colon for one, is a number. The `http`
/// crate takes any.
fn parse_authority(text: String) -> Result<Authority, ()> {
    let after_host = text.rfind(']').and_then(|end| text.get(end..));
    let has_port = after_host.unwrap_or(&text).contains(':');
    let authority = Authority::try_from(text).map_err(drop)?;
    match has_port && authority.port_u16().is_none() {
        true => Err(()),
        false => Ok(authority),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_port_is_a_number() {
        let is_valid = |text: &str| parse_authority(text.to_owned()).is_ok();
        for text in ["example.com", "example.com:80", "[::1]", "[::1]:443"] {
            assert!(is_valid(text), "{text}");
        }
        for text in ["example.com:", "example.com:a", "[::1]:", ""] {
            assert!(!is_valid(text), "{text}");
        }
    }

    #[test]
    fn a_path_begins_with_a_slash_or_is_a_query() {
        for path in ["/", "/a?b", "", "?b"] {
            assert!(parse_path(path).is_ok(), "{path}");
        }
        for path in ["a", "http://x/", "/ "] {
            assert!(parse_path(path).is_err(), "{path}");
        }
    }
}
