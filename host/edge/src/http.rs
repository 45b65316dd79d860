//! HTTP requests: to which plugin or file, in what form, and what becomes of the answer.
//!
//! During a reload the routes are for a moment those of the generation before:
//! the runtime has the new one first, and takes one of the two for each event.
//! A handler that both have is found in either. For one that the new generation
//! no longer has, the runtime says `NoHandler`, and that is the 404 which the new
//! routes give; one that it has in addition is there with the new routes.

mod reply;

use std::rc::Rc;
use std::sync::Arc;

use holdfast_core::event::{Body, Failure, Handshake, Request};
use holdfast_core::manifest::{Files, Kind};
use holdfast_core::metrics::LimitHit;
use holdfast_core::plugin::LocalFuture;
use holdfast_core::{Event, Outcome, RequestId, Settings};
use http::request::Parts;
use http::{Method, Response, StatusCode};
use http_body::Body as _;
use tokio::sync::oneshot;

use crate::accept::accept;
use crate::access::Visit;
use crate::body::open::{Begun, begin, placed};
use crate::body::{Coming, Watched, gather, is_short, limited};
use crate::encoding::Offer;
use crate::event_loop::Ticket;
use crate::handshake;
use crate::http2::Tunnel;
use crate::hub::OpenError;
use crate::origin::{self, Client, Origin};
use crate::tally::EnterError;
pub(crate) use reply::last;
pub(crate) use reply::{Answered, Ending};
use reply::{Awaited, Guest, Reply, Way};

use crate::route::Destination;
use crate::{files, preference, report, target};

/// Answers the requests of one connection.
pub(crate) struct Http {
    pub(crate) event_loop: Ticket,
    pub(crate) origin: Rc<Origin>,
    pub(crate) ending: Rc<Ending>,
}

impl Http {
    /// Answers a request. With a tunnel it is a WebSocket's handshake over HTTP/2.
    pub(crate) fn answer(
        &self,
        mut parts: Box<Parts>,
        body: Coming,
        tunnel: Option<Tunnel>,
    ) -> Answered {
        let client = self.origin.mark(&mut parts);
        let request_id = self.event_loop.ids.of(&parts.headers);
        let mut visit = Visit::begin(
            self.event_loop.hub.access_log(),
            &parts,
            client,
            &request_id,
        );
        Answered {
            reply: self.reply(parts, body, &request_id, client, tunnel, &mut visit),
            request_id,
            visit,
        }
    }

    /// Answers a request with what is there already.
    pub(crate) fn refuse(&self, mut parts: Box<Parts>, response: Response<Body>) -> Answered {
        let client = self.origin.mark(&mut parts);
        let request_id = self.event_loop.ids.of(&parts.headers);
        let access_log = self.event_loop.hub.access_log();
        Answered {
            reply: Reply::ready(response),
            visit: Visit::begin(access_log, &parts, client, &request_id),
            request_id,
        }
    }

    fn reply(
        &self,
        mut parts: Box<Parts>,
        body: Coming,
        request_id: &RequestId,
        client: Client,
        tunnel: Option<Tunnel>,
        visit: &mut Visit,
    ) -> Reply {
        if parts.uri.authority().is_some() && target::authority(&parts).is_ok() {
            target::settle(&mut parts);
        }
        let authority = match self.check(&parts, tunnel.is_some()) {
            Ok(authority) => authority,
            Err((status, sentence)) => {
                // Where a request that is not as it should be ends may be unclear.
                self.ending.refused.set(true);
                return Reply::ready(last(report::text(status, sentence)));
            }
        };
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
        let front = self.event_loop.front();
        if let Some(page) = &front.fault_page
            && !is_handshake
            && matches!(parts.method, Method::GET | Method::HEAD)
            && preference::is_for_html(&parts.headers)
        {
            return Reply::ready(report::fault_page(page.clone()));
        }
        let site = &front.site;
        let path = parts.uri.path();
        let websocket = || match site.find(authority, path, Kind::Websocket) {
            Some(Destination::Plugin(settings)) => {
                Some(settings).filter(|settings| settings.handlers.websocket)
            }
            _ => None,
        };
        if is_handshake && let Some(settings) = websocket() {
            let asked = Asked {
                authority: authority.to_owned(),
                client,
                tunnel,
            };
            request_id.put(&mut parts.headers);
            visit.reach(settings);
            return self.upgrade(settings.clone(), asked, parts, body, visit);
        }
        if tunnel.is_some() {
            return Reply::ready(report::not_found());
        }
        match site.find(authority, path, Kind::Http) {
            Some(Destination::Plugin(settings)) if settings.handlers.http => {
                visit.reach(settings);
                self.deliver(settings.clone(), request_id, parts, body)
            }
            Some(Destination::Files(files)) => self.file(files.clone(), parts, &body),
            _ if is_handshake => Reply::ready(last(report::not_found())),
            _ if websocket().is_some() => Reply::ready(handshake::upgrade_required(
                "Only WebSockets are served here.",
            )),
            _ => Reply::ready(report::not_found()),
        }
    }

    /// The host that is asked for, or what is answered to a request that is not
    /// delivered to anybody.
    fn check<'a>(
        &self,
        parts: &'a Parts,
        is_tunnel: bool,
    ) -> Result<&'a str, (StatusCode, &'static str)> {
        if parts.method == Method::CONNECT && !is_tunnel {
            return Err((StatusCode::METHOD_NOT_ALLOWED, "This is no proxy."));
        }
        let malformed = |sentence| (StatusCode::BAD_REQUEST, sentence);
        let authority = target::authority(parts).map_err(malformed)?;
        target::check(parts).map_err(malformed)?;
        if self.event_loop.hub.heads().target_bytes_max < target::len(parts) {
            let sentence = "The request's target is too long.";
            return Err((StatusCode::URI_TOO_LONG, sentence));
        }
        if !target::is_expected(parts) {
            let sentence = "Only 100-continue can be expected.";
            return Err((StatusCode::EXPECTATION_FAILED, sentence));
        }
        Ok(authority)
    }

    /// Sends a file. The body of the request, if there is one, is not read.
    fn file(&self, files: Arc<Files>, parts: Box<Parts>, body: &Coming) -> Reply {
        self.ending.patience_ms.set(files.response_idle_timeout_ms);
        if let Some(refusal) = files::refusal(&parts.method) {
            if body.is_end_stream() {
                return Reply::ready(refusal);
            }
            self.ending.refused.set(true);
            return Reply::ready(last(refusal));
        }
        let hub = &self.event_loop.hub;
        let offer = files.encode.as_ref();
        let offer = offer.map(|encode| Offer::new(encode, hub.encoders(), &parts));
        let answer = files::answer(Arc::clone(hub.shelf()), files, parts);
        let answer = async move {
            let response = answer.await;
            match offer {
                Some(offer) => offer.apply(response),
                None => response,
            }
        };
        Reply::File(Box::pin(answer), self.ending.clone())
    }

    fn deliver(
        &self,
        settings: Arc<Settings>,
        request_id: &RequestId,
        head: Box<Parts>,
        body: Coming,
    ) -> Reply {
        let id = request_id.clone();
        // Of one connection there may be many at once, each in its own turn.
        let has_others = matches!(body, Coming::Http2(_));
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
        let offer = settings.http.encode.as_ref();
        let encoders = self.event_loop.hub.encoders();
        let offer = offer.map(|encode| Offer::new(encode, encoders, &head));
        let plugins = &self.event_loop.plugins;
        let plugin = settings.id;
        let outcome = match &watched {
            Some(watched) if is_short(&body, &settings.http) => {
                let idle_timeout_ms = settings.http.body_idle_timeout_ms;
                let gathered = gather(body, watched.clone(), idle_timeout_ms);
                let plugins = Rc::clone(plugins);
                Awaited::Soon(Box::pin(async move {
                    match gathered.await {
                        Some(body) => {
                            let event = Event::Http(Request { id, head, body });
                            plugins.deliver(plugin, event).await
                        }
                        // What is wrong with the body says what is answered.
                        None => Outcome::Done,
                    }
                }))
            }
            Some(watched) if settings.handlers.http_alone => {
                Awaited::Soon(self.open(settings.clone(), id, head, body, watched.clone()))
            }
            _ if has_others => {
                let event = Event::Http(Request { id, head, body });
                Awaited::Soon(plugins.deliver(plugin, event))
            }
            _ => match plugins.request(plugin, Request { id, head, body }) {
                Ok(outcome) => Awaited::Now(Some(outcome), plugins.last_turn()),
                Err(outcome) => Awaited::Soon(outcome),
            },
        };
        Reply::Guest(Guest {
            outcome,
            settings,
            watched,
            offer,
            ending: self.ending.clone(),
        })
    }

    /// Delivers a request that is going to have an instance for itself while its
    /// body comes.
    fn open(
        &self,
        settings: Arc<Settings>,
        id: RequestId,
        head: Box<Parts>,
        body: Body,
        watched: Watched,
    ) -> LocalFuture<Outcome> {
        let plugins = Rc::clone(&self.event_loop.plugins);
        let places = self.event_loop.hub.open_bodies().of(&settings);
        if let Ok(place) = Arc::clone(&places).try_acquire_owned() {
            let body = placed(body, place);
            return plugins.deliver(settings.id, Event::Http(Request { id, head, body }));
        }
        Box::pin(async move {
            match begin(body, watched, &settings.http, places).await {
                Begun::Body(body) => {
                    let event = Event::Http(Request { id, head, body });
                    plugins.deliver(settings.id, event).await
                }
                // What is wrong with the body says what is answered.
                Begun::Faulty => Outcome::Done,
                Begun::NoPlace => Outcome::Failed(Failure::Overloaded(
                    "too many requests have an instance whose bodies still come".into(),
                )),
            }
        })
    }

    fn upgrade(
        &self,
        settings: Arc<Settings>,
        asked: Asked,
        parts: Box<Parts>,
        body: Coming,
        visit: &Visit,
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
            visit.session(),
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
