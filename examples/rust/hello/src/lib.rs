//! Answers every request with a greeting, which the operator can change.

use holdfast::http::Request;

async fn handle(request: Request) -> holdfast::Result<String> {
    let greeting = holdfast::config::get("greeting")?.unwrap_or_else(|| "Hello".into());
    Ok(format!("{greeting} from {}\n", request.path()))
}

holdfast::export!(http = handle);
