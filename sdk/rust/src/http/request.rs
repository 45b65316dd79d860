//! A request whose parts come from the host when they are asked for.

use std::cell::OnceCell;
use std::fmt::{self, Debug, Formatter};

use ::http::request::{Builder, Parts};
use ::http::uri::PathAndQuery;
use wasip3::http::types;

use super::parts::Message;
use super::{Body, HeaderMap, Method, Uri, wire};

/// A request that came in, or that is to be sent.
///
/// What came in is read when it is asked for, each part once: a handler that
/// looks at nothing but [`Request::path`] pays for nothing else, which makes it a
/// good deal faster. [`Request::into_parts`] gives all of it as the types of the
/// `http` crate, for code that is written for those; and a request of that crate
/// becomes one of these, in the tests of a handler for instance:
///
/// ```
/// use holdfast::http::{Body, Request};
///
/// let request = Request::post("/notes?draft=1").body(Body::from("buy milk")).unwrap();
/// let request = Request::from(request);
/// assert_eq!((request.path(), request.query()), ("/notes", Some("draft=1")));
/// ```
#[derive(Default)]
pub struct Request {
    /// As long as it is unread, it holds what the other parts are read from.
    body: Body,
    method: OnceCell<Method>,
    /// The part of the URI that handlers ask for most.
    path: OnceCell<PathAndQuery>,
    /// Boxed, as the fields, so that a request is small: it is moved several times on its
    /// way, and few handlers ask for these.
    uri: OnceCell<Box<Uri>>,
    headers: OnceCell<Box<HeaderMap>>,
}

impl Request {
    /// Begins a request with this method and URI. It is complete with
    /// [`Builder::body`], which gives one of the `http` crate.
    pub fn builder() -> Builder {
        ::http::Request::builder()
    }

    /// Begins a GET.
    pub fn get(uri: impl TryInto<Uri, Error: Into<::http::Error>>) -> Builder {
        ::http::Request::get(uri)
    }

    /// Begins a HEAD.
    pub fn head(uri: impl TryInto<Uri, Error: Into<::http::Error>>) -> Builder {
        ::http::Request::head(uri)
    }

    /// Begins a POST.
    pub fn post(uri: impl TryInto<Uri, Error: Into<::http::Error>>) -> Builder {
        ::http::Request::post(uri)
    }

    /// Begins a PUT.
    pub fn put(uri: impl TryInto<Uri, Error: Into<::http::Error>>) -> Builder {
        ::http::Request::put(uri)
    }

    /// Begins a PATCH.
    pub fn patch(uri: impl TryInto<Uri, Error: Into<::http::Error>>) -> Builder {
        ::http::Request::patch(uri)
    }

    /// Begins a DELETE.
    pub fn delete(uri: impl TryInto<Uri, Error: Into<::http::Error>>) -> Builder {
        ::http::Request::delete(uri)
    }

    /// The method (RFC 9110, section 9).
    pub fn method(&self) -> &Method {
        self.method
            .get_or_init(|| self.read(Method::GET, |wire| wire::read_method(wire.get_method())))
    }

    /// The same, to change it.
    pub fn method_mut(&mut self) -> &mut Method {
        self.method();
        just_read(&mut self.method)
    }

    /// The URI. One that came in has scheme and authority, as far as the client
    /// has named the latter (`Host`, `:authority`).
    pub fn uri(&self) -> &Uri {
        self.uri.get_or_init(|| {
            let path = self.path_and_query().clone();
            self.read(Box::default(), |wire| {
                wire::read_uri(wire, path).map(Box::new)
            })
        })
    }

    /// The same, to change it.
    pub fn uri_mut(&mut self) -> &mut Uri {
        self.uri();
        let uri: &mut Box<Uri> = just_read(&mut self.uri);
        uri
    }

    /// The path of the URI. Costs less than [`Request::uri`] as long as nothing
    /// else of it is asked for.
    pub fn path(&self) -> &str {
        match self.uri.get() {
            Some(uri) => uri.path(),
            None => self.path_and_query().path(),
        }
    }

    /// The query of the URI, without the question mark. See [`Request::path`].
    pub fn query(&self) -> Option<&str> {
        match self.uri.get() {
            Some(uri) => uri.query(),
            None => self.path_and_query().query(),
        }
    }

    /// The header fields (RFC 9110, section 6.3).
    pub fn headers(&self) -> &HeaderMap {
        self.headers.get_or_init(|| {
            let read = |wire: &types::Request| {
                let headers = wire::read_fields(&wire.get_headers());
                Some(Box::new(headers))
            };
            self.read(Box::default(), read)
        })
    }

    /// The same, to change them.
    pub fn headers_mut(&mut self) -> &mut HeaderMap {
        self.headers();
        let headers: &mut Box<HeaderMap> = just_read(&mut self.headers);
        headers
    }

    /// The body.
    pub fn body(&self) -> &Body {
        &self.body
    }

    /// The body, to read it while the rest is still there; all of that is read
    /// from the host first. [`Request::into_body`] does without.
    pub fn body_mut(&mut self) -> &mut Body {
        self.read_all();
        &mut self.body
    }

    /// The body alone.
    pub fn into_body(self) -> Body {
        self.body
    }

    /// All parts, as the types of the `http` crate.
    pub fn into_parts(self) -> (Parts, Body) {
        ::http::Request::from(self).into_parts()
    }

    pub(super) fn incoming(wire: types::Request) -> Self {
        Self {
            body: Body::incoming(Message::Request(wire)),
            ..Self::default()
        }
    }

    fn path_and_query(&self) -> &PathAndQuery {
        self.path
            .get_or_init(|| self.read(PathAndQuery::from_static("/"), wire::read_path))
    }

    fn read_all(&self) {
        self.method();
        self.uri();
        self.headers();
    }

    /// Something of what came in; what is to be sent has what is usual, where it
    /// was given nothing else. Panics if the host has let something through that
    /// is not HTTP.
    #[allow(clippy::panic)]
    fn read<T>(&self, usual: T, read: impl FnOnce(&types::Request) -> Option<T>) -> T {
        match self.body.unread_request() {
            Some(wire) => read(wire)
                .unwrap_or_else(|| panic!("the host has let through a request that is not HTTP")),
            None => usual,
        }
    }
}

fn just_read<T>(cell: &mut OnceCell<T>) -> &mut T {
    let part = cell.get_mut();
    part.unwrap_or_else(|| unreachable!("it was read before"))
}

impl<B: Into<Body>> From<::http::Request<B>> for Request {
    fn from(request: ::http::Request<B>) -> Self {
        let (head, body) = request.into_parts();
        Self {
            body: body.into(),
            method: head.method.into(),
            path: OnceCell::new(),
            uri: Box::new(head.uri).into(),
            headers: Box::new(head.headers).into(),
        }
    }
}

impl From<Request> for ::http::Request<Body> {
    fn from(request: Request) -> Self {
        request.read_all();
        let Request {
            body,
            method,
            uri,
            headers,
            ..
        } = request;
        let mut all = Self::new(body);
        *all.method_mut() = method.into_inner().unwrap_or_default();
        *all.uri_mut() = uri.into_inner().map(|uri| *uri).unwrap_or_default();
        *all.headers_mut() = headers.into_inner().map(|it| *it).unwrap_or_default();
        all
    }
}

impl Debug for Request {
    fn fmt(&self, formatter: &mut Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Request")
            .field("method", self.method())
            .field("uri", self.uri())
            .field("headers", self.headers())
            .field("body", &self.body)
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_what_the_http_crate_has_made() {
        let request = Request::put("http://example.org/a?b=c").header("x-test", "1");
        let mut request = Request::from(request.body("text").unwrap());
        assert_eq!(request.method(), Method::PUT);
        assert_eq!((request.path(), request.query()), ("/a", Some("b=c")));
        assert_eq!(request.headers()["x-test"], "1");
        assert_eq!(format!("{:?}", request.body()), r#"Body(b"text")"#);
        *request.uri_mut() = "/d".parse().unwrap();
        *request.method_mut() = Method::POST;
        request.headers_mut().clear();
        assert_eq!((request.path(), request.query()), ("/d", None));
        let (head, body) = request.into_parts();
        assert_eq!(
            (head.method, head.uri),
            (Method::POST, "/d".parse().unwrap())
        );
        assert!(head.headers.is_empty());
        assert_eq!(format!("{body:?}"), r#"Body(b"text")"#);
    }

    #[test]
    fn it_has_what_is_usual_where_nothing_was_said() {
        let request = Request::default();
        assert_eq!((request.method(), request.path()), (&Method::GET, "/"));
        assert_eq!(request.uri(), "/");
        assert!(request.headers().is_empty());
    }
}
