//! What is posted appears on every open WebSocket: an HTTP handler that pushes
//! to sockets. The host does the fan-out without waking a handler.

use holdfast::http::{Request, StatusCode};
use holdfast::topics;
use holdfast::websocket::{Accept, Handshake, Reject, WebSocket};

/// The longest item of news, in bytes.
const TEXT_BYTES_MAX: usize = 10_000;

struct News;

impl WebSocket for News {
    fn accept(_handshake: &Handshake) -> Result<Accept, Reject> {
        Ok(Accept::new().topic("news"))
    }
}

async fn handle(request: Request) -> holdfast::Result<(StatusCode, String)> {
    let text = request.into_body().text_up_to(TEXT_BYTES_MAX).await?;
    let delivery = topics::publish("news", text)?;
    let answer = format!("sent to {}\n", delivery.queued);
    Ok((StatusCode::ACCEPTED, answer))
}

holdfast::export!(http = handle, websocket = News);
