//! The body of an answer that is logged.

use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use holdfast_core::event::{Body, BodyError};
use http::{Response, StatusCode};
use http_body::{Frame, SizeHint};
use http_body_util::BodyExt;

use super::visit::Visit;

/// Counts what is taken of a body. The line is written when nothing more will be:
/// it is complete, the client is gone, or nobody wants it (HEAD).
pub(super) struct Logged {
    body: Body,
    status: StatusCode,
    bytes: u64,
    visit: Visit,
}

impl Logged {
    pub(super) fn wrap(response: Response<Body>, visit: Visit) -> Response<Body> {
        let status = response.status();
        response.map(|body| {
            let logged = Self {
                body,
                status,
                bytes: 0,
                visit,
            };
            logged.boxed_unsync()
        })
    }
}

impl http_body::Body for Logged {
    type Data = Bytes;
    type Error = BodyError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        let frame = ready!(Pin::new(&mut self.body).poll_frame(context));
        if let Some(Ok(frame)) = &frame {
            self.bytes += frame.data_ref().map_or(0, Bytes::len) as u64;
        }
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

impl Drop for Logged {
    fn drop(&mut self) {
        self.visit.write(self.status, self.bytes);
    }
}
