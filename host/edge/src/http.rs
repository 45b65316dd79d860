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
use std::pin::Pin;
use std::rc::Rc;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use holdfast_core::event::{Body, Failure, Handshake};
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
use crate::addresses::Place;
use crate::body::{Fault, Watched, gather, is_short, limited};
use crate::event_loop::Ticket;
use crate::handshake;
use crate::http2::Tunnel;
use crate::hub::OpenError;
use crate::origin::{self, Client, Origin};
use crate::report::About;
use crate::socket::Transport;
use crate::tally::EnterError;
use crate::{fields, preference, report, request_id, target};

/// Answers the requests of one connection.
pub(crate) struct Http {
    pub(crate) event_loop: Ticket,
    pub(crate) origin: Rc<Origin>,
    pub(crate) ending: Rc<Ending>,
}

/// How the HTTP of a connection is to end.
#[derive(Default)]
pub(crate) struct Ending {
    /// Where the transport goes after a 101.
    pub(crate) upgrade: Cell<Option<oneshot::Sender<Transport>>>,
    /// What counts the WebSocket for the client of a proxy.
    pub(crate) place: Cell<Option<Box<Place>>>,
    /// A request was refused while the client was still sending it.
    pub(crate) refused: Cell<bool>,
    /// How long the client may take nothing of what is there for it; 0 for as
    /// long as it likes.
    pub(crate) patience_ms: Cell<u64>,
    /// The connection is not to be used for another request.
    last: Cell<bool>,
}

impl hyper::service::Service<Request<Incoming>> for Http {
    type Response = Response<Body>;
    type Error = Infallible;
    type Future = Answered;

    fn call(&self, request: Request<Incoming>) -> Answered {
        self.answer(request, None)
    }
}

impl Http {
    /// Answers a request. With a tunnel it is a WebSocket's handshake over HTTP/2.
    pub(crate) fn answer(&self, request: Request<Incoming>, tunnel: Option<Tunnel>) -> Answered {
        let (mut parts, body) = request.into_parts();
        // Nothing of hyper's own goes to a guest.
        parts.extensions.clear();
        let client = self.origin.mark(&mut parts);
        let request_id = self.event_loop.ids.settle(&mut parts.headers);
        Answered {
            reply: self.reply(parts, body, &request_id, client, tunnel),
            request_id,
        }
    }

    /// Answers a request with what is there already.
    pub(crate) fn refuse(&self, request: Request<Incoming>, response: Response<Body>) -> Answered {
        let (mut parts, _) = request.into_parts();
        Answered {
            reply: Reply::ready(response),
            request_id: self.event_loop.ids.settle(&mut parts.headers),
        }
    }

    fn reply(
        &self,
        mut parts: Parts,
        body: Incoming,
        request_id: &HeaderValue,
        client: Client,
        tunnel: Option<Tunnel>,
    ) -> Reply {
        if let Some(refusal) = self.refusal(&parts, tunnel.is_some()) {
            // Where a request that is not as it should be ends may be unclear.
            self.ending.refused.set(true);
            return Reply::ready(last(refusal));
        }
        target::settle(&mut parts);
        // It was looked at just now.
        let authority = target::authority(&parts).unwrap_or_default();
        if let Some(port) = self.origin.redirect_port {
            return Reply::ready(origin::redirect(authority, &parts.uri, port));
        }
        if parts.uri.path() == "*" {
            return Reply::ready(report::no_content());
        }
        let is_handshake = tunnel.is_some() || handshake::is_attempt(&parts);
        // What a client sends behind a handshake is no HTTP, so that it is the
        // last request even if it is refused. Over HTTP/2 it is a stream of its
        // own.
        self.ending.last.set(is_handshake && tunnel.is_none());
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
            let asked = Asked {
                authority: authority.to_owned(),
                client,
                tunnel,
            };
            return self.upgrade(settings.clone(), asked, parts, body);
        }
        if tunnel.is_some() {
            return Reply::ready(report::not_found());
        }
        match site.find(authority, path, Kind::Http) {
            Some(settings) if settings.handlers.http => {
                let request = Request::from_parts(parts, body);
                self.deliver(settings.clone(), request, request_id)
            }
            _ if is_handshake => Reply::ready(last(report::not_found())),
            _ if websocket().is_some() => Reply::ready(handshake::upgrade_required(
                "Only WebSockets are served here.",
            )),
            _ => Reply::ready(report::not_found()),
        }
    }

    /// The answer to a request that is not delivered to anybody, if it is one.
    fn refusal(&self, parts: &Parts, is_tunnel: bool) -> Option<Response<Body>> {
        let (status, sentence) = if parts.method == Method::CONNECT && !is_tunnel {
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

    fn deliver(
        &self,
        settings: Arc<Settings>,
        request: Request<Incoming>,
        request_id: &HeaderValue,
    ) -> Reply {
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
        let patience_ms = settings.http.response_idle_timeout_ms;
        self.ending.patience_ms.set(patience_ms);
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
            request_id: request_id.clone(),
            settings,
            watched,
            ending: self.ending.clone(),
        })
    }

    fn upgrade(
        &self,
        settings: Arc<Settings>,
        asked: Asked,
        parts: Parts,
        body: Incoming,
    ) -> Reply {
        let Asked {
            authority,
            client,
            tunnel,
        } = asked;
        let is_tunnel = tunnel.is_some();
        let refused_for_good = |response| match is_tunnel {
            true => Reply::ready(response),
            false => Reply::ready(last(response)),
        };
        if !handshake::is_from_allowed_page(&parts.headers, &authority, &settings) {
            tracing::debug!(
                plugin = &*settings.name,
                tenant = &*settings.tenant_name,
                "a handshake from a page of another origin is refused"
            );
            return refused_for_good(handshake::forbidden());
        }
        let checked = match &tunnel {
            Some(_) => handshake::check_tunnel(&parts),
            None => handshake::check(&parts, !body.is_end_stream()),
        };
        let offer = match checked {
            Ok(offer) => offer,
            Err(malformed) => return refused_for_good(malformed.response()),
        };
        let Ok(place) = self.origin.enter(&client) else {
            let (plugin, tenant) = (&*settings.name, &*settings.tenant_name);
            tracing::debug!(
                plugin,
                tenant,
                "a handshake is refused: its client has too many"
            );
            return refused_for_good(report::unavailable());
        };
        let event_loop = &self.event_loop;
        let opened = event_loop
            .hub
            .open(settings.clone(), event_loop.mailbox.clone());
        let registered = match opened {
            Ok(registered) => registered,
            Err(error) => return refused_for_good(refused(&settings, &error)),
        };
        let path_with_query = parts.uri.path_and_query();
        let handshake = Handshake {
            id: registered.connection.key.id,
            generation: registered.connection.settings().generation,
            scheme: client.scheme(),
            authority,
            path_with_query: path_with_query.map_or("/", |path| path.as_str()).to_owned(),
            headers: parts.headers,
            subprotocols: offer.subprotocols.clone(),
            remote_address: client.remote_text(),
        };
        let (sender, answer) = oneshot::channel();
        tokio::task::spawn_local(accept(
            event_loop.another(),
            registered,
            offer,
            handshake,
            sender,
        ));
        let way = match tunnel {
            Some(tunnel) => Way::Http2(Some(tunnel.of(place))),
            None => {
                self.ending.place.set(place);
                Way::Http1(self.ending.clone())
            }
        };
        Reply::Handshake(answer, way)
    }
}

/// What is asked for by a handshake.
struct Asked {
    authority: String,
    client: Client,
    /// If it is a stream of HTTP/2.
    tunnel: Option<Tunnel>,
}

/// The answer to a handshake for which there is no room.
fn refused(settings: &Settings, error: &OpenError) -> Response<Body> {
    let (plugin, tenant) = (&*settings.name, &*settings.tenant_name);
    match error {
        OpenError::Plugin(EnterError::Removed) => report::not_found(),
        OpenError::Plugin(EnterError::Draining) => report::unavailable(),
        OpenError::Plugin(full) => {
            settings.metrics.note_limit(match full {
                EnterError::TooFast { .. } => LimitHit::Handshakes,
                EnterError::TenantFull(_) => LimitHit::TenantConnections,
                _ => LimitHit::Connections,
            });
            let is_known = matches!(full, EnterError::TooFast { is_first, .. } if !is_first);
            if !is_known {
                tracing::warn!(plugin, tenant, "a handshake is refused: {error}");
            }
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

/// A response that is awaited, and what its request is called.
pub(crate) struct Answered {
    reply: Reply,
    request_id: HeaderValue,
}

impl Future for Answered {
    type Output = Result<Response<Body>, Infallible>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let mut response = ready!(Pin::new(&mut self.reply).poll(context));
        let headers = response.headers_mut();
        headers.insert(request_id::NAME, self.request_id.clone());
        Poll::Ready(Ok(response))
    }
}

/// A response that is awaited. Not an async function, so that it needs no box
/// of its own.
enum Reply {
    /// It is there. None once it has been taken.
    Ready(Option<Box<Response<Body>>>),
    /// A guest handles the request.
    Guest(Guest),
    /// A guest decides about a handshake, in a task of its own.
    Handshake(oneshot::Receiver<Answer>, Way),
}

/// How a connection becomes a WebSocket.
pub(crate) enum Way {
    /// All of it, after the 101.
    Http1(Rc<Ending>),
    /// One of its streams. None once it has been taken.
    Http2(Option<Tunnel>),
}

impl Way {
    /// A response which is not the beginning of a WebSocket.
    fn refused(&self, response: Response<Body>) -> Response<Body> {
        match self {
            Self::Http1(_) => last(response),
            Self::Http2(_) => response,
        }
    }

    fn lead(&mut self, receiver: Option<oneshot::Sender<Transport>>) {
        match self {
            Self::Http1(ending) => {
                if receiver.is_none() {
                    // The connection goes on, for other clients of its proxy.
                    ending.place.set(None);
                }
                ending.upgrade.set(receiver);
            }
            Self::Http2(tunnel) => {
                if let (Some(tunnel), Some(receiver)) = (tunnel.take(), receiver) {
                    tunnel.hand_over(receiver);
                }
            }
        }
    }
}

/// A guest at work on a request. Dropping it abandons the event: that is what
/// happens when the client hangs up.
struct Guest {
    outcome: LocalFuture<Outcome>,
    request_id: HeaderValue,
    settings: Arc<Settings>,
    watched: Option<Watched>,
    ending: Rc<Ending>,
}

impl Reply {
    pub(crate) fn ready(response: Response<Body>) -> Self {
        Self::Ready(Some(Box::new(response)))
    }
}

impl Future for Reply {
    type Output = Response<Body>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        Poll::Ready(match &mut *self {
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
            Self::Handshake(answer, way) => match ready!(Pin::new(answer).poll(context)) {
                Ok(answer) if answer.upgrade.is_none() => {
                    way.lead(None);
                    way.refused(answer.response)
                }
                Ok(answer) => {
                    way.lead(answer.upgrade);
                    answer.response
                }
                Err(_) => way.refused(report::internal_error()),
            },
        })
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
                let about = About::request(&self.request_id);
                report::failure(&self.settings, about, &failure);
                return report::response(&failure);
            }
            _ => {
                let about = About::request(&self.request_id);
                let failure = Failure::Handler("its answer is no final response".into());
                report::failure(&self.settings, about, &failure);
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
