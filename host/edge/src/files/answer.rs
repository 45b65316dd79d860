//! The response for a path in a folder.

use std::io;
use std::ops::Range;
use std::sync::Arc;
use std::time::SystemTime;

use bytes::Bytes;
use holdfast_core::event::Body;
use holdfast_core::manifest::Files;
use http::header::{
    ACCEPT_RANGES, ALLOW, CACHE_CONTROL, CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_RANGE,
    CONTENT_TYPE, ETAG, HeaderMap, LAST_MODIFIED, LOCATION, RANGE, VARY, X_CONTENT_TYPE_OPTIONS,
};
use http::request::Parts;
use http::{HeaderName, HeaderValue, Method, Response, StatusCode};
use rustix::io::Errno;

use super::body::{CHUNK_BYTES_MAX, Piece, body};
use super::find::{Chosen, Found, Query, find};
use super::media;
use super::open::Patience;
use super::path::{NoFile, wanted};
use super::range::{Part, part};
use super::shelf::{Shelf, read};
use super::validator::{Validator, Verdict};
use crate::encoding::accept::accepted;
use crate::encoding::{Coding, content_encoding};
use crate::{preference, report};

/// How often a file is opened again because it has changed meanwhile.
const TRIES: usize = 3;

/// The answer to a request by a method that files don't have.
pub(crate) fn refusal(method: &Method) -> Option<Response<Body>> {
    let mut response = match *method {
        Method::GET | Method::HEAD => return None,
        Method::OPTIONS => report::no_content(),
        _ => report::text(StatusCode::METHOD_NOT_ALLOWED, "Files are only read here."),
    };
    let methods = HeaderValue::from_static("GET, HEAD, OPTIONS");
    response.headers_mut().insert(ALLOW, methods);
    Some(response)
}

/// Answers a GET or HEAD.
pub(crate) async fn answer(
    shelf: Arc<Shelf>,
    files: Arc<Files>,
    request: Box<Parts>,
) -> Response<Body> {
    let wanted = match wanted(request.uri.path(), files.depth) {
        Ok(wanted) => Some(wanted),
        Err(NoFile::NotThere) => None,
        Err(NoFile::Malformed) => {
            return report::text(StatusCode::BAD_REQUEST, "The path is malformed.");
        }
    };
    let query = Arc::new(Query {
        wanted,
        codings: accepted(&request.headers, &Coding::ALL),
        is_for_html: preference::is_for_html(&request.headers),
    });
    for _ in 0..TRIES {
        let found = match find(&files, &query, Patience::None) {
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                let (files, query) = (Arc::clone(&files), Arc::clone(&query));
                let work = move || find(&files, &query, Patience::Disk);
                shelf.on_disk(work).await
            }
            found => found,
        };
        let reply = Reply {
            shelf: &shelf,
            files: &files,
            request: &request,
        };
        let answered = match found {
            Ok(Found::File(chosen)) => reply.file(chosen).await,
            Ok(Found::Folder) => return reply.redirect(),
            Ok(Found::Nothing) => return report::not_found(),
            Err(error) => Err(error),
        };
        match answered {
            Ok(response) => return response,
            Err(error) if error.kind() == io::ErrorKind::InvalidData => {}
            Err(error) => {
                shelf.complain(&files, &error);
                return failure(&error);
            }
        }
    }
    // Somebody goes on writing to it.
    report::unavailable()
}

/// What a client learns of an error.
fn failure(error: &io::Error) -> Response<Body> {
    match Errno::from_io_error(error) {
        Some(Errno::MFILE | Errno::NFILE | Errno::NOMEM | Errno::AGAIN) => report::unavailable(),
        _ if error.kind() == io::ErrorKind::NotFound => report::not_found(),
        _ => report::internal_error(),
    }
}

struct Reply<'a> {
    shelf: &'a Arc<Shelf>,
    files: &'a Files,
    request: &'a Parts,
}

impl Reply<'_> {
    /// To the same path with a slash. It begins with one slash and a name, and so
    /// it can't lead to another host.
    fn redirect(&self) -> Response<Body> {
        let uri = &self.request.uri;
        let query = uri.query().map(|query| format!("?{query}"));
        let location = format!("{}/{}", uri.path(), query.unwrap_or_default());
        let Ok(location) = HeaderValue::try_from(location) else {
            return report::not_found();
        };
        let mut response = report::text(
            StatusCode::MOVED_PERMANENTLY,
            "It is a folder: its path ends with a slash.",
        );
        response.headers_mut().insert(LOCATION, location);
        response
    }

    async fn file(&self, chosen: Chosen) -> io::Result<Response<Body>> {
        if chosen.status != StatusCode::OK {
            return self.substitute(chosen).await;
        }
        let headers = &self.request.headers;
        let validator = Validator::new(&chosen.state, SystemTime::now());
        let fields = self.fields(&chosen, &validator);
        match validator.judge(headers) {
            Verdict::Send => {}
            Verdict::NotModified => return Ok(bare(StatusCode::NOT_MODIFIED, fields)),
            Verdict::Failed => {
                return Ok(report::text(
                    StatusCode::PRECONDITION_FAILED,
                    "The file is not as the request expects.",
                ));
            }
        }
        let media = media::content_type(&chosen.name);
        let len = chosen.state.len();
        match self.part(&validator, len) {
            Part::Whole => {
                let pieces = vec![Piece::Range(0..len)];
                let mut response = self.response(chosen, pieces).await?;
                response.headers_mut().extend(fields);
                response.headers_mut().insert(CONTENT_TYPE, media);
                Ok(response)
            }
            Part::Nothing => {
                let mut response = report::text(
                    StatusCode::RANGE_NOT_SATISFIABLE,
                    "The file has no such range.",
                );
                set(&mut response, &CONTENT_RANGE, &format!("bytes */{len}"));
                set(&mut response, &ACCEPT_RANGES, "bytes");
                Ok(response)
            }
            Part::Ranges(ranges) => {
                let (pieces, own) = pieces(&ranges, len, media)?;
                let mut response = self.response(chosen, pieces).await?;
                *response.status_mut() = StatusCode::PARTIAL_CONTENT;
                response.headers_mut().extend(fields);
                response.headers_mut().extend(own);
                Ok(response)
            }
        }
    }

    /// What stands for a file that is not there. Nothing is said about its own
    /// state: it is not the one that was asked for.
    async fn substitute(&self, chosen: Chosen) -> io::Result<Response<Body>> {
        let media = media::content_type(&chosen.name);
        let (status, coding) = (chosen.status, chosen.coding);
        let pieces = vec![Piece::Range(0..chosen.state.len())];
        let mut response = self.response(chosen, pieces).await?;
        *response.status_mut() = status;
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, media);
        if let Some(coding) = coding {
            headers.insert(CONTENT_ENCODING, content_encoding(coding));
        }
        set(&mut response, &VARY, "accept-encoding");
        set(&mut response, &X_CONTENT_TYPE_OPTIONS, "nosniff");
        Ok(response)
    }

    /// The fields of all responses with this file.
    fn fields(&self, chosen: &Chosen, validator: &Validator) -> HeaderMap {
        let mut fields = HeaderMap::new();
        let texts = [
            (ETAG, Some(validator.etag())),
            (LAST_MODIFIED, validator.last_modified()),
            (VARY, Some("accept-encoding".to_owned())),
            (ACCEPT_RANGES, Some("bytes".to_owned())),
            (X_CONTENT_TYPE_OPTIONS, Some("nosniff".to_owned())),
        ];
        for (name, text) in texts {
            let value = text.and_then(|text| HeaderValue::try_from(text).ok());
            fields.extend(value.map(|value| (name, value)));
        }
        if let Some(coding) = chosen.coding {
            fields.insert(CONTENT_ENCODING, content_encoding(coding));
        }
        if let Some(cache_control) = &self.files.cache_control {
            fields.insert(CACHE_CONTROL, cache_control.clone());
        }
        fields
    }

    /// Which part of the file is asked for: by a GET alone (section 14.2), and if
    /// it is still the same.
    fn part(&self, validator: &Validator, len: u64) -> Part {
        let headers = &self.request.headers;
        let mut values = headers.get_all(RANGE).iter();
        let (Some(value), None) = (values.next(), values.next()) else {
            return Part::Whole;
        };
        if self.request.method != Method::GET || !validator.may_send_range(headers) {
            return Part::Whole;
        }
        let value = value.to_str().unwrap_or_default();
        part(value, len, self.shelf.ranges_max)
    }

    /// 200 with these pieces. What is short is read at once.
    async fn response(&self, chosen: Chosen, pieces: Vec<Piece>) -> io::Result<Response<Body>> {
        let len: u64 = pieces.iter().map(Piece::len).sum();
        let mut response = Response::default();
        set(&mut response, &CONTENT_LENGTH, &len.to_string());
        if self.request.method == Method::HEAD {
            return Ok(response);
        }
        *response.body_mut() = if len <= CHUNK_BYTES_MAX as u64 {
            report::full(self.short(chosen, pieces).await?)
        } else {
            let open = self.shelf.keep(chosen.file, chosen.state);
            body(open.ok_or(Errno::MFILE)?, pieces)
        };
        Ok(response)
    }

    async fn short(&self, chosen: Chosen, pieces: Vec<Piece>) -> io::Result<Bytes> {
        let (file, state) = (Arc::new(chosen.file), chosen.state);
        let mut parts = Vec::with_capacity(pieces.len());
        for piece in pieces {
            let range = match piece {
                Piece::Bytes(bytes) => {
                    parts.push(bytes);
                    continue;
                }
                Piece::Range(range) => range,
            };
            // It is short.
            let (mut offset, end) = (range.start, range.end);
            while offset < end {
                let len = usize::try_from(end - offset).unwrap_or(CHUNK_BYTES_MAX);
                let bytes = match read(&file, &state, offset, len, Patience::None) {
                    Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                        let file = Arc::clone(&file);
                        let work = move || read(&file, &state, offset, len, Patience::Disk);
                        self.shelf.on_disk(work).await?
                    }
                    read => read?,
                };
                offset += bytes.len() as u64;
                parts.push(bytes);
            }
        }
        match (parts.pop(), parts.is_empty()) {
            (None, _) => Ok(Bytes::new()),
            (Some(only), true) => Ok(only),
            (Some(last), false) => {
                parts.push(last);
                Ok(parts.concat().into())
            }
        }
    }
}

/// What a response with ranges consists of, and the fields that say so. Several
/// are parts of one body (section 14.6).
fn pieces(
    ranges: &[Range<u64>],
    len: u64,
    media: HeaderValue,
) -> io::Result<(Vec<Piece>, HeaderMap)> {
    let content_range = |range: &Range<u64>| {
        let (first, last) = (range.start, range.end.saturating_sub(1));
        format!("bytes {first}-{last}/{len}")
    };
    let mut fields = HeaderMap::new();
    if let [only] = ranges {
        let value = HeaderValue::try_from(content_range(only));
        fields.insert(CONTENT_RANGE, value.map_err(io::Error::other)?);
        fields.insert(CONTENT_TYPE, media);
        return Ok((vec![Piece::Range(only.clone())], fields));
    }
    // Nobody can write a file in which this stands.
    let mut boundary = [0; 16];
    getrandom::fill(&mut boundary).map_err(io::Error::other)?;
    let boundary = u128::from_ne_bytes(boundary);
    let media = media.to_str().map_err(io::Error::other)?.to_owned();
    let mut pieces = Vec::with_capacity(2 * ranges.len() + 1);
    for range in ranges {
        let head = format!(
            "\r\n--{boundary:032x}\r\ncontent-type: {media}\r\ncontent-range: {}\r\n\r\n",
            content_range(range)
        );
        pieces.push(Piece::Bytes(head.into()));
        pieces.push(Piece::Range(range.clone()));
    }
    let end = format!("\r\n--{boundary:032x}--\r\n");
    pieces.push(Piece::Bytes(end.into()));
    let media = format!("multipart/byteranges; boundary={boundary:032x}");
    let value = HeaderValue::try_from(media).map_err(io::Error::other)?;
    fields.insert(CONTENT_TYPE, value);
    Ok((pieces, fields))
}

/// A response without a body.
fn bare(status: StatusCode, fields: HeaderMap) -> Response<Body> {
    let mut response = Response::default();
    *response.status_mut() = status;
    *response.headers_mut() = fields;
    response
}

fn set(response: &mut Response<Body>, name: &HeaderName, value: &str) {
    let value = HeaderValue::try_from(value).ok();
    let headers = response.headers_mut();
    headers.extend(value.map(|value| (name.clone(), value)));
}
