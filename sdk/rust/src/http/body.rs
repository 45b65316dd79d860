//! The body of a request or response, in either direction.

use std::error::Error;
use std::fmt::{self, Debug, Display, Formatter};
use std::future::Future;
use std::mem;
use std::pin::Pin;

use bytes::Bytes;
use wasip3::http::types;
use wasip3::wit_bindgen::StreamResult;

use super::HeaderMap;
use super::parts::{Message, Parts};
use super::sender::{self, Sender};
use crate::Result;

/// The most that [`Body::chunk`] returns at once.
const CHUNK_BYTES: usize = 64 << 10;

/// A body, of a request or response, coming or going.
///
/// One that came in can be read in pieces or as a whole, or given away as the
/// body of another message; then its bytes never enter the guest's memory.
/// Nothing is read from the peer before the guest asks for it, and
/// [`Body::stream`] goes no faster than the peer reads.
///
/// The host limits the body of a request (`body_bytes_max`, 16 MiB unless the
/// plugin's manifest says otherwise) and the guest's memory.
pub struct Body {
    content: Content,
    /// Boxed, since there are nearly never any.
    trailers: Option<Box<HeaderMap>>,
}

pub(super) enum Content {
    Whole(Bytes),
    /// Came in and was not touched yet.
    Unread(Message),
    /// Will be written by a function.
    Unwritten(Producer),
    Reading(Parts),
}

pub(super) type Producer = Box<dyn FnOnce(Sender) -> Pin<Box<dyn Future<Output = Result>>>>;

impl Body {
    /// No bytes.
    pub fn empty() -> Self {
        Self::new(Content::Whole(Bytes::new()))
    }

    /// A body that `write` sends piece by piece, while the peer reads it. It
    /// starts when the message is on its way, and goes on after the handler has
    /// returned. An error ends the body before its time, so that the peer sees
    /// it as broken off.
    ///
    /// ```
    /// use std::time::Duration;
    /// use holdfast::http::{Body, Request, Response, header};
    ///
    /// // Server-sent events: the time, each second, until the client goes away.
    /// async fn handle(_: Request) -> holdfast::Result<Response> {
    ///     let body = Body::stream(async |mut sender| {
    ///         for second in 0.. {
    ///             sender.send(format!("data: {second}\n\n")).await?;
    ///             holdfast::time::sleep(Duration::from_secs(1)).await;
    ///         }
    ///         Ok(())
    ///     });
    ///     let response = Response::builder().header(header::CONTENT_TYPE, "text/event-stream");
    ///     Ok(response.body(body)?)
    /// }
    /// ```
    pub fn stream(write: impl AsyncFnOnce(Sender) -> Result + 'static) -> Self {
        let producer: Producer = Box::new(|sender| Box::pin(async move { write(sender).await }));
        Self::new(Content::Unwritten(producer))
    }

    /// The next piece, at most 64 KiB; none at the end.
    pub async fn chunk(&mut self) -> Result<Option<Bytes>, BodyError> {
        match &mut self.content {
            Content::Whole(bytes) => {
                let bytes = mem::take(bytes);
                Ok(Some(bytes).filter(|bytes| !bytes.is_empty()))
            }
            Content::Reading(parts) => match read(parts).await {
                Some(chunk) => Ok(Some(chunk)),
                None => self.finish().await.map(|()| None),
            },
            Content::Unread(_) | Content::Unwritten(_) => {
                let content = mem::replace(&mut self.content, Content::Whole(Bytes::new()));
                if let Ok(parts) = content.into_parts() {
                    self.content = Content::Reading(parts);
                }
                Box::pin(self.chunk()).await
            }
        }
    }

    /// All bytes. Use [`Body::bytes_up_to`] for what strangers send.
    pub async fn bytes(self) -> Result<Bytes, BodyError> {
        self.bytes_up_to(usize::MAX).await
    }

    /// All bytes, unless they are more than `limit`.
    pub async fn bytes_up_to(mut self, limit: usize) -> Result<Bytes, BodyError> {
        let first = self.chunk().await?.unwrap_or_default();
        if first.len() > limit {
            return Err(BodyError::TooLarge(limit));
        }
        let Some(second) = self.chunk().await? else {
            return Ok(first);
        };
        let mut all = Vec::from(first);
        let mut next = Some(second);
        while let Some(chunk) = next {
            if chunk.len() > limit - all.len() {
                return Err(BodyError::TooLarge(limit));
            }
            all.extend_from_slice(&chunk);
            next = self.chunk().await?;
        }
        Ok(all.into())
    }

    /// The whole body as text. Use [`Body::text_up_to`] for what strangers
    /// send.
    pub async fn text(self) -> Result<String, BodyError> {
        self.text_up_to(usize::MAX).await
    }

    /// The whole body as text, unless it is longer than `limit` bytes.
    pub async fn text_up_to(self, limit: usize) -> Result<String, BodyError> {
        let bytes = self.bytes_up_to(limit).await?;
        String::from_utf8(bytes.into()).map_err(|_| BodyError::NotText)
    }

    /// The trailers (RFC 9110, section 6.5) of a body that came in, once
    /// [`Body::chunk`] has returned none.
    pub fn trailers(&self) -> Option<&HeaderMap> {
        self.trailers.as_deref()
    }

    pub(super) fn incoming(message: Message) -> Self {
        Self::new(Content::Unread(message))
    }

    /// The request whose body this is, as long as nothing was read of it.
    pub(super) fn unread_request(&self) -> Option<&types::Request> {
        match &self.content {
            Content::Unread(Message::Request(request)) => Some(request),
            _ => None,
        }
    }

    pub(super) fn into_content(self) -> Content {
        self.content
    }

    fn new(content: Content) -> Self {
        Self {
            content,
            trailers: None,
        }
    }

    /// The stream has ended; what follows it says whether that was the end.
    async fn finish(&mut self) -> Result<(), BodyError> {
        let content = mem::replace(&mut self.content, Content::Whole(Bytes::new()));
        let Content::Reading(parts) = content else {
            return Ok(());
        };
        self.trailers = parts.ending.read().await?.map(Box::new);
        Ok(())
    }
}

impl Content {
    /// The length, where it is known.
    pub(super) fn len(&self) -> Option<usize> {
        match self {
            Self::Whole(bytes) => Some(bytes.len()),
            _ => None,
        }
    }

    /// The body as the component model knows it, or all of its bytes.
    pub(super) fn into_parts(self) -> Result<Parts, Bytes> {
        match self {
            Self::Whole(bytes) => Err(bytes),
            Self::Unread(message) => Ok(message.consume()),
            Self::Unwritten(producer) => Ok(sender::write_stream(producer)),
            Self::Reading(parts) => Ok(parts),
        }
    }
}

async fn read(parts: &mut Parts) -> Option<Bytes> {
    loop {
        let (result, mut chunk) = parts.stream.read(Vec::with_capacity(CHUNK_BYTES)).await;
        if !chunk.is_empty() {
            // Small pieces that are kept should not keep the whole buffer.
            if chunk.len() < CHUNK_BYTES / 4 {
                chunk.shrink_to_fit();
            }
            return Some(chunk.into());
        }
        if !matches!(result, StreamResult::Complete(_)) {
            return None;
        }
    }
}

impl Default for Body {
    fn default() -> Self {
        Self::empty()
    }
}

impl Debug for Body {
    fn fmt(&self, formatter: &mut Formatter<'_>) -> fmt::Result {
        match &self.content {
            Content::Whole(bytes) => write!(formatter, "Body({bytes:?})"),
            _ => formatter.write_str("Body(..)"),
        }
    }
}

impl From<()> for Body {
    fn from((): ()) -> Self {
        Self::empty()
    }
}

macro_rules! from_whole {
    ($($type:ty),+) => {
        $(impl From<$type> for Body {
            fn from(bytes: $type) -> Self {
                Self::new(Content::Whole(bytes.into()))
            }
        })+
    };
}

from_whole!(&'static str, String, &'static [u8], Vec<u8>, Bytes);

/// Why a body could not be read.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum BodyError {
    /// It has more bytes than the handler wants.
    TooLarge(usize),
    /// It is not UTF-8.
    NotText,
    /// It was not received to its end.
    Failed(String),
}

impl Display for BodyError {
    fn fmt(&self, formatter: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooLarge(limit) => write!(formatter, "the body is over {limit} bytes"),
            Self::NotText => formatter.write_str("the body is not UTF-8"),
            Self::Failed(text) => write!(formatter, "the body was broken off: {text}"),
        }
    }
}

impl Error for BodyError {}
