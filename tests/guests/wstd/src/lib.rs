//! Hello, an echo of a streamed body, headers: `wasi:http` 0.2 by `wstd`.

use wstd::http::{Body, Error, HeaderValue, Request, Response, StatusCode};

#[wstd::http_server]
async fn main(request: Request<Body>) -> Result<Response<Body>, Error> {
    let (head, body) = request.into_parts();
    match head.uri.path() {
        "/hello" => Ok(Response::new("Hello from wstd".to_owned().into())),
        "/echo" => Ok(Response::new(body)),
        "/headers" => {
            let mut response = Response::new(Body::empty());
            let absent = HeaderValue::from_static("absent");
            let asked = head.headers.get("x-question").cloned().unwrap_or(absent);
            response.headers_mut().insert("x-answer", asked);
            Ok(response)
        }
        _ => {
            let mut response = Response::new(Body::empty());
            *response.status_mut() = StatusCode::NOT_FOUND;
            Ok(response)
        }
    }
}
