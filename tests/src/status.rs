//! What `holdfast status --json` says.

use serde_json::Value;

/// All of it.
#[derive(Clone, Debug)]
pub struct Status(Value);

/// One plugin.
#[derive(Clone, Debug)]
pub struct Plugin(Value);

/// One generation of a plugin that is alive.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Generation {
    /// Counted from 1.
    pub number: u64,
    /// `stable`, `canary` or `old`.
    pub role: String,
    /// Open WebSockets that belong to it.
    pub connections: u64,
    /// Events so far.
    pub events: u64,
    /// Events that trapped or ran out of time.
    pub failed: u64,
    /// Connections whose attachment could not be carried over to it.
    pub migrations_failed: u64,
    /// Why the last of them could not.
    pub last_migration_error: Option<String>,
}

impl Status {
    /// Reads what the command has printed.
    pub(crate) fn parse(text: &str) -> Self {
        Self(serde_json::from_str(text).expect("JSON"))
    }

    /// The plugin of this name.
    pub fn plugin(&self, name: &str) -> Plugin {
        let plugin = self.find(name);
        plugin.unwrap_or_else(|| panic!("no plugin `{name}` in {}", self.0))
    }

    /// The plugin of this name, if it is there.
    pub fn find(&self, name: &str) -> Option<Plugin> {
        let plugins = self.0["plugins"].as_array().expect("a list of plugins");
        let mut plugins = plugins.iter();
        let plugin = plugins.find(|plugin| plugin["name"] == name)?;
        Some(Plugin(plugin.clone()))
    }

    /// What is wrong with a tenant's own file, if anything.
    pub fn tenant_error(&self, name: &str) -> Option<String> {
        let tenants = self.0["tenants"].as_array().expect("a list of tenants");
        let tenant = tenants.iter().find(|tenant| tenant["name"] == name)?;
        text(&tenant["last_error"], "message")
    }

    /// All of it, as it was printed.
    pub fn whole(&self) -> String {
        self.0.to_string()
    }

    /// What is wrong with the manifest, if anything.
    pub fn manifest_error(&self) -> Option<String> {
        let error = &self.0["manifest_error"];
        (!error.is_null()).then(|| error.to_string())
    }
}

impl Plugin {
    /// The number of the generation which is for everybody.
    pub fn generation(&self) -> u64 {
        number(&self.0, "generation")
    }

    /// The digest of its component.
    pub fn digest(&self) -> String {
        text(&self.0, "digest").expect("a digest")
    }

    /// Everything about the last error, if it still stands.
    pub fn error(&self) -> Option<Value> {
        let error = &self.0["last_error"];
        (!error.is_null()).then(|| error.clone())
    }

    /// All that are alive, in the order of their numbers.
    pub fn generations(&self) -> Vec<Generation> {
        let generations = self.0["generations"].as_array().expect("a list");
        let mut generations: Vec<_> = generations.iter().map(generation).collect();
        generations.sort_by_key(|generation| generation.number);
        generations
    }

    /// The one that is alive in this role, if there is exactly one.
    pub fn role(&self, role: &str) -> Option<Generation> {
        let generations = self.generations();
        let mut found = generations.into_iter().filter(|it| it.role == role);
        let first = found.next();
        first.filter(|_| found.next().is_none())
    }
}

fn generation(value: &Value) -> Generation {
    Generation {
        number: number(value, "number"),
        role: text(value, "role").expect("a role"),
        connections: number(value, "connections"),
        events: number(value, "events"),
        failed: number(value, "failed"),
        migrations_failed: number(value, "migrations_failed"),
        last_migration_error: text(value, "last_migration_error"),
    }
}

fn number(value: &Value, key: &str) -> u64 {
    let number = value[key].as_u64();
    number.unwrap_or_else(|| panic!("no number `{key}` in {value}"))
}

fn text(value: &Value, key: &str) -> Option<String> {
    value[key].as_str().map(str::to_owned)
}
