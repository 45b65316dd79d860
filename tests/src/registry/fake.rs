//! A server in the place of a registry: it answers as a test wants, and remembers
//! what it was asked.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use http::{Response, StatusCode};
use http_body_util::Full;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::net::TcpListener;
use tokio::task::AbortHandle;

use super::Image;

/// What it was asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Asked {
    /// Path and query.
    pub path: String,
    /// What it was shown.
    pub authorization: Option<String>,
}

/// A running server. Ends when dropped.
#[derive(Debug)]
pub struct Fake {
    address: SocketAddr,
    asked: Arc<Mutex<Vec<Asked>>>,
    task: AbortHandle,
}

/// An answer.
pub type Answer = Response<Full<Bytes>>;

impl Fake {
    /// Starts one that answers so. The function gets its address, too.
    pub async fn start(
        answer: impl Fn(&Asked, SocketAddr) -> Answer + Send + Sync + 'static,
    ) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("an address");
        let asked: Arc<Mutex<Vec<Asked>>> = Arc::default();
        let (all, answer) = (Arc::clone(&asked), Arc::new(answer));
        let task = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (all, answer) = (Arc::clone(&all), Arc::clone(&answer));
                let service = service_fn(move |request: http::Request<_>| {
                    let asked = asked_by(&request);
                    all.lock().expect("no panic").push(asked.clone());
                    let answer = answer(&asked, address);
                    async move { Ok::<_, Infallible>(answer) }
                });
                tokio::spawn(http1::Builder::new().serve_connection(TokioIo::new(stream), service));
            }
        });
        Self {
            address,
            asked,
            task: task.abort_handle(),
        }
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// All that it was asked so far.
    pub fn asked(&self) -> Vec<Asked> {
        self.asked.lock().expect("no panic").clone()
    }

    /// What a registry would answer which has this image under every name.
    pub fn of_image(image: &Image, asked: &Asked) -> Answer {
        let component = image.component_digest();
        match asked.path.rsplit_once('/') {
            Some((kind, _)) if kind.ends_with("/manifests") => good(image.manifest.clone()),
            Some((_, name)) if name == format!("sha256:{component}") => {
                good(image.component.clone())
            }
            _ => status(StatusCode::NOT_FOUND),
        }
    }
}

impl Drop for Fake {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// A good answer.
pub fn good(body: impl Into<Bytes>) -> Answer {
    Response::new(Full::new(body.into()))
}

/// An answer without a body.
pub fn status(status: StatusCode) -> Answer {
    let mut answer = good("");
    *answer.status_mut() = status;
    answer
}

fn asked_by<B>(request: &http::Request<B>) -> Asked {
    let authorization = request.headers().get("authorization");
    let authorization = authorization.map(|it| it.to_str().expect("ASCII").to_owned());
    Asked {
        path: request.uri().to_string(),
        authorization,
    }
}
