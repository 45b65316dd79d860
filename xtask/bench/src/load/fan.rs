//! One connection publishes, all others are subscribed. The next message is
//! published when everybody has the one before.

use std::io::Write;
use std::net::TcpStream;
use std::time::{Duration, Instant};

use anyhow::{Result, bail};
use serde_json::{Map, Value};

use super::{Answer, Target, figures};
use crate::client;
use crate::histogram::Histogram;
use crate::options::Options;
use crate::process::Meter;
use crate::swarm::Swarm;

const PAYLOAD_BYTES: usize = 64;
const DELIVERY_MAX: Duration = Duration::from_secs(30);

/// Counts deliveries to `subscribers=` connections.
pub(super) fn run(target: &Target, options: &Options) -> Result<Map<String, Value>> {
    let count: usize = options.get("subscribers")?;
    let mut audience = Audience::open(target, count)?;
    audience.publish_for(target.warm)?;
    let meter = Meter::start(target.pid)?;
    let times = audience.publish_for(target.measure)?;
    let (elapsed, usage) = meter.stop()?;
    let deliveries = times.total() * count as u64;
    let more = [
        ("everyone_p50_us", times.quantile_us(0.5)),
        ("everyone_p99_us", times.quantile_us(0.99)),
    ];
    let mut map = figures(deliveries as f64 / elapsed, &more);
    map.extend(usage);
    Ok(map)
}

struct Audience {
    publisher: TcpStream,
    message: Vec<u8>,
    swarm: Swarm,
    subscribers: Vec<(TcpStream, Answer)>,
    buffer: Vec<u8>,
}

impl Audience {
    fn open(target: &Target, count: usize) -> Result<Self> {
        let payload = client::payload(PAYLOAD_BYTES);
        let answer = Answer::exactly(client::plain_text(&payload));
        let swarm = Swarm::new()?;
        let mut subscribers = Vec::with_capacity(count);
        for index in 0..count {
            let stream = client::open(target.server, "/subscribe")?;
            swarm.add(&stream, index)?;
            subscribers.push((stream, answer.clone()));
        }
        Ok(Self {
            publisher: client::open(target.server, "/publish")?,
            message: client::masked_text(&payload),
            swarm,
            subscribers,
            buffer: vec![0; 16 << 10],
        })
    }

    /// Publishes again and again; returns how long it took until everybody had
    /// a message.
    fn publish_for(&mut self, time: Duration) -> Result<Histogram> {
        let mut times = Histogram::new();
        let end = Instant::now() + time;
        while Instant::now() < end {
            let begin = Instant::now();
            self.publisher.write_all(&self.message)?;
            let mut missing = self.subscribers.len();
            while missing > 0 {
                if begin.elapsed() > DELIVERY_MAX {
                    bail!("{missing} subscribers have not got a message");
                }
                missing -= self.receive()?;
            }
            times.record(begin.elapsed());
        }
        Ok(times)
    }

    /// Waits for messages; returns how many have come.
    fn receive(&mut self) -> Result<usize> {
        let mut messages = 0;
        for index in self.swarm.wait(DELIVERY_MAX)? {
            let Some((stream, answer)) = self.subscribers.get_mut(index) else {
                continue;
            };
            if let Some(count) = client::read(stream, &mut self.buffer)? {
                let received = self.buffer.get(..count).unwrap_or_default();
                messages += usize::from(answer.take(received)?);
            }
        }
        Ok(messages)
    }
}
