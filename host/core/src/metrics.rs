//! What is counted of one plugin, in all its generations and on all event loops.
//!
//! Counting costs a few nanoseconds and takes no lock. What happens with each
//! event is counted by [`Recorder`]s and in [`Part`]s, each of which belongs to one
//! event loop, so that no two of them write the same memory; what is rare has one
//! atomic for all.

mod edge;
mod events;
mod histogram;
mod split;

use std::marker::PhantomData;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

pub use edge::{EdgeMetrics, Flood, TlsFailure};
pub use events::{EventKind, EventOutcome, Recorder};
use events::{KIND_COUNT, OUTCOME_COUNT, Sheet};
pub use histogram::{BOUNDS, HistogramCounts};
use split::take_free;
pub use split::{Part, SplitCounter};

/// A number that only grows.
#[derive(Debug, Default)]
pub struct Counter(AtomicU64);

impl Counter {
    /// Adds to it.
    pub fn add(&self, count: u64) {
        self.0.fetch_add(count, Ordering::Relaxed);
    }

    /// What it has come to.
    pub fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

/// A number that grows and shrinks.
#[derive(Debug, Default)]
pub struct Gauge(AtomicI64);

impl Gauge {
    /// Adds to it.
    pub fn add(&self, count: usize) {
        self.0
            .fetch_add(i64::try_from(count).unwrap_or(i64::MAX), Ordering::Relaxed);
    }

    /// Takes away what was added before.
    pub fn sub(&self, count: usize) {
        self.0
            .fetch_sub(i64::try_from(count).unwrap_or(i64::MAX), Ordering::Relaxed);
    }

    /// What it is now.
    pub fn get(&self) -> u64 {
        u64::try_from(self.0.load(Ordering::Relaxed)).unwrap_or(0)
    }
}

/// A limit that somebody has run into.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LimitHit {
    /// `body_bytes_max`: a request was answered with 413.
    Body,
    /// `connections_max`: a handshake was refused.
    Connections,
    /// `message_bytes_max`: a connection was closed with 1009.
    Message,
    /// `queue_bytes_max`: somebody found a queue full.
    Queue,
    /// `memory_bytes_max` or `table_elements_max`: a guest was given no more.
    Memory,
    /// Lines of the log were dropped.
    Log,
    /// `handshakes_per_second_max`: a handshake was refused.
    Handshakes,
    /// `connections_max` of the tenant: a handshake was refused.
    TenantConnections,
    /// `messages_per_second_max`: the next message of a client has to wait.
    Pace,
    /// `response_bytes_max`: a response broke off.
    Response,
    /// `outbound_max`, `outbound_per_second_max` or `outbound_per_event_max`: an
    /// outbound request was refused.
    Outbound,
    /// `keyvalue_bytes_max` or `keyvalue_value_bytes_max`: nothing was kept.
    Keyvalue,
    /// `files_max`: a file was not opened.
    Files,
    /// `memory_bytes_max` of the tenant: a guest was given no more.
    TenantMemory,
    /// `instances_max`, of the plugin, its tenant or the host: an event had to
    /// wait for an instance.
    Instances,
    /// `control_frames_per_second_max`: a connection was closed with 1008.
    Control,
}

impl LimitHit {
    /// All of them.
    pub const ALL: [Self; 16] = [
        Self::Body,
        Self::Connections,
        Self::Message,
        Self::Queue,
        Self::Memory,
        Self::Log,
        Self::Handshakes,
        Self::TenantConnections,
        Self::Pace,
        Self::Response,
        Self::Outbound,
        Self::Keyvalue,
        Self::Files,
        Self::TenantMemory,
        Self::Instances,
        Self::Control,
    ];

    /// What a metric calls it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Body => "body",
            Self::Connections => "connections",
            Self::Message => "message",
            Self::Queue => "queue",
            Self::Memory => "memory",
            Self::Log => "log",
            Self::Handshakes => "handshakes",
            Self::TenantConnections => "tenant_connections",
            Self::Pace => "messages_per_second",
            Self::Response => "response",
            Self::Outbound => "outbound",
            Self::Keyvalue => "keyvalue",
            Self::Files => "files",
            Self::TenantMemory => "tenant_memory",
            Self::Instances => "instances",
            Self::Control => "control_frames",
        }
    }
}

/// What has become of an attempt to change what serves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reload {
    /// A generation was installed.
    Installed,
    /// A component could not be loaded.
    Failed,
    /// An earlier generation serves again.
    RolledBack,
}

impl Reload {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Installed, Self::Failed, Self::RolledBack];

    /// What a metric calls it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Installed => "installed",
            Self::Failed => "failed",
            Self::RolledBack => "rolled_back",
        }
    }
}

/// What is counted of loading components, of all plugins together.
#[derive(Debug, Default)]
pub struct LoadMetrics {
    /// Components whose machine code was in the cache.
    pub cache_hits: Counter,
    /// Components that were compiled.
    pub compiled: Counter,
    /// Components that could not be compiled.
    pub failed: Counter,
    /// How long compiling took, what has failed included, in nanoseconds.
    pub compile_ns: Counter,
}

/// Classes of the statuses of HTTP responses: those from 100 are the first.
const CLASS_COUNT: usize = 5;

/// What is counted of one plugin.
#[derive(Debug, Default)]
pub struct PluginMetrics {
    /// One for each recorder there has ever been at the same time.
    sheets: Mutex<Vec<Arc<Sheet>>>,
    responses: [Counter; CLASS_COUNT],
    limit_hits: [Counter; LimitHit::ALL.len()],
    reloads: [Counter; Reload::ALL.len()],
    /// Bytes of the linear memories of its instances.
    pub memory_bytes: Gauge,
    /// Bytes that wait for WebSocket clients, of whom the system has taken no
    /// more.
    pub queue_bytes: Gauge,
    /// Compressed WebSocket messages from clients, and to them, in bytes.
    pub compressed_bytes: [Counter; 2],
    /// Bytes that are kept for compressed messages which refer to others.
    pub window_bytes: Gauge,
    /// Time that its guests have computed, in nanoseconds.
    pub cpu_ns: SplitCounter,
    /// Events that wait for an instance.
    pub waiting: Gauge,
}

/// What a plugin has come to, or several together.
#[derive(Clone, Debug, Default)]
pub struct Totals {
    /// By [`EventKind`], then by [`EventOutcome`], both in the order of `ALL`.
    pub events: [[u64; OUTCOME_COUNT]; KIND_COUNT],
    /// How long events took, by [`EventKind`].
    pub durations: [HistogramCounts; KIND_COUNT],
    /// Statuses of the guest's responses, from 1xx to 5xx.
    pub responses: [u64; CLASS_COUNT],
    /// By [`LimitHit`].
    pub limit_hits: [u64; LimitHit::ALL.len()],
    /// By [`Reload`].
    pub reloads: [u64; Reload::ALL.len()],
    /// See [`PluginMetrics::memory_bytes`].
    pub memory_bytes: u64,
    /// See [`PluginMetrics::compressed_bytes`].
    pub compressed_bytes: [u64; 2],
    /// See [`PluginMetrics::window_bytes`].
    pub window_bytes: u64,
    /// See [`PluginMetrics::cpu_ns`].
    pub cpu_ns: u64,
    /// See [`PluginMetrics::waiting`].
    pub waiting: u64,
}

impl Totals {
    /// Adds those of another plugin.
    pub fn add(&mut self, other: &Self) {
        for (outcomes, others) in self.events.iter_mut().zip(&other.events) {
            sum(outcomes, others);
        }
        for (counts, others) in self.durations.iter_mut().zip(&other.durations) {
            sum(&mut counts.buckets, &others.buckets);
            counts.sum_ns += others.sum_ns;
        }
        sum(&mut self.responses, &other.responses);
        sum(&mut self.limit_hits, &other.limit_hits);
        sum(&mut self.reloads, &other.reloads);
        self.memory_bytes += other.memory_bytes;
        sum(&mut self.compressed_bytes, &other.compressed_bytes);
        self.window_bytes += other.window_bytes;
        self.cpu_ns += other.cpu_ns;
        self.waiting += other.waiting;
    }
}

fn sum(totals: &mut [u64], others: &[u64]) {
    for (total, other) in totals.iter_mut().zip(others) {
        *total += other;
    }
}

impl PluginMetrics {
    /// A recorder for an event loop. Takes a lock.
    pub fn recorder(&self) -> Recorder {
        let mut sheets = self.sheets.lock().unwrap_or_else(PoisonError::into_inner);
        Recorder {
            sheet: take_free(&mut sheets),
            not_shared: PhantomData,
        }
    }

    /// Counts a response of the guest's.
    pub fn note_response(&self, status: http::StatusCode) {
        let class = usize::from(status.as_u16() / 100).saturating_sub(1);
        if let Some(counter) = self.responses.get(class) {
            counter.add(1);
        }
    }

    /// Counts that somebody has run into a limit.
    pub fn note_limit(&self, hit: LimitHit) {
        if let Some(counter) = self.limit_hits.get(hit as usize) {
            counter.add(1);
        }
    }

    /// Counts a change of what serves.
    pub fn note_reload(&self, reload: Reload) {
        if let Some(counter) = self.reloads.get(reload as usize) {
            counter.add(1);
        }
    }

    /// Counts a compressed message of a client's, of so many bytes.
    pub fn note_compressed_in(&self, bytes: usize) {
        let [received, _] = &self.compressed_bytes;
        received.add(bytes as u64);
    }

    /// The same of one that is sent to a client.
    pub fn note_compressed_out(&self, bytes: usize) {
        let [_, sent] = &self.compressed_bytes;
        sent.add(bytes as u64);
    }

    /// Adds what was counted so far to `totals`.
    pub fn add_to(&self, totals: &mut Totals) {
        let sheets = self.sheets.lock().unwrap_or_else(PoisonError::into_inner);
        for sheet in &*sheets {
            sheet.add_to(&mut totals.events, &mut totals.durations);
        }
        drop(sheets);
        add(&mut totals.responses, &self.responses);
        add(&mut totals.limit_hits, &self.limit_hits);
        add(&mut totals.reloads, &self.reloads);
        totals.memory_bytes += self.memory_bytes.get();
        add(&mut totals.compressed_bytes, &self.compressed_bytes);
        totals.window_bytes += self.window_bytes.get();
        totals.cpu_ns += self.cpu_ns.get();
        totals.waiting += self.waiting.get();
    }
}

fn add(totals: &mut [u64], counters: &[Counter]) {
    for (total, counter) in totals.iter_mut().zip(counters) {
        *total += counter.get();
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn each_limit_is_counted_in_its_own_place() {
        for (place, hit) in LimitHit::ALL.into_iter().enumerate() {
            assert_eq!(hit as usize, place, "{}", hit.name());
        }
    }

    #[test]
    fn recorders_write_apart_and_are_added_up() {
        let metrics = PluginMetrics::default();
        let (one, other) = (metrics.recorder(), metrics.recorder());
        let second = Duration::from_secs(1);
        one.note(EventKind::Http, EventOutcome::Ok, second);
        other.note(EventKind::Http, EventOutcome::Ok, second);
        other.note(EventKind::Close, EventOutcome::Trap, second);
        drop(one);
        let third = metrics.recorder();
        third.note(EventKind::Http, EventOutcome::Timeout, second);
        assert_eq!(metrics.sheets.lock().unwrap().len(), 2, "one is used again");
        let mut totals = Totals::default();
        metrics.add_to(&mut totals);
        let http = totals.events[EventKind::Http as usize];
        assert_eq!(http[EventOutcome::Ok as usize], 2);
        assert_eq!(http[EventOutcome::Timeout as usize], 1);
        let close = totals.events[EventKind::Close as usize];
        assert_eq!(close[EventOutcome::Trap as usize], 1);
        assert_eq!(totals.durations[EventKind::Http as usize].count(), 3);
    }

    #[test]
    fn several_plugins_add_up() {
        let mut totals = Totals::default();
        for _ in 0..2 {
            let metrics = PluginMetrics::default();
            metrics.note_response(http::StatusCode::NOT_FOUND);
            metrics.note_limit(LimitHit::Log);
            metrics.note_reload(Reload::Failed);
            metrics.memory_bytes.add(5);
            metrics.memory_bytes.sub(2);
            metrics.add_to(&mut totals);
        }
        assert_eq!(totals.responses, [0, 0, 0, 2, 0]);
        assert_eq!(totals.limit_hits[LimitHit::Log as usize], 2);
        assert_eq!(totals.limit_hits.iter().sum::<u64>(), 2);
        assert_eq!(totals.reloads, [0, 2, 0]);
        assert_eq!(totals.memory_bytes, 6);
    }
}
