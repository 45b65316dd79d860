//! Routes to files.

mod browser;
mod encoded;
mod paths;
mod serve;
mod stream;
mod tenant;
mod validators;

use holdfast_tests::host::Host;
use holdfast_tests::http::{Response, full, request, whole};
use holdfast_tests::setup::Setup;
use holdfast_tests::wait::found;

/// A host that serves the folder `public`, with more keys of the route.
fn site(keys: &str) -> Setup {
    Setup::manifest(&format!(
        "[[route]]\npath = \"/\"\nfiles = \"public\"\n{keys}\n"
    ))
}

/// A request with more fields.
pub(crate) async fn ask(
    host: &Host,
    method: &str,
    path: &str,
    fields: &[(&'static str, &str)],
) -> Response {
    let mut request = request(method, path, full(""));
    for (name, value) in fields {
        request.headers_mut().append(*name, value.parse().unwrap());
    }
    whole(host, request).await
}

/// Waits until the file was not changed just now, and so has a strong tag.
pub(crate) async fn tag(host: &Host, path: &str) -> String {
    found("a strong tag", async || {
        let response = ask(host, "HEAD", path, &[]).await;
        let tag = response.header("etag").to_owned();
        tag.starts_with('"').then_some(tag)
    })
    .await
}
