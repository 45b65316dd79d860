//! A response that streams: server-sent events, each with its number, for as long
//! as the client listens or until there were `count` of them. Between two of them
//! are `pause` milliseconds, in which the instance serves other requests.

use std::time::Duration;

use holdfast::http::{Body, Request, Response, header};
use holdfast::{time, uri};

/// Milliseconds between two events, unless the query says otherwise.
const PAUSE_MS: u64 = 100;

async fn handle(request: Request) -> holdfast::Result<Response> {
    let query = request.query().unwrap_or_default();
    let number = |key, default| match uri::query_value(query, key) {
        Some(text) => text.parse(),
        None => Ok(default),
    };
    let count = number("count", u64::MAX)?;
    let pause = Duration::from_millis(number("pause", PAUSE_MS)?);
    let events = Body::stream(async move |mut sender| {
        for event in 0..count {
            if event > 0 {
                time::sleep(pause).await;
            }
            // It fails when nobody listens any more, which ends the stream.
            sender.send(format!("data: {event}\n\n")).await?;
        }
        Ok(())
    });
    let response = Response::builder().header(header::CONTENT_TYPE, "text/event-stream");
    Ok(response.body(events)?)
}

holdfast::export!(http = handle);
