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
use http::header::CONNECTION;
use http::request::Parts;
use http::{HeaderValue, Method, Request, Response, StatusCode};
use http_body::Body as _;
use hyper::body::Incoming;
use tokio::sync::oneshot;

use crate::accept::{Answer, accept};
use crate::body::{Fault, Watched, gather, is_short, limited};
use crate::event_loop::Ticket;
use crate::handshake;
use crate::hub::OpenError;
use crate::socket::Transport;
use crate::tally::EnterError;
use crate::{fields, preference, report, target};

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
    /// The connection is not to be used for another request.
    last: Cell<bool>,
}

impl hyper::service::Service<Request<Incoming>> for Http {
    type Response = Response<Body>;
    type Error = Infallible;
    type Future = Reply;

    fn call(&self, request: Request<Incoming>) -> Reply {
        let (mut parts, body) = request.into_parts();
        // Nothing of hyper's own goes to a guest.
        parts.extensions.clear();
        if let Some(refusal) = self.refuse(&parts) {
            // Where a request that is not as it should be ends may be unclear.
            self.ending.refused.set(true);
            return Reply::ready(last(refusal));
        }
        target::settle(&mut parts);
        // It was looked at just now.
        let authority = target::authority(&parts).unwrap_or_default();
        if parts.uri.path() == "*" {
            return Reply::ready(report::no_content());
        }
        let is_handshake = handshake::is_attempt(&parts);
        // What a client sends behind a handshake is no HTTP, so that it is the
        // last request even if it is refused.
        self.ending.last.set(is_handshake);
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
            _ if is_handshake => Reply::ready(last(report::not_found())),
            _ if websocket().is_some() => Reply::ready(handshake::upgrade_required(
                "Only WebSockets are served here.",
            )),
            _ => Reply::ready(report::not_found()),
        }
    }
}

impl Http {
    /// The answer to a request that is not delivered to anybody, if it is one.
    fn refuse(&self, parts: &Parts) -> Option<Response<Body>> {
        let (status, sentence) = if parts.method == Method::CONNECT {
            (StatusCode::METHOD_NOT_ALLOWED, "This is no proxy.")
        } else if let Err(sentence) = target::authority(parts) {
            (StatusCode::BAD_REQUEST, sentence)
        } else if let Err(sentence) = target::check(parts) {
            (StatusCode::BAD_REQUEST, sentence)
        } else if self.event_loop.hub.heads().target_bytes_max < target::len(parts) {
            (
                StatusCode::URI_TOO_LONG,
                "The request's target is too long.",
            )
        } else if !target::is_expected(parts) {
            (
                StatusCode::EXPECTATION_FAILED,
                "Only 100-continue can be expected.",
            )
        } else {
            return None;
        };
        Some(report::text(status, sentence))
    }

    fn deliver(&self, settings: Arc<Settings>, request: Request<Incoming>) -> Reply {
        let (parts, body) = request.into_parts();
        let (body, watched) = match limited(body, &settings.http) {
            Ok(limited) => limited,
            Err(error) => {
                self.ending.refused.set(true);
                settings.metrics.note_limit(LimitHit::Body);
                let sentence = error.to_string();
                let refusal = report::text(StatusCode::PAYLOAD_TOO_LARGE, &sentence);
                return Reply::ready(last(refusal));
            }
        };
        let plugins = &self.event_loop.plugins;
        let plugin = settings.id;
        let outcome = match &watched {
            Some(watched) if is_short(&body, &settings.http) => {
                let idle_timeout_ms = settings.http.body_idle_timeout_ms;
                let gathered = gather(body, watched.clone(), idle_timeout_ms);
                let plugins = Rc::clone(plugins);
                Box::pin(async move {
                    match gathered.await {
                        Some(body) => {
                            let event = Event::Http(Request::from_parts(parts, body));
                            plugins.deliver(plugin, event).await
                        }
                        // What is wrong with the body says what is answered.
                        None => Outcome::Done,
                    }
                })
            }
            _ => plugins.deliver(plugin, Event::Http(Request::from_parts(parts, body))),
        };
        Reply::Guest(Guest {
            outcome,
            settings,
            watched,
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
            return Reply::ready(last(handshake::forbidden()));
        }
        let offer = match handshake::check(&parts, !body.is_end_stream()) {
            Ok(offer) => offer,
            Err(malformed) => return Reply::ready(last(malformed.response())),
        };
        let event_loop = &self.event_loop;
        let opened = event_loop
            .hub
            .open(settings.clone(), event_loop.mailbox.clone());
        let registered = match opened {
            Ok(registered) => registered,
            Err(error) => return Reply::ready(last(refused(&settings, &error))),
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

/// The last response on its connection.
fn last(mut response: Response<Body>) -> Response<Body> {
    let close = HeaderValue::from_static("close");
    response.headers_mut().append(CONNECTION, close);
    response
}

/// The answer to a request whose body was not in order.
fn faulty(fault: Fault) -> Response<Body> {
    let (status, sentence) = match fault {
        Fault::TooLarge => (StatusCode::PAYLOAD_TOO_LARGE, "The body is too large."),
        Fault::Slow => (StatusCode::REQUEST_TIMEOUT, "The body came too slowly."),
        Fault::Broken => (StatusCode::BAD_REQUEST, "The body is malformed."),
    };
    last(report::text(status, sentence))
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
    watched: Option<Watched>,
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
                let response = guest.response(outcome);
                match guest.ending.last.get() {
                    true => last(response),
                    false => response,
                }
            }
            Self::Handshake(answer, ending) => match ready!(Pin::new(answer).poll(context)) {
                Ok(answer) if answer.upgrade.is_none() => last(answer.response),
                Ok(answer) => {
                    ending.upgrade.set(answer.upgrade);
                    answer.response
                }
                Err(_) => last(report::internal_error()),
            },
        }))
    }
}

impl Guest {
    fn response(&mut self, outcome: Outcome) -> Response<Body> {
        let watched = self.watched.take();
        if let Some(fault) = watched.as_ref().and_then(Watched::fault) {
            self.ending.refused.set(true);
            if fault == Fault::TooLarge {
                self.settings.metrics.note_limit(LimitHit::Body);
            }
            return faulty(fault);
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
        match watched {
            Some(watched) => response.map(|body| watched.guard(body)),
            None => response,
        }
    }
}
