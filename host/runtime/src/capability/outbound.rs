//! Outbound `wasi:http`: requests to the hosts which the plugin was granted,
//! and to no address that only the host's own machine or network can reach,
//! unless that address itself was granted.

mod address;
mod allow;
mod send;

use std::sync::Arc;

use http::{HeaderName, Request, Response, Uri};
use wasmtime_wasi_http::{
    DEFAULT_FORBIDDEN_HEADERS, Error, RequestOptions, WasiBody, WasiHttpHooks,
};

pub use allow::{AllowList, InvalidHost};

use crate::generation::Grants;

/// Sends a guest's requests.
pub(crate) struct Outbound {
    grants: Arc<Grants>,
}

type Progress = Box<dyn Future<Output = Result<(), Error>> + Send>;
type Answer = Result<(Response<WasiBody>, Progress), Error>;

impl Outbound {
    pub(crate) fn new(grants: &Arc<Grants>) -> Self {
        Self {
            grants: Arc::clone(grants),
        }
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
        let granted = self.grants.allow_http.find(host, port);
        let granted = granted.ok_or(Error::HttpRequestDenied)?;
        Ok(send::Target {
            host: host.trim_matches(['[', ']']).to_owned(),
            port,
            tls,
            local: granted.allows_local_addresses(),
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
        let target = self.target(request.uri());
        Box::new(async move { send::send(target?, request, options).await })
    }
}
