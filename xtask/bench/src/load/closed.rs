//! A closed loop: each connection asks, waits for the whole answer, and asks
//! again at once. What is counted is how many answers come.

use std::net::TcpStream;
use std::time::{Duration, Instant};

use anyhow::Result;
use serde_json::{Map, Value};

use super::{Answer, Target, figures};
use crate::client;
use crate::process::Meter;
use crate::swarm::Swarm;

const BUFFER_BYTES: usize = 256 << 10;
/// Nobody waits longer than this for the clock to be looked at.
const WAIT_MAX: Duration = Duration::from_millis(100);

/// What each connection does.
pub(super) struct Work {
    pub(super) connections: usize,
    /// The host of the WebSockets that are opened first; none for HTTP.
    pub(super) websocket_of: Option<String>,
    /// What it sends.
    pub(super) request: Vec<u8>,
    /// What it gets.
    pub(super) answer: Answer,
    /// How many messages that is.
    pub(super) count: u64,
}

/// Runs the loop for the warm-up, and then for the measurement.
pub(super) fn run(target: &Target, work: &Work) -> Result<Map<String, Value>> {
    let swarm = Swarm::new()?;
    let mut peers = Vec::with_capacity(work.connections);
    for index in 0..work.connections {
        let stream = match &work.websocket_of {
            Some(host) => client::open_at(target.server, host, "/")?,
            None => client::connect(target.server)?,
        };
        swarm.add(&stream, index)?;
        peers.push(Peer {
            stream,
            written: 0,
            answer: work.answer.clone(),
        });
    }
    let mut crowd = Crowd {
        swarm,
        peers,
        buffer: vec![0; BUFFER_BYTES],
    };
    crowd.work(work, target.warm)?;
    let meter = Meter::start(target.pid)?;
    let answers = crowd.work(work, target.measure)?;
    let (elapsed, usage) = meter.stop()?;
    let mut map = figures((answers * work.count) as f64 / elapsed, &[]);
    map.extend(usage);
    Ok(map)
}

struct Crowd {
    swarm: Swarm,
    peers: Vec<Peer>,
    buffer: Vec<u8>,
}

impl Crowd {
    /// Goes on for a time; returns the number of answers.
    fn work(&mut self, work: &Work, time: Duration) -> Result<u64> {
        let deadline = Instant::now() + time;
        let mut answers = 0;
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Ok(answers);
            }
            for index in self.swarm.wait(left.min(WAIT_MAX))? {
                if let Some(peer) = self.peers.get_mut(index) {
                    answers += peer.step(&work.request, &mut self.buffer)?;
                }
            }
        }
    }
}

struct Peer {
    stream: TcpStream,
    /// How much of the request is written.
    written: usize,
    answer: Answer,
}

impl Peer {
    /// Does what can be done now; returns the number of answers that came.
    fn step(&mut self, request: &[u8], buffer: &mut [u8]) -> Result<u64> {
        self.write(request)?;
        let mut answers = 0;
        // Nobody answers what was not asked, but a body may come back before
        // all of it is sent.
        while self.written > 0 {
            let Some(count) = client::read(&mut self.stream, buffer)? else {
                break;
            };
            let received = buffer.get(..count).unwrap_or_default();
            if self.answer.take(received)? {
                answers += 1;
                self.written = 0;
                self.write(request)?;
            }
            if count < buffer.len() {
                break;
            }
        }
        Ok(answers)
    }

    fn write(&mut self, request: &[u8]) -> Result<()> {
        while let Some(rest) = request.get(self.written..)
            && !rest.is_empty()
        {
            match client::write(&mut self.stream, rest)? {
                0 => break,
                count => self.written += count,
            }
        }
        Ok(())
    }
}
