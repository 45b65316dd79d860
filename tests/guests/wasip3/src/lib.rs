//! Hello, an echo of a streamed body, headers: `wasi:http` 0.3 by the bare
//! bindings of `wasip3`. And what only those show: what becomes of a response,
//! a response that its maker reads, and files by `wasi:filesystem` 0.3.

use std::cell::RefCell;

use wasip3::filesystem::preopens::get_directories;
use wasip3::filesystem::types::{DescriptorFlags, OpenFlags, PathFlags};
use wasip3::http::types::{ErrorCode, Fields, Request, Response};
use wasip3::wit_bindgen::StreamReader;
use wasip3::{wit_bindgen, wit_future, wit_stream};

struct Guest;

wasip3::http::service::export!(Guest);

impl wasip3::exports::http::handler::Guest for Guest {
    async fn handle(request: Request) -> Result<Response, ErrorCode> {
        let path = request.get_path_with_query().unwrap_or_default();
        match path.as_str() {
            "/hello" => Ok(respond(200, Fields::new(), text("Hello from wasip3"))),
            "/echo" => Ok(echo(request)),
            "/headers" => {
                let asked = request.get_headers().get("x-question");
                let asked = asked.into_iter().next();
                let answer = asked.unwrap_or_else(|| b"absent".to_vec());
                let fields = Fields::from_list(&[("x-answer".to_owned(), answer)])
                    .map_err(|_| ErrorCode::InternalError(None))?;
                Ok(respond(200, fields, text("")))
            }
            "/own" => Ok(own().await),
            "/sent" => Ok(watched("5")),
            "/short" => Ok(watched("9")),
            path if path.starts_with("/file/") => {
                let content = file(path.trim_start_matches("/file/")).await;
                Ok(respond(200, Fields::new(), text(&content)))
            }
            "/told" => Ok(respond(200, Fields::new(), text(&TOLD.take()))),
            _ => Ok(respond(404, Fields::new(), text(""))),
        }
    }
}

/// Hands the request's body on as the response's, unread.
fn echo(request: Request) -> Response {
    let (_, done) = wit_future::new(|| Ok(()));
    let (body, trailers) = Request::consume_body(request, done);
    let (response, _) = Response::new(Fields::new(), Some(body), trailers);
    response
}

/// Reads a response that was made here, as happens where components are
/// composed.
async fn own() -> Response {
    let response = respond(200, Fields::new(), text("made and read"));
    let (_, done) = wit_future::new(|| Ok(()));
    let (body, trailers) = Response::consume_body(response, done);
    let bytes = body.collect().await;
    let text = match trailers.await {
        Ok(None) => String::from_utf8(bytes).unwrap_or_default(),
        other => format!("{other:?}"),
    };
    respond(200, Fields::new(), self::text(&text))
}

/// What is in a file of the first folder, or why it can't be read.
async fn file(path: &str) -> String {
    let Some((folder, _)) = get_directories().into_iter().next() else {
        return "no folder".to_owned();
    };
    let follow = PathFlags::SYMLINK_FOLLOW;
    let read = DescriptorFlags::READ;
    let opened = folder.open_at(follow, path.to_owned(), OpenFlags::empty(), read);
    match opened.await {
        Ok(file) => {
            let (content, done) = file.read_via_stream(0);
            let content = content.collect().await;
            match done.await {
                Ok(()) => String::from_utf8_lossy(&content).into_owned(),
                Err(error) => format!("{error:?}"),
            }
        }
        Err(error) => format!("{error:?}"),
    }
}

thread_local! {
    /// What the host has said of a response.
    static TOLD: RefCell<String> = const { RefCell::new(String::new()) };
}

/// A response of five bytes that claims a length, and waits for what the host
/// says of it.
fn watched(length: &str) -> Response {
    let fields = Fields::from_list(&[("content-length".to_owned(), length.into())]);
    let fields = fields.unwrap_or_else(|_| Fields::new());
    let (_, trailers) = wit_future::new(|| Ok(None));
    let (response, sent) = Response::new(fields, Some(text("hello")), trailers);
    wit_bindgen::spawn_local(async move {
        let said = format!("{:?}", sent.await);
        TOLD.replace(said);
    });
    response
}

fn respond(status: u16, fields: Fields, body: StreamReader<u8>) -> Response {
    let (_, trailers) = wit_future::new(|| Ok(None));
    let (response, _) = Response::new(fields, Some(body), trailers);
    let _ = response.set_status_code(status);
    response
}

fn text(text: &str) -> StreamReader<u8> {
    let (mut sender, receiver) = wit_stream::new();
    let bytes = text.as_bytes().to_vec();
    wit_bindgen::spawn_local(async move {
        sender.write_all(bytes).await;
    });
    receiver
}
