//! hyper: a greeting, and bodies that stream back.

use std::convert::Infallible;

use anyhow::Result;
use bytes::Bytes;
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::TcpListener;

type Body = UnsyncBoxBody<Bytes, hyper::Error>;

/// Serves for ever.
pub(super) async fn serve(listener: TcpListener) -> Result<()> {
    loop {
        let (stream, _) = listener.accept().await?;
        stream.set_nodelay(true)?;
        let mut builder = http1::Builder::new();
        builder.timer(TokioTimer::new());
        let service = service_fn(async |request| Ok::<_, Infallible>(answer(request)));
        // A connection ends when its client goes; there is nobody to tell.
        tokio::task::spawn_local(builder.serve_connection(TokioIo::new(stream), service));
    }
}

fn answer(request: http::Request<Incoming>) -> http::Response<Body> {
    http::Response::new(match request.uri().path() {
        "/echo" => request.into_body().boxed_unsync(),
        _ => Full::new(Bytes::from_static(b"hello"))
            .map_err(|never| match never {})
            .boxed_unsync(),
    })
}
