//! A client of the admin listener.

use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt, Full, Limited};
use hyper::header::{AUTHORIZATION, CONTENT_TYPE, HOST};
use hyper::{Method, Request, StatusCode, Uri};
use hyper_util::rt::TokioIo;
use serde::Serialize;
use tokio::net::TcpStream;

use crate::admin::Denial;
use crate::problem::Problem;

/// Time for a connection.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// Time for an answer: a reload may compile.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(600);
/// The largest answer.
const ANSWER_BYTES_MAX: usize = 64 << 20;

/// Asks one host.
pub(super) struct Client {
    authority: String,
    token: String,
}

impl Client {
    /// For a host at this URL.
    pub(super) fn new(url: &str, token: &str) -> Result<Self, Problem> {
        let uri: Option<Uri> = url.parse().ok();
        let authority = uri
            .filter(|uri| uri.scheme_str() == Some("http"))
            .and_then(|uri| uri.authority().cloned())
            .ok_or_else(|| {
                Problem::new(
                    format!("\"{url}\" is not the URL of an admin listener"),
                    "write it as http://127.0.0.1:9000",
                )
            })?;
        Ok(Self {
            authority: authority.to_string(),
            token: token.to_owned(),
        })
    }

    /// Asks; returns the body of the answer.
    pub(super) fn get(&self, path: &str) -> Result<Bytes, Problem> {
        self.send(Method::GET, path, Bytes::new())
    }

    /// Asks for something to be done.
    pub(super) fn post(&self, path: &str, body: &impl Serialize) -> Result<Bytes, Problem> {
        let body = serde_json::to_vec(body).map_err(anyhow::Error::from)?;
        self.send(Method::POST, path, body.into())
    }

    /// Hands something over.
    pub(super) fn put(&self, path: &str, body: impl Into<Bytes>) -> Result<Bytes, Problem> {
        self.send(Method::PUT, path, body.into())
    }

    /// Asks, and hands over what comes, for as long as something comes.
    pub(super) fn follow(
        &self,
        path: &str,
        mut take: impl FnMut(&[u8]) -> std::io::Result<()>,
    ) -> Result<(), Problem> {
        let request = self.request(Method::GET, path, Bytes::new())?;
        let answered = runtime()?.block_on(self.stream(request, &mut take));
        match answered {
            Ok(None) => Ok(()),
            Ok(Some((status, body))) => Err(self.denied(status, &body)),
            Err(error) => Err(self.no_answer(&format!("{error:#}"))),
        }
    }

    fn request(
        &self,
        method: Method,
        path: &str,
        body: Bytes,
    ) -> Result<Request<Full<Bytes>>, Problem> {
        Request::builder()
            .method(method)
            .uri(path)
            .header(HOST, &self.authority)
            .header(AUTHORIZATION, format!("Bearer {}", self.token))
            .header(CONTENT_TYPE, "application/json")
            .body(Full::new(body))
            .map_err(|_| {
                let message = "the token can't be sent";
                Problem::new(message, "give it as it is in the host's admin file")
            })
    }

    fn send(&self, method: Method, path: &str, body: Bytes) -> Result<Bytes, Problem> {
        let request = self.request(method, path, body)?;
        let answered = runtime()?
            .block_on(async { tokio::time::timeout(ANSWER_TIMEOUT, self.exchange(request)).await });
        let (status, body) = match answered {
            Ok(Ok(answer)) => answer,
            Ok(Err(error)) => return Err(self.no_answer(&format!("{error:#}"))),
            Err(_) => return Err(self.no_answer("it took too long")),
        };
        if status.is_success() {
            return Ok(body);
        }
        Err(self.denied(status, &body))
    }

    fn denied(&self, status: StatusCode, body: &[u8]) -> Problem {
        match serde_json::from_slice::<Denial>(body) {
            Ok(denial) => Problem::new(denial.error, denial.hint),
            Err(_) => self.no_answer(&format!("it answered {status}")),
        }
    }

    /// Hands over a good answer; returns one that is not.
    async fn stream(
        &self,
        request: Request<Full<Bytes>>,
        take: &mut impl FnMut(&[u8]) -> std::io::Result<()>,
    ) -> anyhow::Result<Option<(StatusCode, Bytes)>> {
        let connecting = TcpStream::connect(&self.authority);
        let stream = tokio::time::timeout(CONNECT_TIMEOUT, connecting).await??;
        let io = TokioIo::new(stream);
        let (mut sender, connection) = hyper::client::conn::http1::handshake(io).await?;
        // It ends with the runtime.
        let connection = tokio::spawn(connection);
        let (head, mut body) = sender.send_request(request).await?.into_parts();
        if !head.status.is_success() {
            let body = Limited::new(body, ANSWER_BYTES_MAX).collect().await;
            let body = body.map_err(|error| anyhow::anyhow!(error))?;
            return Ok(Some((head.status, body.to_bytes())));
        }
        while let Some(frame) = body.frame().await {
            if let Some(data) = frame?.data_ref() {
                take(data)?;
            }
        }
        connection.abort();
        Ok(None)
    }

    async fn exchange(&self, request: Request<Full<Bytes>>) -> anyhow::Result<(StatusCode, Bytes)> {
        let connecting = TcpStream::connect(&self.authority);
        let stream = tokio::time::timeout(CONNECT_TIMEOUT, connecting).await??;
        let io = TokioIo::new(stream);
        let (mut sender, connection) = hyper::client::conn::http1::handshake(io).await?;
        let exchange = async {
            let (head, body) = sender.send_request(request).await?.into_parts();
            let body = Limited::new(body, ANSWER_BYTES_MAX).collect().await;
            let body = body.map_err(|error| anyhow::anyhow!(error))?;
            Ok((head.status, body.to_bytes()))
        };
        // The connection does the work, and ends with the answer or before it.
        let mut exchange = std::pin::pin!(exchange);
        tokio::select! {
            answer = &mut exchange => answer,
            ended = connection => {
                ended?;
                exchange.await
            }
        }
    }

    fn no_answer(&self, why: &str) -> Problem {
        Problem::new(
            format!(
                "no answer from the host at http://{}: {why}",
                self.authority
            ),
            "see whether it still runs: its admin file may be left over",
        )
    }
}

fn runtime() -> Result<tokio::runtime::Runtime, Problem> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build();
    Ok(runtime.map_err(anyhow::Error::from)?)
}
