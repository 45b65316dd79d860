//! A WebSocket client.

use futures_util::{SinkExt, StreamExt};
use http::{HeaderMap, Request};
use tokio::net::TcpStream;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::protocol::{CloseFrame, WebSocketConfig};
use tokio_tungstenite::tungstenite::{Error, Message};

use crate::host::Host;
use crate::http::connect;
use crate::wait::patiently;

/// Small, so that a client can hold thousands of them.
const BUFFER_BYTES: usize = 1024;

/// An open WebSocket.
#[derive(Debug)]
pub struct Socket {
    stream: WebSocketStream<TcpStream>,
    headers: HeaderMap,
}

/// How a WebSocket ended.
#[derive(Debug, PartialEq, Eq)]
pub enum End {
    /// With a close frame of this code and reason; 1005 if it had none.
    Closed(u16, String),
    /// Without one.
    Lost,
}

/// The answer to a handshake that was not accepted.
pub type Refusal = http::Response<Option<Vec<u8>>>;

impl Socket {
    /// Opens one. Panics if it is not accepted.
    pub async fn open(host: &Host, path: &str) -> Self {
        match Self::offer(host, handshake(path)).await {
            Ok(socket) => socket,
            Err(refusal) => panic!("refused: {refusal:?}"),
        }
    }

    /// Opens one by a request of the caller's.
    pub async fn offer(host: &Host, request: Request<()>) -> Result<Self, Box<Refusal>> {
        Self::over(connect(host).await, request).await
    }

    /// Opens one over a connection of the caller's.
    pub async fn over(stream: TcpStream, request: Request<()>) -> Result<Self, Box<Refusal>> {
        let config = WebSocketConfig::default()
            .read_buffer_size(BUFFER_BYTES)
            .write_buffer_size(0);
        let opening = tokio_tungstenite::client_async_with_config(request, stream, Some(config));
        match patiently("a handshake", opening).await {
            Ok((stream, response)) => Ok(Self {
                stream,
                headers: response.headers().clone(),
            }),
            Err(Error::Http(refusal)) => Err(refusal),
            Err(error) => panic!("no answer to the handshake: {error}"),
        }
    }

    /// Opens one that watches a topic: every message published there arrives.
    pub async fn watch(host: &Host, topic: &str) -> Self {
        Self::open(host, &format!("/?topic={topic}")).await
    }

    /// A header field of the 101, empty if there is none.
    pub fn header(&self, name: &str) -> &str {
        let value = self.headers.get(name);
        value.map_or("", |value| value.to_str().expect("ASCII"))
    }

    /// Sends a text message.
    pub async fn send(&mut self, text: &str) {
        self.send_message(Message::text(text)).await;
    }

    /// Sends a message.
    pub async fn send_message(&mut self, message: Message) {
        patiently("room to send", self.stream.send(message))
            .await
            .expect("an open connection");
    }

    /// Sends what may not arrive any more.
    pub async fn try_send(&mut self, text: &str) -> bool {
        let sending = self.stream.send(Message::text(text));
        patiently("room to send", sending).await.is_ok()
    }

    /// The next message, for whoever has all the time in the world.
    pub async fn next(&mut self) -> Option<Result<Message, Error>> {
        self.stream.next().await
    }

    /// Waits for the next message that is no ping or pong.
    pub async fn message(&mut self) -> Option<Result<Message, Error>> {
        loop {
            let next = patiently("a message", self.stream.next()).await;
            if !matches!(next, Some(Ok(Message::Ping(_) | Message::Pong(_)))) {
                return next;
            }
        }
    }

    /// Waits for a text message.
    pub async fn text(&mut self) -> String {
        match self.message().await {
            Some(Ok(Message::Text(text))) => text.to_string(),
            other => panic!("expected text, got {other:?}"),
        }
    }

    /// Sends text and waits for the text that answers it.
    pub async fn ask(&mut self, text: &str) -> String {
        self.send(text).await;
        self.text().await
    }

    /// Reads to the end, and says what it was.
    pub async fn end(&mut self) -> End {
        self.rest().await.1
    }

    /// Reads to the end; returns the messages before it.
    pub async fn rest(&mut self) -> (Vec<Message>, End) {
        let mut messages = Vec::new();
        let mut end = End::Lost;
        loop {
            match self.message().await {
                Some(Ok(Message::Close(frame))) => end = closed(frame),
                Some(Ok(message)) => messages.push(message),
                Some(Err(_)) | None => return (messages, end),
            }
        }
    }

    /// Sends a close frame and waits for the answer.
    pub async fn close(&mut self, code: u16, reason: &str) -> End {
        let frame = CloseFrame {
            code: code.into(),
            reason: reason.to_owned().into(),
        };
        let closing = self.stream.close(Some(frame));
        patiently("room for a close frame", closing)
            .await
            .expect("an open connection");
        self.end().await
    }

    /// The connection below.
    pub fn tcp(&mut self) -> &mut TcpStream {
        self.stream.get_mut()
    }
}

fn closed(frame: Option<CloseFrame>) -> End {
    match frame {
        Some(frame) => End::Closed(frame.code.into(), frame.reason.to_string()),
        None => End::Closed(1005, String::new()),
    }
}

/// A well-formed handshake.
pub fn handshake(path: &str) -> Request<()> {
    format!("ws://test.example{path}")
        .into_client_request()
        .expect("a request")
}

/// A well-formed handshake that offers subprotocols.
pub fn handshake_offering(path: &str, subprotocols: &str) -> Request<()> {
    let mut request = handshake(path);
    let value = subprotocols.parse().expect("a header value");
    request
        .headers_mut()
        .insert("sec-websocket-protocol", value);
    request
}
