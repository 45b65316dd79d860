//! Uses every plugin of a host once, and reads the host's memory.

use std::io::{Read, Write};

use anyhow::{Result, bail};
use serde_json::{Map, Value};

use super::{Target, figures};
use crate::client;
use crate::options::Options;
use crate::process::{private_bytes, settled_bytes};

/// There are `count=` of them, at `/p0` and so on; with `is_tenants=true`, at `/` of
/// `t0.example` and so on.
pub(super) fn run(target: &Target, options: &Options) -> Result<Map<String, Value>> {
    let count: usize = options.get("count")?;
    let is_tenants: bool = options.get_or("is_tenants", false)?;
    let loaded = settled_bytes(target.pid)?;
    let private = private_bytes(target.pid)?;
    let payload = client::payload(64);
    let expected = client::plain_text(&payload);
    for index in 0..count {
        let mut stream = match is_tenants {
            true => client::open_at(target.server, &format!("t{index}.example"), "/")?,
            false => client::open(target.server, &format!("/p{index}"))?,
        };
        stream.write_all(&client::masked_text(&payload))?;
        let mut answer = vec![0; expected.len()];
        stream.read_exact(&mut answer)?;
        if answer != expected {
            bail!("the answer is not the one expected");
        }
    }
    let used = settled_bytes(target.pid)?;
    let more = [
        ("loaded_bytes", loaded as f64),
        ("private_bytes", private as f64),
        ("used_bytes", used as f64),
    ];
    Ok(figures(loaded as f64, &more))
}
