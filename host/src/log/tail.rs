//! The last lines of the log, and those who follow it. Nobody waits for them: who
//! reads too slowly loses lines, and is told how many.

use std::collections::VecDeque;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use tokio::sync::mpsc::{self, Receiver, Sender};
use tracing::Level;

use super::line::Line;

/// Lines that are kept, and their bytes.
const KEPT_LEN_MAX: usize = 4096;
const KEPT_BYTES_MAX: usize = 1 << 20;

/// Lines that wait for one who follows; each has at most some 16 KiB.
const WAITING_LEN_MAX: usize = 256;

/// Those who follow at a time.
const READERS_MAX: usize = 8;

/// As many follow the log as may.
#[derive(Debug, thiserror::Error)]
#[error("{READERS_MAX} follow the log already")]
pub(crate) struct TooMany;

/// Which lines.
#[derive(Clone, Debug)]
pub(crate) struct Filter {
    /// Of one tenant alone.
    pub(crate) tenant: Option<String>,
    /// Of plugins with this name alone.
    pub(crate) plugin: Option<String>,
    /// The least level.
    pub(crate) level: Level,
}

impl Filter {
    fn has(&self, line: &Line) -> bool {
        fn is(wanted: &Option<String>, it: &Option<Box<str>>) -> bool {
            wanted.is_none() || wanted.as_deref() == it.as_deref()
        }
        line.level <= self.level && is(&self.tenant, &line.tenant) && is(&self.plugin, &line.plugin)
    }
}

/// By which the log can be read.
#[derive(Clone, Default)]
pub(crate) struct Tails(Arc<Mutex<State>>);

#[derive(Default)]
struct State {
    kept: VecDeque<Line>,
    kept_bytes: usize,
    followers: Vec<Follower>,
}

/// The host's end of somebody who follows.
struct Follower {
    filter: Filter,
    lines: Sender<Bytes>,
    /// Lines that found no room, of which he has not been told.
    missing: u64,
}

impl Tails {
    /// Keeps a line, and gives it to those who follow.
    pub(super) fn push(&self, line: Line) {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        state.followers.retain_mut(|follower| follower.give(&line));
        state.kept_bytes += line.json.len();
        state.kept.push_back(line);
        while state.kept.len() > KEPT_LEN_MAX || state.kept_bytes > KEPT_BYTES_MAX {
            let Some(oldest) = state.kept.pop_front() else {
                break;
            };
            state.kept_bytes -= oldest.json.len();
        }
    }

    /// The lines that are kept, and with `follow` those that come, without a gap
    /// between them.
    pub(crate) fn read(&self, filter: Filter, follow: bool) -> Result<Reader, TooMany> {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        state.followers.retain(|it| !it.lines.is_closed());
        if follow && state.followers.len() >= READERS_MAX {
            return Err(TooMany);
        }
        let kept = state.kept.iter().filter(|line| filter.has(line));
        let kept = kept.map(|line| line.json.clone()).collect();
        let coming = follow.then(|| {
            let (lines, coming) = mpsc::channel(WAITING_LEN_MAX);
            state.followers.push(Follower {
                filter,
                lines,
                missing: 0,
            });
            coming
        });
        Ok(Reader { kept, coming })
    }
}

impl Follower {
    /// False if he is gone.
    fn give(&mut self, line: &Line) -> bool {
        if !self.filter.has(line) {
            return true;
        }
        // He is told where they are missing.
        let is_told = self.missing == 0 || self.lines.try_send(Line::missing(self.missing)).is_ok();
        if is_told {
            self.missing = 0;
        }
        if !is_told || self.lines.try_send(line.json.clone()).is_err() {
            self.missing += 1;
        }
        !self.lines.is_closed()
    }
}

/// The lines for one who reads.
pub(crate) struct Reader {
    kept: VecDeque<Bytes>,
    /// None: only those which are kept.
    coming: Option<Receiver<Bytes>>,
}

impl http_body::Body for Reader {
    type Data = Bytes;
    type Error = std::convert::Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<http_body::Frame<Bytes>, Self::Error>>> {
        let line = match (self.kept.pop_front(), &mut self.coming) {
            (Some(line), _) => Some(line),
            (None, Some(coming)) => ready!(coming.poll_recv(context)),
            (None, None) => None,
        };
        Poll::Ready(line.map(|line| Ok(http_body::Frame::data(line))))
    }
}

#[cfg(test)]
mod tests {
    use http_body_util::BodyExt;

    use super::*;

    fn line(tenant: &str, level: Level, text: &str) -> Line {
        Line {
            level,
            tenant: Some(tenant.into()),
            plugin: Some("chat".into()),
            json: Bytes::from(format!("{text}\n")),
        }
    }

    fn filter(tenant: &str) -> Filter {
        Filter {
            tenant: Some(tenant.into()),
            plugin: None,
            level: Level::INFO,
        }
    }

    async fn next(reader: &mut Reader) -> String {
        let frame = reader.frame().await.unwrap().unwrap();
        String::from_utf8(frame.into_data().unwrap().to_vec()).unwrap()
    }

    #[tokio::test]
    async fn a_reader_sees_what_he_may_and_in_order() {
        let tails = Tails::default();
        tails.push(line("a", Level::INFO, "1"));
        tails.push(line("b", Level::INFO, "2"));
        tails.push(line("a", Level::DEBUG, "3"));
        let mut reader = tails.read(filter("a"), true).unwrap();
        tails.push(line("a", Level::ERROR, "4"));
        assert_eq!(next(&mut reader).await, "1\n");
        assert_eq!(next(&mut reader).await, "4\n");
        let mut kept = tails.read(filter("b"), false).unwrap();
        assert_eq!(next(&mut kept).await, "2\n");
        assert!(kept.frame().await.is_none());
    }

    #[tokio::test]
    async fn who_reads_too_slowly_is_told_how_many_he_has_lost() {
        let tails = Tails::default();
        let mut reader = tails.read(filter("a"), true).unwrap();
        for _ in 0..WAITING_LEN_MAX + 7 {
            tails.push(line("a", Level::INFO, "x"));
        }
        for _ in 0..WAITING_LEN_MAX {
            assert_eq!(next(&mut reader).await, "x\n");
        }
        tails.push(line("a", Level::INFO, "y"));
        assert!(next(&mut reader).await.contains("\"missing\":7"));
        assert_eq!(next(&mut reader).await, "y\n");
    }

    #[test]
    fn what_is_kept_and_who_follows_is_limited() {
        let tails = Tails::default();
        for _ in 0..KEPT_LEN_MAX + 10 {
            tails.push(line("a", Level::INFO, "x"));
        }
        assert_eq!(tails.0.lock().unwrap().kept.len(), KEPT_LEN_MAX);
        let long = "x".repeat(KEPT_BYTES_MAX / 4);
        for _ in 0..8 {
            tails.push(line("a", Level::INFO, &long));
        }
        assert_eq!(tails.0.lock().unwrap().kept.len(), 3);
        let mut readers: Vec<_> = (0..READERS_MAX)
            .map(|_| tails.read(filter("a"), true).unwrap())
            .collect();
        assert!(tails.read(filter("a"), true).is_err());
        readers.pop();
        assert!(tails.read(filter("a"), true).is_ok());
    }
}
