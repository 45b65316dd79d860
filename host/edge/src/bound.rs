//! Sockets that are listened on, of either kind.

use std::fs::Permissions;
use std::io;
use std::net::SocketAddr;
use std::os::unix::fs::{FileTypeExt, PermissionsExt};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::task::{Context, Poll};

use socket2::{Domain, Protocol, Socket, Type};
use tokio::net::{TcpListener, UnixListener};

use crate::listen::Point;
use crate::stream::Arriving;

/// Connections the kernel holds until they are accepted.
const BACKLOG: i32 = 4096;

/// A socket that is listened on, before somebody accepts.
#[derive(Debug)]
pub(crate) enum Bound {
    Tcp(std::net::TcpListener),
    Unix(std::os::unix::net::UnixListener),
}

/// The same while somebody does.
pub(crate) enum Acceptor {
    Tcp(TcpListener),
    Unix(UnixListener),
}

impl Bound {
    pub(crate) fn tcp(address: SocketAddr) -> io::Result<Self> {
        let domain = Domain::for_address(address);
        let socket = Socket::new(domain, Type::STREAM, Some(Protocol::TCP))?;
        socket.set_reuse_address(true)?;
        socket.bind(&address.into())?;
        socket.listen(BACKLOG)?;
        Ok(Self::Tcp(socket.into()))
    }

    pub(crate) fn unix(path: &Path, mode: Option<u32>) -> io::Result<Self> {
        remove_stale(path)?;
        let socket = Socket::new(Domain::UNIX, Type::STREAM, None)?;
        socket.bind(&socket2::SockAddr::unix(path)?)?;
        // Nobody can connect before it is listened on.
        if let Some(mode) = mode {
            std::fs::set_permissions(path, Permissions::from_mode(mode))?;
        }
        socket.listen(BACKLOG)?;
        Ok(Self::Unix(socket.into()))
    }

    pub(crate) fn set_nonblocking(&self) -> io::Result<()> {
        match self {
            Self::Tcp(listener) => listener.set_nonblocking(true),
            Self::Unix(listener) => listener.set_nonblocking(true),
        }
    }

    /// Where it is.
    pub(crate) fn point(&self) -> io::Result<Point> {
        Ok(match self {
            Self::Tcp(listener) => Point::Tcp(listener.local_addr()?),
            Self::Unix(listener) => {
                let address = listener.local_addr()?;
                Point::Unix(
                    address
                        .as_pathname()
                        .map_or_else(PathBuf::new, Path::to_owned),
                )
            }
        })
    }

    /// To be called where it is to be polled.
    pub(crate) fn into_acceptor(self) -> io::Result<Acceptor> {
        Ok(match self {
            Self::Tcp(listener) => Acceptor::Tcp(TcpListener::from_std(listener)?),
            Self::Unix(listener) => Acceptor::Unix(UnixListener::from_std(listener)?),
        })
    }
}

/// Removes a socket on which nobody listens any more: the file outlives its
/// process.
fn remove_stale(path: &Path) -> io::Result<()> {
    let is_socket = std::fs::symlink_metadata(path).is_ok_and(|it| it.file_type().is_socket());
    if !is_socket {
        // If it is something else, it can't be bound to.
        return Ok(());
    }
    match UnixStream::connect(path) {
        Err(error) if error.kind() == io::ErrorKind::ConnectionRefused => {
            std::fs::remove_file(path)
        }
        _ => Ok(()),
    }
}

type Accepting = io::Result<(Arriving, Option<SocketAddr>)>;

impl Acceptor {
    pub(crate) async fn accept(&self) -> Accepting {
        std::future::poll_fn(|context| self.poll_accept(context)).await
    }

    pub(crate) fn poll_accept(&self, context: &mut Context<'_>) -> Poll<Accepting> {
        // The loop which it goes to registers it with its own poller.
        match self {
            Self::Tcp(listener) => listener.poll_accept(context).map(|accepted| {
                let (stream, address) = accepted?;
                // A small answer must not wait for the acknowledgement of the one
                // before.
                stream.set_nodelay(true).map_err(gone)?;
                let stream = stream.into_std().map_err(gone)?;
                Ok((Arriving::Tcp(stream), Some(address)))
            }),
            Self::Unix(listener) => listener.poll_accept(context).map(|accepted| {
                let stream = accepted?.0.into_std().map_err(gone)?;
                Ok((Arriving::Unix(stream), None))
            }),
        }
    }
}

impl Acceptor {
    /// Those which have come and are not accepted yet. The system is asked itself,
    /// since the runtime hears of them later.
    pub(crate) fn rest(self) -> io::Result<Vec<(Arriving, Option<SocketAddr>)>> {
        let mut rest = Vec::new();
        match self {
            Self::Tcp(listener) => {
                let listener = listener.into_std()?;
                while let Ok((stream, address)) = listener.accept() {
                    stream.set_nonblocking(true)?;
                    stream.set_nodelay(true)?;
                    rest.push((Arriving::Tcp(stream), Some(address)));
                }
            }
            Self::Unix(listener) => {
                let listener = listener.into_std()?;
                while let Ok((stream, _)) = listener.accept() {
                    stream.set_nonblocking(true)?;
                    rest.push((Arriving::Unix(stream), None));
                }
            }
        }
        Ok(rest)
    }
}

/// What goes wrong with an accepted connection concerns that one.
fn gone(error: io::Error) -> io::Error {
    io::Error::new(io::ErrorKind::ConnectionAborted, error)
}
