//! Asks a guest about a handshake, and opens the WebSocket.
//!
//! This runs in a task of its own, so that a client which hangs up half-way
//! does not end the event in the guest. Once the guest has accepted, `open` and
//! `close` are delivered, even if the client never sees the 101.

use bytes::Bytes;
use holdfast_core::edge::SubscribeError;
use holdfast_core::event::{Acceptance, Body, Failure, Handshake, Rejection};
use holdfast_core::request_id::FIELD;
use holdfast_core::{Event, Outcome, Settings};
use http::header::SEC_WEBSOCKET_EXTENSIONS;
use http::{HeaderMap, HeaderValue, Response, StatusCode};
use tokio::sync::oneshot;

use crate::access::Session;
use crate::connection::Connection;
use crate::event_loop::Ticket;
use crate::handshake::{Offer, is_own_field};
use crate::registered::Registered;
use crate::report::About;
use crate::socket::{self, Socket, Transport};
use crate::{deflate, fields, report};

/// What HTTP sends to the client.
pub(crate) struct Answer {
    pub(crate) response: Response<Body>,
    /// If the guest has accepted: where the transport goes.
    pub(crate) upgrade: Option<oneshot::Sender<Transport>>,
}

/// Why an acceptance can't be used. The guest has a bug.
#[derive(Debug, thiserror::Error)]
enum AcceptanceError {
    #[error("the guest chose the subprotocol {0:?}, which was not offered")]
    Subprotocol(String),
    #[error("the guest gave an attachment of {0} bytes, but {1} are allowed")]
    Attachment(usize, usize),
    #[error("the guest gave a topic: {0}")]
    Topic(#[from] SubscribeError),
}

/// Runs a handshake to its end.
pub(crate) async fn accept(
    event_loop: Ticket,
    mut registered: Registered,
    offer: Offer,
    handshake: Handshake,
    session: Option<Box<Session>>,
    answer: oneshot::Sender<Answer>,
) {
    let settings = registered.connection.settings().clone();
    let request_id = handshake.headers.get(FIELD).cloned();
    let about = About {
        connection: Some(handshake.id),
        request_id: request_id.as_ref().and_then(|id| id.to_str().ok()),
    };
    let event = Event::Accept(Box::new(handshake));
    let accepted = match event_loop.plugins.deliver(settings.id, event).await {
        Outcome::Accepted(acceptance) => {
            use_acceptance(&event_loop, &registered, offer, *acceptance)
                .map_err(|error| refuse(&settings, about, &error.to_string()))
        }
        Outcome::Rejected(rejection) => Err(rejected(&settings, *rejection)),
        Outcome::Failed(failure) => {
            report::failure(&settings, about, &failure);
            Err(report::response(&failure))
        }
        Outcome::Response(_) | Outcome::Done => {
            Err(refuse(&settings, about, "no answer to a handshake"))
        }
    };
    let response = match accepted {
        Ok(response) => response,
        Err(response) => {
            registered.end();
            let _ = answer.send(Answer {
                response,
                upgrade: None,
            });
            return;
        }
    };
    let (sender, transport) = oneshot::channel();
    // If the client is gone, then the sender is, and no transport comes.
    let sent = answer.send(Answer {
        response,
        upgrade: Some(sender),
    });
    // Otherwise it is logged as a request whose client is gone.
    registered
        .connection
        .follow(session.filter(|_| sent.is_ok()));
    match transport.await {
        Ok(transport) => {
            let socket = Socket::new(event_loop, registered, transport);
            tokio::task::spawn_local(socket.run());
        }
        Err(_) => stillborn(&event_loop, registered).await,
    }
}

/// The client was gone before it could see the 101.
async fn stillborn(event_loop: &Ticket, mut registered: Registered) {
    let settings = registered.connection.settings().clone();
    registered.connection.lose();
    let open = Event::Open(registered.connection.event_state());
    if let Outcome::Failed(failure) = event_loop.plugins.deliver(settings.id, open).await {
        let about = About::connection(registered.connection.key.id);
        report::failure(&settings, about, &failure);
    }
    registered.end();
    socket::close(event_loop, &registered.connection).await;
}

/// Checks what the guest said, and does it.
fn use_acceptance(
    event_loop: &Ticket,
    registered: &Registered,
    offer: Offer,
    acceptance: Acceptance,
) -> Result<Response<Body>, AcceptanceError> {
    let connection = &registered.connection;
    let subprotocol = subprotocol(&offer, acceptance.subprotocol)?;
    let bytes_max = connection.settings().connection.attachment_bytes_max;
    let len = acceptance.attachment.len();
    if len > bytes_max {
        return Err(AcceptanceError::Attachment(len, bytes_max));
    }
    // A copy, since the guest's bytes may be a part of something larger.
    connection.accept_attachment(Bytes::copy_from_slice(&acceptance.attachment));
    for topic in &acceptance.topics {
        match event_loop.hub.topics().subscribe(connection, topic) {
            // Another handler has closed it meanwhile, which is no fault of the
            // guest's: it opens, and closes at once.
            Ok(()) | Err(SubscribeError::Gone) => {}
            Err(error) => return Err(error.into()),
        }
    }
    let mut extra = extra_fields(connection, acceptance.headers);
    let agreement = deflate::negotiate(&offer.deflate, &connection.settings().connection);
    if let Some((agreed, field)) = agreement {
        connection.agree(agreed);
        extra.insert(SEC_WEBSOCKET_EXTENSIONS, field);
    }
    Ok(offer.accept(subprotocol, extra))
}

fn subprotocol(
    offer: &Offer,
    chosen: Option<String>,
) -> Result<Option<HeaderValue>, AcceptanceError> {
    let Some(chosen) = chosen else {
        return Ok(None);
    };
    let value = HeaderValue::try_from(&chosen);
    match value {
        Ok(value) if offer.subprotocols.contains(&chosen) => Ok(Some(value)),
        _ => Err(AcceptanceError::Subprotocol(chosen)),
    }
}

/// The guest's fields for the 101, without those which are the host's.
fn extra_fields(connection: &Connection, mut headers: HeaderMap) -> HeaderMap {
    let settings = connection.settings();
    let own: Vec<_> = headers
        .keys()
        .filter(|name| is_own_field(name))
        .cloned()
        .collect();
    for name in own {
        tracing::warn!(
            plugin = &*settings.name,
            tenant = &*settings.tenant_name,
            "the guest set the field `{name}` of a 101, which is the host's"
        );
        headers.remove(name);
    }
    headers
}

fn rejected(settings: &Settings, rejection: Rejection) -> Response<Body> {
    let mut response = Response::new(report::full(rejection.body));
    *response.status_mut() = match rejection.status.as_u16() {
        300..=599 => rejection.status,
        status => {
            tracing::warn!(
                plugin = &*settings.name,
                tenant = &*settings.tenant_name,
                "the guest rejected a handshake with the status {status}"
            );
            StatusCode::INTERNAL_SERVER_ERROR
        }
    };
    *response.headers_mut() = rejection.headers;
    fields::strip(response.headers_mut());
    response
}

fn refuse(settings: &Settings, about: About<'_>, error: &str) -> Response<Body> {
    report::failure(settings, about, &Failure::Handler(error.to_owned()));
    report::internal_error()
}
