//! An HTTP API with state: notes, as JSON. They are in the key-value store, so
//! that any instance of any version of this code can answer any request.
//!
//! - `GET /notes` lists them, `POST /notes` with `{"text"}` makes one
//! - `GET`, `PUT` and `DELETE /notes/ID` read, change and remove one

use holdfast::http::{Method, Request, Response, StatusCode, header, json};
use holdfast::keyvalue::Store;
use serde::{Deserialize, Serialize};

/// The largest note that is taken, in bytes.
const BODY_BYTES_MAX: usize = 64 << 10;
/// Where the last number is that was given to a note.
const LAST: &str = "last";
/// What the keys of notes begin with.
const PREFIX: &str = "note/";

#[derive(Serialize, Deserialize)]
struct Note {
    id: String,
    text: String,
}

#[derive(Deserialize)]
struct Draft {
    text: String,
}

/// A status and a JSON text.
type Answer = (StatusCode, Response);

async fn handle(request: Request) -> holdfast::Result<Answer> {
    let path = request.path().to_owned();
    match path.strip_prefix("/notes") {
        Some("" | "/") => all(request).await,
        Some(rest) => match rest.strip_prefix('/') {
            Some(id) => one(id, request).await,
            None => refuse(StatusCode::NOT_FOUND, "there is nothing here"),
        },
        None => refuse(StatusCode::NOT_FOUND, "there is nothing here"),
    }
}

async fn all(request: Request) -> holdfast::Result<Answer> {
    let store = Store::open("default")?;
    match *request.method() {
        Method::GET | Method::HEAD => {
            let mut notes = Vec::new();
            for key in store.keys()? {
                // One that is removed meanwhile is none of them.
                if key.starts_with(PREFIX)
                    && let Some(bytes) = store.get(&key)?
                {
                    notes.push(serde_json::from_slice::<Note>(&bytes)?);
                }
            }
            notes.sort_by_key(|note| note.id.parse::<u64>().unwrap_or(0));
            answer(StatusCode::OK, &notes)
        }
        Method::POST => {
            let Some(draft) = draft(request).await? else {
                return bad();
            };
            let id = store.increment(LAST, 1)?.to_string();
            let (status, mut response) = write(&store, id.clone(), draft, StatusCode::CREATED)?;
            let place = format!("/notes/{id}").parse()?;
            response.headers_mut().insert(header::LOCATION, place);
            Ok((status, response))
        }
        _ => not_allowed("GET, HEAD, POST"),
    }
}

async fn one(id: &str, request: Request) -> holdfast::Result<Answer> {
    let store = Store::open("default")?;
    let key = format!("{PREFIX}{id}");
    let Some(bytes) = store.get(&key)? else {
        return refuse(StatusCode::NOT_FOUND, "there is no such note");
    };
    match *request.method() {
        Method::GET | Method::HEAD => {
            answer(StatusCode::OK, &serde_json::from_slice::<Note>(&bytes)?)
        }
        Method::PUT => match draft(request).await? {
            Some(draft) => write(&store, id.to_owned(), draft, StatusCode::OK),
            None => bad(),
        },
        Method::DELETE => {
            store.delete(&key)?;
            Ok((StatusCode::NO_CONTENT, Response::default()))
        }
        _ => not_allowed("GET, HEAD, PUT, DELETE"),
    }
}

/// What a client wants to be written, if it is that.
async fn draft(request: Request) -> holdfast::Result<Option<Draft>> {
    let body = request.into_body().bytes_up_to(BODY_BYTES_MAX).await?;
    Ok(serde_json::from_slice(&body).ok())
}

fn write(store: &Store, id: String, draft: Draft, status: StatusCode) -> holdfast::Result<Answer> {
    let note = Note {
        text: draft.text,
        id,
    };
    let key = format!("{PREFIX}{}", note.id);
    store.set(&key, serde_json::to_vec(&note)?)?;
    answer(status, &note)
}

fn answer(status: StatusCode, value: &impl Serialize) -> holdfast::Result<Answer> {
    Ok((status, json(serde_json::to_string(value)?)))
}

fn refuse(status: StatusCode, error: &str) -> holdfast::Result<Answer> {
    answer(status, &serde_json::json!({ "error": error }))
}

fn bad() -> holdfast::Result<Answer> {
    refuse(
        StatusCode::BAD_REQUEST,
        "the body is not JSON with a \"text\"",
    )
}

fn not_allowed(methods: &'static str) -> holdfast::Result<Answer> {
    let (status, mut response) = refuse(StatusCode::METHOD_NOT_ALLOWED, "not this method")?;
    let methods = header::HeaderValue::from_static(methods);
    response.headers_mut().insert(header::ALLOW, methods);
    Ok((status, response))
}

holdfast::export!(http = handle);
