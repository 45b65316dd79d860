//! HTTP requests: to which plugin, in what form, and what becomes of the answer.
//!
//! During a reload the routes are for a moment those of the generation before:
//! the runtime has the new one first, and takes one of the two for each event.
//! A handler that both have is found in either. For one that the new generation
//! no longer has, the runtime says `NoHandler`, and that is the 404 which the new
//! routes give; one that it has in addition is there with the new routes.

use std::cell::Cell;
use std::convert::Infallible;
use std::future::Future;
use std::net::SocketAddr;
use std::pin::Pin;
use std::rc::Rc;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use holdfast_core::event::{Body, Handshake};
use holdfast_core::manifest::Kind;
use holdfast_core::metrics::LimitHit;
use holdfast_core::plugin::LocalFuture;
use holdfast_core::{Event, Outcome, Settings};
use http::header::{CONNECTION, HOST};
use http::request::Parts;
use http::{HeaderValue, Method, Request, Response, StatusCode, Version};
use http_body::Body as _;
use hyper::body::Incoming;
use tokio::sync::oneshot;

use crate::accept::{Answer, accept};
use crate::body::{Overflow, limited};
use crate::event_loop::Ticket;
use crate::handshake;
use crate::hub::OpenError;
use crate::socket::Transport;
use crate::tally::EnterError;
use crate::{fields, preference, report};

/// Answers the requests of one connection.
pub(crate) struct Http {
    pub(crate) event_loop: Ticket,
    pub(crate) remote: SocketAddr,
    pub(crate) ending: Rc<Ending>,
}

/// How the HTTP of a connection is to end.
#[derive(Default)]
pub(crate) struct Ending {
    /// Where the transport goes after a 101.
    pub(crate) upgrade: Cell<Option<oneshot::Sender<Transport>>>,
    /// A request was refused while the client was still sending it.
    pub(crate) refused: Cell<bool>,
}

impl hyper::service::Service<Request<Incoming>> for Http {
    type Response = Response<Body>;
    type Error = Infallible;
    type Future = Reply;

    fn call(&self, request: Request<Incoming>) -> Reply {
        let (mut parts, body) = request.into_parts();
        // Nothing of hyper's own goes to a guest.
        parts.extensions.clear();
        let authority = match authority(&parts) {
            Ok(authority) => authority,
            Err(sentence) => return Reply::ready(report::text(StatusCode::BAD_REQUEST, sentence)),
        };
        if parts.method == Method::CONNECT {
            return Reply::ready(report::text(
                StatusCode::METHOD_NOT_ALLOWED,
                "This is no proxy.",
            ));
        }
        let is_handshake = handshake::is_attempt(&parts);
        if let Some(page) = self.event_loop.hub.fault_page().as_deref()
            && !is_handshake
            && matches!(parts.method, Method::GET | Method::HEAD)
            && preference::is_for_html(&parts.headers)
        {
            return Reply::ready(report::fault_page(page.clone()));
        }
        let site = self.event_loop.hub.site();
        let path = parts.uri.path();
        let websocket = || {
            site.find(authority, path, Kind::Websocket)
                .filter(|settings| settings.handlers.websocket)
        };
        if is_handshake && let Some(settings) = websocket() {
            let authority = authority.to_owned();
            return self.upgrade(settings.clone(), authority, parts, body);
        }
        match site.find(authority, path, Kind::Http) {
            Some(settings) if settings.handlers.http => {
                self.deliver(settings.clone(), Request::from_parts(parts, body))
            }
            _ if websocket().is_some() => Reply::ready(handshake::upgrade_required(
                "Only WebSockets are served here.",
            )),
            _ => Reply::ready(report::not_found()),
        }
    }
}

impl Http {
    fn deliver(&self, settings: Arc<Settings>, request: Request<Incoming>) -> Reply {
        let (parts, body) = request.into_parts();
        let (body, overflow) = match limited(body, settings.http.body_bytes_max) {
            Ok(limited) => limited,
            Err(error) => {
                self.ending.refused.set(true);
                settings.metrics.note_limit(LimitHit::Body);
                return Reply::ready(too_large(&error.to_string()));
            }
        };
        let event = Event::Http(Request::from_parts(parts, body));
        Reply::Guest(Guest {
            outcome: self.event_loop.plugins.deliver(settings.id, event),
            settings,
            overflow,
            ending: self.ending.clone(),
        })
    }

    fn upgrade(
        &self,
        settings: Arc<Settings>,
        authority: String,
        parts: Parts,
        body: Incoming,
    ) -> Reply {
        if !handshake::is_from_allowed_page(&parts.headers, &authority, &settings) {
            tracing::debug!(
                plugin = &*settings.name,
                tenant = &*settings.tenant_name,
                "a handshake from a page of another origin is refused"
            );
            return Reply::ready(handshake::forbidden());
        }
        let offer = match handshake::check(&parts, !body.is_end_stream()) {
            Ok(offer) => offer,
            Err(malformed) => return Reply::ready(malformed.response()),
        };
        let event_loop = &self.event_loop;
        let opened = event_loop
            .hub
            .open(settings.clone(), event_loop.mailbox.clone());
        let registered = match opened {
            Ok(registered) => registered,
            Err(error) => return Reply::ready(refused(&settings, &error)),
        };
        let path_with_query = parts.uri.path_and_query();
        let handshake = Handshake {
            id: registered.connection.key.id,
            generation: registered.connection.settings().generation,
            scheme: "http",
            authority,
            path_with_query: path_with_query.map_or("/", |path| path.as_str()).to_owned(),
            headers: parts.headers,
            subprotocols: offer.subprotocols.clone(),
            remote_address: self.remote.to_string(),
        };
        let (sender, answer) = oneshot::channel();
        tokio::task::spawn_local(accept(
            event_loop.another(),
            registered,
            offer,
            handshake,
            sender,
        ));
        Reply::Handshake(answer, self.ending.clone())
    }
}

/// The answer to a handshake for which there is no room.
fn refused(settings: &Settings, error: &OpenError) -> Response<Body> {
    let (plugin, tenant) = (&*settings.name, &*settings.tenant_name);
    match error {
        OpenError::Plugin(EnterError::Removed) => report::not_found(),
        OpenError::Plugin(EnterError::TooFast {
            is_first: false, ..
        }) => report::unavailable(),
        OpenError::Plugin(_) => {
            settings.metrics.note_limit(LimitHit::Connections);
            tracing::warn!(plugin, tenant, "a handshake is refused: {error}");
            report::unavailable()
        }
        OpenError::Entropy(_) => {
            tracing::error!(plugin, tenant, "a handshake is refused: {error}");
            report::internal_error()
        }
    }
}

/// The host name of a request, and perhaps a port (RFC 9112, section 3.2).
fn authority(parts: &Parts) -> Result<&str, &'static str> {
    let mut hosts = parts.headers.get_all(HOST).iter();
    let host = match (hosts.next(), hosts.next()) {
        (Some(host), None) => Some(host.to_str().map_err(|_| "The Host field is malformed.")?),
        (Some(_), Some(_)) => return Err("There is more than one Host field."),
        (None, _) => None,
    };
    match (parts.uri.authority(), host) {
        (Some(authority), _) => Ok(authority.as_str()),
        (None, Some(host)) => Ok(host),
        (None, None) if parts.version == Version::HTTP_11 => Err("There is no Host field."),
        (None, None) => Ok(""),
    }
}

/// 413. The connection can't be used again, since nobody reads the body.
fn too_large(sentence: &str) -> Response<Body> {
    let mut response = report::text(StatusCode::PAYLOAD_TOO_LARGE, sentence);
    let close = HeaderValue::from_static("close");
    response.headers_mut().insert(CONNECTION, close);
    response
}

/// A response that is awaited. Not an async function, so that it needs no box
/// of its own.
pub(crate) enum Reply {
    /// It is there. None once it has been taken.
    Ready(Option<Box<Response<Body>>>),
    /// A guest handles the request.
    Guest(Guest),
    /// A guest decides about a handshake, in a task of its own.
    Handshake(oneshot::Receiver<Answer>, Rc<Ending>),
}

/// A guest at work on a request. Dropping it abandons the event: that is what
/// happens when the client hangs up.
pub(crate) struct Guest {
    outcome: LocalFuture<Outcome>,
    settings: Arc<Settings>,
    overflow: Option<Overflow>,
    ending: Rc<Ending>,
}

impl Reply {
    fn ready(response: Response<Body>) -> Self {
        Self::Ready(Some(Box::new(response)))
    }
}

impl Future for Reply {
    type Output = Result<Response<Body>, Infallible>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        Poll::Ready(Ok(match &mut *self {
            Self::Ready(response) => match response.take() {
                Some(response) => *response,
                None => return Poll::Pending,
            },
            Self::Guest(guest) => {
                let outcome = ready!(guest.outcome.as_mut().poll(context));
                guest.response(outcome)
            }
            Self::Handshake(answer, ending) => match ready!(Pin::new(answer).poll(context)) {
                Ok(answer) => {
                    ending.upgrade.set(answer.upgrade);
                    answer.response
                }
                Err(_) => report::internal_error(),
            },
        }))
    }
}

impl Guest {
    fn response(&mut self, outcome: Outcome) -> Response<Body> {
        let overflow = self.overflow.take();
        if overflow.as_ref().is_some_and(Overflow::is_set) {
            self.ending.refused.set(true);
            self.settings.metrics.note_limit(LimitHit::Body);
            return too_large("The body is too large.");
        }
        let mut response = match outcome {
            Outcome::Response(response) if !response.status().is_informational() => {
                self.settings.metrics.note_response(response.status());
                response
            }
            Outcome::Failed(failure) => {
                report::failure(&self.settings, &failure);
                return report::response(&failure);
            }
            _ => {
                tracing::error!(
                    plugin = &*self.settings.name,
                    tenant = &*self.settings.tenant_name,
                    "the guest's answer is no final response"
                );
                return report::internal_error();
            }
        };
        fields::strip(response.headers_mut());
        match overflow {
            Some(overflow) => response.map(|body| overflow.guard(body)),
            None => response,
        }
    }
}
