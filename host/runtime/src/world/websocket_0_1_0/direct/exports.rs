//! What a module exports: handlers, how they are found, and how events reach them.

use holdfast_core::Message;
use holdfast_core::event::{Closure, ConnectionState, Failure, Handshake, Outcome};
use holdfast_core::id::CONNECTION_ID_LEN;
use wasmtime::{
    Extern, Func, Instance, Module, ModuleExport, Result, Store, TypedFunc, WasmParams,
    WasmResults, bail,
};

use super::super::attachments::Migration;
use super::super::exports::Call;
use super::super::types::CloseCause;
use super::values::{self, Writer};
use crate::direct::{Context, view};
use crate::guest::Guest;
use crate::line::handler_failure;
use crate::subject::Subject;

/// What a module exports, and the glue that calls it.
pub(crate) struct Exports {
    glue: Module,
    glue_receive: ModuleExport,
    memory: ModuleExport,
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
}

impl Exports {
    pub(crate) fn find(module: &Module, glue: Module) -> Result<Self> {
        let export = |name| Export::find(module, name).ok_or_else(none);
        let index = |name| module.get_export_index(name).ok_or_else(none);
        Ok(Self {
            glue_receive: glue.get_export_index("receive").ok_or_else(none)?,
            glue,
            memory: index("memory")?,
            realloc: index("realloc")?,
            accept: export("accept")?,
            open: export("open")?,
            receive: export("receive")?,
            close: export("close")?,
            format: Export::find(module, "format"),
            migrate: Export::find(module, "migrate"),
        })
    }

    /// The handlers of an instance, which knows its memory from then on.
    pub(crate) async fn of(
        &self,
        store: &mut Store<Guest>,
        instance: Instance,
    ) -> Result<Handlers> {
        let mut made = Made { store, instance };
        let memory = made.export(&self.memory)?.into_memory();
        let memory = memory.ok_or_else(none)?;
        let realloc = made.function(&self.realloc)?;
        made.store.data_mut().direct.set_made(memory, realloc);
        Ok(Handlers {
            accept: made.handler(&self.accept)?,
            open: made.handler(&self.open)?,
            receive: made.receive(self).await?,
            close: made.handler(&self.close)?,
            format: made.optional(self.format.as_ref())?,
            migrate: made.optional(self.migrate.as_ref())?,
        })
    }
}

fn none() -> wasmtime::Error {
    wasmtime::Error::msg("a module does not export what its component does")
}

/// An instance that has just been made.
struct Made<'a> {
    store: &'a mut Store<Guest>,
    instance: Instance,
}

impl Made<'_> {
    fn export(&mut self, export: &ModuleExport) -> Result<Extern> {
        let export = self.instance.get_module_export(&mut *self.store, export);
        export.ok_or_else(none)
    }

    fn function<P: WasmParams, R: WasmResults>(
        &mut self,
        export: &ModuleExport,
    ) -> Result<TypedFunc<P, R>> {
        let function = self.export(export)?.into_func().ok_or_else(none)?;
        function.typed(&*self.store)
    }

    fn handler<P: WasmParams>(&mut self, export: &Export) -> Result<Handler<P>> {
        Ok(Handler {
            function: self.function(&export.function)?,
            end: match &export.end {
                Some(end) => Some(self.function(end)?),
                None => None,
            },
        })
    }

    fn optional<P: WasmParams>(&mut self, export: Option<&Export>) -> Result<Option<Handler<P>>> {
        export.map(|export| self.handler(export)).transpose()
    }

    /// The guest's `receive`, with the glue before it.
    async fn receive(&mut self, exports: &Exports) -> Result<TypedFunc<Delivered, ()>> {
        let end = match &exports.receive.end {
            Some(end) => self.export(end)?,
            None => Func::wrap(&mut *self.store, |_: u32| {}).into(),
        };
        let imports = [
            self.export(&exports.realloc)?,
            self.export(&exports.receive.function)?,
            end,
            Func::wrap(&mut *self.store, fill).into(),
            Func::wrap(&mut *self.store, note_outcome).into(),
        ];
        let glue = Instance::new_async(&mut *self.store, &exports.glue, &imports).await?;
        let glue = glue.get_module_export(&mut *self.store, &exports.glue_receive);
        let receive = glue.and_then(Extern::into_func).ok_or_else(none)?;
        receive.typed(&*self.store)
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

    async fn accept(&self, store: &mut Store<Guest>, handshake: Handshake) -> Result<Outcome> {
        let mut writer = Writer(store);
        let id = handshake.id.to_hex();
        let (id, id_len) = writer.bytes(id.as_str().as_bytes()).await?;
        let (scheme, scheme_len) = writer.bytes(handshake.scheme.as_bytes()).await?;
        let (authority, authority_len) = writer.bytes(handshake.authority.as_bytes()).await?;
        let (path, path_len) = writer.bytes(handshake.path_with_query.as_bytes()).await?;
        let (headers, headers_len) = writer.headers(&handshake.headers).await?;
        let (protocols, protocols_len) = writer.texts(&handshake.subprotocols).await?;
        let (remote, remote_len) = writer.bytes(handshake.remote_address.as_bytes()).await?;
        let params = (
            id,
            id_len,
            scheme,
            scheme_len,
            authority,
            authority_len,
            path,
            path_len,
            headers,
            headers_len,
            protocols,
            protocols_len,
            remote,
            remote_len,
        );
        let decision = |reader: &values::Reader<'_>, at| reader.decision(at);
        let decided = self.accept.call(store, params, decision).await?;
        Ok(decided.unwrap_or_else(|error| Outcome::Failed(handler_failure(&error))))
    }

    async fn open(&self, store: &mut Store<Guest>, state: ConnectionState) -> Result<Outcome> {
        let ((id, id_len), (attachment, len)) = shown(store, &state).await?;
        let (version, buffered) = (state.attachment_version, state.buffered_bytes);
        let params = (id, id_len, attachment, len, version, buffered);
        self.open.call(store, params, values::handled).await
    }

    async fn close(
        &self,
        store: &mut Store<Guest>,
        state: ConnectionState,
        closure: Closure,
    ) -> Result<Outcome> {
        let ((id, id_len), (attachment, len)) = shown(store, &state).await?;
        let (reason, reason_len) = Writer(store).bytes(closure.reason.as_bytes()).await?;
        let params = (
            id,
            id_len,
            attachment,
            len,
            state.attachment_version,
            state.buffered_bytes,
            CloseCause::from(closure.cause) as u32,
            u32::from(closure.code),
            reason,
            reason_len,
        );
        self.close.call(store, params, values::handled).await
    }

    async fn migrate(&self, store: &mut Store<Guest>, migration: Migration) -> Result<Outcome> {
        let Some(migrate) = &self.migrate else {
            return Ok(Outcome::Failed(Failure::NoHandler));
        };
        let mut writer = Writer(store);
        let (from, from_len) = writer.bytes(migration.from().as_bytes()).await?;
        let (attachment, len) = writer.bytes(migration.attachment()).await?;
        let params = (from, from_len, attachment, len);
        let migrated = |reader: &values::Reader<'_>, at| reader.migrated(at);
        let migrated = migrate.call(store, params, migrated).await?;
        Ok(migration.end(migrated))
    }
}

/// A connection's id and its attachment, in the guest's memory.
async fn shown(store: &mut Store<Guest>, state: &ConnectionState) -> Result<(Text, Text)> {
    let mut writer = Writer(store);
    let id = writer.bytes(state.id.to_hex().as_str().as_bytes()).await?;
    Ok((id, writer.bytes(&state.attachment).await?))
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
