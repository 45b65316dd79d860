//! What an event is about, for the lines that its guest writes meanwhile.

use std::sync::Arc;

use holdfast_core::event::Request;
use holdfast_core::request_id::FIELD;
use holdfast_core::{ConnectionId, RequestId};
use wasmtime::StoreContextMut;
use wasmtime::component::GuestTaskId;

use crate::guest::Guest;
use crate::world::websocket_0_1_0::Call;

/// What an event is about.
#[derive(Clone, Debug, Default)]
pub(crate) struct Subject {
    pub(crate) connection: Option<ConnectionId>,
    request_id: Option<RequestId>,
}

impl Subject {
    /// Of an HTTP request.
    pub(crate) fn of_request(request: &Request) -> Self {
        Self {
            connection: None,
            request_id: Some(request.id.clone()),
        }
    }

    /// Of an event of a connection.
    pub(crate) fn of_call(call: &Call) -> Self {
        match call {
            Call::Accept(handshake) => Self {
                connection: Some(handshake.id),
                // The edge has put it there.
                request_id: handshake
                    .headers
                    .get(FIELD)
                    .cloned()
                    .and_then(RequestId::given),
            },
            Call::Open(state) | Call::Message(state, _) | Call::Close(state, _) => Self {
                connection: Some(state.id),
                request_id: None,
            },
            Call::Migrate(_) => Self::default(),
        }
    }

    pub(crate) fn request_id(&self) -> Option<&str> {
        self.request_id.as_ref().map(RequestId::as_str)
    }
}

/// The name of the connection whose event came last: messages of one client come
/// together.
#[derive(Default)]
pub(crate) struct Names(Option<(ConnectionId, Arc<str>)>);

impl Names {
    /// The text form of an id.
    pub(crate) fn of(&mut self, id: ConnectionId) -> &Arc<str> {
        if self.0.as_ref().is_none_or(|(last, _)| *last != id) {
            self.0 = None;
        }
        let name = || (id, id.to_hex().as_str().into());
        &self.0.get_or_insert_with(name).1
    }
}

/// The subjects of the events in one store.
#[derive(Default)]
pub(crate) struct Subjects {
    /// That of the last event, where there is one at a time.
    alone: Subject,
    /// Those of the events that are under way together.
    among: Vec<(GuestTaskId, Subject)>,
}

impl Subjects {
    /// An event begins that is alone with the store.
    pub(crate) fn set(&mut self, subject: Subject) {
        self.alone = subject;
    }

    /// What the event is about that is alone.
    pub(crate) fn alone(&self) -> &Subject {
        &self.alone
    }

    /// An event has begun among others.
    pub(crate) fn add(&mut self, task: GuestTaskId, subject: Subject) {
        self.among.push((task, subject));
    }

    /// Nothing more comes of it.
    pub(crate) fn remove(&mut self, task: GuestTaskId) {
        if let Some(place) = self.among.iter().position(|(other, _)| *other == task) {
            self.among.swap_remove(place);
        }
    }
}

/// What the guest is at work for that has called the host.
pub(crate) fn subject(store: &mut StoreContextMut<'_, Guest>) -> Subject {
    if store.data().subjects.among.is_empty() {
        return store.data().subjects.alone.clone();
    }
    // The event's own task is the last.
    let task = store.async_call_stack().ok().and_then(|tasks| tasks.last());
    let mut among = store.data().subjects.among.iter();
    let found = among.find(|(other, _)| Some(*other) == task);
    found
        .map(|(_, subject)| subject.clone())
        .unwrap_or_default()
}
