//! A million connections in one process: the edge as it is, with clients in
//! memory in place of sockets, and handlers in native code. What is measured is
//! what the edge keeps for a connection. Not in it are the kernel's part, tokio's
//! registration of a socket, and guests, which keep nothing for one.

mod plugin;
mod stage;

use std::time::Instant;

use anyhow::Result;
use serde_json::{Map, Value};

use crate::options::Options;
use crate::process::settled_bytes;
use stage::Stage;

/// Connections that exist before the first reading. With them the memory that
/// handshakes under way need for a moment has been counted, too.
const WARM_CONNECTIONS: usize = 1_000;
/// Where the memory is read.
const STEPS: [usize; 3] = [10_000, 100_000, 1_000_000];

/// Opens `connections=` WebSockets, each of which echoes once. The value is the
/// memory of each; then all are subscribed to a topic and told something.
pub(crate) fn run(options: &Options) -> Result<()> {
    let count: usize = options.get("connections")?;
    let pid = std::process::id();
    let stage = Stage::build(count + WARM_CONNECTIONS)?;
    stage.open(WARM_CONNECTIONS)?;
    let base = settled_bytes(pid)?;
    let bytes_since = |base: u64| Ok::<_, anyhow::Error>(settled_bytes(pid)?.saturating_sub(base));

    let mut figures = Map::new();
    let mut figure = |name: String, value: f64| figures.insert(name, Value::from(value));
    let (mut before, mut bytes_before, mut seconds) = (0, 0, 0.0);
    for step in steps(count) {
        let begin = Instant::now();
        stage.open(step - before)?;
        seconds += begin.elapsed().as_secs_f64();
        let bytes = bytes_since(base)?;
        let grown = bytes.saturating_sub(bytes_before) as f64;
        figure(format!("to_{step}_bytes"), grown / (step - before) as f64);
        (before, bytes_before) = (step, bytes);
    }
    figure("value".to_owned(), bytes_before as f64 / count as f64);
    figure("opened_per_s".to_owned(), count as f64 / seconds);
    stage.subscribe_all()?;
    let subscribed = bytes_since(base + bytes_before)?;
    let each = subscribed as f64 / count as f64;
    figure("subscribed_more_bytes".to_owned(), each);
    figure(
        "publish_ms".to_owned(),
        stage.publish()?.as_secs_f64() * 1e3,
    );
    figure("rss_bytes".to_owned(), settled_bytes(pid)? as f64);
    println!("{}", Value::Object(figures));
    stage.end()
}

/// Up to `count`, which is the last.
fn steps(count: usize) -> impl Iterator<Item = usize> {
    let fewer = STEPS.into_iter().filter(move |step| *step < count);
    fewer.chain([count])
}
