//! The load generator: one thread, plain epoll. Each kind prints one object of
//! numbers; `value` is what the case is about.

mod answer;
mod closed;
mod fan;
mod idle;
mod neighbours;
mod open;
mod paced;
mod plugins;
mod reloads;
mod shares;

use std::net::SocketAddr;
use std::time::Duration;

use anyhow::{Result, bail};
use serde_json::{Map, Value};

use crate::client;
use crate::load::answer::{Answer, Response};
use crate::options::Options;
use crate::process::Meter;

/// What all kinds are told.
struct Target {
    server: SocketAddr,
    pid: u32,
    warm: Duration,
    measure: Duration,
}

impl Target {
    fn read(options: &Options) -> Result<Self> {
        Ok(Self {
            server: options.get("server")?,
            pid: options.get("pid")?,
            warm: options.seconds("warm")?,
            measure: options.seconds("seconds")?,
        })
    }
}

/// Runs one kind of load, and prints what it measured.
pub(crate) fn run(kind: &str, options: &Options) -> Result<()> {
    let target = Target::read(options)?;
    let figures = match kind {
        "http" => closed::run(&target, &http(options)?)?,
        "echo" => closed::run(&target, &echo(options)?)?,
        "fan" => fan::run(&target, options)?,
        "idle" => idle::run(&target, options)?,
        "open" => open::run(&target, options)?,
        "paced" => paced::run(&target, options)?,
        "nothing" => nothing(&target)?,
        "plugins" => plugins::run(&target, options)?,
        "shares" => shares::run(&target)?,
        _ => bail!("`{kind}` is no kind of load"),
    };
    println!("{}", Value::Object(figures));
    Ok(())
}

/// What the server takes while nobody wants anything from it.
fn nothing(target: &Target) -> Result<Map<String, Value>> {
    std::thread::sleep(target.warm);
    let meter = Meter::start(target.pid)?;
    std::thread::sleep(target.measure);
    let (elapsed, usage) = meter.stop()?;
    let mut map = figures(elapsed, &[]);
    map.extend(usage);
    Ok(map)
}

/// Requests one after the other on each connection; with `body=`, of so many
/// bytes, which the answer has to have as well; with `host=`, for that host.
fn http(options: &Options) -> Result<closed::Work> {
    let path: String = options.get_or("path", "/hello".to_owned())?;
    let host = host(options)?;
    let body: usize = options.get_or("body", 0)?;
    let mut request = if body == 0 {
        format!("GET {path} HTTP/1.1\r\nHost: {host}\r\n\r\n").into_bytes()
    } else {
        format!("POST {path} HTTP/1.1\r\nHost: {host}\r\nContent-Length: {body}\r\n\r\n")
            .into_bytes()
    };
    request.extend(client::payload(body));
    Ok(closed::Work {
        connections: options.get_or("connections", 64)?,
        websocket_of: None,
        request,
        answer: Answer::Response(Response::new((body > 0).then_some(body))),
        count: 1,
    })
}

/// `depth` messages at once on each connection, and then all their echoes.
fn echo(options: &Options) -> Result<closed::Work> {
    let depth: usize = options.get_or("depth", 1)?;
    let payload = client::payload(options.get_or("size", 64)?);
    Ok(closed::Work {
        connections: options.get_or("connections", 64)?,
        websocket_of: Some(host(options)?),
        request: client::masked_text(&payload).repeat(depth),
        answer: Answer::exactly(client::plain_text(&payload).repeat(depth)),
        count: depth as u64,
    })
}

fn host(options: &Options) -> Result<String> {
    options.get_or("host", client::LOCALHOST.to_owned())
}

/// An object of numbers.
fn figures(value: f64, more: &[(&str, f64)]) -> Map<String, Value> {
    let mut map = Map::new();
    map.insert("value".into(), value.into());
    for (name, figure) in more {
        map.insert((*name).into(), (*figure).into());
    }
    map
}
