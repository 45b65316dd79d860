//! A request that is to be logged, from its head to its answer.

use std::sync::Arc;
use std::time::Instant;

use holdfast_core::event::Body;
use holdfast_core::{RequestId, Settings};
use http::header::{HOST, REFERER, USER_AGENT};
use http::request::Parts;
use http::{HeaderValue, Method, Response, StatusCode, Version};

use super::AccessLog;
use super::line::Line;
use super::logged::Logged;
use super::session::Session;
use crate::origin::Client;

/// What nginx writes, too, where the client was gone before there was an answer.
const GONE: u16 = 499;

/// A request that is to be logged, or nothing if it is not. If it is dropped
/// without an answer, then its client was gone.
#[derive(Default)]
pub(crate) struct Visit(Option<Box<Request>>);

/// What is logged of a request whatever becomes of it.
#[derive(Clone)]
pub(super) struct Request {
    pub(super) log: Arc<AccessLog>,
    pub(super) begin: Instant,
    pub(super) client: Client,
    pub(super) method: Method,
    pub(super) target: String,
    pub(super) version: Version,
    pub(super) host: Option<HeaderValue>,
    pub(super) referer: Option<HeaderValue>,
    pub(super) user_agent: Option<HeaderValue>,
    pub(super) request_id: RequestId,
    /// Of the plugin that it reaches, if it reaches one.
    pub(super) settings: Option<Arc<Settings>>,
}

impl Request {
    /// Whether its tenant wants to have it logged.
    fn is_wanted(&self) -> bool {
        self.settings.as_ref().is_none_or(|it| it.access_log)
    }

    /// The same, without a part of something larger.
    fn detached(&self) -> Self {
        let copy_of = |value: &HeaderValue| HeaderValue::from_bytes(value.as_bytes()).ok();
        let copy = |value: &Option<HeaderValue>| value.as_ref().and_then(copy_of);
        Self {
            host: copy(&self.host),
            referer: copy(&self.referer),
            user_agent: copy(&self.user_agent),
            request_id: self.request_id.detached(),
            ..self.clone()
        }
    }
}

impl Visit {
    /// Notes who asks for what.
    pub(crate) fn begin(
        log: Option<&Arc<AccessLog>>,
        parts: &Parts,
        client: Client,
        request_id: &RequestId,
    ) -> Self {
        let Some(log) = log else {
            return Self(None);
        };
        let (uri, headers) = (&parts.uri, &parts.headers);
        let path = uri.path_and_query().map_or("/", |path| path.as_str());
        let authority = || HeaderValue::try_from(uri.authority()?.as_str()).ok();
        Self(Some(Box::new(Request {
            log: Arc::clone(log),
            begin: Instant::now(),
            client,
            method: parts.method.clone(),
            // Over HTTP/2 scheme and host are no part of what a client writes
            // as its target.
            target: match parts.version {
                Version::HTTP_2 => path.to_owned(),
                _ => uri.to_string(),
            },
            version: parts.version,
            host: headers.get(HOST).cloned().or_else(authority),
            referer: headers.get(REFERER).cloned(),
            user_agent: headers.get(USER_AGENT).cloned(),
            request_id: request_id.clone(),
            settings: None,
        })))
    }

    /// It is for this plugin.
    pub(crate) fn reach(&mut self, settings: &Arc<Settings>) {
        if let Some(request) = &mut self.0 {
            request.settings = Some(Arc::clone(settings));
        }
    }

    /// It is answered: logged when the answer is on its way to its end.
    pub(crate) fn answer(&mut self, response: Response<Body>) -> Response<Body> {
        let visit = Self(self.0.take());
        match visit.0 {
            None => response,
            Some(_) => Logged::wrap(response, visit),
        }
    }

    /// It has become a WebSocket, which is logged at its end.
    pub(crate) fn lead(&mut self) {
        self.0 = None;
    }

    /// What is logged of the WebSocket that it may become.
    pub(crate) fn session(&self) -> Option<Box<Session>> {
        let request = self.0.as_ref().filter(|request| request.is_wanted())?;
        Some(Box::new(Session::new(request.detached())))
    }

    /// Logs it with this answer, and so many bytes of its body.
    pub(super) fn write(&mut self, status: StatusCode, bytes: u64) {
        self.log(status.as_u16(), bytes);
    }

    fn log(&mut self, status: u16, bytes: u64) {
        if let Some(request) = self.0.take()
            && request.is_wanted()
        {
            request.log.put(&Line::of(&request, status, bytes));
        }
    }
}

impl Drop for Visit {
    fn drop(&mut self) {
        self.log(GONE, 0);
    }
}
