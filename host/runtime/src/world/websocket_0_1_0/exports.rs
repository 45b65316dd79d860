//! The exports `websocket-handler` and `websocket-handler-sync`: events in,
//! outcomes back.

use std::cell::{Cell, OnceCell};
use std::pin::pin;
use std::sync::Arc;

use holdfast_core::ConnectionId;
use holdfast_core::event::{self, Outcome};
use wasmtime::component::types::ComponentItem;
use wasmtime::component::{
    Accessor, ComponentExportIndex, ComponentNamedList, GuestTaskId, Instance, InstancePre, Lift,
    Lower, TypedFunc,
};
use wasmtime::error::Context;
use wasmtime::{AsContextMut, Result, Store};

use super::attachments::{self, Migration};
use super::types::{Acceptance, Closure, Connection, HandlerError, Handshake, Message, Rejection};
use crate::guest::Guest;
use crate::line::handler_failure;
use crate::subject::Subject;

const WAITING: &str = "holdfast:websocket/websocket-handler@0.1.0";
const PLAIN: &str = "holdfast:websocket/websocket-handler-sync@0.1.0";

/// Which form of the interface a component exports.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Form {
    /// `websocket-handler-sync`: one call at a time in an instance.
    Plain,
    /// `websocket-handler`: many calls at a time in an instance.
    Waiting,
}

/// Where a component has its handlers.
#[derive(Clone)]
pub(crate) struct Indices {
    pub(crate) form: Form,
    accept: ComponentExportIndex,
    open: ComponentExportIndex,
    receive: ComponentExportIndex,
    close: ComponentExportIndex,
    attachments: attachments::Indices,
}

impl Indices {
    /// Looks for either form; none if the component has neither, or not all of
    /// one. Fails when a function's types are not ours.
    pub(crate) fn find(pre: &InstancePre<Guest>) -> Result<Option<Self>> {
        let indices = Self::find_form(pre, Form::Plain, PLAIN)?;
        match indices {
            Some(indices) => Ok(Some(indices)),
            None => Self::find_form(pre, Form::Waiting, WAITING),
        }
    }

    fn find_form(pre: &InstancePre<Guest>, form: Form, name: &str) -> Result<Option<Self>> {
        let Some((_, interface)) = pre.component().get_export(None, name) else {
            return Ok(None);
        };
        let found = (
            function::<(Handshake,), Decided>(pre, &interface, "accept")?,
            function::<(Connection,), Handled>(pre, &interface, "open")?,
            function::<(Connection, Message), Handled>(pre, &interface, "receive")?,
            function::<(Connection, Closure), Handled>(pre, &interface, "close")?,
        );
        let (Some(accept), Some(open), Some(receive), Some(close)) = found else {
            return Ok(None);
        };
        Ok(Some(Self {
            form,
            accept,
            open,
            receive,
            close,
            attachments: attachments::Indices::find(pre)?,
        }))
    }

    /// Whether the component can migrate attachments.
    pub(crate) fn migrates(&self) -> bool {
        self.attachments.migrates()
    }

    /// The handlers of an instance.
    pub(crate) fn of(&self, instance: Instance) -> Handlers {
        Handlers {
            accept: Export::new(instance, self.accept),
            open: Export::new(instance, self.open),
            receive: Export::new(instance, self.receive),
            close: Export::new(instance, self.close),
            attachments: self.attachments.of(instance),
        }
    }
}

type Decided = (Result<Acceptance, Rejection>,);
type Handled = (Result<(), HandlerError>,);

/// Where a component has a function, if it is there.
pub(super) fn function<P, R>(
    pre: &InstancePre<Guest>,
    interface: &ComponentExportIndex,
    name: &str,
) -> Result<Option<ComponentExportIndex>>
where
    P: ComponentNamedList + Lower,
    R: ComponentNamedList + Lift,
{
    let Some((item, index)) = pre.component().get_export(Some(interface), name) else {
        return Ok(None);
    };
    let ComponentItem::ComponentFunc(function) = item else {
        return Ok(None);
    };
    // What the bindings for the standard interfaces do, too.
    function
        .typecheck::<P, R>(&pre.instance_type())
        .with_context(|| format!("the function `{name}`"))?;
    Ok(Some(index))
}

/// The handlers of one instance.
pub(crate) struct Handlers {
    accept: Export<(Handshake,), Decided>,
    open: Export<(Connection,), Handled>,
    receive: Export<(Connection, Message), Handled>,
    close: Export<(Connection, Closure), Handled>,
    attachments: attachments::Functions,
}

/// A function of one instance, looked up when it is called first: an instance for
/// one event needs one of them.
pub(crate) struct Export<P, R> {
    instance: Instance,
    index: ComponentExportIndex,
    found: OnceCell<TypedFunc<P, R>>,
}

impl<P, R> Export<P, R>
where
    P: ComponentNamedList + Lower,
    R: ComponentNamedList + Lift,
{
    pub(super) fn new(instance: Instance, index: ComponentExportIndex) -> Self {
        Self {
            instance,
            index,
            found: OnceCell::new(),
        }
    }

    fn get(&self, store: impl AsContextMut<Data = Guest>) -> Result<&TypedFunc<P, R>> {
        if let Some(function) = self.found.get() {
            return Ok(function);
        }
        let function = self.instance.get_typed_func(store, self.index)?;
        Ok(self.found.get_or_init(|| function))
    }
}

/// An event for these handlers.
pub(crate) enum Call {
    Accept(Box<event::Handshake>),
    Open(event::ConnectionState),
    Message(event::ConnectionState, holdfast_core::Message),
    Close(event::ConnectionState, event::Closure),
    Migrate(Migration),
}

/// How a handler is called. A trait, so that the future of a plain call, made
/// anew for each event, has no room for a waiting one.
pub(crate) trait Caller {
    /// What the calls that follow are about.
    fn about(&mut self, subject: Subject);

    /// A connection's name.
    fn name(&mut self, id: ConnectionId) -> Arc<str>;

    async fn call<P, R>(&mut self, handler: &Export<P, R>, params: P) -> Result<R>
    where
        P: ComponentNamedList + Lower + 'static,
        R: ComponentNamedList + Lift + 'static;
}

/// Alone with the store.
pub(crate) struct Alone<'a>(pub(crate) &'a mut Store<Guest>);

/// Among other calls. Notes which of the store's tasks the call is.
pub(crate) struct Among<'a> {
    pub(crate) accessor: &'a Accessor<Guest>,
    pub(crate) task: &'a Cell<Option<GuestTaskId>>,
    pub(crate) subject: Subject,
}

impl Caller for Alone<'_> {
    fn about(&mut self, subject: Subject) {
        self.0.data_mut().subjects.set(subject);
    }

    fn name(&mut self, id: ConnectionId) -> Arc<str> {
        Arc::clone(self.0.data_mut().names.of(id))
    }

    async fn call<P, R>(&mut self, handler: &Export<P, R>, params: P) -> Result<R>
    where
        P: ComponentNamedList + Lower + 'static,
        R: ComponentNamedList + Lift + 'static,
    {
        let handler = handler.get(&mut *self.0)?;
        pin!(handler.call_async(&mut *self.0, params)).await
    }
}

impl Caller for Among<'_> {
    fn about(&mut self, subject: Subject) {
        self.subject = subject;
    }

    fn name(&mut self, id: ConnectionId) -> Arc<str> {
        self.accessor
            .with(|mut store| Arc::clone(store.get().names.of(id)))
    }

    async fn call<P, R>(&mut self, handler: &Export<P, R>, params: P) -> Result<R>
    where
        P: ComponentNamedList + Lower + 'static,
        R: ComponentNamedList + Lift + 'static,
    {
        let (handler, call) = self.accessor.with(|mut store| {
            let handler = handler.get(store.as_context_mut())?;
            let call = handler.start_call_concurrent(store, params)?;
            Ok::<_, wasmtime::Error>((handler, call))
        })?;
        self.task.set(Some(call.task()));
        let subject = std::mem::take(&mut self.subject);
        self.accessor
            .with(|mut store| store.get().subjects.add(call.task(), subject));
        handler.finish_call_concurrent(self.accessor, call).await
    }
}

impl Handlers {
    /// Asks for the format of the attachments; "" if the guest names none.
    pub(crate) async fn format(&self, store: &mut Store<Guest>) -> Result<String> {
        self.attachments.format(store).await
    }

    /// Runs one event. An error means that the instance is lost.
    pub(crate) async fn run(&self, mut caller: impl Caller, call: Call) -> Result<Outcome> {
        caller.about(Subject::of_call(&call));
        Ok(match call {
            Call::Message(state, message) => {
                let params = (shown(&mut caller, state), message.into());
                // Pinned in its place, where it would be copied to otherwise.
                handled(pin!(caller.call(&self.receive, params)).await?)
            }
            // Boxed, since these are rare and would make every message larger.
            Call::Accept(handshake) => {
                let params = ((*handshake).into(),);
                decided(Box::pin(caller.call(&self.accept, params)).await?)
            }
            Call::Open(state) => {
                let params = (shown(&mut caller, state),);
                handled(Box::pin(caller.call(&self.open, params)).await?)
            }
            Call::Close(state, closure) => {
                let params = (shown(&mut caller, state), closure.into());
                handled(Box::pin(caller.call(&self.close, params)).await?)
            }
            Call::Migrate(migration) => {
                Box::pin(self.attachments.migrate(caller, migration)).await?
            }
        })
    }
}

/// A connection as the guest sees it.
fn shown(caller: &mut impl Caller, state: event::ConnectionState) -> Connection {
    let name = caller.name(state.id);
    Connection::new(state, name)
}

fn handled((handled,): Handled) -> Outcome {
    match handled {
        Ok(()) => Outcome::Done,
        Err(HandlerError::Failed(text)) => Outcome::Failed(handler_failure(&text)),
    }
}

fn decided((decision,): Decided) -> Outcome {
    let decided = match decision {
        Ok(acceptance) => acceptance
            .try_into()
            .map(|it| Outcome::Accepted(Box::new(it))),
        Err(rejection) => rejection
            .try_into()
            .map(|it| Outcome::Rejected(Box::new(it))),
    };
    decided.unwrap_or_else(|error: String| Outcome::Failed(handler_failure(&error)))
}
