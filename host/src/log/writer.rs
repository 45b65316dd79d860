//! Writes the log in a thread of its own: standard error may be a pipe that nobody
//! reads, and an event loop must not wait for that. Lines that find no room are
//! dropped and counted.

use std::io::{self, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{self, Receiver, SyncSender};
use std::time::Duration;

use tracing_subscriber::fmt::MakeWriter;

/// Lines that wait to be written; each has at most some 8 KiB.
const LINES_MAX: usize = 4096;

/// How long the end of the process waits until everything is written.
const END_TIMEOUT: Duration = Duration::from_secs(1);

/// Where lines go to be written.
#[derive(Clone)]
pub(super) struct Sink {
    lines: SyncSender<Message>,
    dropped: Arc<AtomicU64>,
}

enum Message {
    Line(Vec<u8>),
    /// Everything before has been written; tell him.
    End(SyncSender<()>),
}

/// Sees to it, when dropped, that the log is written to its end, unless nobody
/// reads it.
pub(crate) struct Flush(SyncSender<Message>);

/// Starts the thread, which ends with the process.
///
/// # Errors
/// Fails when no thread can be started.
pub(super) fn start(output: impl Write + Send + 'static) -> io::Result<(Sink, Flush)> {
    let (sender, lines) = mpsc::sync_channel(LINES_MAX);
    let dropped = Arc::new(AtomicU64::new(0));
    let count = Arc::clone(&dropped);
    std::thread::Builder::new()
        .name("log".into())
        .spawn(move || write(output, &lines, &count))?;
    let flush = Flush(sender.clone());
    let lines = sender;
    Ok((Sink { lines, dropped }, flush))
}

fn write(mut output: impl Write, lines: &Receiver<Message>, dropped: &AtomicU64) {
    while let Ok(message) = lines.recv() {
        // Where could it be told that the log can't be written?
        let _ = match message {
            Message::Line(line) => output.write_all(&line),
            Message::End(told) => {
                let flushed = output.flush();
                // Whoever asked may not wait any more.
                let _ = told.try_send(());
                flushed
            }
        };
        let count = dropped.swap(0, Ordering::Relaxed);
        if count > 0 {
            let _ = writeln!(
                output,
                " WARN {count} lines of the log are missing here: they were not read fast enough"
            );
        }
    }
}

impl Drop for Flush {
    fn drop(&mut self) {
        let (told, end) = mpsc::sync_channel(1);
        if self.0.try_send(Message::End(told)).is_ok() {
            // If it takes longer, nobody reads it.
            let _ = end.recv_timeout(END_TIMEOUT);
        }
    }
}

impl<'a> MakeWriter<'a> for Sink {
    type Writer = Line<'a>;

    fn make_writer(&'a self) -> Line<'a> {
        Line {
            sink: self,
            bytes: Vec::new(),
        }
    }
}

/// One line, sent when it is complete.
pub(super) struct Line<'a> {
    sink: &'a Sink,
    bytes: Vec<u8>,
}

impl Write for Line<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.bytes.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Drop for Line<'_> {
    fn drop(&mut self) {
        let line = Message::Line(std::mem::take(&mut self.bytes));
        if self.sink.lines.try_send(line).is_err() {
            self.sink.dropped.fetch_add(1, Ordering::Relaxed);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use super::*;

    /// Takes nothing until its lock is free.
    struct Slow(Arc<Mutex<Vec<u8>>>);

    impl Write for Slow {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn nobody_waits_for_a_log_that_is_not_read() {
        let written = Arc::new(Mutex::new(Vec::new()));
        let (sink, flush) = start(Slow(Arc::clone(&written))).unwrap();
        let blocked = written.lock().unwrap();
        let lines = LINES_MAX + 10;
        for _ in 0..lines {
            sink.make_writer().write_all(b"line\n").unwrap();
        }
        drop(blocked);
        drop(flush);
        // The end may have found no room, so this is one more line.
        let (told, end) = mpsc::sync_channel(1);
        sink.lines.send(Message::End(told)).unwrap();
        end.recv().unwrap();
        let text = String::from_utf8(written.lock().unwrap().clone()).unwrap();
        let kept = text.matches("line\n").count();
        assert!((LINES_MAX..lines).contains(&kept), "{kept}");
        assert!(text.contains("lines of the log are missing here"), "{text}");
    }
}
