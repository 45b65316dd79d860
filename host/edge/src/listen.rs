//! Accepts connections and deals them to the event loops.
//!
//! The listener knows nothing of what is spoken on a connection: that is found
//! out on its loop, in [`crate::protocol`], which is also where TLS and the
//! PROXY protocol have their place.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use holdfast_core::network::Network;
use socket2::{Domain, Protocol, Socket, Type};
use tokio::net::TcpListener;
use tokio::sync::mpsc;

use crate::addresses::{Addresses, Place};
use crate::drain::Drain;
use crate::stream::{Arriving, arriving};

/// Connections the kernel holds until they are accepted.
const BACKLOG: i32 = 4096;
/// Accepted connections that one loop has not taken yet. When its queue is full
/// no more are accepted, and the kernel's backlog fills.
const LANE_LEN_MAX: usize = 1024;
/// How long no connection is accepted after the system refused one, for example
/// because there are too many open files.
const BACK_OFF: Duration = Duration::from_millis(50);

/// Why an address can't be listened on.
#[derive(Debug, thiserror::Error)]
pub enum BindError {
    /// Some process listens there.
    #[error("{0} is in use by another process")]
    InUse(SocketAddr),
    /// The system forbids it.
    #[error("no permission to listen on {0}")]
    Denied(SocketAddr),
    /// The machine has no such address.
    #[error("{0} is no address of this machine")]
    NotAvailable(SocketAddr),
    /// Something else.
    #[error("can't listen on {0}: {1}")]
    Other(SocketAddr, io::Error),
}

/// A port that is listened on.
#[derive(Debug)]
pub struct Listener {
    listener: std::net::TcpListener,
    address: SocketAddr,
    addresses: Arc<Addresses>,
}

/// The acceptor's end of the way to one event loop.
#[derive(Debug)]
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
            address: ADDRESS,
            load: Load::new(&self.load, None),
        };
        self.sender.blocking_send(accepted).is_ok()
    }
}

/// A connection on its way to its loop.
#[derive(Debug)]
pub(crate) struct Accepted {
    pub(crate) stream: Arriving,
    pub(crate) address: SocketAddr,
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

impl Drop for Load {
    fn drop(&mut self) {
        self.0.connections().fetch_sub(1, Ordering::Relaxed);
    }
}

impl Listener {
    /// Listens on an address; port 0 takes a free one.
    pub fn bind(address: SocketAddr) -> Result<Self, BindError> {
        listen(address).map_err(|error| match error.kind() {
            io::ErrorKind::AddrInUse => BindError::InUse(address),
            io::ErrorKind::PermissionDenied => BindError::Denied(address),
            io::ErrorKind::AddrNotAvailable => BindError::NotAvailable(address),
            _ => BindError::Other(address, error),
        })
    }

    /// Takes at most so many connections of one client address, 0 for any number;
    /// those of the networks in `uncounted` are not counted. What is more is
    /// closed at once.
    pub fn with_addresses(self, connections_max: u32, uncounted: Vec<Network>) -> Self {
        Self {
            addresses: Addresses::new(connections_max, uncounted),
            ..self
        }
    }

    /// Where it listens.
    pub fn local_address(&self) -> SocketAddr {
        self.address
    }

    /// Accepts connections until the shut-down starts, each for the loop which
    /// has the fewest. Ends early, with an error, if no loop is left.
    pub async fn accept(self, mut lanes: Vec<Lane>, mut drain: Drain) -> io::Result<()> {
        let listener = TcpListener::from_std(self.listener)?;
        tokio::select! {
            biased;
            _ = drain.started() => {}
            error = deal(&listener, &self.addresses, &mut lanes) => return Err(error),
        }
        // The kernel would reset those which it has and we have not: clients
        // that may have sent a request already. It is asked itself, since the
        // runtime hears of them later.
        let listener = listener.into_std()?;
        while let Ok((stream, address)) = listener.accept() {
            stream.set_nonblocking(true)?;
            if let Some(lane) = least_loaded(&lanes)
                && let Ok(place) = self.addresses.enter(address.ip())
                && let Ok(accepted) = Accepted::new(stream, address, lane, place)
            {
                let _ = lane.sender.try_send(accepted);
            }
        }
        Ok(())
    }
}

fn listen(address: SocketAddr) -> io::Result<Listener> {
    let domain = Domain::for_address(address);
    let socket = Socket::new(domain, Type::STREAM, Some(Protocol::TCP))?;
    socket.set_reuse_address(true)?;
    socket.set_nonblocking(true)?;
    socket.bind(&address.into())?;
    socket.listen(BACKLOG)?;
    let listener = std::net::TcpListener::from(socket);
    let address = listener.local_addr()?;
    Ok(Listener {
        listener,
        address,
        addresses: Addresses::new(0, Vec::new()),
    })
}

/// Deals connections for ever, or until no lane is left.
async fn deal(
    listener: &TcpListener,
    addresses: &Arc<Addresses>,
    lanes: &mut Vec<Lane>,
) -> io::Error {
    loop {
        let (stream, address) = match listener.accept().await {
            Ok(accepted) => accepted,
            Err(error) if is_about_the_peer(&error) => continue,
            Err(error) => {
                tracing::warn!(%error, "no connection can be accepted now");
                tokio::time::sleep(BACK_OFF).await;
                continue;
            }
        };
        let Ok(place) = addresses.enter(address.ip()) else {
            tracing::debug!(remote = %address, "a connection is refused: its client has too many");
            continue;
        };
        let Some(lane) = least_loaded(lanes) else {
            return io::Error::other("no event loop is left");
        };
        let accepted = stream.into_std();
        let Ok(accepted) = accepted.and_then(|it| Accepted::new(it, address, lane, place)) else {
            continue;
        };
        if lane.sender.send(accepted).await.is_err() {
            lanes.retain(|lane| !lane.sender.is_closed());
        }
    }
}

fn least_loaded(lanes: &[Lane]) -> Option<&Lane> {
    lanes
        .iter()
        .min_by_key(|lane| lane.load.connections.load(Ordering::Relaxed))
}

impl Accepted {
    fn new(
        stream: std::net::TcpStream,
        address: SocketAddr,
        lane: &Lane,
        place: Option<Box<Place>>,
    ) -> io::Result<Self> {
        // A small answer must not wait for the acknowledgement of the one before.
        stream.set_nodelay(true)?;
        Ok(Self {
            // The loop which it goes to registers it with its own poller.
            stream: arriving(stream),
            address,
            load: Load::new(&lane.load, place),
        })
    }
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
