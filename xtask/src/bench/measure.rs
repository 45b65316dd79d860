//! Runs a case: every contender in turn, several rounds, A B A B.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use serde_json::{Map, Value, json};

use super::case::{Case, Contender, Measure, Server};
use super::kit::Kit;
use super::plugins;
use super::reload;
use super::result::{CaseResult, Entry};
use super::server::Running;
use super::tenants;
use crate::command;

/// What a server may take to start.
const START_MAX: Duration = Duration::from_secs(60);

/// The figures of one round.
pub(crate) type Figures = Map<String, Value>;

/// Measures. Who fails is out, and the result says why.
pub(crate) fn run(kit: &Kit, case: &'static Case) -> CaseResult {
    let wanted = |contender: &&Contender| match contender.server {
        Server::Peer(peer) => kit.peers.contains_key(&peer),
        _ => true,
    };
    let mut entries: Vec<Entry> = case
        .contenders
        .iter()
        .filter(wanted)
        .map(Entry::new)
        .collect();
    for round in 1..=kit.pace.rounds {
        for entry in entries.iter_mut().filter(|entry| entry.failure.is_none()) {
            eprintln!(
                "{} {round}/{}: {}",
                case.name, kit.pace.rounds, entry.contender.label
            );
            match one(kit, case, entry.contender) {
                Ok(figures) => entry.rounds.push(figures),
                Err(error) => {
                    eprintln!("{}: failed: {error:#}", entry.contender.label);
                    entry.failure = Some(format!("{error:#}"));
                }
            }
        }
    }
    CaseResult { case, entries }
}

fn one(kit: &Kit, case: &Case, contender: &Contender) -> Result<Figures> {
    match &case.measure {
        Measure::Load(arguments) => load(kit, case, contender, arguments, None),
        Measure::Many {
            load: arguments,
            key,
            count,
        } => {
            let count = format!("{key}={}", kit.pace.count(*count));
            load(kit, case, contender, arguments, Some(count))
        }
        Measure::ColdStart => cold_start(kit, case, contender),
        Measure::Plugins(count) => plugins::measure(kit, kit.pace.count(*count)),
        Measure::Tenants => match &contender.server {
            Server::HoldfastTenants(it) => tenants::measure(kit, it),
            _ => bail!("it has no tenants"),
        },
        Measure::Memory(count) => memory(kit, kit.pace.count(*count)),
        Measure::ReloadTime => reload::time(kit),
        Measure::Runtime => runtime(kit),
    }
}

/// Starts the server, and lets the load generator loose on it.
fn load(
    kit: &Kit,
    case: &Case,
    contender: &Contender,
    arguments: &[&str],
    count: Option<String>,
) -> Result<Figures> {
    let mut server = Running::start(kit, &contender.server, &log_name(case, contender))?;
    drop(server.wait(START_MAX)?);
    let mut command = kit.on_client_core();
    command.arg("load").args(arguments).args(count);
    if let Some(upstream) = server.upstream() {
        command.arg(format!("upstream={upstream}"));
    }
    if let Some(folder) = server.reload_folder() {
        command.arg(format!("reload={}", folder.display()));
    }
    let figures = figures(kit, command, &server)?;
    if server.reload_folder().is_some() {
        reload::check(kit, &server, &figures)?;
    }
    Ok(figures)
}

/// What the load generator measures at a server.
pub(crate) fn figures(
    kit: &Kit,
    mut command: std::process::Command,
    server: &Running,
) -> Result<Figures> {
    command
        .arg(format!("server={}", server.address))
        .arg(format!("pid={}", server.pid()))
        .arg(format!("warm={}", kit.pace.warm_seconds))
        .arg(format!("seconds={}", kit.pace.measure_seconds));
    parse(&mut command).with_context(|| format!("the server's log: {}", server.log_end()))
}

fn memory(kit: &Kit, count: usize) -> Result<Figures> {
    let mut command = kit.on_server_core(&kit.tool);
    command.arg("memory").arg(format!("connections={count}"));
    parse(&mut command)
}

fn runtime(kit: &Kit) -> Result<Figures> {
    let mut command = kit.on_server_core(&kit.tool);
    command
        .arg("micro")
        .arg(format!(
            "component={}",
            kit.guests.join("echo.wasm").display()
        ))
        .arg(format!("cache={}", kit.cache().display()))
        .arg(format!("seconds={}", kit.pace.measure_seconds / 2.0));
    parse(&mut command)
}

/// One object of figures on standard output; errors are part of the failure.
fn parse(command: &mut std::process::Command) -> Result<Figures> {
    let output = command.output().context("can't start the load generator")?;
    if !output.status.success() {
        let text = String::from_utf8_lossy(&output.stderr);
        bail!("{}", text.trim().trim_start_matches("error: "));
    }
    serde_json::from_slice(&output.stdout).context("the load generator prints no figures")
}

/// From the start of the process to the first answer.
fn cold_start(kit: &Kit, case: &Case, contender: &Contender) -> Result<Figures> {
    // What was compiled once is in the host's cache from then on, and programs
    // are in the system's; the first start is not counted.
    first_answer(kit, case, contender)?;
    let seconds = first_answer(kit, case, contender)?;
    let mut figures = Figures::new();
    figures.insert("value".into(), json!(seconds.as_secs_f64() * 1e3));
    Ok(figures)
}

fn first_answer(kit: &Kit, case: &Case, contender: &Contender) -> Result<Duration> {
    let mut server = Running::start(kit, &contender.server, &log_name(case, contender))?;
    let mut stream = server.wait(START_MAX)?;
    ask(&mut stream).with_context(|| format!("the server's log: {}", server.log_end()))?;
    Ok(server.begun.elapsed())
}

fn ask(stream: &mut TcpStream) -> Result<()> {
    stream.set_read_timeout(Some(START_MAX))?;
    stream.write_all(b"GET /hello HTTP/1.1\r\nHost: localhost\r\n\r\n")?;
    let mut start = [0; 12];
    stream.read_exact(&mut start)?;
    if start != *b"HTTP/1.1 200" {
        bail!("the answer is {}", String::from_utf8_lossy(&start));
    }
    Ok(())
}

fn log_name(case: &Case, contender: &Contender) -> String {
    let plain = |letter: char| {
        if letter.is_ascii_alphanumeric() {
            letter
        } else {
            '-'
        }
    };
    let label: String = contender.label.chars().map(plain).collect();
    format!("{}-{label}.log", case.name)
}

/// The version of a program, or why there is none.
pub(crate) fn version_of(program: &str) -> String {
    let answer = command::read(std::process::Command::new(program).arg("--version"));
    answer.map_or_else(|error| format!("{error:#}"), |text| text.trim().to_owned())
}
