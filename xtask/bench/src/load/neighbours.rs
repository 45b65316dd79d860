//! The other plugins of the same host: one computes for ever, one waits.

use std::io::{ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use anyhow::{Context, Result, bail};

use crate::client;

/// The two, at work.
pub(super) struct Neighbours {
    spinner: TcpStream,
    is_waiting: Arc<AtomicBool>,
    waiter: JoinHandle<Result<()>>,
}

impl Neighbours {
    /// Sets them to work. `upstream` answers the waiter's requests, late.
    pub(super) fn start(server: SocketAddr, upstream: &str) -> Result<Self> {
        let mut waiter = client::open(server, "/waiter")?;
        // The upstream takes longer than anything else.
        waiter.set_read_timeout(Some(Duration::from_secs(60)))?;
        let request = client::masked_text(format!("fetch http://{upstream}/").as_bytes());
        waiter.write_all(&request)?;
        let is_waiting = Arc::new(AtomicBool::new(true));
        let thread = std::thread::spawn({
            let is_waiting = Arc::clone(&is_waiting);
            move || {
                let result = wait_again(&mut waiter, &request);
                is_waiting.store(false, Ordering::Relaxed);
                result
            }
        });
        let mut spinner = client::open(server, "/spinner")?;
        spinner.write_all(&client::masked_text(b"spin"))?;
        spinner.set_nonblocking(true)?;
        Ok(Self {
            spinner,
            is_waiting,
            waiter: thread,
        })
    }

    /// Fails if one of them has stopped: then nothing was proved.
    pub(super) fn check(mut self) -> Result<()> {
        match self.spinner.read(&mut [0; 1024]) {
            Err(error) if error.kind() == ErrorKind::WouldBlock => {}
            _ => bail!("the plugin that computes has been ended"),
        }
        if !self.is_waiting.load(Ordering::Relaxed)
            && let Ok(result) = self.waiter.join()
        {
            result.context("the plugin that waits has failed")?;
        }
        Ok(())
    }
}

/// Asks for the slow page whenever it has come. Ends only by an error.
fn wait_again(waiter: &mut TcpStream, request: &[u8]) -> Result<()> {
    let mut answer = [0; 1024];
    loop {
        let count = waiter.read(&mut answer)?;
        let text = answer.get(2..count).context("no answer")?;
        if !text.starts_with(b"200") {
            bail!("{}", String::from_utf8_lossy(text));
        }
        waiter.write_all(request)?;
    }
}
