//! What becomes of the answer to a request: who gives it, and how the connection
//! goes on.

use std::cell::Cell;
use std::convert::Infallible;
use std::future::Future;
use std::pin::Pin;
use std::rc::Rc;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Instant;

use holdfast_core::event::{Body, Failure};
use holdfast_core::metrics::LimitHit;
use holdfast_core::plugin::LocalFuture;
use holdfast_core::{Outcome, RequestId, Settings};
use http::header::CONNECTION;
use http::{HeaderValue, Response, StatusCode};
use tokio::sync::oneshot;

use crate::accept::Answer;
use crate::access::Visit;
use crate::addresses::Place;
use crate::body::{Fault, Watched};
use crate::encoding::Offer;
use crate::http2::Tunnel;
use crate::report::About;
use crate::socket::Transport;
use crate::{fields, report};

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
    /// The shut-down has started: the connection ends as soon as that disturbs nobody.
    pub(crate) draining: Cell<bool>,
    /// The connection is not to be used for another request.
    pub(super) last: Cell<bool>,
}

/// The last response on its connection.
pub(crate) fn last(mut response: Response<Body>) -> Response<Body> {
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

/// A response that is awaited. It does not say yet what its request is called.
pub(crate) struct Answered {
    pub(super) reply: Reply,
    pub(super) request_id: RequestId,
    /// For the access log.
    pub(super) visit: Visit,
}

impl Answered {
    /// What the request is called.
    pub(crate) fn request_id(&self) -> &RequestId {
        &self.request_id
    }

    /// When a guest answered it, if that was at once.
    pub(crate) fn moment(&self) -> Option<Instant> {
        match &self.reply {
            Reply::Guest(Guest {
                outcome: Awaited::Now(_, moment),
                ..
            }) => Some(*moment),
            _ => None,
        }
    }
}

impl Future for Answered {
    type Output = Result<Response<Body>, Infallible>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let this = &mut *self;
        let response = ready!(this.reply.poll(context, &this.request_id));
        if this.reply.is_websocket() {
            this.visit.lead();
        }
        Poll::Ready(Ok(this.visit.answer(response)))
    }
}

/// A response that is awaited. Not an async function, so that it needs no box
/// of its own.
pub(super) enum Reply {
    /// It is there. None once it has been taken.
    Ready(Option<Box<Response<Body>>>),
    /// A guest handles the request.
    Guest(Guest),
    /// A file is looked for.
    File(LocalFuture<Response<Body>>, Rc<Ending>),
    /// A guest decides about a handshake, in a task of its own.
    Handshake(oneshot::Receiver<Answer>, Way),
    /// A WebSocket has begun.
    Begun,
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
pub(super) struct Guest {
    pub(super) outcome: Awaited,
    pub(super) settings: Arc<Settings>,
    pub(super) watched: Option<Watched>,
    /// If the plugin's responses may be encoded.
    pub(super) offer: Option<Offer>,
    pub(super) ending: Rc<Ending>,
}

/// What has come of it, or will.
pub(super) enum Awaited {
    /// Since this moment. None once it has been taken.
    Now(Option<Outcome>, Instant),
    Soon(LocalFuture<Outcome>),
}

impl Awaited {
    fn poll(&mut self, context: &mut Context<'_>) -> Poll<Outcome> {
        match self {
            Self::Now(outcome, _) => outcome.take().map_or(Poll::Pending, Poll::Ready),
            Self::Soon(outcome) => outcome.as_mut().poll(context),
        }
    }
}

impl Reply {
    /// Whether the response that was taken is the beginning of a WebSocket.
    fn is_websocket(&self) -> bool {
        matches!(self, Self::Begun)
    }

    pub(super) fn ready(response: Response<Body>) -> Self {
        Self::Ready(Some(Box::new(response)))
    }
}

impl Reply {
    /// Waits for it, in the name of this request.
    fn poll(&mut self, context: &mut Context<'_>, request_id: &RequestId) -> Poll<Response<Body>> {
        Poll::Ready(match self {
            Self::Ready(response) => match response.take() {
                Some(response) => *response,
                None => return Poll::Pending,
            },
            Self::Guest(guest) => {
                let outcome = ready!(guest.outcome.poll(context));
                let response = guest.response(outcome, request_id);
                match guest.ending.last.get() {
                    true => last(response),
                    false => response,
                }
            }
            Self::File(answer, ending) => {
                let response = ready!(answer.as_mut().poll(context));
                match ending.last.get() {
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
                    *self = Self::Begun;
                    answer.response
                }
                Err(_) => way.refused(report::internal_error()),
            },
            Self::Begun => return Poll::Pending,
        })
    }
}

impl Guest {
    fn response(&mut self, outcome: Outcome, request_id: &RequestId) -> Response<Body> {
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
                *response
            }
            Outcome::Failed(failure) => {
                let about = About::request(request_id);
                report::failure(&self.settings, about, &failure);
                return report::response(&failure);
            }
            _ => {
                let about = About::request(request_id);
                let failure = Failure::Handler("its answer is no final response".into());
                report::failure(&self.settings, about, &failure);
                return report::internal_error();
            }
        };
        fields::strip(response.headers_mut());
        if let Some(offer) = self.offer.take() {
            response = offer.apply(response);
        }
        match watched {
            Some(watched) => response.map(|body| watched.guard(body)),
            None => response,
        }
    }
}
