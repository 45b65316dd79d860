//! Serves the chat plugin, for a person to look at.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::os::unix::process::{CommandExt, parent_id};
use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

use crate::guests;
use crate::programs::{self, HOST, Profile};

/// For `cargo xtask demo --help`.
pub(crate) const HELP: &str = "\
Build the host and the chat plugin, serve the chat, print its URL.

Usage: cargo xtask demo

Listens on 127.0.0.1:8080, or on a free port when that is taken. Ctrl-C ends it.
";

/// The verb by which the demo calls this program once more.
pub(crate) const ANNOUNCE: &str = "announce";

const PORT: u16 = 8080;
const START_MAX: Duration = Duration::from_secs(60);
const POLL: Duration = Duration::from_millis(50);

/// Builds everything, then becomes the host, so that a signal to this process
/// is one to the host. A second process prints the URL once the page answers.
pub(crate) fn run() -> Result<()> {
    let host = programs::build(HOST, Profile::Release)?;
    let components = guests::build(&["chat"])?;
    let chat = components
        .first()
        .context("the chat plugin was not built")?;

    let port = free_port()?;
    let program = std::env::current_exe().context("can't find this program")?;
    Command::new(program)
        .args([ANNOUNCE, &port.to_string()])
        .spawn()
        .context("can't start this program again")?;
    let error = Command::new(&host)
        .arg("run")
        .arg(chat)
        .args(["--listen", &format!("127.0.0.1:{port}")])
        .exec();
    Err(error).with_context(|| format!("can't start {}", host.display()))
}

/// The usual port, or another if it is taken.
fn free_port() -> Result<u16> {
    let usual = TcpListener::bind((Ipv4Addr::LOCALHOST, PORT));
    let listener = usual
        .or_else(|_| TcpListener::bind((Ipv4Addr::LOCALHOST, 0)))
        .context("no port is free")?;
    let address = listener.local_addr().context("no port is free")?;
    Ok(address.port())
}

/// Waits until the page answers on `port`, and prints its URL. Gives up when the
/// host, which started this process, has ended.
pub(crate) fn announce(port: &str) -> Result<()> {
    let port: u16 = port.parse().context("the port is no number")?;
    let deadline = Instant::now() + START_MAX;
    let host = parent_id();
    while !answers(port) {
        if parent_id() != host {
            return Ok(());
        }
        if Instant::now() > deadline {
            bail!("nothing answers on port {port}");
        }
        std::thread::sleep(POLL);
    }
    println!("http://127.0.0.1:{port}/");
    Ok(())
}

fn answers(port: u16) -> bool {
    let Ok(mut stream) = TcpStream::connect((Ipv4Addr::LOCALHOST, port)) else {
        return false;
    };
    let request = b"GET / HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n";
    let mut head = [0; 12];
    stream.set_read_timeout(Some(START_MAX)).is_ok()
        && stream.write_all(request).is_ok()
        && stream.read_exact(&mut head).is_ok()
        && head == *b"HTTP/1.1 200"
}
