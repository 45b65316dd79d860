//! Where components come in: a few at a time, none larger than may be loaded.

use std::sync::Arc;
use std::time::Duration;

use http_body_util::{BodyExt, LengthLimitError, Limited};
use hyper::StatusCode;
use hyper::body::{Bytes, Incoming};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::failure::Failure;
use crate::depot::{Depot, FindError, Kept};
use crate::fleet::{Closed, Name};

/// Deployments at a time, from the body to the answer. Each may have a component
/// in memory.
const DEPLOYMENTS_MAX: usize = 2;

/// Time a client has to send a component.
const UPLOAD_TIMEOUT: Duration = Duration::from_secs(120);

/// Takes components in.
pub(super) struct Reception {
    depot: Arc<Depot>,
    bytes_max: usize,
    places: Arc<Semaphore>,
}

/// Held until the deployment is done.
pub(super) type Place = OwnedSemaphorePermit;

impl Reception {
    /// For components of at most so many bytes.
    pub(super) fn new(depot: Arc<Depot>, bytes_max: u64) -> Self {
        Self {
            depot,
            bytes_max: usize::try_from(bytes_max).unwrap_or(usize::MAX),
            places: Arc::new(Semaphore::new(DEPLOYMENTS_MAX)),
        }
    }

    /// Reads a component and keeps it.
    pub(super) async fn receive(&self, body: Incoming) -> Result<(Kept, Place), Failure> {
        let place = self.place()?;
        let bytes = self.read(body).await?;
        let depot = Arc::clone(&self.depot);
        let kept = tokio::task::spawn_blocking(move || depot.keep(&bytes)).await;
        let kept = kept.map_err(|_| Closed)?.map_err(|error| {
            Failure::new(
                StatusCode::INSUFFICIENT_STORAGE,
                format!("the component can't be kept: {error}"),
                "see whether the disk of the data folder is full",
            )
        })?;
        Ok((kept, place))
    }

    /// A component of the plugin that is kept.
    pub(super) fn find(&self, name: &Name, digest: &str) -> Result<(Kept, Place), Failure> {
        let place = self.place()?;
        let kept = self.depot.find(name, digest).map_err(|error| {
            let status = match error {
                FindError::Unknown(_) => StatusCode::NOT_FOUND,
                FindError::Ambiguous(_) => StatusCode::CONFLICT,
            };
            let hint = "upload the component, or give more of its digest";
            Failure::new(status, error.to_string(), hint)
        })?;
        Ok((kept, place))
    }

    fn place(&self) -> Result<Place, Failure> {
        let place = Arc::clone(&self.places).try_acquire_owned();
        place.map_err(|_| {
            Failure::new(
                StatusCode::SERVICE_UNAVAILABLE,
                format!("{DEPLOYMENTS_MAX} components are being deployed"),
                "try again when one of them is done",
            )
        })
    }

    async fn read(&self, body: Incoming) -> Result<Bytes, Failure> {
        let reading = Limited::new(body, self.bytes_max).collect();
        let read = tokio::time::timeout(UPLOAD_TIMEOUT, reading).await;
        let hint = "send the whole component as the body, without any encoding";
        let bad = |error: String| Failure::new(StatusCode::BAD_REQUEST, error, hint);
        let read = read.map_err(|_| bad("the component did not come in time".into()))?;
        match read {
            Ok(body) => Ok(body.to_bytes()),
            Err(error) if error.is::<LengthLimitError>() => Err(Failure::new(
                StatusCode::PAYLOAD_TOO_LARGE,
                format!("the component has more than {} bytes", self.bytes_max),
                "`component_bytes_max` in `[load]` says how many it may have",
            )),
            Err(error) => Err(bad(format!("the component can't be read: {error}"))),
        }
    }
}
