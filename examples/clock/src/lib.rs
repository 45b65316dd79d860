//! Server-sent events: the time, once a second, for as long as the client
//! listens. The instance serves other requests meanwhile.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use holdfast::http::{Body, Request, Response, header};

async fn handle(_request: Request) -> holdfast::Result<Response> {
    let events = Body::stream(async |sender| {
        loop {
            let now = SystemTime::now()
                .duration_since(UNIX_EPOCH)
                .unwrap_or_default();
            let event = format!("data: {}\n\n", now.as_secs());
            // Ends the stream with an error when nobody listens any more.
            sender.send(event).await?;
            holdfast::time::sleep(Duration::from_secs(1)).await;
        }
    });
    let response = Response::builder().header(header::CONTENT_TYPE, "text/event-stream");
    Ok(response.body(events)?)
}

holdfast::export!(http = handle);
