//! A body as the component model knows it: a stream, and a future for what
//! follows it.

use wasip3::http::types::{self, ErrorCode, Trailers};
use wasip3::wit_bindgen::{FutureReader, JoinHandle, StreamReader, spawn_local};
use wasip3::wit_future;

use super::{BodyError, HeaderMap, wire};

/// A body that is being read, here or by the host.
pub(super) struct Parts {
    pub(super) stream: StreamReader<u8>,
    pub(super) ending: Ending,
}

/// What follows the stream.
pub(super) enum Ending {
    /// What the host says.
    Theirs(FutureReader<WireEnding>),
    /// What a function of this component says. The component model lets bytes
    /// pass inside a component, but no trailers; so they go past it.
    Ours(JoinHandle<Result<HeaderMap, String>>),
}

pub(super) type WireEnding = Result<Option<Trailers>, ErrorCode>;

impl Ending {
    /// Waits for it. Only after the end of the stream.
    pub(super) async fn read(self) -> Result<Option<HeaderMap>, BodyError> {
        match self {
            Self::Theirs(future) => match future.await {
                Ok(fields) => Ok(fields.map(|fields| wire::read_fields(&fields))),
                Err(code) => Err(BodyError::Failed(wire::describe(&code))),
            },
            Self::Ours(handle) => {
                let fields = joined(handle).await.map_err(BodyError::Failed)?;
                Ok(Some(fields).filter(|fields| !fields.is_empty()))
            }
        }
    }

    /// Gives it to the host.
    pub(super) fn into_wire(self) -> FutureReader<WireEnding> {
        match self {
            Self::Theirs(future) => future,
            Self::Ours(handle) => {
                let (writer, future) = wit_future::new(|| Err(ErrorCode::InternalError(None)));
                spawn_local(async move {
                    let fields = joined(handle).await.and_then(|fields| {
                        let fields = Some(fields).filter(|fields| !fields.is_empty());
                        let written = fields.map(|fields| wire::write_fields(&fields, None));
                        let written = written.transpose();
                        written.map_err(|error| error.to_string())
                    });
                    let ending = fields.map_err(|text| ErrorCode::InternalError(Some(text)));
                    // If nobody is left to be told, nobody has to be.
                    let _ = writer.write(ending).await;
                });
                future
            }
        }
    }
}

async fn joined(handle: JoinHandle<Result<HeaderMap, String>>) -> Result<HeaderMap, String> {
    let given_up = || Err("the body was given up".to_owned());
    handle.await.unwrap_or_else(given_up)
}

/// A message that came in and whose body was not touched yet.
pub(super) enum Message {
    Request(types::Request),
    Response(types::Response),
}

impl Message {
    pub(super) fn consume(self) -> Parts {
        let (well, handled) = wit_future::new(|| Ok(()));
        let (stream, trailers) = match self {
            Self::Request(request) => types::Request::consume_body(request, handled),
            Self::Response(response) => types::Response::consume_body(response, handled),
        };
        // Says that the message was handled well; now that the host has the other
        // end, it need not be waited for.
        drop(well);
        Parts {
            stream,
            ending: Ending::Theirs(trailers),
        }
    }
}
