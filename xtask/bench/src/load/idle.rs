//! Many connections that do nothing, and the server's memory.

use std::io::{Read, Write};
use std::net::TcpStream;

use anyhow::{Result, bail};
use serde_json::{Map, Value};

use super::{Target, figures};
use crate::client;
use crate::options::Options;
use crate::process::settled_bytes;

/// Connections that exist before the first reading, so that what a server makes
/// only once is not counted.
const WARM_CONNECTIONS: usize = 64;
const PAYLOAD_BYTES: usize = 64;

/// Opens `connections=` WebSockets. The value is the memory of each after an
/// echo: a connection that was never used may have less.
pub(super) fn run(target: &Target, options: &Options) -> Result<Map<String, Value>> {
    let count: usize = options.get("connections")?;
    let mut warm = Vec::new();
    for _ in 0..WARM_CONNECTIONS {
        warm.push(client::open(target.server, "/")?);
    }
    warm.iter_mut().try_for_each(echo)?;
    let before = settled_bytes(target.pid)?;
    let mut streams = Vec::with_capacity(count);
    for _ in 0..count {
        streams.push(client::open(target.server, "/")?);
    }
    let opened = settled_bytes(target.pid)?;
    streams.iter_mut().try_for_each(echo)?;
    let used = settled_bytes(target.pid)?;
    let each = |bytes: u64| bytes.saturating_sub(before) as f64 / count as f64;
    let more = [("unused_bytes", each(opened)), ("rss_bytes", used as f64)];
    Ok(figures(each(used), &more))
}

fn echo(stream: &mut TcpStream) -> Result<()> {
    let payload = client::payload(PAYLOAD_BYTES);
    let expected = client::plain_text(&payload);
    stream.write_all(&client::masked_text(&payload))?;
    let mut answer = vec![0; expected.len()];
    stream.read_exact(&mut answer)?;
    if answer != expected {
        bail!("the answer is not the one expected");
    }
    Ok(())
}
