//! HTTP, with the types of the [`http`](https://docs.rs/http) crate.
//!
//! A handler is an async function from [`Request`] to anything that implements
//! [`IntoResponse`]. Bodies stream both ways: see [`Body`].
//!
//! ```
//! use holdfast::http::{IntoResponse, Method, Request, StatusCode};
//!
//! async fn handle(request: Request) -> holdfast::Result<impl IntoResponse> {
//!     if request.method() != Method::POST {
//!         return Ok((StatusCode::METHOD_NOT_ALLOWED, "post something\n".to_owned()));
//!     }
//!     let name = request.into_body().text_up_to(100).await?;
//!     Ok((StatusCode::OK, format!("Hello, {name}!\n")))
//! }
//! ```

mod body;
mod client;
mod parts;
mod request;
mod response;
mod sender;
mod whole;
mod wire;

pub use ::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, Uri, header};

pub use body::{Body, BodyError};
pub use client::{SendError, send};
pub use request::Request;
pub use response::{IntoResponse, html, json};
pub use sender::{Closed, Sender};
#[doc(hidden)]
pub use wire::serve;

/// A response, by default with a [`Body`].
pub type Response<B = Body> = ::http::Response<B>;

/// The content type of a text.
pub(crate) const TEXT_PLAIN: HeaderValue = HeaderValue::from_static("text/plain; charset=utf-8");
