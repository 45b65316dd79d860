//! A server for guests' own requests.

use std::convert::Infallible;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use bytes::Bytes;
use http_body_util::Full;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::AbortHandle;

/// A running server. Ends when dropped.
#[derive(Debug)]
pub struct Upstream {
    address: SocketAddr,
    requests: Arc<AtomicUsize>,
    task: AbortHandle,
}

impl Upstream {
    /// Starts a server that answers `text` after `delay`.
    pub async fn start(text: &'static str, delay: Duration) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("an address");
        let requests = Arc::new(AtomicUsize::new(0));
        let count = Arc::clone(&requests);
        let task = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let count = Arc::clone(&count);
                let service = service_fn(move |_| {
                    count.fetch_add(1, Ordering::Relaxed);
                    async move {
                        tokio::time::sleep(delay).await;
                        let body = Full::new(Bytes::from_static(text.as_bytes()));
                        Ok::<_, Infallible>(http::Response::new(body))
                    }
                });
                tokio::spawn(http1::Builder::new().serve_connection(TokioIo::new(stream), service));
            }
        });
        Self {
            address,
            requests,
            task: task.abort_handle(),
        }
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Requests received so far.
    pub fn requests(&self) -> usize {
        self.requests.load(Ordering::Relaxed)
    }
}

/// A server that is not one: whatever it is asked, it says its bytes.
#[derive(Debug)]
pub struct Babbler {
    address: SocketAddr,
    requests: Arc<AtomicUsize>,
    task: AbortHandle,
}

impl Babbler {
    /// Starts one that says `first`, and then `again` without end, with this pause
    /// in between.
    pub async fn start(first: impl Into<Bytes>, again: impl Into<Bytes>, pause: Duration) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("an address");
        let requests = Arc::new(AtomicUsize::new(0));
        let count = Arc::clone(&requests);
        let (first, again) = (first.into(), again.into());
        let task = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                count.fetch_add(1, Ordering::Relaxed);
                // It ends when nobody listens any more.
                tokio::spawn(babble(stream, first.clone(), again.clone(), pause));
            }
        });
        Self {
            address,
            requests,
            task: task.abort_handle(),
        }
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Connections so far.
    pub fn requests(&self) -> usize {
        self.requests.load(Ordering::Relaxed)
    }
}

impl Drop for Babbler {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn babble(
    mut stream: TcpStream,
    first: Bytes,
    again: Bytes,
    pause: Duration,
) -> io::Result<()> {
    let mut request = [0; 4096];
    let _ = stream.read(&mut request).await?;
    stream.write_all(&first).await?;
    while !again.is_empty() {
        stream.write_all(&again).await?;
        tokio::time::sleep(pause).await;
    }
    stream.shutdown().await
}

impl Drop for Upstream {
    fn drop(&mut self) {
        self.task.abort();
    }
}
