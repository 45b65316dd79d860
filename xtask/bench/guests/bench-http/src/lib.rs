//! A greeting, and an echo of bodies that pass through the guest's memory.

use holdfast::http::{Body, Request, Response};

async fn handle(request: Request) -> Response {
    match request.path() {
        "/echo" => Response::new(copy(request.into_body())),
        _ => Response::new("hello".into()),
    }
}

/// Piece by piece. The body as a whole could be handed on without a copy; here
/// the copy is what is measured.
fn copy(mut body: Body) -> Body {
    Body::stream(async move |mut sender| {
        while let Some(chunk) = body.chunk().await? {
            sender.send(chunk).await?;
        }
        Ok(())
    })
}

holdfast::export!(http = handle);
