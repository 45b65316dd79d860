//! Hello, an echo of a streamed body, headers: `wasi:http` 0.3 by Spin's SDK.

use spin_sdk::http::{HeaderMap, HeaderName, HeaderValue, IntoResponse, Request, StatusCode};
use spin_sdk::http_service;

#[http_service]
async fn handle(request: Request) -> impl IntoResponse {
    let (head, body) = request.into_parts();
    match head.uri.path() {
        "/hello" => "Hello from Spin".into_response(),
        "/echo" => (StatusCode::OK, body).into_response(),
        "/headers" => {
            let absent = HeaderValue::from_static("absent");
            let asked = head.headers.get("x-question").cloned().unwrap_or(absent);
            let fields = HeaderMap::from_iter([(HeaderName::from_static("x-answer"), asked)]);
            (StatusCode::OK, fields, String::new()).into_response()
        }
        _ => StatusCode::NOT_FOUND.into_response(),
    }
}
