//! Sockets which whoever has started the host has opened for it, as systemd does
//! (sd_listen_fds(3)): `LISTEN_FDS`, `LISTEN_PID` and `LISTEN_FDNAMES`. The
//! compiler's process does not inherit them again.

use std::io;

use holdfast_edge::Listener;
use listenfd::ListenFd;

use crate::problem::Problem;

/// The sockets, each of which is taken once.
pub(super) struct Inherited {
    sockets: ListenFd,
    /// Their names; fewer if not all have one.
    names: Vec<String>,
}

impl Inherited {
    /// Takes them, if they are meant for this process.
    pub(super) fn take() -> Self {
        let names = std::env::var("LISTEN_FDNAMES").unwrap_or_default();
        Self {
            sockets: ListenFd::from_env(),
            names: names.split(':').map(str::to_owned).collect(),
        }
    }

    /// Listens on the next one of this name, or on the one of this number,
    /// counted from 0.
    pub(super) fn listener(&mut self, name: &str) -> Result<Listener, Problem> {
        let count = self.sockets.len();
        let names = self.names.iter().take(count);
        let named = names.enumerate().filter(|(_, it)| *it == name);
        let mut places: Vec<_> = named.map(|(place, _)| place).collect();
        if places.is_empty() {
            places.extend(name.parse::<usize>().ok().filter(|place| *place < count));
        }
        for place in places {
            match self.at(place) {
                Ok(Some(listener)) => return Ok(listener),
                Ok(None) => {}
                Err(error) => {
                    return Err(Problem::new(
                        format!("can't listen on the socket \"{name}\": {error}"),
                        "it has to be a TCP or Unix stream socket: ListenStream= in its unit",
                    ));
                }
            }
        }
        let hint = match count {
            0 => "let systemd start the host, by a unit of the kind .socket".to_owned(),
            _ => format!(
                "FileDescriptorName= in its unit names it; there are {}",
                self.names.join(", ")
            ),
        };
        let message = format!("no socket \"{name}\" has been opened for this process");
        Err(Problem::new(message, hint))
    }

    /// None if it has been taken.
    fn at(&mut self, place: usize) -> io::Result<Option<Listener>> {
        // Of which kind it is shows by trying; a wrong try takes nothing.
        if let Ok(taken) = self.sockets.take_tcp_listener(place) {
            return taken.map(Listener::inherit_tcp).transpose();
        }
        let taken = self.sockets.take_unix_listener(place)?;
        taken.map(Listener::inherit_unix).transpose()
    }
}
