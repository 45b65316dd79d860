//! Three tenants on one event loop: one asks for ten times as much as there is,
//! another for all of it, and a third for next to nothing.

use std::net::TcpStream;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use serde_json::{Map, Value};

use super::{Answer, Target, figures};
use crate::client;
use crate::histogram::Histogram;
use crate::process::Meter;
use crate::swarm::Swarm;

/// What an event of the busy ones is: about a millisecond of computing.
const COMPUTE: &str = "compute:2000000";
/// Connections of the tenant that takes what it can get, and of the other, whose
/// demand is ten times that.
const QUIET: usize = 4;
const HOG: usize = 40;
/// Between an answer that the third one gets and his next question.
const PAUSE: Duration = Duration::from_millis(5);

/// First the one at `/` with the third one beside it, then the one at `/hog` too.
/// The value is how much of the half of what it had alone the first one has then,
/// both for each second that the server has computed: on a machine where others
/// compute, too, the time says nothing of shares.
pub(super) fn run(target: &Target) -> Result<Map<String, Value>> {
    let mut crowd = Crowd::open(target, QUIET, 0)?;
    crowd.run(target.warm)?;
    let meter = Meter::start(target.pid)?;
    let alone = crowd.run(target.measure)?;
    let (_, alone_usage) = meter.stop()?;
    drop(crowd);
    let mut crowd = Crowd::open(target, QUIET, HOG)?;
    crowd.run(target.warm)?;
    let meter = Meter::start(target.pid)?;
    let beside = crowd.run(target.measure)?;
    let (_, usage) = meter.stop()?;
    let seconds = target.measure.as_secs_f64();
    let (alone_s, beside_s) = (alone.quiet as f64 / seconds, beside.quiet as f64 / seconds);
    let more = [
        ("alone_per_s", alone_s),
        ("beside_per_s", beside_s),
        ("hog_per_s", beside.hog as f64 / seconds),
        ("third_alone_p99_us", alone.third.quantile_us(0.99)),
        ("third_p99_us", beside.third.quantile_us(0.99)),
    ];
    let cpu = |usage: &Map<String, Value>| usage.get("server_cpu").and_then(Value::as_f64);
    let (alone_cpu, beside_cpu) = (cpu(&alone_usage), cpu(&usage));
    let cpu = alone_cpu
        .zip(beside_cpu)
        .context("no figure of the server")?;
    let part = (beside_s / cpu.1) / (alone_s / cpu.0 / 2.0);
    let mut map = figures(part * 100.0, &more);
    map.extend(usage);
    Ok(map)
}

/// What was done in a time.
struct Done {
    quiet: u64,
    hog: u64,
    third: Histogram,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Who {
    Quiet,
    Hog,
    Third,
}

struct Peer {
    who: Who,
    stream: TcpStream,
    answer: Answer,
    /// When it has asked; none while it has not.
    asked: Option<Instant>,
}

struct Crowd {
    swarm: Swarm,
    peers: Vec<Peer>,
    computing: Vec<u8>,
    echo: Vec<u8>,
    buffer: Vec<u8>,
    third_due: Instant,
}

impl Crowd {
    fn open(target: &Target, quiet: usize, hog: usize) -> Result<Self> {
        let swarm = Swarm::new()?;
        let all = std::iter::repeat_n(Who::Quiet, quiet)
            .chain(std::iter::repeat_n(Who::Hog, hog))
            .chain([Who::Third]);
        let mut peers = Vec::new();
        for who in all {
            let path = match who {
                Who::Quiet => "/",
                Who::Hog => "/hog",
                Who::Third => "/third",
            };
            let stream = client::open(target.server, path)?;
            swarm.add(&stream, peers.len())?;
            peers.push(Peer {
                who,
                stream,
                answer: Answer::exactly(client::plain_text(b"on")),
                asked: None,
            });
        }
        let echo = client::masked_text(b"echo on");
        Ok(Self {
            swarm,
            peers,
            computing: [client::masked_text(COMPUTE.as_bytes()), echo.clone()].concat(),
            echo,
            buffer: vec![0; 4 << 10],
            third_due: Instant::now(),
        })
    }

    /// Goes on for a time.
    fn run(&mut self, time: Duration) -> Result<Done> {
        let end = Instant::now() + time;
        let mut done = Done {
            quiet: 0,
            hog: 0,
            third: Histogram::new(),
        };
        loop {
            let now = Instant::now();
            if now >= end {
                return Ok(done);
            }
            for peer in &mut self.peers {
                let is_third = peer.who == Who::Third;
                if peer.asked.is_some() || (is_third && now < self.third_due) {
                    continue;
                }
                let request = if is_third {
                    &self.echo
                } else {
                    &self.computing
                };
                // So little always finds room.
                client::write(&mut peer.stream, request)?;
                peer.asked = Some(now);
            }
            let wait = self.third_due.saturating_duration_since(now);
            let wait = if wait.is_zero() { PAUSE } else { wait };
            for index in self.swarm.wait(wait.min(end - now))? {
                if let Some(peer) = self.peers.get_mut(index) {
                    take(peer, &mut self.buffer, &mut done, &mut self.third_due)?;
                }
            }
        }
    }
}

fn take(
    peer: &mut Peer,
    buffer: &mut [u8],
    done: &mut Done,
    third_due: &mut Instant,
) -> Result<()> {
    let Some(count) = client::read(&mut peer.stream, buffer)? else {
        return Ok(());
    };
    if !peer.answer.take(buffer.get(..count).unwrap_or_default())? {
        return Ok(());
    }
    let asked = peer.asked.take();
    match peer.who {
        Who::Quiet => done.quiet += 1,
        Who::Hog => done.hog += 1,
        Who::Third => {
            if let Some(asked) = asked {
                done.third.record(asked.elapsed());
            }
            *third_due = Instant::now() + PAUSE;
        }
    }
    Ok(())
}
