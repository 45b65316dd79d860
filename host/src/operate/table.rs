//! What people see of a host's answers. Pure.

use std::fmt::Write;

use holdfast_core::manifest::DEFAULT_TENANT;

use crate::admin::Answer;
use crate::fleet::{
    Change, FaultStatus, GenerationStatus, Message, PluginStatus, Report, TenantView, What,
};

/// Digits of a digest that are shown.
const DIGEST_LEN: usize = 12;

const HEAD: [&str; 8] = [
    "PLUGIN",
    "GENERATION",
    "DIGEST",
    "ROLE",
    "CONNECTIONS",
    "EVENTS",
    "FAILED",
    "AGE",
];

/// The state of a host.
pub(super) fn status(answer: &Answer) -> String {
    let host = &answer.host;
    let mut text = format!(
        "holdfast {}, process {}, at http://{} for {}\n",
        host.version,
        host.pid,
        host.listen,
        age(host.uptime_s)
    );
    if let Some(error) = &answer.status.manifest_error {
        text += "the manifest is not in force, the one before is:\n";
        text += &fault(error);
    }
    if let Some(error) = &answer.status.certificate_error {
        text += "a certificate is not in force, the one before is:\n";
        text += &fault(error);
    }
    if !answer.status.restart_needed_for.is_empty() {
        let keys = answer.status.restart_needed_for.join(", ");
        let _ = writeln!(text, "changed in the manifest, needs a restart: {keys}");
    }
    for tenant in &answer.status.tenants {
        if let Some(error) = &tenant.last_error {
            let _ = write!(text, "tenant {}:\n{}", tenant.name, fault(error));
        }
    }
    let mut rows = vec![HEAD.map(str::to_owned)];
    for plugin in &answer.status.plugins {
        rows.extend(lines(plugin));
    }
    text.push('\n');
    text += &columns(&rows);
    for plugin in &answer.status.plugins {
        let name = name(&plugin.tenant, &plugin.name);
        if let Some(error) = &plugin.last_error {
            let _ = write!(text, "\n{name}:\n{}", fault(error));
        }
        for it in plugin
            .generations
            .iter()
            .filter(|it| it.migrations_failed > 0)
        {
            let (count, number) = (it.migrations_failed, it.number);
            let error = it.last_migration_error.as_deref().unwrap_or("");
            let _ = write!(
                text,
                "\n{name}:\n  {count} attachments could not be migrated to generation {number}: \
                 {error}\n"
            );
        }
    }
    text
}

/// A row for each generation that serves.
fn lines(plugin: &PluginStatus) -> Vec<[String; 8]> {
    let name = name(&plugin.tenant, &plugin.name);
    if plugin.generations.is_empty() {
        let row = ["-", "-", "not loaded", "-", "-", "-", "-"].map(str::to_owned);
        let [a, b, c, d, e, f, g] = row;
        return vec![[name, a, b, c, d, e, f, g]];
    }
    let mut rows: Vec<_> = plugin
        .generations
        .iter()
        .map(|it| row(plugin, it))
        .collect();
    if let Some(first) = rows.first_mut() {
        first[0] = name;
    }
    rows
}

fn row(plugin: &PluginStatus, it: &GenerationStatus) -> [String; 8] {
    let role = match (it.role.as_str(), plugin.canary_percent) {
        ("canary", Some(percent)) => format!("canary {percent} %"),
        ("stable", _) if plugin.strategy == "pin" => "stable, pin".to_owned(),
        (role, _) => role.to_owned(),
    };
    [
        String::new(),
        it.number.to_string(),
        short(it.digest.as_deref()).to_owned(),
        role,
        it.connections.to_string(),
        it.events.to_string(),
        it.failed.to_string(),
        it.age_s.map_or("-".to_owned(), age),
    ]
}

/// The tenants of a host.
pub(super) fn tenants(tenants: &[TenantView]) -> String {
    let mut rows = vec![["TENANT", "HOSTS", "PLUGINS"].map(str::to_owned)];
    let list = |names: &[String], none: &str| match names.is_empty() {
        true => none.to_owned(),
        false => names.join(", "),
    };
    rows.extend(tenants.iter().map(|tenant| {
        let (hosts, plugins) = (list(&tenant.hosts, "any"), list(&tenant.plugins, "-"));
        [tenant.name.clone(), hosts, plugins]
    }));
    let mut text = columns(&rows);
    for tenant in tenants {
        if let Some(error) = &tenant.last_error {
            let _ = write!(text, "\n{}:\n{}", tenant.name, fault(error));
        }
    }
    text
}

/// What a look has changed.
pub(super) fn report(report: &Report) -> String {
    let mut text = String::new();
    if let Some(error) = &report.manifest_error {
        text += &message("the manifest is not in force: ", error);
    }
    if let Some(error) = &report.certificate_error {
        text += &message("a certificate is not in force: ", error);
    }
    for it in &report.tenant_errors {
        text += &message(&format!("tenant {}: ", it.tenant), &it.error);
    }
    for it in &report.changes {
        text += &change(it);
        text.push('\n');
    }
    if text.is_empty() {
        text += "nothing has changed\n";
    }
    text
}

/// What has become of one plugin.
pub(super) fn change(change: &Change) -> String {
    let name = name(&change.tenant, &change.plugin);
    let what = match change.what {
        What::Reloaded => "reloaded",
        What::Added => "added",
        What::Removed => "removed",
        What::Noted => "as before",
        What::Failed => "failed",
        What::RolledBack => "rolled back",
        What::Promoted => "promoted",
        What::Deployed => "deployed",
    };
    let mut text = format!("{name}: {what}");
    if let Some(generation) = change.generation {
        let digest = short(change.digest.as_deref());
        let _ = write!(text, ", generation {generation} ({digest}) serves");
    }
    if let Some(error) = &change.error {
        let _ = write!(text, "\n{}", message("  ", error).trim_end());
    }
    text
}

fn message(before: &str, it: &Message) -> String {
    let mut text = format!("{before}{}\n", it.message.trim_end());
    if let Some(hint) = &it.hint {
        let _ = writeln!(text, "  hint: {hint}");
    }
    text
}

fn fault(fault: &FaultStatus) -> String {
    let mut text = format!("  {} ({})\n", fault.message.trim_end(), fault.at);
    if let Some(hint) = &fault.hint {
        let _ = writeln!(text, "  hint: {hint}");
    }
    text
}

fn name(tenant: &str, plugin: &str) -> String {
    match tenant {
        DEFAULT_TENANT => plugin.to_owned(),
        _ => format!("{tenant}/{plugin}"),
    }
}

fn short(digest: Option<&str>) -> &str {
    digest.map_or("-", |it| it.get(..DIGEST_LEN).unwrap_or(it))
}

/// The largest two units.
fn age(seconds: u64) -> String {
    let (minutes, hours, days) = (seconds / 60, seconds / 3600, seconds / 86_400);
    match seconds {
        0..60 => format!("{seconds} s"),
        60..3600 => format!("{minutes} min"),
        3600..86_400 => format!("{hours} h {} min", minutes % 60),
        _ => format!("{days} d {} h", hours % 24),
    }
}

/// Rows in columns, each as wide as it has to be.
fn columns<const COUNT: usize>(rows: &[[String; COUNT]]) -> String {
    let mut widths = [0; COUNT];
    for row in rows {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = cell.chars().count().max(*width);
        }
    }
    let mut text = String::new();
    for row in rows {
        let cells = row.iter().zip(widths);
        let line: Vec<_> = cells
            .map(|(cell, width)| format!("{cell:width$}"))
            .collect();
        text += line.join("  ").trim_end();
        text.push('\n');
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer() -> Answer {
        serde_json::from_value(serde_json::json!({
            "host": { "version": "1.0", "pid": 7, "listen": "127.0.0.1:80", "uptime_s": 3661 },
            "is_ready": true,
            "restart_needed_for": ["threads"],
            "manifest_error": null,
            "tenants": [],
            "plugins": [
                {
                    "tenant": "acme", "name": "chat", "component": "chat.wasm",
                    "generation": 2, "digest": "0123456789abcdef", "strategy": "canary",
                    "canary_percent": 10, "kept": [],
                    "generations": [
                        {
                            "number": 3, "role": "canary", "digest": "fedcba9876543210",
                            "age_s": 5, "connections": 1, "events": 9, "failed": 0,
                            "migrations_failed": 2, "last_migration_error": "no such format",
                        },
                        {
                            "number": 2, "role": "stable", "digest": "0123456789abcdef",
                            "age_s": 90, "connections": 12, "events": 99, "failed": 1,
                            "migrations_failed": 0, "last_migration_error": null,
                        },
                    ],
                    "last_error": {
                        "message": "chat.wasm: it is not WebAssembly", "hint": "mend it",
                        "at": "2026-01-02T03:04:05Z", "digest": null,
                    },
                },
                {
                    "tenant": "default", "name": "new", "component": "new.wasm",
                    "generation": null, "digest": null, "strategy": "all",
                    "canary_percent": null, "kept": [], "generations": [], "last_error": null,
                },
            ],
        }))
        .unwrap()
    }

    #[test]
    fn a_status_is_a_table_with_what_went_wrong_below() {
        let expected = "\
holdfast 1.0, process 7, at http://127.0.0.1:80 for 1 h 1 min
changed in the manifest, needs a restart: threads

PLUGIN     GENERATION  DIGEST        ROLE         CONNECTIONS  EVENTS  FAILED  AGE
acme/chat  3           fedcba987654  canary 10 %  1            9       0       5 s
           2           0123456789ab  stable       12           99      1       1 min
new        -           -             not loaded   -            -       -       -

acme/chat:
  chat.wasm: it is not WebAssembly (2026-01-02T03:04:05Z)
  hint: mend it

acme/chat:
  2 attachments could not be migrated to generation 3: no such format
";
        assert_eq!(status(&answer()), expected);
    }

    #[test]
    fn a_report_says_what_has_become_of_each_plugin() {
        let mut it = Report::default();
        assert_eq!(report(&it), "nothing has changed\n");
        it.changes.push(Change {
            tenant: "default".into(),
            plugin: "chat".into(),
            what: What::Failed,
            generation: Some(4),
            digest: Some("0123456789abcdef".into()),
            error: Some(Message {
                message: "no".into(),
                hint: Some("mend it".into()),
            }),
        });
        let expected = "\
chat: failed, generation 4 (0123456789ab) serves
  no
  hint: mend it
";
        assert_eq!(report(&it), expected);
    }
}
