//! The admin listener of a host that keeps its data in a folder.

use std::path::Path;

use http::Request;
use http_body_util::BodyExt;
use hyper::body::Incoming;
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use serde_json::Value;
use tokio::net::TcpStream;

use crate::http::{Body, Response, full, request};
use crate::schema;
use crate::wait::patiently;

/// Where to ask, and what to show there.
#[derive(Clone, Debug)]
pub struct Admin {
    address: String,
    token: String,
}

impl Admin {
    /// As the host has written it into its folder.
    pub fn of(data: &Path) -> Self {
        let text = std::fs::read(data.join("admin.json")).expect("the admin file");
        let file: Value = serde_json::from_slice(&text).expect("JSON");
        let url = file["url"].as_str().expect("an URL");
        let token = file["token"].as_str().expect("a token");
        Self {
            address: url.trim_start_matches("http://").to_owned(),
            token: token.to_owned(),
        }
    }

    /// The same, for somebody with another token.
    pub fn with_token(&self, token: &str) -> Self {
        Self {
            address: self.address.clone(),
            token: token.to_owned(),
        }
    }

    /// Where it listens.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// The header field that shows the token.
    pub fn header(&self) -> String {
        format!("Authorization: Bearer {}", self.token)
    }

    /// Asks, and reads the whole answer, which has to be as the OpenAPI document
    /// says.
    pub async fn ask(&self, method: &str, path: &str, body: impl Into<bytes::Bytes>) -> Response {
        let (head, body) = self.send(method, path, full(body)).await.into_parts();
        let body = patiently("the body", body.collect()).await.expect("a body");
        let answer = Response {
            status: head.status,
            headers: head.headers,
            body: body.to_bytes(),
        };
        schema::check(method, path, &answer);
        answer
    }

    /// Asks, and returns the answer as soon as its head is there.
    pub async fn send(&self, method: &str, path: &str, body: Body) -> http::Response<Incoming> {
        let answer = patiently("an answer", self.try_send(method, path, body)).await;
        answer.expect("an answer")
    }

    /// Asks a host that may end meanwhile.
    pub async fn try_send(
        &self,
        method: &str,
        path: &str,
        body: Body,
    ) -> Result<http::Response<Incoming>, Box<dyn std::error::Error + Send + Sync>> {
        let mut request: Request<Body> = request(method, path, body);
        let token = format!("Bearer {}", self.token);
        let token = token.parse().expect("a header's value");
        request.headers_mut().insert("authorization", token);
        let stream = TokioIo::new(TcpStream::connect(&self.address).await?);
        let (mut sender, connection) = http1::handshake(stream).await?;
        tokio::spawn(connection);
        Ok(sender.send_request(request).await?)
    }
}
