//! The log, for whoever may read it: a tenant's token sees that tenant's lines.

use http_body_util::BodyExt;
use hyper::StatusCode;
use serde_json::json;
use tracing::Level;

use super::failure::Failure;
use super::keys::Caller;
use super::reply::{Reply, reply};
use super::request::{Query, is_name};
use super::table::Parameter;
use crate::log::{Filter, Tails};

/// One JSON object a line.
pub(super) const CONTENT_TYPE: &str = "application/x-ndjson";

/// Which lines.
pub(super) const PARAMETERS: [Parameter; 4] = [
    Parameter {
        name: "tenant",
        description: "Lines about this tenant.",
        schema: || json!({ "type": "string", "pattern": "^[A-Za-z0-9_-]{1,64}$" }),
    },
    Parameter {
        name: "plugin",
        description: "Lines about plugins of this name.",
        schema: || json!({ "type": "string", "pattern": "^[A-Za-z0-9_-]{1,64}$" }),
    },
    Parameter {
        name: "level",
        description: "The least level. Whatever it is, there is nothing that the host does not log.",
        schema: || json!({ "enum": LEVELS.map(|(name, _)| name), "default": "trace" }),
    },
    Parameter {
        name: "follow",
        description: "Whether to go on with the lines that come.",
        schema: || json!({ "enum": ["true", "false"], "default": "false" }),
    },
];

const LEVELS: [(&str, Level); 5] = [
    ("error", Level::ERROR),
    ("warn", Level::WARN),
    ("info", Level::INFO),
    ("debug", Level::DEBUG),
    ("trace", Level::TRACE),
];

/// Answers with the lines that are kept, and perhaps with those that come.
pub(super) fn read(tails: &Tails, caller: &Caller, query: &Query<'_>) -> Result<Reply, Failure> {
    let tenant = name(query, "tenant")?;
    let plugin = name(query, "plugin")?;
    let level = query.get("level").unwrap_or("trace");
    let level = LEVELS.iter().find(|(name, _)| *name == level);
    let (_, level) = level.ok_or_else(|| {
        let hint = format!("take one of {}", LEVELS.map(|(name, _)| name).join(", "));
        Failure::bad_request("`level` can't be that", hint)
    })?;
    let follow = match query.get("follow") {
        None | Some("false") => false,
        Some("true") => true,
        Some(_) => {
            let hint = "take `true` or `false`";
            return Err(Failure::bad_request("`follow` can't be that", hint));
        }
    };
    if tenant
        .as_deref()
        .is_some_and(|tenant| !caller.knows(tenant))
    {
        return Err(Failure::foreign());
    }
    let filter = Filter {
        tenant: tenant.or_else(|| caller.tenant.clone()),
        plugin,
        level: *level,
    };
    let reader = tails.read(filter, follow).map_err(|error| {
        let status = StatusCode::SERVICE_UNAVAILABLE;
        Failure::new(status, error.to_string(), "end one of them")
    })?;
    Ok(reply(StatusCode::OK, CONTENT_TYPE, reader.boxed_unsync()))
}

fn name(query: &Query<'_>, key: &str) -> Result<Option<String>, Failure> {
    match query.get(key) {
        Some(name) if !is_name(name) => Err(Failure::bad_request(
            format!("`{key}` is not a name"),
            "names have 1 to 64 letters, digits, hyphens and underscores",
        )),
        name => Ok(name.map(str::to_owned)),
    }
}
