//! What both messages and requests can ask for, as the texts that answer them.

use std::time::Duration;

use holdfast::http::{Body, Request, send};
use holdfast::{Result, connections, topics};

/// What became of a published message.
pub(crate) fn published(delivery: topics::Delivery) -> String {
    format!("queued {} full {}", delivery.queued, delivery.full)
}

/// Sends a text to a connection.
pub(crate) fn send_to(connection: &str, text: &str) -> Result<&'static str> {
    match connections::send(connection, text) {
        Ok(_) => Ok("queued"),
        Err(connections::SendError::Gone) => Ok("gone"),
        Err(error) => Err(error.into()),
    }
}

/// `STATUS BODY` of what another server answers, or `error: …`.
pub(crate) async fn fetch(url: &str) -> String {
    async fn answer(url: &str) -> Result<String> {
        let response = send(Request::get(url).body(Body::empty())?).await?;
        let status = response.status().as_u16();
        Ok(format!("{status} {}", response.into_body().text().await?))
    }
    answer(url)
        .await
        .unwrap_or_else(|error| format!("error: {error}"))
}

/// Waits for a number of milliseconds.
pub(crate) async fn sleep(milliseconds: &str) -> Result<&'static str> {
    holdfast::time::sleep(Duration::from_millis(milliseconds.parse()?)).await;
    Ok("slept")
}
