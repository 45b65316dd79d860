//! Server-sent events: the time, once a second, for as long as the client
//! listens. The instance serves other requests meanwhile.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use holdfast::http::{Body, Request, Response, header};

async fn handle(_request: Request) -> holdfast::Result<Response> {
    let events = Body::stream(async |mut sender| {
        // Sending fails when nobody listens any more.
        while sender.send(event()).await.is_ok() {
            holdfast::time::sleep(Duration::from_secs(1)).await;
        }
        Ok(())
    });
    let response = Response::builder().header(header::CONTENT_TYPE, "text/event-stream");
    Ok(response.body(events)?)
}

fn event() -> String {
    let now = SystemTime::now().duration_since(UNIX_EPOCH);
    format!("data: {}\n\n", now.unwrap_or_default().as_secs())
}

holdfast::export!(http = handle);
