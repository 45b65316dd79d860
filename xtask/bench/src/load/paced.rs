//! Echoes at a steady pace, and how long they take. A time counts from the
//! moment at which the message was due: if this process or the server is late,
//! it shows.

use std::collections::VecDeque;
use std::net::TcpStream;
use std::time::{Duration, Instant};

use anyhow::{Result, bail};
use serde_json::{Map, Value};

use super::neighbours::Neighbours;
use super::reloads::Reloads;
use super::{Answer, Target, figures};
use crate::client;
use crate::histogram::Histogram;
use crate::options::Options;
use crate::process::Meter;
use crate::swarm::Swarm;

const PAYLOAD_BYTES: usize = 64;
/// Between two messages of one connection.
const INTERVAL: Duration = Duration::from_millis(50);
const LATE_MAX: Duration = Duration::from_secs(30);

/// Echoes on `connections=` WebSockets at `/`. With `upstream=`, one plugin at
/// `/spinner` is made to compute for ever, and one at `/waiter` to wait for that
/// address, over and over. With `reload=`, the host gets new code from that folder
/// all the time. The value is the time that a share `quantile=` of all echoes
/// does not exceed. Every echo has to come, on the connection that was opened.
pub(super) fn run(target: &Target, options: &Options) -> Result<Map<String, Value>> {
    let count: usize = options.get_or("connections", 100)?;
    let upstream: String = options.get_or("upstream", String::new())?;
    let reload: String = options.get_or("reload", String::new())?;
    let quantile: f64 = options.get_or("quantile", 0.999)?;
    let mut metronome = Metronome::open(target, count)?;
    let neighbours = match upstream.as_str() {
        "" => None,
        upstream => Some(Neighbours::start(target.server, upstream)?),
    };
    let reloads = (!reload.is_empty()).then(|| Reloads::start(&reload));
    metronome.run(target.warm)?;
    let meter = Meter::start(target.pid)?;
    let times = metronome.run(target.measure)?;
    let (_, usage) = meter.stop()?;
    if let Some(neighbours) = neighbours {
        neighbours.check()?;
    }
    let reloads = reloads.map(Reloads::stop).transpose()?;
    let mut more = vec![
        ("p50_us", times.quantile_us(0.5)),
        ("p99_us", times.quantile_us(0.99)),
        ("p99.9_us", times.quantile_us(0.999)),
        ("max_us", times.largest_us()),
        ("echoes", times.total() as f64),
    ];
    more.extend(reloads.map(|count| ("reloads", count.into())));
    let mut map = figures(times.quantile_us(quantile), &more);
    map.extend(usage);
    Ok(map)
}

struct Metronome {
    swarm: Swarm,
    peers: Vec<Peer>,
    message: Vec<u8>,
    buffer: Vec<u8>,
}

struct Peer {
    stream: TcpStream,
    answer: Answer,
    /// When the messages were due whose echoes are still to come.
    due: VecDeque<Instant>,
}

impl Metronome {
    fn open(target: &Target, count: usize) -> Result<Self> {
        let payload = client::payload(PAYLOAD_BYTES);
        let answer = Answer::exactly(client::plain_text(&payload));
        let swarm = Swarm::new()?;
        let mut peers = Vec::with_capacity(count);
        for index in 0..count {
            let stream = client::open(target.server, "/")?;
            swarm.add(&stream, index)?;
            peers.push(Peer {
                stream,
                answer: answer.clone(),
                due: VecDeque::new(),
            });
        }
        Ok(Self {
            swarm,
            peers,
            message: client::masked_text(&payload),
            buffer: vec![0; 16 << 10],
        })
    }

    /// Sends on one connection after the other, at equal distances, for a time;
    /// then waits for what is still under way.
    fn run(&mut self, time: Duration) -> Result<Histogram> {
        let step = INTERVAL / u32::try_from(self.peers.len().max(1))?;
        let begin = Instant::now();
        let (mut next, mut index) = (begin, 0);
        let mut times = Histogram::new();
        let mut under_way = 0;
        loop {
            let now = Instant::now();
            while next <= now && next < begin + time {
                self.send(index, next)?;
                index = (index + 1) % self.peers.len().max(1);
                next += step;
                under_way += 1;
            }
            let is_over = next >= begin + time;
            if is_over && under_way == 0 {
                return Ok(times);
            }
            if now > begin + time + LATE_MAX {
                bail!("{under_way} echoes have not come");
            }
            let wait = if is_over {
                LATE_MAX
            } else {
                next.saturating_duration_since(now)
            };
            under_way -= self.receive(wait, &mut times)?;
        }
    }

    fn send(&mut self, index: usize, due: Instant) -> Result<()> {
        if let Some(peer) = self.peers.get_mut(index) {
            if client::write(&mut peer.stream, &self.message)? < self.message.len() {
                bail!("the server has stopped reading");
            }
            peer.due.push_back(due);
        }
        Ok(())
    }

    /// Waits for echoes; returns how many have come.
    fn receive(&mut self, wait: Duration, times: &mut Histogram) -> Result<usize> {
        let mut echoes = 0;
        let message_bytes = PAYLOAD_BYTES + 2;
        for index in self.swarm.wait(wait)? {
            let Some(peer) = self.peers.get_mut(index) else {
                continue;
            };
            let Some(count) = client::read(&mut peer.stream, &mut self.buffer)? else {
                continue;
            };
            // Late echoes may come together.
            let received = self.buffer.get(..count).unwrap_or_default();
            for message in received.chunks(message_bytes) {
                if peer.answer.take(message)?
                    && let Some(due) = peer.due.pop_front()
                {
                    times.record(due.elapsed());
                    echoes += 1;
                }
            }
        }
        Ok(echoes)
    }
}
