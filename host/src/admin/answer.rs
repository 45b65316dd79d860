//! From a request to an answer: who may ask, what is asked, what comes of it.
//! Errors become statuses here and nowhere else.

use std::time::{Duration, SystemTime};

use bytes::Bytes;
use holdfast_core::manifest::Role;
use http_body_util::{BodyExt, Full, Limited};
use hyper::body::Incoming;
use hyper::header::{
    ALLOW, AUTHORIZATION, CACHE_CONTROL, CONTENT_TYPE, HeaderValue, WWW_AUTHENTICATE,
};
use hyper::{Request, Response, StatusCode};
use serde::{Deserialize, Serialize};

use super::keys::{Caller, Keys};
use super::metrics;
use super::reception::Reception;
use super::routes::{Action, Found, find};
use crate::fleet::{Closed, Handle, Refusal, RefusalKind, Status};

/// The largest body of a request.
const BODY_BYTES_MAX: usize = 64 << 10;
/// Time a client has for it.
const BODY_TIMEOUT: Duration = Duration::from_secs(10);

/// What the answers are made from.
pub(super) struct Office {
    pub(super) fleet: Handle,
    pub(super) keys: Keys,
    /// Where the host listens.
    pub(super) serving: String,
    pub(super) start: SystemTime,
    /// Plugins that have metrics of their own.
    pub(super) metrics_plugins_max: usize,
    /// Where uploaded components are kept.
    pub(super) reception: Option<Reception>,
}

/// What `GET /v1/status` answers.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Answer {
    pub(crate) host: HostStatus,
    #[serde(flatten)]
    pub(crate) status: Status,
}

/// The process.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct HostStatus {
    pub(crate) version: String,
    pub(crate) pid: u32,
    /// Where it listens; the first place, if there are several.
    pub(crate) listen: String,
    /// Seconds since it listens.
    pub(crate) uptime_s: u64,
}

/// What an operator is told when something can't be done.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Denial {
    pub(crate) error: String,
    pub(crate) hint: String,
}

/// The body of a rollback; may be left out.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Rollback {
    /// How the digest begins to which one goes back.
    pub(crate) digest: Option<String>,
}

/// The body of a deployment of what is kept.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Deployment {
    /// How the component's digest begins.
    pub(crate) digest: String,
}

/// A status that is no success, and why.
pub(super) struct Failure(StatusCode, Denial);

impl Failure {
    pub(super) fn new(
        status: StatusCode,
        error: impl Into<String>,
        hint: impl Into<String>,
    ) -> Self {
        Self(
            status,
            Denial {
                error: error.into(),
                hint: hint.into(),
            },
        )
    }
}

impl Office {
    /// Answers one request.
    pub(super) async fn answer(&self, request: Request<Incoming>) -> Response<Full<Bytes>> {
        let found = find(request.method(), request.uri().path());
        let caller = self.caller(&request);
        let action = match (found, caller) {
            (Found::Action { action, role: None }, _) => action,
            // Who shows no token is not told what there is.
            (_, None) => return unauthorized(),
            (
                Found::Action {
                    action,
                    role: Some(role),
                },
                Some(caller),
            ) => match check(&action, role, caller) {
                Ok(()) => action,
                Err(failure) => return refuse(failure),
            },
            (Found::OtherMethods(methods), Some(_)) => return other_methods(&methods),
            (Found::Nothing, Some(_)) => {
                return refuse(Failure::new(
                    StatusCode::NOT_FOUND,
                    "there is nothing at this path",
                    "docs/reload.md lists what can be asked",
                ));
            }
        };
        match self.act(action, caller, request.into_body()).await {
            Ok(response) => response,
            Err(failure) => refuse(failure),
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
        caller: Option<&Caller>,
        body: Incoming,
    ) -> Result<Response<Full<Bytes>>, Failure> {
        let caller = caller.cloned();
        let is_known = move |tenant: &str| caller.as_ref().is_some_and(|it| it.knows(tenant));
        match action {
            Action::Health => Ok(json(StatusCode::OK, &serde_json::json!({ "status": "ok" }))),
            Action::Status => {
                // It may look at every connection, and this thread accepts new ones.
                let fleet = self.fleet.clone();
                let status = tokio::task::spawn_blocking(move || fleet.status()).await;
                let mut status = status.map_err(|_| Closed)?;
                let all = status.plugins.len();
                status.plugins.retain(|plugin| is_known(&plugin.tenant));
                if status.plugins.len() < all {
                    // It may name what others have.
                    status.manifest_error = None;
                    status.certificate_error = None;
                }
                Ok(json(StatusCode::OK, &self.status(status)))
            }
            Action::Metrics => {
                let (fleet, plugins_max) = (self.fleet.clone(), self.metrics_plugins_max);
                let start = self.start;
                let page = move || {
                    let mut census = fleet.census();
                    census.plugins.retain(|it| is_known(&it.name.tenant));
                    metrics::write(census, plugins_max, start)
                };
                let page = tokio::task::spawn_blocking(page).await;
                Ok(answer(
                    StatusCode::OK,
                    metrics::CONTENT_TYPE,
                    page.map_err(|_| Closed)?,
                ))
            }
            Action::Reload => {
                let report = self.fleet.reload()?.await.map_err(|_| Closed)?;
                Ok(json(StatusCode::OK, &report))
            }
            Action::Rollback(name) => {
                let Rollback { digest } = read(body).await?;
                let change = self.fleet.roll_back(name, digest)?.await;
                Ok(json(StatusCode::OK, &change.map_err(|_| Closed)??))
            }
            Action::Promote(name) => {
                let change = self.fleet.promote(name)?.await;
                Ok(json(StatusCode::OK, &change.map_err(|_| Closed)??))
            }
            Action::Upload(name) => {
                let (component, _place) = self.reception()?.receive(body).await?;
                let change = self.fleet.deploy(name, component)?.await;
                Ok(json(StatusCode::OK, &change.map_err(|_| Closed)??))
            }
            Action::Deploy(name) => {
                let Deployment { digest } = read(body).await?;
                let (component, _place) = self.reception()?.find(&name, &digest)?;
                let change = self.fleet.deploy(name, component)?.await;
                Ok(json(StatusCode::OK, &change.map_err(|_| Closed)??))
            }
        }
    }

    fn reception(&self) -> Result<&Reception, Failure> {
        self.reception.as_ref().ok_or_else(|| {
            let hint = "start it with --data and a folder";
            let error = "this host has no folder in which to keep components";
            Failure::new(StatusCode::CONFLICT, error, hint)
        })
    }

    fn status(&self, status: Status) -> Answer {
        Answer {
            host: HostStatus {
                version: env!("CARGO_PKG_VERSION").to_owned(),
                pid: std::process::id(),
                listen: self.serving.clone(),
                uptime_s: self.start.elapsed().unwrap_or_default().as_secs(),
            },
            status,
        }
    }
}

/// Whether somebody may ask for it. Of other tenants' things he is told what he
/// would be told if there were none.
fn check(action: &Action, least: Role, caller: &Caller) -> Result<(), Failure> {
    if action.tenant().is_some_and(|tenant| !caller.knows(tenant)) {
        return Err(Failure::new(
            StatusCode::NOT_FOUND,
            "there is no such plugin",
            "this token is for the plugins of one tenant",
        ));
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

/// Reads a body that may be empty.
async fn read<T: Default + for<'a> Deserialize<'a>>(body: Incoming) -> Result<T, Failure> {
    let bad = |error: String| {
        let hint = "send a JSON object, or nothing";
        Failure::new(StatusCode::BAD_REQUEST, error, hint)
    };
    let reading = Limited::new(body, BODY_BYTES_MAX).collect();
    let body = tokio::time::timeout(BODY_TIMEOUT, reading)
        .await
        .map_err(|_| bad("the body did not come in time".into()))?
        .map_err(|error| bad(format!("the body can't be read: {error}")))?
        .to_bytes();
    if body.is_empty() {
        return Ok(T::default());
    }
    serde_json::from_slice(&body).map_err(|error| bad(format!("the body can't be read: {error}")))
}

impl From<Closed> for Failure {
    fn from(closed: Closed) -> Self {
        let hint = "the host is ending, or has much to do: try again";
        Self::new(StatusCode::SERVICE_UNAVAILABLE, closed.to_string(), hint)
    }
}

impl From<Refusal> for Failure {
    fn from(refusal: Refusal) -> Self {
        let status = match refusal.kind {
            RefusalKind::NotFound => StatusCode::NOT_FOUND,
            RefusalKind::Conflict => StatusCode::CONFLICT,
            RefusalKind::Unusable => StatusCode::UNPROCESSABLE_ENTITY,
            RefusalKind::Storage => StatusCode::INSUFFICIENT_STORAGE,
        };
        Self::new(status, refusal.message, refusal.hint)
    }
}

fn unauthorized() -> Response<Full<Bytes>> {
    let hint =
        "send `Authorization: Bearer TOKEN`; the host has written the token to its admin file";
    let mut response = refuse(Failure::new(
        StatusCode::UNAUTHORIZED,
        "the token is missing or wrong",
        hint,
    ));
    let scheme = HeaderValue::from_static("Bearer");
    response.headers_mut().insert(WWW_AUTHENTICATE, scheme);
    response
}

fn other_methods(methods: &[hyper::Method]) -> Response<Full<Bytes>> {
    let methods: Vec<_> = methods.iter().map(hyper::Method::as_str).collect();
    let methods = methods.join(", ");
    let mut response = refuse(Failure::new(
        StatusCode::METHOD_NOT_ALLOWED,
        "this can't be asked by this method",
        format!("use {methods}"),
    ));
    if let Ok(methods) = HeaderValue::from_str(&methods) {
        response.headers_mut().insert(ALLOW, methods);
    }
    response
}

fn refuse(Failure(status, denial): Failure) -> Response<Full<Bytes>> {
    json(status, &denial)
}

fn json(status: StatusCode, value: &impl Serialize) -> Response<Full<Bytes>> {
    // Nothing that is answered here can't be written as JSON.
    let text = serde_json::to_vec(value).unwrap_or_default();
    answer(status, "application/json", text)
}

fn answer(
    status: StatusCode,
    content_type: &'static str,
    body: impl Into<Bytes>,
) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(body.into()));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}
