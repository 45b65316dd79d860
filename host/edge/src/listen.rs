//! Accepts connections and deals them to the event loops.
//!
//! The listener only passes on what is spoken at its address ([`Entrance`]): it
//! is spoken on the connection's loop, by [`crate::protocol`].

use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use holdfast_core::metrics::{Counter, EdgeMetrics};
use tokio::sync::mpsc;

use crate::access::AccessLog;
use crate::addresses::{Addresses, Full, Place};
use crate::bound::{Acceptor, Bound};
use crate::drain::Drain;
use crate::entrance::{Entrance, Speech};
use crate::shed::Shed;
use crate::stream::Arriving;

/// Accepted connections that one loop has not taken yet. When its queue is full
/// no more are accepted, and the kernel's backlog fills.
const LANE_LEN_MAX: usize = 1024;
/// How long no connection is accepted after the system refused one, for example
/// because there are too many open files.
const BACK_OFF: Duration = Duration::from_millis(50);

/// Why nobody can be heard at a place.
#[derive(Debug, thiserror::Error)]
pub enum BindError {
    /// Some process listens there.
    #[error("{0} is in use by another process")]
    InUse(Point),
    /// The system forbids it.
    #[error("no permission to listen on {0}")]
    Denied(Point),
    /// The machine has no such address.
    #[error("{0} is no address of this machine")]
    NotAvailable(Point),
    /// Something else.
    #[error("can't listen on {0}: {1}")]
    Other(Point, io::Error),
}

/// Where a listener is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Point {
    /// At an address.
    Tcp(SocketAddr),
    /// At a Unix socket.
    Unix(PathBuf),
}

impl fmt::Display for Point {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tcp(address) => address.fmt(formatter),
            Self::Unix(path) => write!(formatter, "unix:{}", path.display()),
        }
    }
}

/// A place that is listened at.
#[derive(Debug)]
pub struct Listener {
    socket: Bound,
    point: Point,
    /// A file to be removed at the end.
    file: Option<PathBuf>,
    desk: Desk,
}

/// The acceptor's end of the way to one event loop. Several listeners may have
/// it.
#[derive(Clone, Debug)]
pub struct Lane {
    sender: mpsc::Sender<Accepted>,
    load: Arc<Tally>,
}

/// The event loop's end.
#[derive(Debug)]
pub struct Incoming(pub(crate) mpsc::Receiver<Accepted>);

impl Lane {
    /// Makes the way to one event loop.
    pub fn new() -> (Self, Incoming) {
        let (sender, receiver) = mpsc::channel(LANE_LEN_MAX);
        let load = Arc::default();
        (Self { sender, load }, Incoming(receiver))
    }

    /// Brings a client in memory. Waits while the loop has many that it has not
    /// taken yet; false if there is no loop any more. Not to be called from a
    /// task.
    #[cfg(feature = "memory-transport")]
    pub fn connect(&self, script: &Arc<crate::Script>) -> bool {
        use crate::stream::memory::{ADDRESS, Memory};

        let accepted = Accepted {
            stream: Arriving::Memory(Memory::new(script.clone())),
            address: Some(ADDRESS),
            believed: None,
            entrance: Arc::default(),
            load: Load::new(&self.load, None),
        };
        self.sender.blocking_send(accepted).is_ok()
    }
}

/// A connection on its way to its loop.
#[derive(Debug)]
pub(crate) struct Accepted {
    pub(crate) stream: Arriving,
    /// None for a Unix socket.
    pub(crate) address: Option<SocketAddr>,
    /// Whether it is a proxy that is believed, and where its clients are counted.
    pub(crate) believed: Option<Arc<Addresses>>,
    pub(crate) entrance: Arc<Entrance>,
    pub(crate) load: Load,
}

/// Counts a connection on its loop, and for its client, for as long as it lives.
/// One word, since every WebSocket has it.
#[derive(Debug)]
pub(crate) struct Load(Arc<Tally>);

/// Connections of one loop, or one of them whose client is counted.
#[derive(Debug, Default)]
struct Tally {
    connections: AtomicUsize,
    /// For a counted one: the loop, and its place among those of its client.
    counted: Option<(Arc<Tally>, Box<Place>)>,
}

impl Tally {
    /// Where the connections of the loop are counted.
    fn connections(&self) -> &AtomicUsize {
        match &self.counted {
            Some((of_loop, _)) => &of_loop.connections,
            None => &self.connections,
        }
    }
}

impl Load {
    fn new(of_loop: &Arc<Tally>, place: Option<Box<Place>>) -> Self {
        let tally = match place {
            Some(place) => Arc::new(Tally {
                counted: Some((Arc::clone(of_loop), place)),
                ..Tally::default()
            }),
            None => Arc::clone(of_loop),
        };
        tally.connections().fetch_add(1, Ordering::Relaxed);
        Self(tally)
    }
}

impl Load {
    /// The same, counted for a client, unless it is counted for one already.
    pub(crate) fn counted(self, place: Option<Box<Place>>) -> Self {
        match (&self.0.counted, place) {
            (None, Some(place)) => Self::new(&self.0, Some(place)),
            _ => self,
        }
    }

    /// For a stream of the same connection that is a WebSocket: to its loop and
    /// its client it is one more.
    ///
    /// # Errors
    /// Fails when the client has as many as it may.
    pub(crate) fn another(&self) -> Result<Self, Full> {
        match &self.0.counted {
            Some((of_loop, place)) => Ok(Self::new(of_loop, Some(place.another()?))),
            None => Ok(Self::new(&self.0, None)),
        }
    }
}

impl Drop for Load {
    fn drop(&mut self) {
        self.0.connections().fetch_sub(1, Ordering::Relaxed);
    }
}

impl Listener {
    /// Listens on an address; port 0 takes a free one.
    pub fn bind(address: SocketAddr) -> Result<Self, BindError> {
        let failed = |error| failure(Point::Tcp(address), error);
        Bound::tcp(address).and_then(Self::of).map_err(failed)
    }

    /// Listens on a Unix socket, perhaps with other permissions than those of new
    /// files. A socket which nobody listens on any more is replaced.
    pub fn bind_unix(path: &Path, mode: Option<u32>) -> Result<Self, BindError> {
        let failed = |error| failure(Point::Unix(path.to_owned()), error);
        let bound = Bound::unix(path, mode).and_then(Self::of);
        let listener = bound.map_err(failed)?;
        Ok(Self {
            file: Some(path.to_owned()),
            ..listener
        })
    }

    /// Listens on a socket that is listened on already.
    ///
    /// # Errors
    /// Fails when the system says nothing of it.
    pub fn inherit_tcp(listener: std::net::TcpListener) -> io::Result<Self> {
        Self::of(Bound::Tcp(listener))
    }

    /// The same with a Unix socket. Its file stays when the host ends.
    ///
    /// # Errors
    /// As those of [`Self::inherit_tcp`].
    pub fn inherit_unix(listener: std::os::unix::net::UnixListener) -> io::Result<Self> {
        Self::of(Bound::Unix(listener))
    }

    fn of(socket: Bound) -> io::Result<Self> {
        socket.set_nonblocking()?;
        Ok(Self {
            point: socket.point()?,
            file: None,
            socket,
            desk: Desk {
                addresses: Addresses::new(0, Vec::new()),
                connections_max: usize::MAX,
                entrance: Arc::default(),
                metrics: Arc::default(),
                access_log: None,
            },
        })
    }

    /// Counts connections of each client there. What is more than one may have is
    /// closed at once.
    pub fn with_addresses(mut self, addresses: Arc<Addresses>) -> Self {
        self.desk.addresses = addresses;
        self
    }

    /// What is spoken there; plain HTTP if nobody says.
    pub fn with_entrance(mut self, entrance: Entrance) -> Self {
        self.desk.entrance = Arc::new(entrance);
        self
    }

    /// Counts there, and logs, who is refused.
    pub fn with_records(
        mut self,
        metrics: Arc<EdgeMetrics>,
        access_log: Option<Arc<AccessLog>>,
    ) -> Self {
        self.desk.metrics = metrics;
        self.desk.access_log = access_log;
        self
    }

    /// Takes at most so many connections of all clients together. Of more, those
    /// which ask for something by HTTP/1 in clear text get 503; the others are
    /// closed.
    pub fn with_connections_max(mut self, connections_max: usize) -> Self {
        self.desk.connections_max = connections_max;
        self
    }

    /// Counts the connections that are closed at once, since their client address
    /// has too many. To be asked for after [`Self::with_addresses`].
    pub fn refused(&self) -> Arc<Counter> {
        Arc::clone(&self.desk.addresses.refused)
    }

    /// Where it is.
    pub fn point(&self) -> &Point {
        &self.point
    }

    /// Accepts connections until the shut-down starts, each for the loop which
    /// has the fewest. Ends early, with an error, if no loop is left.
    pub async fn accept(self, mut lanes: Vec<Lane>, mut drain: Drain) -> io::Result<()> {
        let acceptor = self.socket.into_acceptor()?;
        let desk = self.desk;
        tokio::select! {
            biased;
            _ = drain.started() => {}
            error = deal(&acceptor, &desk, &mut lanes) => return Err(error),
        }
        // The kernel would reset those which it has and we have not: clients
        // that may have sent a request already.
        for (stream, address) in acceptor.rest()? {
            if let Some(lane) = least_loaded(&lanes)
                && let Some(accepted) = desk.take(stream, address, lane)
            {
                let _ = lane.sender.try_send(accepted);
            }
        }
        if let Some(file) = self.file {
            // Somebody may have removed it already.
            let _ = std::fs::remove_file(file);
        }
        Ok(())
    }
}

fn failure(point: Point, error: io::Error) -> BindError {
    match error.kind() {
        io::ErrorKind::AddrInUse => BindError::InUse(point),
        io::ErrorKind::PermissionDenied => BindError::Denied(point),
        io::ErrorKind::AddrNotAvailable => BindError::NotAvailable(point),
        _ => BindError::Other(point, error),
    }
}

/// Where everybody is looked at who comes in.
#[derive(Debug)]
struct Desk {
    addresses: Arc<Addresses>,
    connections_max: usize,
    entrance: Arc<Entrance>,
    metrics: Arc<EdgeMetrics>,
    access_log: Option<Arc<AccessLog>>,
}

impl Desk {
    fn shed(&self) -> Shed {
        let is_plain = !matches!(self.entrance.speech, Speech::Tls(_));
        let metrics = Arc::clone(&self.metrics);
        Shed::new(is_plain, metrics, self.access_log.clone())
    }

    /// None if there is no room for the client, or if it is gone already.
    fn take(&self, stream: Arriving, address: Option<SocketAddr>, lane: &Lane) -> Option<Accepted> {
        let ip = address.map(|address| address.ip());
        let is_believed = self.entrance.proxies.trusts(ip);
        // The clients of a proxy are counted, not the proxy.
        let place = match ip {
            Some(ip) if !is_believed => self.addresses.enter(ip),
            _ => Ok(None),
        };
        let Ok(place) = place else {
            tracing::debug!(remote = ?address, "a connection is refused: its client has too many");
            return None;
        };
        Some(Accepted {
            stream,
            address,
            believed: is_believed.then(|| Arc::clone(&self.addresses)),
            entrance: Arc::clone(&self.entrance),
            load: Load::new(&lane.load, place),
        })
    }
}

/// Deals connections for ever, or until no lane is left.
async fn deal(acceptor: &Acceptor, desk: &Desk, lanes: &mut Vec<Lane>) -> io::Error {
    // What is wrong is said when it begins, not for each client.
    let (mut is_refused, mut is_full) = (false, false);
    let mut shed = desk.shed();
    loop {
        let (stream, address) = match acceptor.accept().await {
            Ok(accepted) => accepted,
            Err(error) if is_about_the_peer(&error) => continue,
            Err(error) => {
                if !std::mem::replace(&mut is_refused, true) {
                    tracing::warn!(%error, "no connection can be accepted now");
                }
                tokio::time::sleep(BACK_OFF).await;
                continue;
            }
        };
        is_refused = false;
        let count = connection_count(lanes);
        let was_full = std::mem::replace(&mut is_full, count >= desk.connections_max);
        if is_full {
            if !was_full {
                tracing::warn!(count, "connections are refused: the host has too many");
            }
            shed.refuse(stream, address);
            continue;
        }
        let Some(lane) = least_loaded(lanes) else {
            return io::Error::other("no event loop is left");
        };
        let Some(accepted) = desk.take(stream, address, lane) else {
            continue;
        };
        if lane.sender.send(accepted).await.is_err() {
            lanes.retain(|lane| !lane.sender.is_closed());
        }
    }
}

/// Connections of all loops.
fn connection_count(lanes: &[Lane]) -> usize {
    let counts = lanes
        .iter()
        .map(|lane| lane.load.connections.load(Ordering::Relaxed));
    counts.sum()
}

fn least_loaded(lanes: &[Lane]) -> Option<&Lane> {
    lanes
        .iter()
        .min_by_key(|lane| lane.load.connections.load(Ordering::Relaxed))
}

/// Whether only the connection that was to be accepted is concerned.
fn is_about_the_peer(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::ConnectionAborted
            | io::ErrorKind::ConnectionReset
            | io::ErrorKind::Interrupted
            | io::ErrorKind::InvalidInput
    )
}
