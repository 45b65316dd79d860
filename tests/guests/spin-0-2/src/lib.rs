//! Hello, headers, variables and files: `wasi:http` 0.2 by Spin's SDK.

use spin_sdk::http::{IntoResponse, Request, Response};
use spin_sdk::http_component;

#[http_component]
fn handle(request: Request) -> impl IntoResponse {
    let mut response = Response::builder();
    let response = response.status(200);
    let path = request.path();
    match path.split('/').nth(1).unwrap_or_default() {
        "hello" => response.body("Hello from Spin before 0.3").build(),
        "headers" => {
            let asked = request.header("x-question");
            let asked = asked.and_then(|value| value.as_str()).unwrap_or("absent");
            response.header("x-answer", asked).build()
        }
        "env" => {
            let name = path.rsplit('/').next().unwrap_or_default();
            let value = std::env::var(name).unwrap_or_else(|_| "none".to_owned());
            response.body(value).build()
        }
        "file" => match std::fs::read(path.trim_start_matches("/file")) {
            Ok(bytes) => response.body(bytes).build(),
            Err(error) => response.status(404).body(error.to_string()).build(),
        },
        _ => response.status(404).build(),
    }
}
