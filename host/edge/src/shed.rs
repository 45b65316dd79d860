//! What becomes of connections that are more than the host may have: a client that
//! speaks HTTP/1 in clear text is told to come back later; all others, and all if
//! there are many of them, are just closed.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use http::StatusCode;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpStream, UnixStream};
use tokio::task::JoinSet;
use tokio::time::timeout;

use holdfast_core::metrics::EdgeMetrics;

use crate::access::AccessLog;
use crate::stream::Arriving;

/// Clients that are told at a time, for each listener. They hold files, of which
/// the host keeps a tenth for itself.
const TOLD_MAX: usize = 64;
/// Time that a client has to ask, and then to take the answer.
const TIMEOUT: Duration = Duration::from_secs(1);
/// What is read of a client at once.
const READ_BYTES: usize = 1024;

const ANSWER: &[u8] = b"HTTP/1.1 503 Service Unavailable\r\n\
    content-type: text/plain; charset=utf-8\r\n\
    content-length: 37\r\n\
    retry-after: 1\r\n\
    connection: close\r\n\
    \r\n\
    The server is busy. Try again later.\n";
const BODY_BYTES: u64 = 37;

/// Refuses connections.
pub(crate) struct Shed {
    told: JoinSet<()>,
    /// Whether clients speak in clear text.
    is_plain: bool,
    metrics: Arc<EdgeMetrics>,
    access_log: Option<Arc<AccessLog>>,
}

impl Shed {
    pub(crate) fn new(
        is_plain: bool,
        metrics: Arc<EdgeMetrics>,
        access_log: Option<Arc<AccessLog>>,
    ) -> Self {
        Self {
            told: JoinSet::new(),
            is_plain,
            metrics,
            access_log,
        }
    }

    /// Refuses one. Returns at once.
    pub(crate) fn refuse(&mut self, stream: Arriving, address: Option<SocketAddr>) {
        self.metrics.shed.add(1);
        while self.told.try_join_next().is_some() {}
        if !self.is_plain || self.told.len() >= TOLD_MAX {
            return;
        }
        let access_log = self.access_log.clone();
        self.told.spawn(async move {
            let told = match stream {
                Arriving::Tcp(stream) => match TcpStream::from_std(stream) {
                    Ok(stream) => tell(stream).await,
                    Err(error) => Err(error),
                },
                Arriving::Unix(stream) => match UnixStream::from_std(stream) {
                    Ok(stream) => tell(stream).await,
                    Err(error) => Err(error),
                },
                #[cfg(feature = "memory-transport")]
                Arriving::Memory(_) => return,
            };
            if let (Ok(true), Some(log)) = (told, access_log) {
                log.note_nameless(address, StatusCode::SERVICE_UNAVAILABLE, BODY_BYTES);
            }
        });
    }
}

/// Answers a client when it has asked for something. True if it was told.
async fn tell(mut stream: impl AsyncRead + AsyncWrite + Unpin) -> io::Result<bool> {
    let mut input = [0; READ_BYTES];
    let asked = timeout(TIMEOUT, stream.read(&mut input)).await??;
    let asked = input.get(..asked).unwrap_or_default();
    // Whoever speaks HTTP/2 would not understand it.
    if asked.is_empty() || asked.starts_with(b"PRI ") {
        return Ok(false);
    }
    timeout(TIMEOUT, stream.write_all(ANSWER)).await??;
    stream.shutdown().await?;
    // Bytes that nobody reads would make the kernel reset the connection, and the
    // client might never see the answer.
    let rest = async { while matches!(stream.read(&mut input).await, Ok(1..)) {} };
    let _ = timeout(TIMEOUT, rest).await;
    Ok(true)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_length_of_the_answer_is_right() {
        let text = std::str::from_utf8(ANSWER).unwrap();
        let (_, body) = text.split_once("\r\n\r\n").unwrap();
        assert_eq!(body.len() as u64, BODY_BYTES);
        assert!(text.contains(&format!("content-length: {BODY_BYTES}\r\n")));
    }

    #[tokio::test]
    async fn who_asks_is_told_and_others_are_not() {
        for (asked, is_told) in [
            (&b"GET / HTTP/1.1\r\n"[..], true),
            (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", false),
            (b"", false),
        ] {
            let (mut client, host) = tokio::io::duplex(4096);
            let telling = tokio::spawn(tell(host));
            client.write_all(asked).await.unwrap();
            client.shutdown().await.unwrap();
            let mut answer = Vec::new();
            client.read_to_end(&mut answer).await.unwrap();
            assert_eq!(answer == ANSWER, is_told);
            assert_eq!(telling.await.unwrap().unwrap(), is_told);
        }
    }
}
