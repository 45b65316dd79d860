//! HTTP requests, whose path is a command.

use std::fmt::Write;

use holdfast::http::{Body, Request, Response, StatusCode, header};
use holdfast::keyvalue::Store;
use holdfast::{Error, Result, config, topics, uri};

use crate::command::{fetch, published, send_to, sleep};

/// Does what the path says.
pub(crate) async fn handle(request: Request) -> Result<Response> {
    let path = request.path().to_owned();
    let mut segments = uri::segments(&path);
    let command = segments.next().unwrap_or_default();
    let argument = segments.next().unwrap_or_default();
    Ok(match &*command {
        "hello" => text("hello"),
        "echo" => echo(request),
        "method" => text(request.method().to_string()),
        "head" => text(head(&request)),
        "query" => text(request.query().unwrap_or_default().to_owned()),
        "status" => status(StatusCode::from_bytes(argument.as_bytes())?, Body::empty()),
        "large" => text("x".repeat(argument.parse()?)),
        "events" => events(argument.parse()?),
        "increment" => text(Store::open("default")?.increment(&argument, 1)?.to_string()),
        "publish" => {
            let message = request.into_body().text().await?;
            text(published(topics::publish(&argument, message)?))
        }
        "send" => {
            let message = request.into_body().text().await?;
            text(send_to(&argument, &message)?)
        }
        "config" => text(config::get(&argument)?.unwrap_or_else(|| "none".into())),
        "fetch" => {
            let query = request.query().unwrap_or_default();
            let url = uri::query_value(query, "url").unwrap_or_default();
            text(fetch(&url).await)
        }
        "sleep" => text(sleep(&argument).await?),
        "fail" => return Err(Error::msg("told to fail")),
        "trap" => panic!("told to trap"),
        _ => status(StatusCode::NOT_FOUND, "no such command"),
    })
}

fn text(body: impl Into<Body>) -> Response {
    let mut response = Response::new(body.into());
    let plain = header::HeaderValue::from_static("text/plain");
    response.headers_mut().insert(header::CONTENT_TYPE, plain);
    response
}

fn status(status: StatusCode, body: impl Into<Body>) -> Response {
    let mut response = Response::new(body.into());
    *response.status_mut() = status;
    response
}

/// The body back as it comes, with the same content type.
fn echo(request: Request) -> Response {
    let (head, body) = request.into_parts();
    let mut response = Response::new(body);
    if let Some(content_type) = head.headers.get(header::CONTENT_TYPE) {
        let content_type = content_type.clone();
        response
            .headers_mut()
            .insert(header::CONTENT_TYPE, content_type);
    }
    response
}

/// The header fields, a line each, sorted.
fn head(request: &Request) -> String {
    let mut lines = Vec::new();
    for (name, value) in request.headers() {
        let mut line = String::new();
        let _ = write!(
            line,
            "{name}: {}",
            String::from_utf8_lossy(value.as_bytes())
        );
        lines.push(line);
    }
    lines.sort_unstable();
    lines.join("\n")
}

/// Server-sent events, numbered from 0.
fn events(count: u32) -> Response {
    let mut response = Response::new(Body::stream(async move |mut sender| {
        for number in 0..count {
            sender.send(format!("data: {number}\n\n")).await?;
        }
        Ok(())
    }));
    let stream = header::HeaderValue::from_static("text/event-stream");
    response.headers_mut().insert(header::CONTENT_TYPE, stream);
    response
}
