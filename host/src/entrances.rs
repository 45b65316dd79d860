//! Where clients come in: all listeners of the manifest.

mod inherited;

use std::sync::Arc;

use holdfast_core::manifest::{Host, Listen, Place, Protocol};
use holdfast_core::metrics::{Counter, EdgeMetrics};
use holdfast_edge::{
    AccessLog, Addresses, BindError, Drain, Entrance, Lane, Listener, Point, Speech, Tls,
};
use tokio::task::JoinSet;

use crate::problem::Problem;
use inherited::Inherited;

/// The listeners, at least one, in the order of the manifest.
pub(crate) struct Entrances(Vec<(Listener, Listen)>);

impl Entrances {
    /// Takes all places, for at most `connections_max` clients at a time. Nobody
    /// is let in before [`Self::open`].
    ///
    /// # Errors
    /// Fails when one of them can't be had.
    pub(crate) fn bind(host: &Host, connections_max: usize) -> Result<Self, Problem> {
        let addresses = Addresses::new(
            host.connections_per_address_max,
            host.addresses_uncounted.clone(),
        );
        let mut inherited = Inherited::take();
        let bound = host.listen.iter().map(|listen| {
            let listener = match &listen.place {
                Place::Tcp(address) => Listener::bind(*address).map_err(bind_problem)?,
                Place::Unix { path, mode } => {
                    Listener::bind_unix(path, *mode).map_err(bind_problem)?
                }
                Place::Inherited(name) => inherited.listener(name)?,
            };
            if listen.protocol == Protocol::Tls && matches!(listener.point(), Point::Unix(_)) {
                return Err(Problem::new(
                    format!(
                        "{} is a Unix socket, and TLS is spoken over TCP alone",
                        listener.point()
                    ),
                    "leave `tls` out: nobody else can listen to what is said there",
                ));
            }
            let listener = listener
                .with_addresses(Arc::clone(&addresses))
                .with_connections_max(connections_max);
            Ok((listener, listen.clone()))
        });
        Ok(Self(bound.collect::<Result<_, Problem>>()?))
    }

    /// Says what is spoken at each of them. `tls` is there if one needs it. Who is
    /// refused is counted there, and logged.
    pub(crate) fn open(
        self,
        host: &Host,
        tls: Option<&Arc<Tls>>,
        metrics: &Arc<EdgeMetrics>,
        access_log: Option<&Arc<AccessLog>>,
    ) -> Self {
        let secure = self.0.iter().find_map(|(listener, listen)| {
            let is_tls = listen.protocol == Protocol::Tls;
            port(listener).filter(|_| is_tls)
        });
        let secure_port = secure.unwrap_or(443);
        let proxies = Arc::new(host.proxies.clone());
        let opened = self.0.into_iter().map(|(listener, listen)| {
            let speech = match (listen.protocol, tls) {
                (Protocol::Plain { h2c }, _) => Speech::Plain { h2c },
                (Protocol::Tls, Some(tls)) => Speech::Tls(Arc::clone(tls)),
                // Nothing is ever said in clear text where TLS is expected.
                (Protocol::Tls, None) => Speech::Redirect(secure_port),
                (Protocol::Redirect { port }, _) => Speech::Redirect(port.unwrap_or(secure_port)),
            };
            let entrance = Entrance {
                speech,
                http2: host.http2,
                proxies: Arc::clone(&proxies),
                proxy_protocol: listen.proxy_protocol,
            };
            let listener = listener
                .with_entrance(entrance)
                .with_records(Arc::clone(metrics), access_log.cloned());
            (listener, listen)
        });
        Self(opened.collect())
    }

    /// Where the first of them is.
    pub(crate) fn address(&self) -> String {
        let first = self
            .0
            .first()
            .map(|(listener, _)| listener.point().to_string());
        first.unwrap_or_default()
    }

    /// Counts the connections that are closed at once, since their client address
    /// has too many.
    pub(crate) fn refused(&self) -> Arc<Counter> {
        // All listeners count together.
        let first = self.0.first().map(|(listener, _)| listener.refused());
        first.unwrap_or_default()
    }

    /// Tells people where they are.
    pub(crate) fn log(&self) {
        for (listener, listen) in &self.0 {
            let scheme = match listen.protocol {
                Protocol::Tls => "https",
                Protocol::Plain { .. } | Protocol::Redirect { .. } => "http",
            };
            let end = match listen.protocol {
                Protocol::Redirect { .. } => ", to send everybody to https",
                Protocol::Plain { .. } | Protocol::Tls => "",
            };
            match listener.point() {
                Point::Tcp(address) => tracing::info!("listening on {scheme}://{address}{end}"),
                point => tracing::info!("listening on {point}{end}"),
            }
        }
    }

    /// Lets clients in, until the shut-down starts.
    pub(crate) async fn accept(self, lanes: Vec<Lane>, drain: Drain) -> anyhow::Result<()> {
        let mut accepting = JoinSet::new();
        for (listener, _) in self.0 {
            accepting.spawn(listener.accept(lanes.clone(), drain.clone()));
        }
        // The loops hear from this that nobody more will come.
        drop(lanes);
        while let Some(ended) = accepting.join_next().await {
            ended??;
        }
        Ok(())
    }
}

/// The port of a listener, if it has one.
fn port(listener: &Listener) -> Option<u16> {
    match listener.point() {
        Point::Tcp(address) => Some(address.port()),
        Point::Unix(_) => None,
    }
}

fn bind_problem(error: BindError) -> Problem {
    let hint = match &error {
        BindError::InUse(_) => "end that process, or listen elsewhere: --listen, or `listen`",
        BindError::Denied(Point::Unix(_)) | BindError::Other(Point::Unix(_), _) => {
            "take a path in a folder that is there, and where this user may write"
        }
        BindError::Denied(_) => "take a port from 1024 on, or give this user the permission",
        BindError::NotAvailable(_) | BindError::Other(..) => {
            "take 127.0.0.1 for this machine only, or 0.0.0.0 for everybody"
        }
    };
    Problem::new(error.to_string(), hint)
}
