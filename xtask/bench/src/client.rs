//! The client's side of HTTP/1.1 and of RFC 6455, as much as the load needs.

use std::io::{ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use anyhow::{Context, Result, bail};

/// The largest head of a response that we take.
const HEAD_MAX: usize = 16 << 10;
/// What a server may take for anything before the run counts as failed.
const ANSWER_MAX: Duration = Duration::from_secs(30);
const MASK: [u8; 4] = [0x5a, 0x17, 0xc3, 0x88];

/// A TCP connection without delay, that gives up after a while.
pub(crate) fn connect(server: SocketAddr) -> Result<TcpStream> {
    let stream = TcpStream::connect(server).with_context(|| format!("can't reach {server}"))?;
    stream.set_nodelay(true)?;
    stream.set_read_timeout(Some(ANSWER_MAX))?;
    Ok(stream)
}

/// The host that is asked for, unless somebody says otherwise.
pub(crate) const LOCALHOST: &str = "localhost";

/// The opening handshake (section 4.1) for a host and a path.
pub(crate) fn handshake(host: &str, path: &str) -> Vec<u8> {
    format!(
        "GET {path} HTTP/1.1\r\nHost: {host}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
         Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
    )
    .into_bytes()
}

/// An open WebSocket on a socket that still blocks.
pub(crate) fn open(server: SocketAddr, path: &str) -> Result<TcpStream> {
    open_at(server, LOCALHOST, path)
}

/// The same, of another host.
pub(crate) fn open_at(server: SocketAddr, host: &str, path: &str) -> Result<TcpStream> {
    let mut stream = connect(server)?;
    stream.write_all(&handshake(host, path))?;
    let mut head = Vec::new();
    let mut buffer = [0; 1024];
    while !is_accepted(&head)? {
        let count = stream.read(&mut buffer)?;
        if count == 0 {
            bail!("the server has hung up instead of answering the handshake");
        }
        head.extend_from_slice(buffer.get(..count).unwrap_or_default());
    }
    Ok(stream)
}

/// Whether this is the whole head of a 101. Nothing may follow it, since no
/// server in the comparison speaks first.
pub(crate) fn is_accepted(head: &[u8]) -> Result<bool> {
    if head.len() > HEAD_MAX {
        bail!("the answer to the handshake is endless");
    }
    if !head.ends_with(b"\r\n\r\n") {
        return Ok(false);
    }
    if !head.starts_with(b"HTTP/1.1 101") {
        let line = head.split(|byte| *byte == b'\r').next().unwrap_or_default();
        bail!("handshake refused: {}", String::from_utf8_lossy(line));
    }
    Ok(true)
}

/// A text message as a client sends it: one masked frame (section 5.2).
pub(crate) fn masked_text(payload: &[u8]) -> Vec<u8> {
    let mut frame = header(payload.len(), 0x80);
    frame.extend(MASK);
    let masked = payload.iter().zip(MASK.iter().cycle());
    frame.extend(masked.map(|(byte, mask)| byte ^ mask));
    frame
}

/// A text message as a server sends it.
pub(crate) fn plain_text(payload: &[u8]) -> Vec<u8> {
    let mut frame = header(payload.len(), 0);
    frame.extend(payload);
    frame
}

fn header(length: usize, mask_bit: u8) -> Vec<u8> {
    let mut header = vec![0x81];
    if let Ok(short @ 0..126) = u8::try_from(length) {
        header.push(mask_bit | short);
    } else if let Ok(medium) = u16::try_from(length) {
        header.push(mask_bit | 126);
        header.extend(medium.to_be_bytes());
    } else {
        header.push(mask_bit | 127);
        header.extend((length as u64).to_be_bytes());
    }
    header
}

/// A payload of so many bytes.
pub(crate) fn payload(bytes: usize) -> Vec<u8> {
    (b'a'..=b'z').cycle().take(bytes).collect()
}

/// Reads what is there; none if there is nothing at the moment.
pub(crate) fn read(stream: &mut TcpStream, buffer: &mut [u8]) -> Result<Option<usize>> {
    match stream.read(buffer) {
        Ok(0) => bail!("the server has hung up"),
        Ok(count) => Ok(Some(count)),
        Err(error) if error.kind() == ErrorKind::WouldBlock => Ok(None),
        Err(error) => Err(error).context("the server has broken off"),
    }
}

/// Writes as much as the socket takes, and returns how much that is.
pub(crate) fn write(stream: &mut TcpStream, bytes: &[u8]) -> Result<usize> {
    match stream.write(bytes) {
        Ok(count) => Ok(count),
        Err(error) if error.kind() == ErrorKind::WouldBlock => Ok(0),
        Err(error) => Err(error).context("the server has broken off"),
    }
}
