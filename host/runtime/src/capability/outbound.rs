//! Outbound `wasi:http`: requests to the hosts which the plugin was granted,
//! and to no address that only the host's own machine or network can reach,
//! unless that address itself was granted.

mod address;
mod allow;
mod budget;
mod send;
mod tls;

use std::sync::Arc;
use std::time::{Duration, Instant};

use holdfast_core::metrics::LimitHit;
use http::{HeaderName, Request, Response, Uri};
use tokio::sync::OwnedSemaphorePermit;
use wasmtime_wasi_http::{
    DEFAULT_FORBIDDEN_HEADERS, Error, RequestOptions, WasiBody, WasiHttpHooks,
};

pub use address::is_public;
pub use allow::{AllowList, InvalidHost};
pub(crate) use budget::Budget;
pub use tls::public_tls;

use crate::plugin::Plugin;

/// Sends a guest's requests.
pub(crate) struct Outbound {
    plugin: Arc<Plugin>,
    budget: Arc<Budget>,
}

type Progress = Box<dyn Future<Output = Result<(), Error>> + Send>;
type Answer = Result<(Response<WasiBody>, Progress), Error>;

impl Outbound {
    pub(crate) fn new(plugin: &Arc<Plugin>) -> Self {
        Self {
            plugin: Arc::clone(plugin),
            budget: Arc::new(Budget::new(plugin.outbound.per_event_max)),
        }
    }

    /// What the events of this instance may spend.
    pub(crate) fn budget(&self) -> &Arc<Budget> {
        &self.budget
    }

    /// Where the request goes, if it may go there.
    fn target(&self, uri: &Uri) -> Result<send::Target, Error> {
        let tls = uri.scheme() == Some(&http::uri::Scheme::HTTPS);
        let authority = uri.authority().ok_or(Error::HttpRequestUriInvalid)?;
        let port = match authority.port_u16() {
            Some(port) => port,
            None if tls => 443,
            None => 80,
        };
        let host = authority.host();
        let granted = self.plugin.grants.allow_http.find(host, port);
        let granted = granted.ok_or(Error::HttpRequestDenied)?;
        Ok(send::Target {
            host: host.trim_matches(['[', ']']).to_owned(),
            port,
            tls,
            local: granted.allows_local_addresses(),
        })
    }
}

impl Outbound {
    /// For one more request, if there may be one.
    fn permit(&self) -> Option<OwnedSemaphorePermit> {
        let shared = &self.plugin.shared;
        let permit = Arc::clone(&shared.outbound).try_acquire_owned().ok()?;
        let may = self.budget.take() && shared.outbound_rate.take(Instant::now());
        may.then_some(permit)
    }

    /// The limits of one more request, if there may be one.
    fn limits(&self, options: Option<RequestOptions>) -> Result<send::Limits, Error> {
        let permit = self.permit().ok_or_else(|| {
            self.plugin.settings.metrics.note_limit(LimitHit::Outbound);
            Error::ConnectionLimitReached
        })?;
        let options = options.unwrap_or_default();
        let max = Duration::from_millis(self.plugin.outbound.timeout_ms);
        let timeout = |asked: Option<Duration>| asked.unwrap_or(max).min(max);
        Ok(send::Limits {
            connect: timeout(options.connect_timeout),
            first_byte: timeout(options.first_byte_timeout),
            between_bytes: timeout(options.between_bytes_timeout),
            body_bytes_max: self.plugin.outbound.body_bytes_max,
            _permit: permit,
        })
    }
}

impl WasiHttpHooks for Outbound {
    fn is_forbidden_header(&mut self, name: &HeaderName) -> bool {
        // The library asks a filter which it makes anew for each field.
        DEFAULT_FORBIDDEN_HEADERS.contains(name)
    }

    fn send_request(
        &mut self,
        request: Request<WasiBody>,
        options: Option<RequestOptions>,
        _received: Box<dyn Future<Output = Result<(), Error>> + Send>,
    ) -> Box<dyn Future<Output = Answer> + Send> {
        let begun = self.target(request.uri()).and_then(|target| {
            let limits = self.limits(options)?;
            Ok((target, limits))
        });
        Box::new(async move {
            let (target, limits) = begun?;
            send::send(target, request, limits).await
        })
    }
}
