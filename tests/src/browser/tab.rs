//! One tab of the browser.

use std::path::Path;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use futures_util::{SinkExt, StreamExt};
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Message;

use crate::wait::{found, patiently};

/// A tab, with a connection of its own to the browser.
#[derive(Debug)]
pub struct Tab {
    stream: WebSocketStream<TcpStream>,
    session: Value,
    calls: u64,
    complaints: Vec<String>,
    handshakes: Vec<u64>,
}

impl Tab {
    pub(super) async fn connect(url: &str) -> Self {
        let address = url.trim_start_matches("ws://");
        let (address, _) = address.split_once('/').expect("an address and a path");
        let stream = TcpStream::connect(address).await.expect("the browser");
        let opening = tokio_tungstenite::client_async(url, stream);
        let (stream, _) = patiently("the browser", opening).await.expect("a browser");
        Self {
            stream,
            session: Value::Null,
            calls: 0,
            complaints: Vec::new(),
            handshakes: Vec::new(),
        }
    }

    /// Further calls are for this page.
    pub(super) fn enter(&mut self, session: &Value) {
        self.session = session.clone();
    }

    /// Calls a method of the DevTools protocol and returns its result.
    pub async fn call(&mut self, method: &str, parameters: Value) -> Value {
        self.calls += 1;
        let id = self.calls;
        let mut call = json!({"id": id, "method": method, "params": parameters});
        if !self.session.is_null() {
            call["sessionId"] = self.session.clone();
        }
        let sending = self.stream.send(Message::text(call.to_string()));
        patiently("the browser", sending).await.expect("a browser");
        loop {
            let next = patiently(method, self.stream.next()).await;
            let Message::Text(text) = next.expect("a browser").expect("a browser") else {
                continue;
            };
            let mut message: Value = serde_json::from_str(&text).expect("JSON");
            if message["id"] == id {
                assert!(message["error"].is_null(), "{method}: {message}");
                return message["result"].take();
            }
            self.note(&message);
        }
    }

    /// Keeps what the page's console says went wrong, and how WebSockets began.
    fn note(&mut self, message: &Value) {
        if message["method"] == "Network.webSocketHandshakeResponseReceived" {
            let status = &message["params"]["response"]["status"];
            self.handshakes.push(status.as_u64().unwrap_or_default());
        }
        let is_error = match message["method"].as_str() {
            Some("Runtime.exceptionThrown") => true,
            Some("Log.entryAdded") => message["params"]["entry"]["level"] == "error",
            Some("Runtime.consoleAPICalled") => message["params"]["type"] == "error",
            _ => false,
        };
        if is_error {
            self.complaints.push(message["params"].to_string());
        }
    }

    /// Errors in the page's console so far.
    pub fn complaints(&self) -> &[String] {
        &self.complaints
    }

    /// The status with which each WebSocket has begun since `Network.enable`.
    pub fn handshakes(&self) -> &[u64] {
        &self.handshakes
    }

    /// Evaluates an expression in the page.
    pub async fn evaluate(&mut self, expression: &str) -> Value {
        let parameters = json!({
            "expression": expression, "returnByValue": true, "awaitPromise": true,
        });
        let mut result = self.call("Runtime.evaluate", parameters).await;
        assert!(
            result["exceptionDetails"].is_null(),
            "{expression}: {result}"
        );
        result["result"]["value"].take()
    }

    /// Waits until an expression is true in the page.
    pub async fn holds(&mut self, expression: &str) {
        let tab = tokio::sync::Mutex::new(self);
        found(expression, || async {
            // While the page is being replaced there is nothing to ask.
            let mut tab = tab.lock().await;
            let guarded = format!(
                "Boolean((() => {{ try {{ return {expression} }} catch {{ return false }} }})())"
            );
            (tab.evaluate(&guarded).await == true).then_some(())
        })
        .await;
    }

    /// Puts the focus on an element and types text into it.
    pub async fn type_into(&mut self, selector: &str, text: &str) {
        let quoted = json!(selector);
        self.holds(&format!("document.querySelector({quoted})"))
            .await;
        self.evaluate(&format!("document.querySelector({quoted}).focus()"))
            .await;
        self.evaluate(&format!("document.querySelector({quoted}).select?.()"))
            .await;
        self.call("Input.insertText", json!({"text": text})).await;
    }

    /// Presses the Enter key.
    pub async fn press_enter(&mut self) {
        for kind in ["keyDown", "keyUp"] {
            let key = json!({
                "type": kind, "key": "Enter", "code": "Enter", "text": "\r",
                "windowsVirtualKeyCode": 13,
            });
            self.call("Input.dispatchKeyEvent", key).await;
        }
    }

    /// Saves what the tab shows as a PNG.
    pub async fn screenshot(&mut self, file: &Path) {
        let result = self
            .call("Page.captureScreenshot", json!({"format": "png"}))
            .await;
        let data = result["data"].as_str().expect("a picture");
        let bytes = STANDARD.decode(data).expect("base64");
        std::fs::write(file, bytes).expect("a picture's file");
    }
}
