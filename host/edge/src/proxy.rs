//! The PROXY protocol, versions 1 and 2, of HAProxy
//! (<https://www.haproxy.org/download/3.0/doc/proxy-protocol.txt>): what a proxy
//! says, before anything else, of the client for which it has connected.
//!
//! Not a byte more is read than belongs to it, so that TLS may follow.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use tokio::io::{AsyncRead, AsyncReadExt};

/// With it version 2 begins (section 2.2).
const SIGNATURE: &[u8; 12] = b"\r\n\r\n\0\r\nQUIT\n";
/// The longest line of version 1, with its end (section 2.1).
const LINE_BYTES_MAX: usize = 107;
/// What may follow the head of version 2: addresses, and what else the proxy
/// says, which is skipped.
const REST_BYTES_MAX: usize = 4096;

const LOCAL: u8 = 0x20;
const PROXY: u8 = 0x21;
const TCP_OVER_IPV4: u8 = 0x11;
const TCP_OVER_IPV6: u8 = 0x21;

/// Why there is no connection.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ProxyError {
    #[error("it does not begin with the PROXY protocol")]
    Absent,
    #[error("its PROXY protocol is malformed")]
    Malformed,
    #[error("it ended within the PROXY protocol: {0}")]
    Io(#[from] io::Error),
}

/// Reads what the proxy says: the address of its client, or none if it connects
/// for itself, such as to see whether we are there.
pub(crate) async fn read(
    stream: &mut (impl AsyncRead + Unpin),
) -> Result<Option<SocketAddr>, ProxyError> {
    let mut begin = [0; SIGNATURE.len()];
    stream.read_exact(&mut begin).await?;
    if begin != *SIGNATURE {
        return read_line(stream, &begin).await;
    }
    let mut head = [0; 4];
    stream.read_exact(&mut head).await?;
    let [command, family, high, low] = head;
    let len = usize::from(u16::from_be_bytes([high, low]));
    if len > REST_BYTES_MAX {
        return Err(ProxyError::Malformed);
    }
    let mut rest = vec![0; len];
    stream.read_exact(&mut rest).await?;
    binary(command, family, &rest).ok_or(ProxyError::Malformed)
}

async fn read_line(
    stream: &mut (impl AsyncRead + Unpin),
    begin: &[u8],
) -> Result<Option<SocketAddr>, ProxyError> {
    if !begin.starts_with(b"PROXY ") {
        return Err(ProxyError::Absent);
    }
    let mut line = begin.to_vec();
    while !line.ends_with(b"\r\n") {
        if line.len() == LINE_BYTES_MAX {
            return Err(ProxyError::Malformed);
        }
        line.push(stream.read_u8().await?);
    }
    let line = std::str::from_utf8(&line).map_err(|_| ProxyError::Malformed)?;
    text(line).ok_or(ProxyError::Malformed)
}

/// Version 1 (section 2.1). None if it is malformed.
fn text(line: &str) -> Option<Option<SocketAddr>> {
    let mut words = line
        .strip_prefix("PROXY ")?
        .strip_suffix("\r\n")?
        .split(' ');
    let family = words.next()?;
    if family == "UNKNOWN" {
        return Some(None);
    }
    let (source, destination) = (words.next()?, words.next()?);
    let (source_port, destination_port) = (words.next()?, words.next()?);
    let is_rest = words.next().is_some();
    let address = |text: &str| -> Option<IpAddr> {
        let address: IpAddr = text.parse().ok()?;
        let fits = match family {
            "TCP4" => address.is_ipv4(),
            "TCP6" => address.is_ipv6(),
            _ => false,
        };
        fits.then_some(address)
    };
    let port = |text: &str| {
        let is_number = text.bytes().all(|byte| byte.is_ascii_digit());
        let is_plain = text == "0" || !text.starts_with('0');
        text.parse::<u16>().ok().filter(|_| is_number && is_plain)
    };
    address(destination)?;
    port(destination_port)?;
    let client = SocketAddr::new(address(source)?, port(source_port)?);
    (!is_rest).then_some(Some(client))
}

/// Version 2 (section 2.2). None if it is malformed.
fn binary(command: u8, family: u8, rest: &[u8]) -> Option<Option<SocketAddr>> {
    match (command, family) {
        (LOCAL, _) => Some(None),
        (PROXY, TCP_OVER_IPV4) => {
            let addresses: &[u8; 12] = rest.first_chunk()?;
            let [a, b, c, d, _, _, _, _, high, low, _, _] = *addresses;
            let port = u16::from_be_bytes([high, low]);
            Some(Some(SocketAddr::from((Ipv4Addr::new(a, b, c, d), port))))
        }
        (PROXY, TCP_OVER_IPV6) => {
            let source: &[u8; 16] = rest.first_chunk()?;
            let ports: &[u8; 4] = rest.get(32..)?.first_chunk()?;
            let [high, low, _, _] = *ports;
            let port = u16::from_be_bytes([high, low]);
            Some(Some(SocketAddr::from((Ipv6Addr::from(*source), port))))
        }
        // Section 2.2: of a family that is not known, the addresses are those of
        // the connection.
        (PROXY, _) => Some(None),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What is read, and what is left.
    async fn read_all(mut bytes: &[u8]) -> (Result<Option<SocketAddr>, String>, Vec<u8>) {
        let result = read(&mut bytes).await.map_err(|error| error.to_string());
        (result, bytes.to_vec())
    }

    fn client(text: &str) -> Option<SocketAddr> {
        Some(text.parse().unwrap())
    }

    #[tokio::test]
    async fn a_line_names_the_client() {
        for (line, expected) in [
            (
                "PROXY TCP4 1.2.3.4 5.6.7.8 56324 443\r\n",
                client("1.2.3.4:56324"),
            ),
            ("PROXY TCP6 ::1 2001:db8::1 1 65535\r\n", client("[::1]:1")),
            ("PROXY UNKNOWN\r\n", None),
            ("PROXY UNKNOWN ffff::1 ffff::2 1 2\r\n", None),
        ] {
            let (found, rest) = read_all(format!("{line}\x16\x03").as_bytes()).await;
            assert_eq!(found, Ok(expected), "{line}");
            assert_eq!(rest, b"\x16\x03", "{line}");
        }
    }

    #[tokio::test]
    async fn a_bad_line_is_refused() {
        let long = format!("PROXY UNKNOWN {}\r\n", "x".repeat(100));
        for line in [
            "PROXY TCP4 1.2.3.4 5.6.7.8 56324\r\n",
            "PROXY TCP4 1.2.3.4 5.6.7.8 56324 443 1\r\n",
            "PROXY TCP4 ::1 ::2 56324 443\r\n",
            "PROXY TCP6 1.2.3.4 5.6.7.8 56324 443\r\n",
            "PROXY TCP4 1.2.3.4 5.6.7.8 65536 443\r\n",
            "PROXY TCP4 1.2.3.4 5.6.7.8 +1 443\r\n",
            "PROXY TCP4 1.2.3.4 5.6.7.8 01 443\r\n",
            "PROXY TCP4 1.2.3.4  5.6.7.8 1 443\r\n",
            "PROXY TCP5 1.2.3.4 5.6.7.8 1 443\r\n",
            "PROXY TCP4 1.2.3.4 5.6.7.8 1 443\n\n\r\n",
            &long,
            "PROXY TCP4 1.2.3.4 5.6.7.8 1 443",
            "GET / HTTP/1.1\r\n\r\n",
            "PROXY",
            "",
        ] {
            let (found, _) = read_all(line.as_bytes()).await;
            assert!(found.is_err(), "{line:?}: {found:?}");
        }
    }

    fn packet(command: u8, family: u8, rest: &[u8]) -> Vec<u8> {
        let len = (rest.len() as u16).to_be_bytes();
        [&SIGNATURE[..], &[command, family], &len, rest, b"rest"].concat()
    }

    #[tokio::test]
    async fn a_packet_names_the_client() {
        let ipv4 = [1, 2, 3, 4, 5, 6, 7, 8, 0xdc, 4, 1, 187];
        let with_more = [&ipv4[..], &[4, 0, 1, 9]].concat();
        let mut ipv6 = [0; 36];
        (ipv6[15], ipv6[33]) = (1, 80);
        for (command, family, rest, expected) in [
            (PROXY, 0x11, &ipv4[..], client("1.2.3.4:56324")),
            (PROXY, 0x11, &with_more, client("1.2.3.4:56324")),
            (PROXY, 0x21, &ipv6, client("[::1]:80")),
            (PROXY, 0x00, &[], None),
            (PROXY, 0x31, &[0; 216], None),
            (LOCAL, 0x11, &ipv4, None),
        ] {
            let (found, rest) = read_all(&packet(command, family, rest)).await;
            assert_eq!(found, Ok(expected), "{command} {family}");
            assert_eq!(rest, b"rest");
        }
        for (command, family, rest) in [
            (0x11, 0x11, &ipv4[..]),
            (0x22, 0x11, &ipv4),
            (PROXY, 0x11, &ipv4[..11]),
            (PROXY, 0x21, &ipv6[..35]),
            (PROXY, 0x11, &[0; REST_BYTES_MAX + 1]),
        ] {
            let (found, _) = read_all(&packet(command, family, rest)).await;
            assert!(found.is_err(), "{command} {family}");
        }
        let whole = packet(PROXY, 0x11, &ipv4);
        for len in 0..whole.len() - 4 {
            assert!(read_all(&whole[..len]).await.0.is_err(), "{len}");
        }
    }
}
