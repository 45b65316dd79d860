//! What `GET /metrics` answers: the census of the fleet in the text format of
//! Prometheus, version 0.0.4.
//!
//! Each plugin has labels of its own, up to a limit: what is beyond it is added
//! up, so that a host with many plugins can't fill somebody's database.

mod page;

use std::sync::Arc;
use std::time::SystemTime;

use holdfast_core::metrics::{
    BOUNDS, EdgeMetrics, EventKind, EventOutcome, HistogramCounts, LimitHit, Reload, Totals,
};

use crate::fleet::{Census, Counted, Name, Now};
use page::{Labels, Page, Type};

/// The type of the page.
pub(super) const CONTENT_TYPE: &str = "text/plain; version=0.0.4; charset=utf-8";

/// What stands for the tenant and the plugin of those beyond the limit. No name
/// has such brackets.
const OTHER: &str = "(other)";

/// Classes of statuses, as a label.
const CLASSES: [&str; 5] = ["1xx", "2xx", "3xx", "4xx", "5xx"];

/// What is known of the process.
pub(super) struct Host {
    /// When it began to serve.
    pub(super) start: SystemTime,
    /// Connections that were one too many for their client's address.
    pub(super) refused: u64,
    /// What else is counted of clients.
    pub(super) edge: Arc<EdgeMetrics>,
}

/// Writes the page, with labels for so many plugins.
pub(super) fn write(census: Census, plugins_max: usize, process: &Host) -> String {
    let mut page = Page::default();
    host(&mut page, &census, process);
    let rows = rows(census.plugins, plugins_max);
    events(&mut page, &rows);
    counters(&mut page, &rows);
    gauges(&mut page, &rows);
    page.into_text()
}

/// Of those beyond the limit, one row in all.
fn rows(plugins: Vec<Counted>, plugins_max: usize) -> Vec<Counted> {
    let mut plugins = plugins.into_iter();
    let mut rows: Vec<_> = plugins.by_ref().take(plugins_max).collect();
    let mut plugins = plugins.peekable();
    if plugins.peek().is_some() {
        let mut other = Counted {
            name: Name {
                tenant: OTHER.into(),
                plugin: OTHER.into(),
            },
            totals: Totals::default(),
            now: Now::default(),
        };
        plugins.for_each(|plugin| add(&mut other, &plugin));
        rows.push(other);
    }
    rows
}

fn add(sum: &mut Counted, plugin: &Counted) {
    sum.totals.add(&plugin.totals);
    let (sum, now) = (&mut sum.now, &plugin.now);
    sum.connections += now.connections;
    sum.queue_bytes += now.queue_bytes;
    sum.instances += now.instances;
    sum.generations += now.generations;
}

fn host(page: &mut Page, census: &Census, process: &Host) {
    let none = Labels::default();
    let version = Labels::default().and("version", env!("CARGO_PKG_VERSION"));
    page.family(Type::Gauge, "holdfast_build_info", "Which version runs.");
    page.sample(&version, 1);
    let start = process.start.duration_since(SystemTime::UNIX_EPOCH);
    page.family(
        Type::Gauge,
        "holdfast_start_time_seconds",
        "When the host began to serve, as Unix time.",
    );
    page.sample(&none, start.unwrap_or_default().as_secs());
    page.family(Type::Gauge, "holdfast_plugins", "Plugins of the manifest.");
    page.sample(&none, census.plugins.len() as u64);
    page.family(
        Type::Counter,
        "holdfast_refused_connections_total",
        "Connections that were one too many for their client's address.",
    );
    page.sample(&none, process.refused);
    edge(page, &process.edge);
    let load = &census.load;
    page.family(
        Type::Counter,
        "holdfast_component_loads_total",
        "Components that were found in the cache, compiled, or could not be compiled.",
    );
    for (result, counter) in [
        ("cached", &load.cache_hits),
        ("compiled", &load.compiled),
        ("failed", &load.failed),
    ] {
        page.sample(&Labels::default().and("result", result), counter.get());
    }
    page.family(
        Type::Counter,
        "holdfast_compile_seconds_total",
        "Time that compiling has taken.",
    );
    page.seconds(&none, load.compile_ns.get());
}

fn edge(page: &mut Page, edge: &EdgeMetrics) {
    let none = Labels::default();
    for (name, help, counter) in [
        (
            "holdfast_shed_connections_total",
            "Connections that were refused since the host had as many as it may.",
            &edge.shed,
        ),
        (
            "holdfast_access_log_lost_lines_total",
            "Lines of the access log that could not be written.",
            &edge.access_lost,
        ),
    ] {
        page.family(Type::Counter, name, help);
        page.sample(&none, counter.get());
    }
    page.family(
        Type::Counter,
        "holdfast_tls_handshake_failures_total",
        "TLS handshakes that came to nothing.",
    );
    for (kind, count) in edge.tls_failures() {
        page.sample(&Labels::default().and("kind", kind), count);
    }
    page.family(
        Type::Counter,
        "holdfast_http2_floods_total",
        "HTTP/2 connections that were ended for frames which cost their sender nothing.",
    );
    for (kind, count) in edge.floods() {
        page.sample(&Labels::default().and("kind", kind), count);
    }
}

fn events(page: &mut Page, rows: &[Counted]) {
    page.family(
        Type::Counter,
        "holdfast_events_total",
        "Events that were handed to a plugin, by what has come of them.",
    );
    for row in rows {
        for (kind, outcomes) in EventKind::ALL.into_iter().zip(&row.totals.events) {
            for (outcome, count) in EventOutcome::ALL.into_iter().zip(outcomes) {
                // Most pairs never happen.
                if *count > 0 {
                    let labels = labels(row).and("kind", kind.name());
                    page.sample(&labels.and("outcome", outcome.name()), *count);
                }
            }
        }
    }
    page.family(
        Type::Histogram,
        "holdfast_event_duration_seconds",
        "Time from the handing over of an event until its outcome.",
    );
    for row in rows {
        for (kind, counts) in EventKind::ALL.into_iter().zip(&row.totals.durations) {
            if counts.count() > 0 {
                histogram(page, &labels(row).and("kind", kind.name()), counts);
            }
        }
    }
}

fn histogram(page: &mut Page, labels: &Labels, counts: &HistogramCounts) {
    let mut below = 0;
    for (bound, count) in BOUNDS.iter().zip(&counts.buckets) {
        below += count;
        page.bucket(labels, Some(*bound), below);
    }
    page.bucket(labels, None, counts.count());
    page.sum(labels, counts.sum_ns);
    page.count(labels, counts.count());
}

fn counters(page: &mut Page, rows: &[Counted]) {
    type Pick = fn(&Totals) -> &[u64];
    let families: [(&str, &str, &str, Vec<&str>, Pick); 4] = [
        (
            "holdfast_http_responses_total",
            "Responses of guests to HTTP requests.",
            "status",
            CLASSES.to_vec(),
            |totals| &totals.responses,
        ),
        (
            "holdfast_limit_hits_total",
            "How often somebody has run into a limit.",
            "limit",
            LimitHit::ALL.map(LimitHit::name).to_vec(),
            |totals| &totals.limit_hits,
        ),
        (
            "holdfast_websocket_compressed_bytes_total",
            "Compressed WebSocket messages, in bytes.",
            "direction",
            vec!["in", "out"],
            |totals| &totals.compressed_bytes,
        ),
        (
            "holdfast_reloads_total",
            "Changes of what serves, and attempts.",
            "result",
            Reload::ALL.map(Reload::name).to_vec(),
            |totals| &totals.reloads,
        ),
    ];
    for (name, help, label, values, pick) in families {
        page.family(Type::Counter, name, help);
        for row in rows {
            for (value, count) in values.iter().zip(pick(&row.totals)) {
                if *count > 0 {
                    page.sample(&labels(row).and(label, value), *count);
                }
            }
        }
    }
}

fn gauges(page: &mut Page, rows: &[Counted]) {
    type Pick = fn(&Counted) -> u64;
    let families: [(&str, &str, Pick); 7] = [
        (
            "holdfast_connections",
            "WebSockets, those in their handshake included.",
            |row| row.now.connections,
        ),
        (
            "holdfast_queue_bytes",
            "Bytes that wait for WebSocket clients who take no more now.",
            |row| row.now.queue_bytes,
        ),
        (
            "holdfast_websocket_window_bytes",
            "Bytes that are kept for compressed messages which refer to others.",
            |row| row.totals.window_bytes,
        ),
        (
            "holdfast_waiting_events",
            "Events that wait for an instance.",
            |row| row.totals.waiting,
        ),
        ("holdfast_instances", "Instances.", |row| row.now.instances),
        (
            "holdfast_instance_memory_bytes",
            "Linear memories of the instances.",
            |row| row.totals.memory_bytes,
        ),
        (
            "holdfast_generations",
            "Generations of which anything is left.",
            |row| row.now.generations,
        ),
    ];
    page.family(
        Type::Counter,
        "holdfast_cpu_seconds_total",
        "Time that guests have computed.",
    );
    for row in rows {
        page.seconds(&labels(row), row.totals.cpu_ns);
    }
    for (name, help, pick) in families {
        page.family(Type::Gauge, name, help);
        for row in rows {
            page.sample(&labels(row), pick(row));
        }
    }
}

fn labels(row: &Counted) -> Labels {
    let labels = Labels::default().and("tenant", &row.name.tenant);
    labels.and("plugin", &row.name.plugin)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use holdfast_core::metrics::PluginMetrics;

    use super::*;

    fn plugin(name: &str) -> Counted {
        let metrics = PluginMetrics::default();
        let duration = Duration::from_micros(75);
        let recorder = metrics.recorder();
        recorder.note(EventKind::Http, EventOutcome::Ok, duration);
        metrics.note_response(hyper::StatusCode::OK);
        let mut totals = Totals::default();
        metrics.add_to(&mut totals);
        Counted {
            name: Name {
                tenant: "acme".into(),
                plugin: name.into(),
            },
            totals,
            now: Now {
                connections: 2,
                ..Now::default()
            },
        }
    }

    fn page(plugins_max: usize) -> String {
        let census = Census {
            plugins: ["a", "b", "c"].map(plugin).into(),
            load: Arc::default(),
        };
        let host = Host {
            start: SystemTime::UNIX_EPOCH,
            refused: 0,
            edge: Arc::default(),
        };
        write(census, plugins_max, &host)
    }

    #[test]
    fn each_plugin_has_its_own_labels() {
        let page = page(3);
        for line in [
            "holdfast_plugins 3",
            "holdfast_events_total{tenant=\"acme\",plugin=\"c\",kind=\"http\",outcome=\"ok\"} 1",
            "holdfast_event_duration_seconds_bucket{tenant=\"acme\",plugin=\"a\",kind=\"http\",le=\"0.00005\"} 0",
            "holdfast_event_duration_seconds_bucket{tenant=\"acme\",plugin=\"a\",kind=\"http\",le=\"0.0001\"} 1",
            "holdfast_event_duration_seconds_bucket{tenant=\"acme\",plugin=\"a\",kind=\"http\",le=\"+Inf\"} 1",
            "holdfast_event_duration_seconds_sum{tenant=\"acme\",plugin=\"a\",kind=\"http\"} 0.000075",
            "holdfast_http_responses_total{tenant=\"acme\",plugin=\"b\",status=\"2xx\"} 1",
            "holdfast_connections{tenant=\"acme\",plugin=\"b\"} 2",
        ] {
            assert!(page.lines().any(|it| it == line), "{line}\n{page}");
        }
        assert!(!page.contains(OTHER));
    }

    #[test]
    fn those_beyond_the_limit_are_added_up() {
        let page = page(1);
        let line = "holdfast_connections{tenant=\"(other)\",plugin=\"(other)\"} 4";
        assert!(page.lines().any(|it| it == line), "{page}");
        assert!(!page.contains("plugin=\"b\""));
    }
}
