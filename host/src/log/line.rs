//! One line of the log as JSON.

use std::fmt::{Debug, Write};
use std::time::SystemTime;

use bytes::Bytes;
use holdfast_core::time;
use serde_json::Value;
use tracing::field::{Field, Visit};
use tracing::{Event, Level};

/// A line, and by what somebody may look for it.
#[derive(Clone, Debug)]
pub(crate) struct Line {
    pub(crate) level: Level,
    /// Of which tenant it tells.
    pub(crate) tenant: Option<Box<str>>,
    /// And of which of its plugins.
    pub(crate) plugin: Option<Box<str>>,
    /// A JSON object and the end of the line.
    pub(crate) json: Bytes,
}

impl Line {
    /// What has happened just now.
    pub(crate) fn of(event: &Event<'_>) -> Self {
        let metadata = event.metadata();
        let time = time::rfc3339(SystemTime::now());
        let level = name(*metadata.level());
        let target = Value::from(metadata.target());
        let mut fields = Fields {
            json: format!("{{\"time\":\"{time}\",\"level\":\"{level}\",\"target\":{target}"),
            tenant: None,
            plugin: None,
        };
        event.record(&mut fields);
        fields.json.push_str("}\n");
        Self {
            level: *metadata.level(),
            tenant: fields.tenant,
            plugin: fields.plugin,
            json: fields.json.into(),
        }
    }

    /// What a reader is told who was too slow.
    pub(crate) fn missing(count: u64) -> Bytes {
        let time = time::rfc3339(SystemTime::now());
        let text = format!(
            "{{\"time\":\"{time}\",\"level\":\"warn\",\"target\":\"holdfast::log\",\
             \"message\":\"{count} lines are missing here: they were not read fast enough\",\
             \"missing\":{count}}}\n"
        );
        text.into()
    }
}

/// How a level is written.
fn name(level: Level) -> &'static str {
    match level {
        Level::ERROR => "error",
        Level::WARN => "warn",
        Level::INFO => "info",
        Level::DEBUG => "debug",
        Level::TRACE => "trace",
    }
}

/// Fields as they come.
struct Fields {
    json: String,
    tenant: Option<Box<str>>,
    plugin: Option<Box<str>>,
}

impl Fields {
    fn put(&mut self, field: &Field, value: &Value) {
        // A string takes whatever is written.
        let _ = write!(self.json, ",{}:{value}", Value::from(field.name()));
    }

    fn text(&mut self, field: &Field, text: &str) {
        match field.name() {
            "tenant" => self.tenant = Some(text.into()),
            "plugin" => self.plugin = Some(text.into()),
            _ => {}
        }
        self.put(field, &Value::from(text));
    }
}

impl Visit for Fields {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        self.text(field, &format!("{value:?}"));
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.text(field, value);
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.put(field, &value.into());
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.put(field, &value.into());
    }

    fn record_f64(&mut self, field: &Field, value: f64) {
        self.put(field, &value.into());
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.put(field, &value.into());
    }
}
