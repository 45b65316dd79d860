//! What can be asked: one table, of which the requests are found, the roles
//! checked and the document for /v1/openapi.json written.

use holdfast_core::manifest::Role;
use hyper::Method;
use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde_json::{Value, json};

use super::action::{Action, connection, name, tenant};
use super::answer::{Answer, Deployment, Health, Readiness, Rollback};
use super::connections::{CloseAnswer, CloseRequest, ConnectionAnswer, ConnectionPage};
use super::connections::{SendAnswer, SendRequest};
use super::drains::{DrainAnswer, DrainRequest};
use super::request::{CURSOR_BYTES_MAX, PAGE_LEN, PAGE_LEN_MAX};
use super::tenants::TenantPage;
use super::topics::{PublishAnswer, PublishRequest, TopicPage};
use super::{logs, metrics, reply};
use crate::fleet::{Change, PluginView, Report, TenantView};

/// A schema, and those to which it refers.
pub(super) type SchemaOf = fn(&mut SchemaGenerator) -> Schema;

/// One line of the table.
pub(super) struct Route {
    pub(super) verb: Verb,
    /// `{…}` stands for any segment that is a name.
    pub(super) path: &'static str,
    /// The least role for it; none if no token has to be shown.
    pub(super) role: Option<Role>,
    /// Made of the segments for which `{…}` stands; none if they can't be that.
    pub(super) action: fn(&[&str]) -> Option<Action>,
    pub(super) summary: &'static str,
    /// What may be in its query.
    pub(super) query: &'static [Parameter],
    pub(super) body: Body,
    pub(super) answer: Given,
    /// Statuses of what can go wrong, but for those which follow from the rest.
    pub(super) statuses: &'static [u16],
}

/// The method of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verb {
    Get,
    Post,
    Put,
}

impl Verb {
    pub(super) fn method(self) -> Method {
        match self {
            Self::Get => Method::GET,
            Self::Post => Method::POST,
            Self::Put => Method::PUT,
        }
    }
}

/// A parameter in a query, which may be left out.
pub(super) struct Parameter {
    pub(super) name: &'static str,
    pub(super) description: &'static str,
    pub(super) schema: fn() -> Value,
}

/// What a request brings.
#[derive(Clone, Copy)]
pub(super) enum Body {
    Nothing,
    Json(SchemaOf),
    /// The same, and may be left out.
    MaybeJson(SchemaOf),
    Component,
}

/// What a good answer, with the status 200, brings.
#[derive(Clone, Copy)]
pub(super) enum Given {
    Json(SchemaOf),
    /// Any JSON object.
    Object,
    Text(&'static str),
}

/// Of a list.
pub(super) const PAGING: [Parameter; 2] = [
    Parameter {
        name: "limit",
        description: "Entries at most.",
        schema: || {
            json!({
                "type": "integer", "minimum": 1, "maximum": PAGE_LEN_MAX, "default": PAGE_LEN
            })
        },
    },
    Parameter {
        name: "cursor",
        description: "`next` of the page before.",
        schema: || json!({ "type": "string", "maxLength": CURSOR_BYTES_MAX }),
    },
];

const fn get(
    path: &'static str,
    action: fn(&[&str]) -> Option<Action>,
    answer: Given,
    summary: &'static str,
) -> Route {
    Route {
        verb: Verb::Get,
        path,
        role: Some(Role::ReadOnly),
        action,
        summary,
        query: &[],
        body: Body::Nothing,
        answer,
        statuses: &[],
    }
}

const fn post(
    path: &'static str,
    action: fn(&[&str]) -> Option<Action>,
    body: Body,
    answer: Given,
    summary: &'static str,
) -> Route {
    Route {
        verb: Verb::Post,
        role: Some(Role::Deploy),
        body,
        ..get(path, action, answer, summary)
    }
}

impl Route {
    const fn fails(self, statuses: &'static [u16]) -> Self {
        Self { statuses, ..self }
    }

    const fn query(self, query: &'static [Parameter]) -> Self {
        Self { query, ..self }
    }

    const fn role(self, role: Option<Role>) -> Self {
        Self { role, ..self }
    }
}

fn of<T: JsonSchema>(generator: &mut SchemaGenerator) -> Schema {
    generator.subschema_for::<T>()
}

/// All of them.
pub(super) static ROUTES: [Route; 22] = [
    // Whoever watches over the host needs nothing else of it.
    get(
        "/v1/health",
        |_| Some(Action::Health),
        Given::Json(of::<Health>),
        "Whether the host runs",
    )
    .role(None),
    get(
        "/v1/ready",
        |_| Some(Action::Ready),
        Given::Json(of::<Readiness>),
        "Whether the host takes new connections",
    )
    .role(None)
    .fails(&[503]),
    get(
        "/v1/openapi.json",
        |_| Some(Action::OpenApi),
        Given::Object,
        "This document",
    ),
    get(
        "/v1/status",
        |_| Some(Action::Status),
        Given::Json(of::<Answer>),
        "What is deployed, and what went wrong",
    )
    .fails(&[503]),
    get(
        "/metrics",
        |_| Some(Action::Metrics),
        Given::Text(metrics::CONTENT_TYPE),
        "What is counted, in the text format of Prometheus",
    )
    .fails(&[503]),
    get(
        "/v1/logs",
        |_| Some(Action::Logs),
        Given::Text(logs::CONTENT_TYPE),
        "The last lines of the log, and with `follow` those that come",
    )
    .query(&logs::PARAMETERS)
    .fails(&[404, 503]),
    post(
        "/v1/reload",
        |_| Some(Action::Reload),
        Body::Nothing,
        Given::Json(of::<Report>),
        "Look at the files now; the answer comes when all is done",
    )
    .role(Some(Role::Operator))
    .fails(&[503]),
    get(
        "/v1/tenants",
        |_| Some(Action::Tenants),
        Given::Json(of::<TenantPage>),
        "The tenants, by their names",
    )
    .query(&PAGING),
    get(
        "/v1/tenants/{tenant}",
        |names| tenant(names).map(Action::Tenant),
        Given::Json(of::<TenantView>),
        "One tenant, with its limits",
    ),
    get(
        "/v1/tenants/{tenant}/plugins/{plugin}",
        |names| name(names).map(Action::Plugin),
        Given::Json(of::<PluginView>),
        "One plugin, with its generations and its limits",
    )
    .fails(&[503]),
    post(
        "/v1/tenants/{tenant}/plugins/{plugin}/rollback",
        |names| name(names).map(Action::Rollback),
        Body::MaybeJson(of::<Rollback>),
        Given::Json(of::<Change>),
        "Go back to an earlier generation",
    )
    .fails(&[409, 503]),
    post(
        "/v1/tenants/{tenant}/plugins/{plugin}/promote",
        |names| name(names).map(Action::Promote),
        Body::Nothing,
        Given::Json(of::<Change>),
        "Let the canary serve everybody",
    )
    .fails(&[409, 503]),
    Route {
        verb: Verb::Put,
        ..post(
            "/v1/tenants/{tenant}/plugins/{plugin}/component",
            |names| name(names).map(Action::Upload),
            Body::Component,
            Given::Json(of::<Change>),
            "Keep the component in the body, and let it serve",
        )
    }
    .fails(&[409, 413, 422, 503, 507]),
    post(
        "/v1/tenants/{tenant}/plugins/{plugin}/deploy",
        |names| name(names).map(Action::Deploy),
        Body::Json(of::<Deployment>),
        Given::Json(of::<Change>),
        "Let a component serve that is kept",
    )
    .fails(&[409, 422, 503, 507]),
    post(
        "/v1/tenants/{tenant}/plugins/{plugin}/drain",
        |names| name(names).map(Action::Drain),
        Body::MaybeJson(of::<DrainRequest>),
        Given::Json(of::<DrainAnswer>),
        "Take no new WebSockets, and close those there are, spread over a window",
    ),
    post(
        "/v1/tenants/{tenant}/plugins/{plugin}/undrain",
        |names| name(names).map(Action::Undrain),
        Body::Nothing,
        Given::Json(of::<DrainAnswer>),
        "Take new WebSockets again",
    ),
    get(
        "/v1/tenants/{tenant}/plugins/{plugin}/connections",
        |names| name(names).map(Action::Connections),
        Given::Json(of::<ConnectionPage>),
        "The WebSockets of a plugin",
    )
    .query(&PAGING)
    .fails(&[503]),
    get(
        "/v1/tenants/{tenant}/plugins/{plugin}/connections/{connection}",
        |names| connection(names).map(|(name, id)| Action::Connection(name, id)),
        Given::Json(of::<ConnectionAnswer>),
        "One WebSocket, with its topics",
    ),
    post(
        "/v1/tenants/{tenant}/plugins/{plugin}/connections/{connection}/close",
        |names| connection(names).map(|(name, id)| Action::Close(name, id)),
        Body::MaybeJson(of::<CloseRequest>),
        Given::Json(of::<CloseAnswer>),
        "Close a WebSocket, after what is queued for it",
    )
    .fails(&[422]),
    post(
        "/v1/tenants/{tenant}/plugins/{plugin}/connections/{connection}/send",
        |names| connection(names).map(|(name, id)| Action::Send(name, id)),
        Body::Json(of::<SendRequest>),
        Given::Json(of::<SendAnswer>),
        "Send a message to a WebSocket",
    )
    .fails(&[409, 413]),
    get(
        "/v1/tenants/{tenant}/topics",
        |names| tenant(names).map(Action::Topics),
        Given::Json(of::<TopicPage>),
        "The topics that have subscribers, by their names",
    )
    .query(&PAGING)
    .fails(&[503]),
    post(
        "/v1/tenants/{tenant}/topics/publish",
        |names| tenant(names).map(Action::Publish),
        Body::Json(of::<PublishRequest>),
        Given::Json(of::<PublishAnswer>),
        "Send a message to all subscribers of a topic",
    ),
];

/// The type of a body of JSON.
pub(super) const JSON: &str = reply::JSON;
