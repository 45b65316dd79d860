//! Handlers in native code: the other side of [`Plugins`], for tests.
//!
//! A handshake's path and a message's first word say what to do. Every event is
//! recorded.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use futures_util::StreamExt;
use holdfast_core::edge::Migrated;
use holdfast_core::event::{
    Acceptance, Body, BodyError, ConnectionState, Failure, Handshake, Rejection,
};
use holdfast_core::plugin::LocalFuture;
use holdfast_core::{
    ConnectionId, Edge, Event, Message, MessageRef, Outcome, PluginId, Plugins, Settings, TenantId,
};
use holdfast_edge::Hub;
use http::{HeaderMap, Request, Response, StatusCode};
use http_body::Frame;
use http_body_util::{BodyExt, Full, StreamBody};
use tokio::sync::{Semaphore, mpsc};

/// The tenant of every plugin here.
pub(crate) const TENANT: TenantId = TenantId(1);

/// What happened, and what has to wait for the test.
#[derive(Default)]
pub(crate) struct Record {
    events: Mutex<Vec<(ConnectionId, String)>>,
    /// `wait` goes on for each permit.
    pub(crate) gate: Gate,
    /// A new generation, if there is one. It has another format of attachments.
    newest: Mutex<Option<Arc<Settings>>>,
}

/// Lets the test decide when a handler goes on.
pub(crate) struct Gate(pub(crate) Semaphore);

impl Default for Gate {
    fn default() -> Self {
        Self(Semaphore::new(0))
    }
}

impl Gate {
    pub(crate) fn open(&self) {
        self.0.add_permits(1);
    }

    async fn pass(&self) {
        self.0.acquire().await.unwrap().forget();
    }
}

impl Record {
    fn note(&self, id: ConnectionId, event: String) {
        self.events.lock().unwrap().push((id, event));
    }

    /// Moves every connection to a new generation before its next event.
    pub(crate) fn install(&self, settings: Arc<Settings>) {
        *self.newest.lock().unwrap() = Some(settings);
    }

    /// The events of all connections, in order.
    pub(crate) fn events(&self) -> Vec<String> {
        let events = self.events.lock().unwrap();
        events.iter().map(|(_, event)| event.clone()).collect()
    }

    /// The id of the connection which has had some event.
    pub(crate) fn id_of(&self, event: &str) -> ConnectionId {
        let events = self.events.lock().unwrap();
        let found = events.iter().find(|(_, noted)| noted == event);
        found
            .unwrap_or_else(|| panic!("no {event} in {events:?}"))
            .0
    }

    pub(crate) fn has(&self, event: &str) -> bool {
        self.events
            .lock()
            .unwrap()
            .iter()
            .any(|(_, noted)| noted == event)
    }
}

/// The handlers, for one event loop.
#[derive(Clone)]
pub(crate) struct Native {
    pub(crate) hub: Arc<Hub>,
    pub(crate) record: Arc<Record>,
}

impl Plugins for Native {
    fn deliver(&self, _plugin: PluginId, event: Event) -> LocalFuture<Outcome> {
        let native = self.clone();
        match event {
            Event::Http(request) => Box::pin(native.http(request.into_http())),
            Event::Accept(handshake) => Box::pin(native.accept(*handshake)),
            Event::Open(state) => {
                let attachment = String::from_utf8_lossy(&state.attachment).into_owned();
                native
                    .record
                    .note(state.id, format!("open {attachment}").trim_end().to_owned());
                Box::pin(async { Outcome::Done })
            }
            Event::Message(state, message) => {
                let state = native.adopted(state);
                Box::pin(native.message(state, message))
            }
            Event::Close(state, closure) => {
                let gone = native.send(state.id, "too late").is_err();
                let topics = native.hub.count(TENANT, "news");
                assert!(gone, "a connection that has ended takes messages");
                let attachment = String::from_utf8_lossy(&state.attachment).into_owned();
                native.record.note(
                    state.id,
                    format!(
                        "close {:?} {} {} [{attachment}] {topics}",
                        closure.cause, closure.code, closure.reason
                    ),
                );
                Box::pin(async move {
                    if attachment == "hold" {
                        native.record.gate.pass().await;
                    }
                    Outcome::Done
                })
            }
        }
    }

    // There is one tenant, which shares with nobody.
    fn charge(&self, _tenant: TenantId, _time: Duration) {}
}

impl Native {
    /// The connection as it is in the newest generation.
    fn adopted(&self, mut state: ConnectionState) -> ConnectionState {
        let newest = self.record.newest.lock().unwrap().clone();
        if let Some(newest) = newest
            && newest.generation != state.generation
        {
            let attachment = [b"new ", &state.attachment[..]].concat();
            let migrated = Migrated {
                attachment: attachment.into(),
                expected: state.attachment_version,
            };
            let adopted = self.hub.adopt(state.id, &newest, Some(migrated));
            state.attachment_version = adopted.unwrap();
            state.attachment = self.hub.get(TENANT, state.id).unwrap().attachment;
            state.generation = newest.generation;
        }
        state
    }

    fn send(&self, id: ConnectionId, text: &str) -> Result<u64, holdfast_core::edge::SendError> {
        self.hub.send(TENANT, id, MessageRef::Text(text))
    }

    async fn accept(self, handshake: Handshake) -> Outcome {
        self.record.note(
            handshake.id,
            format!("accept {}", handshake.path_with_query),
        );
        let mut acceptance = Acceptance::default();
        match handshake.path_with_query.as_str() {
            "/wait" => self.record.gate.pass().await,
            "/first" => {
                self.send(handshake.id, "first").unwrap();
            }
            "/reject" => {
                let mut headers = HeaderMap::new();
                headers.insert("x-why", "no".parse().unwrap());
                headers.insert("transfer-encoding", "chunked".parse().unwrap());
                return Outcome::Rejected(Box::new(Rejection {
                    status: StatusCode::FORBIDDEN,
                    headers,
                    body: "not you".into(),
                }));
            }
            "/reject-200" => {
                return Outcome::Rejected(Box::new(Rejection {
                    status: StatusCode::OK,
                    headers: HeaderMap::new(),
                    body: Bytes::new(),
                }));
            }
            "/trap" => return Outcome::Failed(Failure::Trap("secret".into())),
            "/subprotocol" => acceptance.subprotocol = handshake.subprotocols.last().cloned(),
            "/bad-subprotocol" => acceptance.subprotocol = Some("other".into()),
            "/large-attachment" => acceptance.attachment = vec![0; 5000].into(),
            "/bad-topic" => acceptance.topics.push(String::new()),
            "/hold" => acceptance.attachment = "hold".into(),
            "/close" => {
                acceptance.topics.push("news".into());
                self.hub.close(TENANT, handshake.id, 4000, "no").unwrap();
            }
            "/rich" => {
                acceptance.attachment = "card".into();
                acceptance.topics.push("news".into());
                acceptance.headers.insert("x-extra", "1".parse().unwrap());
                acceptance.headers.insert("upgrade", "h2c".parse().unwrap());
            }
            _ => {}
        }
        Outcome::Accepted(Box::new(acceptance))
    }

    async fn message(self, state: ConnectionState, message: Message) -> Outcome {
        let text = match message {
            Message::Binary(bytes) => {
                let answer = MessageRef::Binary(&bytes);
                let _ = self.hub.send(TENANT, state.id, answer);
                return Outcome::Done;
            }
            Message::Text(text) => text,
        };
        let (verb, rest) = text.split_once(' ').unwrap_or((&text, ""));
        match verb {
            "note" => self.record.note(state.id, rest.to_owned()),
            "wait" => {
                self.record.note(state.id, "waiting".into());
                self.record.gate.pass().await;
                self.record.note(state.id, "waited".into());
            }
            "trap" => return Outcome::Failed(Failure::Trap("secret".into())),
            "timeout" => return Outcome::Failed(Failure::Timeout(1)),
            "disrupted" => return Outcome::Failed(Failure::Disrupted),
            "overloaded" => return Outcome::Failed(Failure::Overloaded("full".into())),
            "no-handler" => return Outcome::Failed(Failure::NoHandler),
            "fail" => return Outcome::Failed(Failure::Handler("oops".into())),
            "close" => {
                let (code, reason) = rest.split_once(' ').unwrap_or((rest, ""));
                let code = code.parse().unwrap();
                let closed = self.hub.close(TENANT, state.id, code, reason);
                self.record.note(state.id, format!("{closed:?}"));
            }
            "attach" => {
                let version = Some(state.attachment_version);
                let hub = &self.hub;
                let set = hub.set_attachment(TENANT, state.id, rest.as_bytes(), version);
                let stale = hub.set_attachment(TENANT, state.id, b"stale", version);
                let _ = self.send(state.id, &format!("{set:?} {stale:?}"));
            }
            "who" => {
                let (generation, version) = (state.generation, state.attachment_version);
                let attachment = String::from_utf8_lossy(&state.attachment);
                let _ = self.send(state.id, &format!("{generation} {version} {attachment}"));
            }
            "join" => {
                let joined = self.hub.subscribe(TENANT, state.id, rest);
                let _ = self.send(state.id, &format!("{joined:?}"));
            }
            "leave" => self.hub.unsubscribe(TENANT, state.id, rest),
            "tell" => {
                let (topic, text) = rest.split_once(' ').unwrap();
                let message = MessageRef::Text(text);
                let told = self.hub.publish(TENANT, topic, message, Some(state.id));
                let _ = self.send(state.id, &format!("told {}", told.queued));
            }
            // Sends so many messages of so many bytes, and notes what became of
            // them.
            "flood" => {
                let (count, len) = rest.split_once(' ').unwrap();
                let text = "x".repeat(len.parse().unwrap());
                let count: usize = count.parse().unwrap();
                let mut sent = 0;
                let mut error = String::new();
                for index in 0..count {
                    match self.send(state.id, &format!("{index} {text}")) {
                        Ok(_) => sent += 1,
                        Err(full) => error = format!(" {full:?}"),
                    }
                }
                self.record.note(state.id, format!("flooded {sent}{error}"));
            }
            _ => {
                let _ = self.send(state.id, &text);
            }
        }
        Outcome::Done
    }

    async fn http(self, request: Request<Body>) -> Outcome {
        let mut response = match request.uri().path() {
            "/hello" => Response::new(full("hello")),
            "/echo" => Response::new(request.into_body()),
            "/swallow" => {
                let mut body = request.into_body();
                let mut len = 0;
                while let Some(frame) = body.frame().await {
                    match frame {
                        Ok(frame) => len += frame.data_ref().map_or(0, Bytes::len),
                        Err(error) => return Outcome::Failed(Failure::Handler(error.to_string())),
                    }
                }
                Response::new(full(len.to_string()))
            }
            "/ignore" => {
                // Answers at once and then reads on.
                let mut body = request.into_body();
                let stream = async_stream(move |sender| async move {
                    let _ = sender.send(Bytes::from("begun")).await;
                    while let Some(Ok(_)) = body.frame().await {}
                    sender.closed().await;
                });
                Response::new(stream)
            }
            "/page" => Response::new(full("x".repeat(3000))),
            "/pieces" => Response::new(async_stream(|sender| async move {
                for piece in 0..PIECES {
                    let bytes = vec![b'a' + (piece % 26) as u8; piece_len(piece)];
                    let _ = sender.send(bytes.into()).await;
                }
            })),
            "/ticks" => Response::new(async_stream({
                let record = self.record.clone();
                move |sender| async move {
                    let mut tick = 0;
                    while sender.send(vec![b'x'; 8 << 10].into()).await.is_ok() {
                        tick += 1;
                        record.note(ConnectionId(0), format!("tick {tick}"));
                    }
                    record.note(ConnectionId(0), "hung up".into());
                }
            })),
            "/wait" => {
                self.record.note(ConnectionId(0), "waiting".into());
                let abandoned = Abandoned(self.record.clone());
                self.record.gate.pass().await;
                std::mem::forget(abandoned);
                Response::new(full("waited"))
            }
            "/sleep" => {
                tokio::time::sleep(Duration::from_millis(50)).await;
                Response::new(full("slept"))
            }
            "/trap" => return Outcome::Failed(Failure::Trap("secret".into())),
            "/timeout" => return Outcome::Failed(Failure::Timeout(1)),
            "/overloaded" => return Outcome::Failed(Failure::Overloaded("full".into())),
            "/disrupted" => return Outcome::Failed(Failure::Disrupted),
            "/no-handler" => return Outcome::Failed(Failure::NoHandler),
            "/fail" => return Outcome::Failed(Failure::Handler("secret".into())),
            "/switch" => {
                let mut response = Response::new(Body::default());
                *response.status_mut() = StatusCode::SWITCHING_PROTOCOLS;
                response
            }
            _ => return Outcome::Done,
        };
        let headers = response.headers_mut();
        headers.insert("connection", "close".parse().unwrap());
        headers.insert("keep-alive", "timeout=9".parse().unwrap());
        headers.insert("transfer-encoding", "gzip".parse().unwrap());
        Outcome::Response(Box::new(response))
    }
}

/// How many pieces the body of `/pieces` has.
pub(crate) const PIECES: usize = 4000;

/// How long each of them is: too long to be copied, and each of another length.
pub(crate) fn piece_len(piece: usize) -> usize {
    4097 + piece * 7919 % 1500
}

/// Notes when a handler is dropped before its end.
struct Abandoned(Arc<Record>);

impl Drop for Abandoned {
    fn drop(&mut self) {
        self.0.note(ConnectionId(0), "abandoned".into());
    }
}

fn full(text: impl Into<Bytes>) -> Body {
    Full::new(text.into())
        .map_err(|never| match never {})
        .boxed_unsync()
}

/// A body made by a task, one chunk ahead of the client at most.
fn async_stream<F: Future<Output = ()> + 'static>(
    make: impl FnOnce(mpsc::Sender<Bytes>) -> F,
) -> Body {
    let (sender, receiver) = mpsc::channel(1);
    tokio::task::spawn_local(make(sender));
    let chunks = futures_util::stream::unfold(receiver, |mut receiver| async {
        Some((receiver.recv().await?, receiver))
    });
    StreamBody::new(chunks.map(|chunk| Ok::<_, BodyError>(Frame::data(chunk)))).boxed_unsync()
}
