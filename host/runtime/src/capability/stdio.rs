//! Standard output and standard error of a guest: whole lines go to the host's
//! log. Input is always at its end.

use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};

use bytes::Bytes;
use tokio::io::AsyncWrite;
use wasmtime_wasi::async_trait;
use wasmtime_wasi::cli::{IsTerminal, StdoutStream};
use wasmtime_wasi::p2::{OutputStream, Pollable, StreamError, StreamResult};

use crate::line::{LINE_BYTES_MAX, line};
use crate::plugin::Plugin;

/// Which of the two.
#[derive(Clone, Copy)]
pub(crate) enum Name {
    Stdout,
    Stderr,
}

/// Joins what a guest writes to lines.
#[derive(Clone)]
pub(crate) struct Lines(Arc<Mutex<Joiner>>);

struct Joiner {
    plugin: Arc<Plugin>,
    name: Name,
    /// The line that is not finished.
    line: Vec<u8>,
}

impl Lines {
    pub(crate) fn new(plugin: &Arc<Plugin>, name: Name) -> Self {
        Self(Arc::new(Mutex::new(Joiner {
            plugin: Arc::clone(plugin),
            name,
            line: Vec::new(),
        })))
    }

    fn take(&self, bytes: &[u8]) {
        let mut joiner = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        for part in bytes.split_inclusive(|byte| *byte == b'\n') {
            let room = LINE_BYTES_MAX - joiner.line.len();
            joiner
                .line
                .extend_from_slice(part.get(..room).unwrap_or(part));
            if part.ends_with(b"\n") || joiner.line.len() == LINE_BYTES_MAX {
                joiner.finish();
            }
        }
    }
}

impl Joiner {
    fn finish(&mut self) {
        let bytes = std::mem::take(&mut self.line);
        let text = String::from_utf8_lossy(&bytes);
        let line = line(&text);
        if !self.plugin.may_log(line.len()) {
            return;
        }
        let settings = &self.plugin.settings;
        let (tenant, plugin) = (&*settings.tenant_name, &*settings.name);
        match self.name {
            Name::Stdout => tracing::info!(target: "guest", tenant, plugin, "{line}"),
            Name::Stderr => tracing::warn!(target: "guest", tenant, plugin, "{line}"),
        }
    }
}

impl Drop for Joiner {
    fn drop(&mut self) {
        if !self.line.is_empty() {
            self.finish();
        }
    }
}

impl IsTerminal for Lines {
    fn is_terminal(&self) -> bool {
        false
    }
}

impl StdoutStream for Lines {
    fn async_stream(&self) -> Box<dyn AsyncWrite + Send + Sync> {
        Box::new(self.clone())
    }

    fn p2_stream(&self) -> Box<dyn OutputStream> {
        Box::new(self.clone())
    }
}

impl AsyncWrite for Lines {
    fn poll_write(
        self: Pin<&mut Self>,
        _context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        // Not more at a time, so that the event loop gets its turns.
        let bytes = bytes.get(..LINE_BYTES_MAX).unwrap_or(bytes);
        self.take(bytes);
        Poll::Ready(Ok(bytes.len()))
    }

    fn poll_flush(self: Pin<&mut Self>, _context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}

#[async_trait]
impl Pollable for Lines {
    async fn ready(&mut self) {}
}

impl OutputStream for Lines {
    fn write(&mut self, bytes: Bytes) -> StreamResult<()> {
        if bytes.len() > LINE_BYTES_MAX {
            return Err(StreamError::trap("more is written than `check-write` said"));
        }
        self.take(&bytes);
        Ok(())
    }

    fn flush(&mut self) -> StreamResult<()> {
        Ok(())
    }

    fn check_write(&mut self) -> StreamResult<usize> {
        Ok(LINE_BYTES_MAX)
    }
}
