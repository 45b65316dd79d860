//! Clients that speak HTTP/2: one that behaves, by the `h2` crate, and one that
//! sends whatever frames a test wants.

use bytes::Bytes;
use h2::client::{Connection, SendRequest};
use h2::ext::Protocol;
use h2::{RecvStream, SendStream};
use http::{Request, Response, StatusCode};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::protocol::Role;

use crate::wait::patiently;

mod tunnel;

pub use tunnel::Tunnel;

/// What a client sends first (RFC 9113, section 3.4), with empty SETTINGS.
pub const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0";

/// A connection that behaves.
#[derive(Clone, Debug)]
pub struct Client(SendRequest<Bytes>);

impl Client {
    /// Speaks HTTP/2 over a connection. The second part says how it ended.
    pub async fn over<S>(stream: S) -> (Self, tokio::task::JoinHandle<Result<(), h2::Error>>)
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let (sender, connection): (_, Connection<S, Bytes>) =
            patiently("an HTTP/2 handshake", h2::client::handshake(stream))
                .await
                .expect("HTTP/2");
        (Self(sender), tokio::spawn(connection))
    }

    /// Sends a request without a body and reads the whole answer.
    ///
    /// # Errors
    /// Fails when the host resets it, or has ended.
    pub async fn get(&mut self, uri: &str) -> Result<(StatusCode, String), h2::Error> {
        let request = Request::get(uri).body(()).expect("a request");
        let (response, _) = self.send(request, true).await?;
        let (head, body) = response.into_parts();
        Ok((head.status, text(body).await?))
    }

    /// Sends a request and waits for the head of its answer.
    ///
    /// # Errors
    /// As for [`Self::get`].
    pub async fn send(
        &mut self,
        request: Request<()>,
        is_end: bool,
    ) -> Result<(Response<RecvStream>, SendStream<Bytes>), h2::Error> {
        let mut ready = patiently("room for a stream", self.0.clone().ready()).await?;
        let (response, stream) = ready.send_request(request, is_end)?;
        Ok((patiently("an answer", response).await?, stream))
    }

    /// Opens a WebSocket (RFC 8441).
    ///
    /// # Errors
    /// The answer, if that is no 200.
    pub async fn websocket(
        &mut self,
        uri: &str,
    ) -> Result<WebSocketStream<Tunnel>, Box<Response<RecvStream>>> {
        let request = Request::connect(uri)
            .extension(Protocol::from_static("websocket"))
            .header("sec-websocket-version", "13");
        let request = request.body(()).expect("a request");
        let (response, sender) = self.send(request, false).await.expect("an answer");
        if response.status() != 200 {
            return Err(Box::new(response));
        }
        let tunnel = Tunnel::new(sender, response.into_body());
        Ok(WebSocketStream::from_raw_socket(tunnel, Role::Client, None).await)
    }

    /// Waits until the host has said whether it takes WebSockets (RFC 8441,
    /// section 3).
    pub async fn takes_websockets(&mut self) -> bool {
        let ready = patiently("the settings", self.0.clone().ready()).await;
        ready
            .expect("an open connection")
            .is_extended_connect_protocol_enabled()
    }
}

/// Reads a body to its end.
///
/// # Errors
/// Fails when it breaks off.
pub async fn text(mut body: RecvStream) -> Result<String, h2::Error> {
    let mut bytes = Vec::new();
    while let Some(piece) = patiently("a piece of the body", body.data()).await {
        let piece = piece?;
        let _ = body.flow_control().release_capacity(piece.len());
        bytes.extend_from_slice(&piece);
    }
    Ok(String::from_utf8(bytes).expect("UTF-8"))
}

/// A frame (RFC 9113, section 4.1).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Frame {
    /// Its type.
    pub kind: u8,
    /// Flags.
    pub flags: u8,
    /// Stream.
    pub stream: u32,
    /// Payload.
    pub payload: Vec<u8>,
}

impl Frame {
    /// As it is sent.
    pub fn bytes(&self) -> Vec<u8> {
        let length = u32::try_from(self.payload.len()).expect("a frame's length");
        let mut bytes = length.to_be_bytes()[1..].to_vec();
        bytes.extend([self.kind, self.flags]);
        bytes.extend(self.stream.to_be_bytes());
        bytes.extend(&self.payload);
        bytes
    }
}

/// A client that sends frames as they are.
#[derive(Debug)]
pub struct Raw<S>(pub S);

impl<S: AsyncRead + AsyncWrite + Unpin> Raw<S> {
    /// Begins a connection.
    pub async fn begin(stream: S) -> Self {
        let mut raw = Self(stream);
        assert!(raw.send(PREFACE).await);
        raw
    }

    /// Sends bytes; false if the host takes no more.
    pub async fn send(&mut self, bytes: &[u8]) -> bool {
        patiently("room to send", self.0.write_all(bytes))
            .await
            .is_ok()
    }

    /// The next frame; none at the end of the connection.
    pub async fn frame(&mut self) -> Option<Frame> {
        let mut head = [0; 9];
        patiently("a frame", self.0.read_exact(&mut head))
            .await
            .ok()?;
        let [high, middle, low, kind, flags, stream @ ..] = head;
        let mut payload = vec![0; u32::from_be_bytes([0, high, middle, low]) as usize];
        patiently("a payload", self.0.read_exact(&mut payload))
            .await
            .ok()?;
        Some(Frame {
            kind,
            flags,
            stream: u32::from_be_bytes(stream),
            payload,
        })
    }

    /// Reads to the end, and returns the error code of the last GOAWAY on the
    /// way.
    pub async fn goaway(&mut self) -> Option<u32> {
        let mut code = None;
        while let Some(frame) = self.frame().await {
            if let (7, [_, _, _, _, a, b, c, d, ..]) = (frame.kind, &frame.payload[..]) {
                code = Some(u32::from_be_bytes([*a, *b, *c, *d]));
            }
        }
        code
    }
}
