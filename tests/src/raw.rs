//! A client that sends bytes as they are, for what no library would send.

use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::host::Host;
use crate::http::connect;
use crate::wait::patiently;

/// A connection without a protocol.
#[derive(Debug)]
pub struct Raw(TcpStream);

/// A frame from the host (RFC 6455, section 5.2).
#[derive(Debug, PartialEq, Eq)]
pub struct Frame {
    /// FIN, reserved bits and opcode.
    pub first: u8,
    /// Payload.
    pub payload: Vec<u8>,
}

impl Raw {
    /// Connects.
    pub async fn connect(host: &Host) -> Self {
        Self(connect(host).await)
    }

    /// Over a connection of the caller's.
    pub fn over(stream: TcpStream) -> Self {
        Self(stream)
    }

    /// The connection.
    pub fn into_stream(self) -> TcpStream {
        self.0
    }

    /// Connects and opens a WebSocket.
    pub async fn websocket(host: &Host, path: &str) -> Self {
        Self::websocket_with(host, path, "x-nothing: more").await.0
    }

    /// The same with one more field; with it comes the head of the 101.
    pub async fn websocket_with(host: &Host, path: &str, field: &str) -> (Self, String) {
        let mut raw = Self::connect(host).await;
        let request = format!(
            "GET {path} HTTP/1.1\r\nhost: test.example\r\nconnection: upgrade\r\n\
             upgrade: websocket\r\nsec-websocket-version: 13\r\n{field}\r\n\
             sec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
        );
        raw.send(request.as_bytes()).await;
        let head = raw.head().await;
        assert!(head.starts_with("HTTP/1.1 101"), "{head}");
        // RFC 6455, section 1.3, has the answer to this key.
        let accept = "sec-websocket-accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=";
        assert!(
            head.to_lowercase().contains(&accept.to_lowercase()),
            "{head}"
        );
        (raw, head)
    }

    /// Sends bytes.
    pub async fn send(&mut self, bytes: &[u8]) {
        patiently("room to send", self.0.write_all(bytes))
            .await
            .expect("an open connection");
    }

    /// Sends what may not be taken; false then, or if there is no room for it now.
    pub async fn try_send(&mut self, bytes: &[u8]) -> bool {
        const ROOM_TIMEOUT: Duration = Duration::from_millis(200);
        let sending = self.0.write_all(bytes);
        matches!(
            tokio::time::timeout(ROOM_TIMEOUT, sending).await,
            Ok(Ok(()))
        )
    }

    /// Reads the head of an HTTP response, if one comes.
    pub async fn try_head(&mut self) -> Option<String> {
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            head.push(patiently("a response", self.0.read_u8()).await.ok()?);
        }
        Some(String::from_utf8(head).expect("ASCII"))
    }

    /// Reads the head of an HTTP response, up to and with the empty line.
    pub async fn head(&mut self) -> String {
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            let byte = patiently("a response", self.0.read_u8()).await;
            head.push(byte.expect("a whole head"));
        }
        String::from_utf8(head).expect("ASCII")
    }

    /// Reads a response of known length; `is_head` says that only its head comes.
    pub async fn response(&mut self, is_head: bool) -> (String, String) {
        let head = self.head().await;
        let lower = head.to_lowercase();
        let length = lower.split_once("content-length: ");
        let length = length.and_then(|(_, rest)| rest.split_once("\r\n")?.0.parse().ok());
        let mut body = vec![0; if is_head { 0 } else { length.unwrap_or(0) }];
        patiently("a body", self.0.read_exact(&mut body))
            .await
            .expect("a whole body");
        (head, String::from_utf8(body).expect("UTF-8"))
    }

    /// Reads a frame, which must not be masked; none at the end.
    pub async fn frame(&mut self) -> Option<Frame> {
        let first = patiently("a frame", self.0.read_u8()).await.ok()?;
        let length = match self.0.read_u8().await.expect("a length") {
            126 => usize::from(self.0.read_u16().await.expect("a length")),
            127 => usize::try_from(self.0.read_u64().await.expect("a length")).expect("a length"),
            length => usize::from(length),
        };
        let mut payload = vec![0; length];
        patiently("a payload", self.0.read_exact(&mut payload))
            .await
            .expect("a whole frame");
        Some(Frame { first, payload })
    }

    /// Reads to the end, and returns the code of the close frame on the way.
    pub async fn close_code(&mut self) -> Option<u16> {
        let mut code = None;
        while let Some(frame) = self.frame().await {
            if frame.first == 0x88
                && let [high, low, ..] = frame.payload[..]
            {
                code = Some(u16::from_be_bytes([high, low]));
            }
        }
        code
    }

    /// Reads nothing, and waits until the host has ended the connection: then it
    /// can't be written to any more.
    pub async fn is_broken(&mut self) -> bool {
        let broken = async {
            // A moment for what is on its way.
            while self.0.write_all(b" ").await.is_ok() {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        };
        timeout(Duration::from_secs(10), broken).await.is_ok()
    }

    /// Reads to the end, if that comes in time; says whether it has come.
    pub async fn rest_within(&mut self, time: Duration) -> (Vec<u8>, bool) {
        let mut rest = Vec::new();
        let all = async { while matches!(self.0.read_buf(&mut rest).await, Ok(1..)) {} };
        let has_ended = timeout(time, all).await.is_ok();
        (rest, has_ended)
    }

    /// Reads to the end.
    pub async fn rest(&mut self) -> Vec<u8> {
        let mut rest = Vec::new();
        // A reset is an end as well.
        let _ = patiently("the end", self.0.read_to_end(&mut rest)).await;
        rest
    }
}

/// A masked frame. The mask is all zeros, so that payloads are legible.
pub fn masked(first: u8, payload: &[u8]) -> Vec<u8> {
    let mut frame = vec![first];
    match u16::try_from(payload.len()) {
        Ok(length @ 0..126) => frame.push(0x80 | length as u8),
        Ok(length) => {
            frame.push(0x80 | 126);
            frame.extend(length.to_be_bytes());
        }
        Err(_) => {
            frame.push(0x80 | 127);
            frame.extend((payload.len() as u64).to_be_bytes());
        }
    }
    frame.extend([0; 4]);
    frame.extend(payload);
    frame
}
