//! What a module exports: handlers, how they are found, and how events reach them.

use holdfast_core::Message;
use holdfast_core::event::{Closure, ConnectionState, Failure, Handshake, Outcome};
use holdfast_core::id::CONNECTION_ID_LEN;
use wasmtime::{
    Extern, Func, Instance, Module, ModuleExport, Result, Store, TypedFunc, WasmParams, bail,
};

use super::super::attachments::Migration;
use super::super::exports::Call;
use super::super::types::CloseCause;
use super::values::{self, Values};
use crate::direct::{Context, Made, none, view};
use crate::guest::Guest;
use crate::line::handler_failure;
use crate::subject::Subject;

/// What a module exports, and the glue that calls it.
pub(crate) struct Exports {
    glue: Module,
    glue_receive: ModuleExport,
    glue_make_room: ModuleExport,
    realloc: ModuleExport,
    accept: Export,
    open: Export,
    receive: Export,
    close: Export,
    format: Option<Export>,
    migrate: Option<Export>,
}

/// A function, and what is called when its result was read.
struct Export {
    function: ModuleExport,
    end: Option<ModuleExport>,
}

impl Export {
    fn find(module: &Module, name: &str) -> Option<Self> {
        Some(Self {
            function: module.get_export_index(name)?,
            end: module.get_export_index(&format!("{name}-end")),
        })
    }

    fn of<P: WasmParams>(&self, made: &mut Made<'_>) -> Result<Handler<P>> {
        Ok(Handler {
            function: made.function(&self.function)?,
            end: match &self.end {
                Some(end) => Some(made.function(end)?),
                None => None,
            },
        })
    }
}

impl Exports {
    pub(crate) fn find(module: &Module, glue: Module) -> Result<Self> {
        let export = |name| Export::find(module, name).ok_or_else(none);
        Ok(Self {
            glue_receive: glue.get_export_index("receive").ok_or_else(none)?,
            glue_make_room: glue.get_export_index("make-room").ok_or_else(none)?,
            glue,
            realloc: module.get_export_index("realloc").ok_or_else(none)?,
            accept: export("accept")?,
            open: export("open")?,
            receive: export("receive")?,
            close: export("close")?,
            format: Export::find(module, "format"),
            migrate: Export::find(module, "migrate"),
        })
    }

    /// The handlers of an instance.
    pub(crate) async fn of(&self, made: &mut Made<'_>) -> Result<Handlers> {
        let glue = self.glue(made).await?;
        let mut of_glue = |export| {
            let function = glue.get_module_export(&mut *made.store, export);
            function.and_then(Extern::into_func).ok_or_else(none)
        };
        let (receive, make_room) = (of_glue(&self.glue_receive)?, of_glue(&self.glue_make_room)?);
        Ok(Handlers {
            receive: receive.typed(&*made.store)?,
            make_room: make_room.typed(&*made.store)?,
            accept: self.accept.of(made)?,
            open: self.open.of(made)?,
            close: self.close.of(made)?,
            format: self.format.as_ref().map(|it| it.of(made)).transpose()?,
            migrate: self.migrate.as_ref().map(|it| it.of(made)).transpose()?,
        })
    }

    /// The glue before the guest.
    async fn glue(&self, made: &mut Made<'_>) -> Result<Instance> {
        let end = match &self.receive.end {
            Some(end) => made.export(end)?,
            None => Func::wrap(&mut *made.store, |_: u32| {}).into(),
        };
        let imports = [
            made.export(&self.realloc)?,
            made.export(&self.receive.function)?,
            end,
            Func::wrap(&mut *made.store, fill).into(),
            Func::wrap(&mut *made.store, note_outcome).into(),
            Func::wrap(&mut *made.store, values::wanted).into(),
        ];
        Instance::new_async(&mut *made.store, &self.glue, &imports).await
    }
}

/// A message for the glue: the lengths of the connection's id and its attachment,
/// the attachment's version, the bytes queued, the case of the message and its
/// length.
type Delivered = (u32, u32, u64, u64, u32, u32);

/// A function whose result lies in the guest's memory.
struct Handler<P> {
    function: TypedFunc<P, u32>,
    end: Option<TypedFunc<u32, ()>>,
}

impl<P: WasmParams + Sync> Handler<P> {
    /// Calls it, and reads its result from where that lies.
    async fn call<R>(
        &self,
        store: &mut Store<Guest>,
        params: P,
        read: impl FnOnce(&values::Reader<'_>, u32) -> Result<R>,
    ) -> Result<R> {
        let result = self.function.call_async(&mut *store, params).await?;
        let reader = values::Reader::of(store)?;
        let read = read(&reader, result)?;
        if let Some(end) = &self.end {
            end.call_async(store, result).await?;
        }
        Ok(read)
    }
}

/// The address and the length of a string or list.
type Text = (u32, u32);

/// Seven strings and lists.
type Handshaken = (
    u32,
    u32,
    u32,
    u32,
    u32,
    u32,
    u32,
    u32,
    u32,
    u32,
    u32,
    u32,
    u32,
    u32,
);

/// A connection, and how it ended: the case of the cause, the code, the reason.
type Closed = (u32, u32, u32, u32, u64, u64, u32, u32, u32, u32);

/// The handlers of one instance.
pub(crate) struct Handlers {
    accept: Handler<Handshaken>,
    open: Handler<(u32, u32, u32, u32, u64, u64)>,
    receive: TypedFunc<Delivered, ()>,
    make_room: TypedFunc<(), ()>,
    close: Handler<Closed>,
    format: Option<Handler<()>>,
    migrate: Option<Handler<(u32, u32, u32, u32)>>,
}

impl Handlers {
    /// Asks for the format of the attachments; "" if the guest names none.
    pub(crate) async fn format(&self, store: &mut Store<Guest>) -> Result<String> {
        match &self.format {
            Some(format) => {
                let text = |reader: &values::Reader<'_>, at| reader.text(at);
                format.call(store, (), text).await
            }
            None => Ok(String::new()),
        }
    }

    /// Runs one event. An error means that the instance is lost.
    pub(crate) async fn run(&self, store: &mut Store<Guest>, call: Call) -> Result<Outcome> {
        let subject = Subject::of_call(&call);
        store.data_mut().subjects.set(subject);
        store.data_mut().direct.tasks.begin_alone();
        match call {
            Call::Message(state, message) => self.message(store, state, message).await,
            // Boxed, since these are rare and would make every message larger.
            Call::Accept(handshake) => Box::pin(self.accept(store, *handshake)).await,
            Call::Open(state) => Box::pin(self.open(store, state)).await,
            Call::Close(state, closure) => Box::pin(self.close(store, state, closure)).await,
            Call::Migrate(migration) => Box::pin(self.migrate(store, migration)).await,
        }
    }

    async fn message(
        &self,
        store: &mut Store<Guest>,
        state: ConnectionState,
        message: Message,
    ) -> Result<Outcome> {
        let (case, len) = match &message {
            Message::Text(text) => (0, text.len()),
            Message::Binary(bytes) => (1, bytes.len()),
        };
        let delivered = (
            CONNECTION_ID_LEN as u32,
            values::len(state.attachment.len())?,
            state.attachment_version,
            state.buffered_bytes,
            case,
            values::len(len)?,
        );
        store.data_mut().direct.delivery = Some((state, message));
        self.receive.call_async(&mut *store, delivered).await?;
        let outcome = store.data_mut().direct.outcome.take();
        outcome.ok_or_else(|| wasmtime::Error::msg("a message has no outcome"))
    }

    /// Where the values are for which the guest has made room.
    async fn give<const COUNT: usize>(
        &self,
        store: &mut Store<Guest>,
        values: Values,
    ) -> Result<[Text; COUNT]> {
        let given = values.give(store, &self.make_room).await?;
        match given.try_into() {
            Ok(given) => Ok(given),
            Err(_) => bail!("there are more values than it was said"),
        }
    }

    async fn accept(&self, store: &mut Store<Guest>, handshake: Handshake) -> Result<Outcome> {
        let id = handshake.id.to_hex();
        let values = Values::new()
            .bytes(id.as_str().as_bytes())
            .bytes(handshake.scheme.as_bytes())
            .bytes(handshake.authority.as_bytes())
            .bytes(handshake.path_with_query.as_bytes())
            .headers(&handshake.headers)
            .texts(&handshake.subprotocols)
            .bytes(handshake.remote_address.as_bytes());
        let [id, scheme, authority, path, headers, protocols, remote] =
            self.give(store, values).await?;
        let params = (
            id.0,
            id.1,
            scheme.0,
            scheme.1,
            authority.0,
            authority.1,
            path.0,
            path.1,
            headers.0,
            // Of a header field there are two.
            headers.1 / 2,
            protocols.0,
            protocols.1,
            remote.0,
            remote.1,
        );
        let decision = |reader: &values::Reader<'_>, at| reader.decision(at);
        let decided = self.accept.call(store, params, decision).await?;
        Ok(decided.unwrap_or_else(|error| Outcome::Failed(handler_failure(&error))))
    }

    async fn open(&self, store: &mut Store<Guest>, state: ConnectionState) -> Result<Outcome> {
        let [id, attachment] = self.give(store, shown(&state)).await?;
        let (version, buffered) = (state.attachment_version, state.buffered_bytes);
        let params = (id.0, id.1, attachment.0, attachment.1, version, buffered);
        self.open.call(store, params, values::handled).await
    }

    async fn close(
        &self,
        store: &mut Store<Guest>,
        state: ConnectionState,
        closure: Closure,
    ) -> Result<Outcome> {
        let values = shown(&state).bytes(closure.reason.as_bytes());
        let [id, attachment, reason] = self.give(store, values).await?;
        let params = (
            id.0,
            id.1,
            attachment.0,
            attachment.1,
            state.attachment_version,
            state.buffered_bytes,
            CloseCause::from(closure.cause) as u32,
            u32::from(closure.code),
            reason.0,
            reason.1,
        );
        self.close.call(store, params, values::handled).await
    }

    async fn migrate(&self, store: &mut Store<Guest>, migration: Migration) -> Result<Outcome> {
        let Some(migrate) = &self.migrate else {
            return Ok(Outcome::Failed(Failure::NoHandler));
        };
        let values = Values::new().bytes(migration.from().as_bytes());
        let values = values.bytes(migration.attachment());
        let [from, attachment] = self.give(store, values).await?;
        let params = (from.0, from.1, attachment.0, attachment.1);
        let migrated = |reader: &values::Reader<'_>, at| reader.migrated(at);
        let migrated = migrate.call(store, params, migrated).await?;
        Ok(migration.end(migrated))
    }
}

/// A connection's id and its attachment.
fn shown(state: &ConnectionState) -> Values {
    let id = state.id.to_hex();
    let values = Values::new().bytes(id.as_str().as_bytes());
    values.bytes(&state.attachment)
}

/// Writes the message to where the glue has made room for it.
fn fill(mut caller: Context<'_>, id: u32, attachment: u32, message: u32) -> Result<()> {
    let (mut memory, guest) = view(&mut caller)?;
    let Some((state, text)) = guest.direct.delivery.take() else {
        bail!("there is no message");
    };
    memory.put(id, guest.names.of(state.id).as_bytes())?;
    memory.put(attachment, &state.attachment)?;
    memory.put(message, text.as_ref().payload())
}

/// Reads what the handler has returned.
fn note_outcome(mut caller: Context<'_>, result: u32) -> Result<()> {
    let (memory, guest) = view(&mut caller)?;
    let reader = values::Reader::new(memory, guest.plugin().instance.call_bytes_max);
    guest.direct.outcome = Some(values::handled(&reader, result)?);
    Ok(())
}
