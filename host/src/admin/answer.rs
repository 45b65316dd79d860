//! From a request to an answer: who may ask, what is asked, what comes of it.

use std::sync::Arc;
use std::time::SystemTime;

use holdfast_core::manifest::Role;
use hyper::body::Incoming;
use hyper::header::AUTHORIZATION;
use hyper::{Request, StatusCode};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::action::Action;
use super::connections::{self, no_plugin};
use super::drains::Drains;
use super::failure::Failure;
use super::keys::{Caller, Keys};
use super::reception::Reception;
use super::reply::{Reply, json, whole};
use super::request::{Query, read, read_or_default};
use super::routes::{Found, find};
use super::table::Route;
use super::tenants::{self, no_tenant};
use super::{Front, logs, metrics, openapi, topics};
use crate::fleet::{Closed, Handle, Name, Status};
use crate::log::Tails;

/// What the answers are made from.
pub(super) struct Office {
    pub(super) fleet: Handle,
    pub(super) keys: Keys,
    pub(super) front: Front,
    pub(super) start: SystemTime,
    /// Plugins that have metrics of their own.
    pub(super) metrics_plugins_max: usize,
    /// Where uploaded components are kept.
    pub(super) reception: Option<Reception>,
    pub(super) drains: Drains,
    /// The log.
    pub(super) tails: Tails,
}

/// What `GET /v1/status` answers.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
pub(crate) struct Answer {
    pub(crate) host: HostStatus,
    #[serde(flatten)]
    pub(crate) status: Status,
}

/// The process.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
pub(crate) struct HostStatus {
    pub(crate) version: String,
    pub(crate) pid: u32,
    /// Where it listens; the first place, if there are several.
    pub(crate) listen: String,
    /// Seconds since it listens.
    pub(crate) uptime_s: u64,
}

/// What `GET /v1/health` answers.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct Health {
    /// `ok`.
    status: &'static str,
}

/// What `GET /v1/ready` answers.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct Readiness {
    /// Always, with this status.
    ready: bool,
}

/// The body of a rollback; may be left out.
#[derive(Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Rollback {
    /// How the digest begins to which one goes back.
    pub(crate) digest: Option<String>,
}

/// The body of a deployment of what is kept.
#[derive(Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Deployment {
    /// How the component's digest begins.
    pub(crate) digest: String,
}

impl Office {
    /// Answers one request.
    pub(super) async fn answer(&self, request: Request<Incoming>) -> Reply {
        let found = find(request.method(), request.uri().path());
        let caller = self.caller(&request);
        let (action, route) = match (found, caller) {
            (Found::Action(action, route), caller) => match (route.role, caller) {
                (None, _) => (action, route),
                // Who shows no token is not told what there is.
                (Some(_), None) => return Failure::unauthorized(),
                (Some(role), Some(caller)) => match check(&action, role, caller) {
                    Ok(()) => (action, route),
                    Err(failure) => return failure.reply(),
                },
            },
            (_, None) => return Failure::unauthorized(),
            (Found::OtherMethods(methods), Some(_)) => return Failure::other_methods(&methods),
            (Found::Nothing, Some(_)) => {
                let hint = "GET /v1/openapi.json says what can be asked";
                return Failure::not_found("there is nothing at this path", hint).reply();
            }
        };
        let nobody = Caller::nobody();
        let caller = caller.unwrap_or(&nobody);
        match self.act(action, route, caller, request).await {
            Ok(reply) => reply,
            Err(failure) => failure.reply(),
        }
    }

    fn caller(&self, request: &Request<Incoming>) -> Option<&Caller> {
        let shown = request.headers().get(AUTHORIZATION);
        let shown = shown.and_then(|value| value.to_str().ok())?;
        self.keys.caller(shown)
    }

    async fn act(
        &self,
        action: Action,
        route: &Route,
        caller: &Caller,
        request: Request<Incoming>,
    ) -> Result<Reply, Failure> {
        let (head, body) = request.into_parts();
        let query = Query::parse(head.uri.query(), route.query)?;
        let fleet = &self.fleet;
        match action {
            Action::Health => ok(&Health { status: "ok" }),
            Action::Ready if self.front.drain.is_started() || !fleet.is_ready() => {
                Err(Failure::new(
                    StatusCode::SERVICE_UNAVAILABLE,
                    "the host shuts down",
                    "send new connections elsewhere",
                ))
            }
            Action::Ready => ok(&Readiness { ready: true }),
            Action::OpenApi => ok(&openapi::document()),
            Action::Status => self.status(caller).await,
            Action::Metrics => self.metrics(caller).await,
            Action::Logs => logs::read(&self.tails, caller, &query),
            Action::Reload => ok(&fleet.reload()?.await.map_err(|_| Closed)?),
            Action::Tenants => ok(&tenants::list(fleet, caller, &query.page()?)),
            Action::Tenant(name) => ok(&fleet.tenant(&name).ok_or_else(|| no_tenant(&name))?),
            Action::Plugin(name) => self.plugin(name).await,
            Action::Rollback(name) => {
                let Rollback { digest } = read_or_default(body).await?;
                let change = fleet.roll_back(name, digest)?.await;
                ok(&change.map_err(|_| Closed)??)
            }
            Action::Promote(name) => {
                let change = fleet.promote(name)?.await;
                ok(&change.map_err(|_| Closed)??)
            }
            Action::Upload(name) => {
                let (component, _place) = self.reception()?.receive(body).await?;
                let change = fleet.deploy(name, component)?.await;
                ok(&change.map_err(|_| Closed)??)
            }
            Action::Deploy(name) => {
                let Deployment { digest } = read(body).await?;
                let (component, _place) = self.reception()?.find(&name, &digest)?;
                let change = fleet.deploy(name, component)?.await;
                ok(&change.map_err(|_| Closed)??)
            }
            Action::Drain(name) => {
                let request = read_or_default(body).await?;
                ok(&self.drains.begin(fleet, &name, &request)?)
            }
            Action::Undrain(name) => ok(&self.drains.end(fleet, &name)?),
            Action::Connections(name) => ok(&connections::list(fleet, &name, query.page()?).await?),
            Action::Connection(name, id) => ok(&connections::one(fleet, &name, id)?),
            Action::Close(name, id) => {
                let request = read_or_default(body).await?;
                ok(&connections::close(fleet, &name, id, &request)?)
            }
            Action::Send(name, id) => {
                let request = read(body).await?;
                ok(&connections::send(fleet, &name, id, request)?)
            }
            Action::Topics(tenant) => ok(&topics::list(fleet, &tenant, query.page()?).await?),
            Action::Publish(tenant) => {
                let request = read(body).await?;
                ok(&topics::publish(fleet, &tenant, request)?)
            }
        }
    }

    async fn status(&self, caller: &Caller) -> Result<Reply, Failure> {
        // It may look at every connection, and this thread accepts new ones.
        let fleet = self.fleet.clone();
        let status = tokio::task::spawn_blocking(move || fleet.status()).await;
        let mut status = status.map_err(|_| Closed)?;
        if caller.tenant.is_some() {
            status.tenants.retain(|tenant| caller.knows(&tenant.name));
            status.plugins.retain(|plugin| caller.knows(&plugin.tenant));
            // They may name what others have.
            status.manifest_error = None;
            status.certificate_error = None;
            status.restart_needed_for.clear();
        }
        ok(&Answer {
            host: HostStatus {
                version: env!("CARGO_PKG_VERSION").to_owned(),
                pid: std::process::id(),
                listen: self.front.address.clone(),
                uptime_s: self.start.elapsed().unwrap_or_default().as_secs(),
            },
            status,
        })
    }

    async fn metrics(&self, caller: &Caller) -> Result<Reply, Failure> {
        let (fleet, plugins_max) = (self.fleet.clone(), self.metrics_plugins_max);
        let (start, caller) = (self.start, caller.clone());
        let refused = self.front.refused.get();
        let edge = Arc::clone(&self.front.metrics);
        let page = move || {
            let mut census = fleet.census();
            census.plugins.retain(|it| caller.knows(&it.name.tenant));
            let host = metrics::Host {
                start,
                refused,
                edge,
            };
            metrics::write(census, plugins_max, &host)
        };
        let page = tokio::task::spawn_blocking(page).await;
        let page = page.map_err(|_| Closed)?;
        Ok(whole(StatusCode::OK, metrics::CONTENT_TYPE, page))
    }

    async fn plugin(&self, name: Name) -> Result<Reply, Failure> {
        let fleet = self.fleet.clone();
        let wanted = name.clone();
        let plugin = tokio::task::spawn_blocking(move || fleet.plugin(&wanted)).await;
        ok(&plugin
            .map_err(|_| Closed)?
            .ok_or_else(|| no_plugin(&name))?)
    }

    fn reception(&self) -> Result<&Reception, Failure> {
        self.reception.as_ref().ok_or_else(|| {
            let hint = "start it with --data and a folder";
            let error = "this host has no folder in which to keep components";
            Failure::new(StatusCode::CONFLICT, error, hint)
        })
    }
}

fn ok(value: &impl Serialize) -> Result<Reply, Failure> {
    Ok(json(StatusCode::OK, value))
}

/// Whether somebody may ask for it. Of other tenants' things he is told what he
/// would be told if there were none.
fn check(action: &Action, least: Role, caller: &Caller) -> Result<(), Failure> {
    if action.tenant().is_some_and(|tenant| !caller.knows(tenant)) {
        return Err(Failure::foreign());
    }
    if caller.role < least {
        return Err(Failure::new(
            StatusCode::FORBIDDEN,
            format!("the role `{}` may not ask for this", caller.role.name()),
            format!("show a token with the role `{}`", least.name()),
        ));
    }
    Ok(())
}
