//! Where clients come in: all listeners of the manifest.

use std::net::SocketAddr;
use std::sync::Arc;

use holdfast_core::manifest::{Host, Protocol};
use holdfast_core::metrics::Counter;
use holdfast_edge::{Addresses, BindError, Drain, Entrance, Lane, Listener, Speech, Tls};
use tokio::task::JoinSet;

use crate::problem::Problem;

/// The listeners, at least one, in the order of the manifest.
pub(crate) struct Entrances(Vec<(Listener, Protocol)>);

impl Entrances {
    /// Takes all addresses, for at most `connections_max` clients at a time.
    /// Nobody is let in before [`Self::open`].
    ///
    /// # Errors
    /// Fails when one of them can't be had.
    pub(crate) fn bind(host: &Host, connections_max: usize) -> Result<Self, Problem> {
        let addresses = Addresses::new(
            host.connections_per_address_max,
            host.addresses_uncounted.clone(),
        );
        let bound = host.listen.iter().map(|listen| {
            let listener = Listener::bind(listen.address).map_err(bind_problem)?;
            let listener = listener
                .with_addresses(Arc::clone(&addresses))
                .with_connections_max(connections_max);
            Ok((listener, listen.protocol))
        });
        Ok(Self(bound.collect::<Result<_, Problem>>()?))
    }

    /// Says what is spoken at each of them. `tls` is there if one needs it.
    pub(crate) fn open(self, host: &Host, tls: Option<&Arc<Tls>>) -> Self {
        let is_tls = |(_, protocol): &&(Listener, Protocol)| *protocol == Protocol::Tls;
        let secure = self.0.iter().find(is_tls);
        let secure_port = secure.map_or(443, |(listener, _)| listener.local_address().port());
        let opened = self.0.into_iter().map(|(listener, protocol)| {
            let speech = match (protocol, tls) {
                (Protocol::Plain { h2c }, _) => Speech::Plain { h2c },
                (Protocol::Tls, Some(tls)) => Speech::Tls(Arc::clone(tls)),
                // Nothing is ever said in clear text where TLS is expected.
                (Protocol::Tls, None) => Speech::Redirect(secure_port),
                (Protocol::Redirect { port }, _) => Speech::Redirect(port.unwrap_or(secure_port)),
            };
            let http2 = host.http2;
            (listener.with_entrance(Entrance { speech, http2 }), protocol)
        });
        Self(opened.collect())
    }

    /// Where the first of them is.
    pub(crate) fn address(&self) -> SocketAddr {
        let first = self.0.first().map(|(listener, _)| listener.local_address());
        first.unwrap_or_else(|| SocketAddr::from(([0, 0, 0, 0], 0)))
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
        for (listener, protocol) in &self.0 {
            let address = listener.local_address();
            match protocol {
                Protocol::Plain { .. } => tracing::info!("listening on http://{address}"),
                Protocol::Tls => tracing::info!("listening on https://{address}"),
                Protocol::Redirect { .. } => {
                    tracing::info!("listening on http://{address}, to send everybody to https");
                }
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

fn bind_problem(error: BindError) -> Problem {
    let hint = match &error {
        BindError::InUse(_) => "end that process, or listen elsewhere: --listen, or `listen`",
        BindError::Denied(_) => "take a port from 1024 on, or give this user the permission",
        BindError::NotAvailable(_) | BindError::Other(..) => {
            "take 127.0.0.1 for this machine only, or 0.0.0.0 for everybody"
        }
    };
    Problem::new(error.to_string(), hint)
}
