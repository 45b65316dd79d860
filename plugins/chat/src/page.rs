//! The page, and what it is made of.

use holdfast::http::{Body, HeaderValue, Response, header};

const HTML: &str = include_str!("../page/page.html");
const STYLE: &str = include_str!("../page/page.css");
const SCRIPT: &str = include_str!("../page/page.js");

/// Nothing from elsewhere, nothing inline, and no frame around it.
const POLICY: HeaderValue = HeaderValue::from_static(
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; \
     img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
);

/// A file that the page asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Asset {
    Style,
    Script,
}

/// The page, which finds its files at `base`. Unlike one that is served as a file,
/// it can send people to a room by a path.
pub(crate) fn html(base: &str) -> Response {
    let html = HTML
        .replace("\"page.", &format!("\"{base}page."))
        .replace("<html ", "<html data-rooms=\"rooms/\" ");
    let mut response = file("text/html; charset=utf-8", html);
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_SECURITY_POLICY, POLICY);
    headers.insert(
        header::REFERRER_POLICY,
        HeaderValue::from_static("no-referrer"),
    );
    response
}

/// One of its files.
pub(crate) fn asset(asset: Asset) -> Response {
    match asset {
        Asset::Style => file("text/css; charset=utf-8", STYLE),
        Asset::Script => file("text/javascript; charset=utf-8", SCRIPT),
    }
}

fn file(content_type: &'static str, body: impl Into<Body>) -> Response {
    let mut response = Response::new(body.into());
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(content_type));
    // New code shows at the next load, without a change of name.
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    let nosniff = HeaderValue::from_static("nosniff");
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, nosniff);
    response
}
