//! tokio-tungstenite: an echo, and fan-out by path.

use anyhow::{Context, Result};
use futures_util::{SinkExt, StreamExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::broadcast;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::handshake::server::{ErrorResponse, Request, Response};
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;
use tokio_tungstenite::{WebSocketStream, accept_hdr_async_with_config};

/// Messages that a subscriber may be behind.
const BEHIND_MAX: usize = 64;

/// Serves for ever. A read buffer of 0 bytes means the library's own size.
pub(super) async fn serve(listener: TcpListener, read_buffer: usize) -> Result<()> {
    let mut config = WebSocketConfig::default();
    if read_buffer > 0 {
        config.read_buffer_size = read_buffer;
    }
    let (topic, _) = broadcast::channel(BEHIND_MAX);
    loop {
        let (stream, _) = listener.accept().await?;
        stream.set_nodelay(true)?;
        let topic = topic.clone();
        tokio::task::spawn_local(async move {
            // A connection ends when its client goes; there is nobody to tell.
            let _ = connection(stream, config, topic).await;
        });
    }
}

async fn connection(
    stream: TcpStream,
    config: WebSocketConfig,
    topic: broadcast::Sender<Message>,
) -> Result<()> {
    let mut path = String::new();
    // The library's own type of error is this large.
    #[allow(clippy::result_large_err)]
    let callback = |request: &Request, response: Response| -> Result<Response, ErrorResponse> {
        request.uri().path().clone_into(&mut path);
        Ok(response)
    };
    let socket = accept_hdr_async_with_config(stream, callback, Some(config)).await?;
    match path.as_str() {
        "/subscribe" => subscriber(socket, topic.subscribe()).await,
        "/publish" => publisher(socket, topic).await,
        _ => echo(socket).await,
    }
}

async fn echo(mut socket: WebSocketStream<TcpStream>) -> Result<()> {
    while let Some(message) = socket.next().await {
        let message = message?;
        if message.is_close() {
            break;
        }
        socket.send(message).await?;
    }
    Ok(())
}

async fn publisher(
    mut socket: WebSocketStream<TcpStream>,
    topic: broadcast::Sender<Message>,
) -> Result<()> {
    while let Some(message) = socket.next().await {
        topic.send(message?).context("nobody is subscribed")?;
    }
    Ok(())
}

async fn subscriber(
    mut socket: WebSocketStream<TcpStream>,
    mut topic: broadcast::Receiver<Message>,
) -> Result<()> {
    loop {
        tokio::select! {
            message = topic.recv() => socket.send(message?).await?,
            message = socket.next() => {
                message.context("the client has gone")??;
            }
        }
    }
}
