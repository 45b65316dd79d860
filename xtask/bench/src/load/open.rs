//! How quickly new WebSockets are opened. All stay open until the end.

use std::io::Write;
use std::net::TcpStream;
use std::time::Duration;

use anyhow::{Result, bail};
use serde_json::{Map, Value};

use super::{Target, figures};
use crate::client;
use crate::options::Options;
use crate::process::Meter;
use crate::swarm::Swarm;

const ANSWER_MAX: Duration = Duration::from_secs(30);

/// Opens `connections=` WebSockets, `parallel=` of them at a time.
pub(super) fn run(target: &Target, options: &Options) -> Result<Map<String, Value>> {
    let parallel = options.get_or("parallel", 64)?;
    let count: usize = options.get("connections")?;
    // The first ones warm the server up.
    let warm = Opening::new(target)?.open(count / 10, parallel)?;
    let meter = Meter::start(target.pid)?;
    let opened = Opening::new(target)?.open(count, parallel)?;
    let (elapsed, usage) = meter.stop()?;
    drop((warm, opened));
    let mut map = figures(count as f64 / elapsed, &[]);
    map.extend(usage);
    Ok(map)
}

struct Opening<'a> {
    target: &'a Target,
    handshake: Vec<u8>,
    swarm: Swarm,
    /// Each socket and what has come of the server's answer.
    sockets: Vec<(TcpStream, Vec<u8>)>,
}

impl<'a> Opening<'a> {
    fn new(target: &'a Target) -> Result<Self> {
        Ok(Self {
            target,
            handshake: client::handshake(client::LOCALHOST, "/"),
            swarm: Swarm::new()?,
            sockets: Vec::new(),
        })
    }

    /// Returns the open sockets.
    fn open(mut self, count: usize, parallel: usize) -> Result<Vec<(TcpStream, Vec<u8>)>> {
        let mut open = 0;
        let mut ready = Vec::new();
        while open < count {
            while self.sockets.len() < count.min(open + parallel) {
                self.begin()?;
            }
            ready.clear();
            ready.extend(self.swarm.wait(ANSWER_MAX)?);
            if ready.is_empty() {
                bail!("the server does not answer handshakes");
            }
            for index in &ready {
                open += usize::from(self.receive(*index)?);
            }
        }
        Ok(self.sockets)
    }

    fn begin(&mut self) -> Result<()> {
        let mut stream = client::connect(self.target.server)?;
        stream.write_all(&self.handshake)?;
        self.swarm.add(&stream, self.sockets.len())?;
        self.sockets.push((stream, Vec::new()));
        Ok(())
    }

    /// Whether a socket has become open.
    fn receive(&mut self, index: usize) -> Result<bool> {
        let Some((stream, head)) = self.sockets.get_mut(index) else {
            return Ok(false);
        };
        let mut buffer = [0; 1024];
        let Some(count) = client::read(stream, &mut buffer)? else {
            return Ok(false);
        };
        head.extend_from_slice(buffer.get(..count).unwrap_or_default());
        client::is_accepted(head)
    }
}
