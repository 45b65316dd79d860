//! HTTP requests. Open the URL that `holdfast dev` prints, change a text below,
//! and save.

use holdfast::http::{Method, Request, Response, StatusCode, header, html};

async fn handle(request: Request) -> holdfast::Result<Response> {
    let path = request.path().to_owned();
    match (request.method(), path.as_str()) {
        (&Method::GET | &Method::HEAD, "/") => Ok(html(page("world"))),
        (&Method::POST, "/") => {
            let name = request.into_body().text_up_to(NAME_BYTES_MAX).await?;
            Ok(html(page(&name)))
        }
        (_, "/") => refuse(StatusCode::METHOD_NOT_ALLOWED, "GET it, or POST a name\n"),
        _ => refuse(StatusCode::NOT_FOUND, "There is nothing here.\n"),
    }
}

/// The longest name, in bytes.
const NAME_BYTES_MAX: usize = 100;

fn page(name: &str) -> String {
    let name = escaped(name);
    format!(
        "<!doctype html>\n<meta charset=\"utf-8\">\n<title>{{name}}</title>\n<h1>Hello, {name}!</h1>\n"
    )
}

/// A text as HTML shows it: what others send is never markup.
fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;")
}

fn refuse(status: StatusCode, text: &'static str) -> holdfast::Result<Response> {
    Ok(Response::builder()
        .status(status)
        .header(header::CONTENT_TYPE, "text/plain; charset=utf-8")
        .body(text.into())?)
}

holdfast::export!(http = handle);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_no_markup() {
        assert!(page("Ada").contains("Hello, Ada!"));
        assert!(page("<b>").contains("Hello, &lt;b>!"));
    }
}
