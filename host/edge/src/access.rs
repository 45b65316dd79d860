//! The access log: a line for each request, and one for each WebSocket at its end.
//!
//! Event loops put lines together and leave them here; a thread of the host takes
//! and writes them. Nobody waits for that thread: what finds no room is lost, and
//! counted. Without an access log nothing of this is there but a look whether it
//! is.

mod escape;
mod line;
mod logged;
mod session;
mod visit;

use std::net::SocketAddr;
use std::sync::{Arc, Condvar, Mutex, PoisonError};

use holdfast_core::manifest::AccessFormat;
use holdfast_core::metrics::EdgeMetrics;
use http::StatusCode;

use crate::lock::lock;
use line::Line;
pub(crate) use session::Session;
pub(crate) use visit::Visit;

/// Lines that wait to be written, in bytes.
const WAITING_BYTES_MAX: usize = 4 << 20;
/// A buffer that was larger once is given back.
const KEPT_BYTES_MAX: usize = 64 << 10;

/// Where lines wait to be written.
#[derive(Debug)]
pub struct AccessLog {
    format: AccessFormat,
    waiting: Mutex<Waiting>,
    filled: Condvar,
    metrics: Arc<EdgeMetrics>,
}

#[derive(Debug, Default)]
struct Waiting {
    lines: Vec<u8>,
    is_to_reopen: bool,
    has_ended: bool,
}

/// What the thread that writes is to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Work {
    /// The file has been moved, perhaps: what comes goes into a new one.
    pub is_to_reopen: bool,
}

impl AccessLog {
    /// For lines that look like this. What is lost is counted there.
    pub fn new(format: AccessFormat, metrics: Arc<EdgeMetrics>) -> Arc<Self> {
        Arc::new(Self {
            format,
            waiting: Mutex::default(),
            filled: Condvar::new(),
            metrics,
        })
    }

    /// Waits for lines, or for something else to do, and puts the lines into
    /// `lines`, which has to be empty. None at the end.
    pub fn take(&self, lines: &mut Vec<u8>) -> Option<Work> {
        if lines.capacity() > KEPT_BYTES_MAX {
            *lines = Vec::new();
        }
        let waiting = lock(&self.waiting);
        let is_idle = |waiting: &mut Waiting| {
            waiting.lines.is_empty() && !waiting.is_to_reopen && !waiting.has_ended
        };
        let waited = self.filled.wait_while(waiting, is_idle);
        let mut waiting = waited.unwrap_or_else(PoisonError::into_inner);
        std::mem::swap(&mut waiting.lines, lines);
        let is_to_reopen = std::mem::take(&mut waiting.is_to_reopen);
        let is_over = lines.is_empty() && !is_to_reopen && waiting.has_ended;
        (!is_over).then_some(Work { is_to_reopen })
    }

    /// Has the file opened anew.
    pub fn reopen(&self) {
        lock(&self.waiting).is_to_reopen = true;
        self.filled.notify_one();
    }

    /// Nothing more will come.
    pub fn end(&self) {
        lock(&self.waiting).has_ended = true;
        self.filled.notify_one();
    }

    /// Lines that could not be written.
    pub fn lose(&self, count: u64) {
        self.metrics.access_lost.add(count);
    }

    /// Lines that were lost so far.
    pub fn lost(&self) -> u64 {
        self.metrics.access_lost.get()
    }

    /// An answer to what could not be read as a request.
    pub(crate) fn note_nameless(&self, client: Option<SocketAddr>, status: StatusCode, bytes: u64) {
        self.put(&Line::nameless(client, status, bytes));
    }

    fn put(&self, line: &Line<'_>) {
        let mut text = line.text(self.format);
        text.push('\n');
        let mut waiting = lock(&self.waiting);
        if waiting.lines.len() + text.len() > WAITING_BYTES_MAX {
            drop(waiting);
            self.lose(1);
            return;
        }
        let is_first = waiting.lines.is_empty();
        waiting.lines.extend_from_slice(text.as_bytes());
        drop(waiting);
        if is_first {
            self.filled.notify_one();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_finds_no_room_is_lost_and_counted() {
        let log = AccessLog::new(AccessFormat::Json, Arc::default());
        let mut count = 0;
        while log.lost() == 0 {
            log.note_nameless(None, StatusCode::BAD_REQUEST, 0);
            count += 1;
        }
        let mut lines = Vec::new();
        let go_on = Work {
            is_to_reopen: false,
        };
        assert_eq!(log.take(&mut lines), Some(go_on));
        assert!(lines.len() <= WAITING_BYTES_MAX);
        let kept = lines.iter().filter(|byte| **byte == b'\n').count();
        assert_eq!(kept + 1, count);
        lines.clear();
        log.note_nameless(None, StatusCode::BAD_REQUEST, 0);
        log.end();
        assert_eq!(log.take(&mut lines), Some(go_on), "one more");
        assert!(lines.capacity() <= KEPT_BYTES_MAX);
        lines.clear();
        assert_eq!(log.take(&mut lines), None);
    }

    #[test]
    fn a_file_is_opened_anew_also_without_lines() {
        let log = AccessLog::new(AccessFormat::Combined, Arc::default());
        log.reopen();
        let work = log.take(&mut Vec::new());
        assert_eq!(work, Some(Work { is_to_reopen: true }));
    }
}
