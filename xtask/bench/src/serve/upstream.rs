//! A slow server on the other side of a plugin's request.

use std::convert::Infallible;
use std::time::Duration;

use anyhow::Result;
use bytes::Bytes;
use http_body_util::Full;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::net::TcpListener;

/// How long it lets a client wait.
const DELAY: Duration = Duration::from_secs(10);

/// Serves for ever.
pub(super) async fn serve(listener: TcpListener) -> Result<()> {
    loop {
        let (stream, _) = listener.accept().await?;
        let service = service_fn(async |_| {
            tokio::time::sleep(DELAY).await;
            let body = Full::new(Bytes::from_static(b"at last"));
            Ok::<_, Infallible>(http::Response::new(body))
        });
        let connection = http1::Builder::new().serve_connection(TokioIo::new(stream), service);
        tokio::task::spawn_local(connection);
    }
}
