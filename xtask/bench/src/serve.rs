//! The baselines: the libraries that everybody uses, one thread, no WebAssembly.

mod http;
mod upstream;
mod websocket;

use std::net::SocketAddr;

use anyhow::{Result, bail};
use tokio::net::TcpListener;
use tokio::runtime::{Builder, LocalOptions};

use crate::options::Options;

/// Serves at `address=` until the process is ended.
pub(crate) fn run(kind: &str, options: &Options) -> Result<()> {
    let address: SocketAddr = options.get("address")?;
    let runtime = Builder::new_current_thread()
        .enable_all()
        .build_local(LocalOptions::default())?;
    runtime.block_on(async {
        let listener = TcpListener::bind(address).await?;
        match kind {
            "http" => http::serve(listener).await,
            "websocket" => websocket::serve(listener, options.get_or("read_buffer", 0)?).await,
            "upstream" => upstream::serve(listener).await,
            _ => bail!("`{kind}` is no kind of server"),
        }
    })
}
