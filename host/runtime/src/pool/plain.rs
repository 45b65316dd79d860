//! Plain handlers: one call at a time, alone with an instance.

use std::cell::Cell;
use std::future::poll_fn;
use std::pin::pin;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::Poll;
use std::time::Duration;

use holdfast_core::event::{Body, Failure, Outcome};
use tokio::sync::oneshot;
use tokio::time::Instant;
use wasmtime::Store;
use wasmtime::component::Resource;
use wasmtime_wasi_http::WasiHttpView;
use wasmtime_wasi_http::p2::bindings::http::types::{ErrorCode, Scheme};
use wasmtime_wasi_http::p2::types::{HostIncomingRequest, HostResponseOutparam};

use super::watch::Watch;
use super::{Pool, USES, USES_0_2};
use crate::body;
use crate::deadline::within;
use crate::guest::Guest;
use crate::instance::{HttpHandler, Instance};
use crate::line::handler_failure;
use crate::plugin::Entered;
use crate::request;
use crate::world::websocket_0_1_0::{Alone, Call};

/// Runs a WebSocket event in the caller's own task.
pub(super) async fn websocket(pool: Rc<Pool>, call: Call, _entered: Entered) -> Outcome {
    let limit_ms = pool.plugin.event.timeout_ms;
    let has_begun = Cell::new(false);
    // The end of a connection is told, however late.
    let kept = match &call {
        Call::Close(..) => match pool.take().await {
            Ok(instance) => Some(instance),
            Err(failure) => return Outcome::Failed(failure),
        },
        _ => None,
    };
    let event = pin!(async {
        let mut instance = match kept {
            Some(instance) => instance,
            None => pool.take().await?,
        };
        has_begun.set(true);
        let handlers = &instance.handlers.websocket;
        let handlers = handlers.as_ref().ok_or(Failure::NoHandler)?;
        let outcome = handlers
            .run(Alone(&mut instance.store), call)
            .await
            .map_err(trap)?;
        pool.put(instance, pool.uses_max(USES));
        Ok(outcome)
    });
    match within(limit_ms, event).await {
        Ok(Ok(outcome)) => outcome,
        Ok(Err(failure)) => Outcome::Failed(failure),
        Err(_) if has_begun.get() => Outcome::Failed(Failure::Timeout(limit_ms)),
        Err(_) => Outcome::Failed(no_instance(&pool)),
    }
}

/// What an event is told that has waited for an instance until its deadline.
pub(super) fn no_instance(pool: &Pool) -> Failure {
    let max = pool.plugin.instance.count_max;
    Failure::Overloaded(format!("all of its {max} instances are busy"))
}

type Head = Result<http::Response<wasmtime_wasi_http::WasiBody>, ErrorCode>;

/// Serves a request through `wasi:http/incoming-handler@0.2`. The guest goes on
/// after the response's head, in a task of its own.
pub(super) async fn http(
    pool: Rc<Pool>,
    request: http::Request<Body>,
    entered: Entered,
) -> Outcome {
    let limit_ms = pool.plugin.event.timeout_ms;
    let deadline = Instant::now() + Duration::from_millis(limit_ms);
    let mut instance = match within(limit_ms, pin!(pool.take())).await {
        Ok(Ok(instance)) => instance,
        Ok(Err(failure)) => return Outcome::Failed(failure),
        Err(_) => return Outcome::Failed(no_instance(&pool)),
    };
    let (head_sender, head) = oneshot::channel();
    // Dropped when nobody listens to the guest any more.
    let (listener, listening) = oneshot::channel();
    let has_failed = Arc::new(AtomicBool::new(false));
    let is_cut = Arc::clone(&has_failed);
    let failure = tokio::task::spawn_local(async move {
        let served = serve(&mut instance, request, head_sender, listening, deadline).await;
        match served.is_ok() {
            true => pool.put(instance, pool.uses_max(USES_0_2)),
            // Before the instance goes, and the body of its response ends.
            false => has_failed.store(true, Ordering::Relaxed),
        }
        drop(entered);
        served.err()
    });
    match head.await {
        Ok(Ok(response)) => Outcome::Response(body::answer(response, is_cut, listener).await),
        Ok(Err(ErrorCode::InternalError(Some(text)))) => Outcome::Failed(handler_failure(&text)),
        Ok(Err(code)) => Outcome::Failed(handler_failure(&format!("{code:?}"))),
        // No head will come: the call has ended.
        Err(_) => Outcome::Failed(match failure.await {
            Ok(Some(failure)) => failure,
            _ => Failure::Handler("it returned without a response".into()),
        }),
    }
}

async fn serve(
    instance: &mut Instance,
    request: http::Request<Body>,
    head: oneshot::Sender<Head>,
    listening: oneshot::Receiver<()>,
    deadline: Instant,
) -> Result<(), Failure> {
    let Some(HttpHandler::V0_2(handler)) = &instance.handlers.http else {
        return Err(Failure::NoHandler);
    };
    let store = &mut instance.store;
    let plugin = Arc::clone(store.data().plugin());
    let limit_ms = plugin.event.timeout_ms;
    let meter = Arc::clone(store.data().meter());
    let has_head = Arc::new(AtomicBool::new(false));
    let (request, out) = arguments(store, request, head, &has_head).map_err(trap)?;
    let handler = handler.wasi_http_incoming_handler();
    let mut call = pin!(handler.call_handle(store, request, out));
    let mut listening = pin!(listening);
    let mut watch = Watch::new(limit_ms);
    let mut deadline = Some(deadline);
    let mut is_heard = true;
    let served = poll_fn(|context| {
        if let Poll::Ready(returned) = call.as_mut().poll(context) {
            return Poll::Ready(returned.map_err(trap));
        }
        if is_heard && listening.as_mut().poll(context).is_ready() {
            is_heard = false;
            deadline = Some(watch.deadline());
        }
        if is_heard && has_head.load(Ordering::Relaxed) {
            deadline = None;
        }
        match watch.is_over(context, meter.take_interrupted(), deadline) {
            true => Poll::Ready(Err(Failure::Timeout(limit_ms))),
            false => Poll::Pending,
        }
    })
    .await;
    if let Err(failure) = &served
        && has_head.load(Ordering::Relaxed)
    {
        // Nobody else hears of it.
        let (tenant, plugin) = (&*plugin.settings.tenant_name, &*plugin.settings.name);
        tracing::warn!(tenant, plugin, "after its response: {failure}");
    }
    served
}

/// The request, and where the guest puts the head of its response.
fn arguments(
    store: &mut Store<Guest>,
    request: http::Request<Body>,
    head: oneshot::Sender<Head>,
    has_head: &Arc<AtomicBool>,
) -> wasmtime::Result<(
    Resource<HostIncomingRequest>,
    Resource<HostResponseOutparam>,
)> {
    let request = request::complete(request).map(body::to_guest);
    let scheme = match request.uri().scheme_str() {
        Some("https") => Scheme::Https,
        _ => Scheme::Http,
    };
    let mut view = store.data_mut().http();
    let request = view.new_incoming_request(scheme, request)?;
    let has_head = Arc::clone(has_head);
    let out = view.new_response_outparam_from_callback(move |response| {
        has_head.store(true, Ordering::Relaxed);
        // The caller may be gone; then nobody wants the response.
        let _ = head.send(response);
    })?;
    Ok((request, out))
}

fn trap(error: wasmtime::Error) -> Failure {
    Failure::Trap(format!("{error:?}"))
}
