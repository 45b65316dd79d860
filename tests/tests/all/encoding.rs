//! Responses that are sent encoded.

mod clients;
mod files;
mod responses;
mod stream;

use holdfast_tests::host::Host;
use holdfast_tests::http::{Response, full, request, whole};
use holdfast_tests::setup::Setup;

const CODINGS: [&str; 3] = ["br", "zstd", "gzip"];

/// A host whose plugin asks for encoded responses.
fn setup(form: &str) -> Setup {
    Setup::new(form).plugin("encode", "true")
}

/// A text that is worth it.
fn text() -> String {
    let lines = (0..2000u32).map(|it| format!("{} line {it}\n", it.wrapping_mul(2_654_435_761)));
    lines.collect()
}

/// Lets the guest answer with a body and these fields.
async fn answer(
    host: &Host,
    method: &str,
    path: &str,
    body: &str,
    fields: &[(&'static str, &str)],
) -> Response {
    let mut request = request(method, path, full(body.to_owned()));
    for (name, value) in fields {
        request.headers_mut().append(*name, value.parse().unwrap());
    }
    whole(host, request).await
}
