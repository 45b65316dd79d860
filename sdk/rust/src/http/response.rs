//! What a handler may return.

use bytes::Bytes;

use super::{Body, HeaderValue, Response, StatusCode, TEXT_PLAIN, header};
use crate::{Error, Result};

/// Turns into a response. Handlers return it.
///
/// An error, in the end, is the host's to report: it logs the text and answers
/// 500, with nothing of the text in it. To tell a client something, return a
/// response.
pub trait IntoResponse {
    /// The response, or why there is none.
    fn into_response(self) -> Result<Response>;
}

/// A page with the content type of HTML.
pub fn html(page: impl Into<Body>) -> Response {
    typed(HeaderValue::from_static("text/html; charset=utf-8"), page)
}

/// A JSON text with its content type.
pub fn json(text: impl Into<Body>) -> Response {
    typed(HeaderValue::from_static("application/json"), text)
}

fn typed(content_type: HeaderValue, body: impl Into<Body>) -> Response {
    let mut response = Response::new(body.into());
    response
        .headers_mut()
        .insert(header::CONTENT_TYPE, content_type);
    response
}

impl<B: Into<Body>> IntoResponse for Response<B> {
    fn into_response(self) -> Result<Response> {
        Ok(self.map(Into::into))
    }
}

impl<T: IntoResponse, E: Into<Error>> IntoResponse for Result<T, E> {
    fn into_response(self) -> Result<Response> {
        self.map_err(Into::into)?.into_response()
    }
}

/// A status of its own, whatever the rest says.
impl<T: IntoResponse> IntoResponse for (StatusCode, T) {
    fn into_response(self) -> Result<Response> {
        let mut response = self.1.into_response()?;
        *response.status_mut() = self.0;
        Ok(response)
    }
}

impl IntoResponse for StatusCode {
    fn into_response(self) -> Result<Response> {
        (self, ()).into_response()
    }
}

impl IntoResponse for () {
    fn into_response(self) -> Result<Response> {
        Ok(Response::new(Body::empty()))
    }
}

impl IntoResponse for Body {
    fn into_response(self) -> Result<Response> {
        Ok(Response::new(self))
    }
}

macro_rules! text {
    ($($type:ty),+) => {
        $(impl IntoResponse for $type {
            fn into_response(self) -> Result<Response> {
                Ok(typed(TEXT_PLAIN, self))
            }
        })+
    };
}

macro_rules! binary {
    ($($type:ty),+) => {
        $(impl IntoResponse for $type {
            fn into_response(self) -> Result<Response> {
                Ok(typed(HeaderValue::from_static("application/octet-stream"), self))
            }
        })+
    };
}

text!(&'static str, String);
binary!(&'static [u8], Vec<u8>, Bytes);

#[cfg(test)]
mod tests {
    use super::*;

    fn content_type(response: &Response) -> Option<&str> {
        response.headers().get(header::CONTENT_TYPE)?.to_str().ok()
    }

    #[test]
    fn plain_values_become_responses_with_their_type() {
        let text = "hello".into_response().unwrap();
        assert_eq!(text.status(), StatusCode::OK);
        assert_eq!(content_type(&text), Some("text/plain; charset=utf-8"));
        assert_eq!(format!("{:?}", text.body()), r#"Body(b"hello")"#);

        let bytes = vec![1].into_response().unwrap();
        assert_eq!(content_type(&bytes), Some("application/octet-stream"));

        let created = (StatusCode::CREATED, json("{}")).into_response().unwrap();
        assert_eq!(created.status(), StatusCode::CREATED);
        assert_eq!(content_type(&created), Some("application/json"));

        let nothing = StatusCode::NOT_FOUND.into_response().unwrap();
        assert_eq!(nothing.status(), StatusCode::NOT_FOUND);
        assert_eq!(content_type(&nothing), None);
    }

    #[test]
    fn an_error_stays_one() {
        let result: Result<&str> = Err(Error::msg("no"));
        assert_eq!(result.into_response().unwrap_err().to_string(), "no");
        let inside = (StatusCode::OK, "x".parse::<u8>().map(|_| ()));
        assert!(inside.into_response().is_err());
    }
}
