//! The admin listener: where operators and `holdfast status` ask a running host.
//! HTTP/1.1 and JSON, on a port of its own, for those who have the token.

mod action;
mod answer;
mod connections;
mod drains;
mod failure;
mod keys;
mod logs;
mod meeting;
mod metrics;
mod openapi;
mod reception;
mod reply;
mod request;
mod routes;
mod table;
mod tenants;
mod token;
mod topics;

use std::convert::Infallible;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use holdfast_core::manifest::Host;
use holdfast_core::metrics::{Counter, EdgeMetrics};
use holdfast_edge::Drain;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::TcpStream;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::task::JoinSet;

use crate::depot::Depot;
use crate::fleet::Handle;
use crate::log::Tails;
use crate::problem::Problem;
use answer::Office;
pub(crate) use answer::{Answer, Rollback};
use drains::Drains;
pub(crate) use failure::Denial;
use keys::Keys;
pub(crate) use meeting::{Meeting, Published, places};
use reception::Reception;
pub(crate) use tenants::TenantPage;
use token::Token;

/// Connections at a time; more wait until one has ended.
const CONNECTIONS_MAX: usize = 32;
/// Time a client has for the head of a request, the silence before it included.
const HEAD_TIMEOUT: Duration = Duration::from_secs(10);
/// The largest head of a request.
const HEAD_BYTES_MAX: usize = 16 << 10;
/// How long nothing is accepted after the system refused a connection.
const BACK_OFF: Duration = Duration::from_millis(50);

/// Where the host itself serves.
pub(crate) struct Front {
    /// Where it listens.
    pub(crate) address: String,
    /// Whether it shuts down.
    pub(crate) drain: Drain,
    /// Connections that were one too many for their client's address.
    pub(crate) refused: Arc<Counter>,
    /// What else is counted of clients.
    pub(crate) metrics: Arc<EdgeMetrics>,
}

/// A port on which operators are heard.
pub(crate) struct Admin {
    listener: TcpListener,
    address: SocketAddr,
    metrics_plugins_max: usize,
    reception: Option<Reception>,
    token: Token,
    keys: Keys,
    tails: Tails,
}

impl Admin {
    /// Listens, and finds the token. Components are kept in the depot; by the
    /// tails the log can be read.
    pub(crate) fn bind(
        host: &Host,
        depot: Option<Arc<Depot>>,
        tails: Tails,
    ) -> Result<Self, Problem> {
        let address = host.admin_listen;
        let bind = || {
            let listener = TcpListener::bind(address)?;
            listener.set_nonblocking(true)?;
            let address = listener.local_addr()?;
            Ok((listener, address))
        };
        let (listener, address) = bind().map_err(|error: std::io::Error| {
            Problem::new(
                format!("no admin listener on {address}: {error}"),
                "give another address in `[admin] listen`, or --no-admin",
            )
        })?;
        let token = Token::find()?;
        Ok(Self {
            listener,
            address,
            metrics_plugins_max: host.metrics_plugins_max as usize,
            reception: depot.map(|it| Reception::new(it, host.load.component_bytes_max)),
            keys: Keys::find(&token, &host.admin_tokens)?,
            token,
            tails,
        })
    }

    /// What this user's programs have to know to ask here.
    pub(crate) fn meeting(&self) -> Meeting {
        let mut address = self.address;
        // Whoever listens everywhere listens here.
        match address.ip() {
            IpAddr::V4(ip) if ip.is_unspecified() => address.set_ip(Ipv4Addr::LOCALHOST.into()),
            IpAddr::V6(ip) if ip.is_unspecified() => address.set_ip(Ipv6Addr::LOCALHOST.into()),
            _ => {}
        }
        Meeting {
            url: format!("http://{address}"),
            token: self.token.reveal().to_owned(),
            pid: std::process::id(),
        }
    }

    /// Answers until it is dropped, and then ends what it has begun.
    pub(crate) async fn run(self, fleet: Handle, front: Front) -> std::io::Result<Infallible> {
        let listener = tokio::net::TcpListener::from_std(self.listener)?;
        let office = Arc::new(Office {
            fleet,
            keys: self.keys,
            front,
            start: SystemTime::now(),
            metrics_plugins_max: self.metrics_plugins_max,
            reception: self.reception,
            drains: Drains::default(),
            tails: self.tails,
        });
        let places = Arc::new(Semaphore::new(CONNECTIONS_MAX));
        let mut connections = JoinSet::new();
        loop {
            let place = Arc::clone(&places).acquire_owned().await;
            let place = place.map_err(std::io::Error::other)?;
            match listener.accept().await {
                Ok((stream, _)) => {
                    connections.spawn(connection(stream, Arc::clone(&office), place));
                }
                Err(error) => {
                    tracing::debug!(%error, "no operator can be heard now");
                    tokio::time::sleep(BACK_OFF).await;
                }
            }
            while connections.try_join_next().is_some() {}
        }
    }
}

async fn connection(stream: TcpStream, office: Arc<Office>, _place: OwnedSemaphorePermit) {
    let service = service_fn(move |request| {
        let office = Arc::clone(&office);
        async move { Ok::<_, Infallible>(office.answer(request).await) }
    });
    let served = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_TIMEOUT)
        .max_buf_size(HEAD_BYTES_MAX)
        .serve_connection(TokioIo::new(stream), service)
        .await;
    if let Err(error) = served {
        tracing::debug!(%error, "an operator's connection has failed");
    }
}

/// For fuzzing: a request of method and target in its first line, and of a body.
#[cfg(test)]
pub(crate) fn fuzz(data: &[u8]) {
    let end = data.iter().position(|byte| *byte == b'\n');
    let (line, body) = data.split_at(end.unwrap_or(data.len()));
    let line = String::from_utf8_lossy(line);
    let (method, target) = line.split_once(' ').unwrap_or(("GET", &line));
    let (Ok(method), Ok(uri)) = (
        hyper::Method::from_bytes(method.as_bytes()),
        target.parse::<hyper::Uri>(),
    ) else {
        return;
    };
    if let routes::Found::Action(action, route) = routes::find(&method, uri.path()) {
        if let Some(tenant) = action.tenant() {
            assert!(!tenant.is_empty() && !tenant.contains('/'), "{tenant:?}");
        }
        if let Ok(query) = request::Query::parse(uri.query(), route.query) {
            let _ = query.page();
        }
    }
    request::fuzz(body.get(1..).unwrap_or_default());
}
