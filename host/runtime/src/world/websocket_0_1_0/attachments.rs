//! The export `attachments`: how a component changes their format.

use std::cell::Cell;
use std::rc::Rc;
use std::sync::Arc;

use bytes::Bytes;
use holdfast_core::event::{Failure, Outcome};
use wasmtime::Store;
use wasmtime::component::{ComponentExportIndex, Instance, InstancePre};

use super::exports::{Alone, Call, Caller, Export, function};
use crate::guest::Guest;
use crate::line::handler_failure;

const ATTACHMENTS: &str = "holdfast:websocket/attachments@0.1.0";

type Migrated = (Result<Bytes, String>,);

/// Where a component has the functions, if it has them.
#[derive(Clone, Default)]
pub(super) struct Indices {
    format: Option<ComponentExportIndex>,
    migrate: Option<ComponentExportIndex>,
}

impl Indices {
    /// Fails when a function's types are not ours.
    pub(super) fn find(pre: &InstancePre<Guest>) -> wasmtime::Result<Self> {
        let Some((_, interface)) = pre.component().get_export(None, ATTACHMENTS) else {
            return Ok(Self::default());
        };
        Ok(Self {
            format: function::<(), (String,)>(pre, &interface, "format")?,
            migrate: function::<(String, Bytes), Migrated>(pre, &interface, "migrate")?,
        })
    }

    pub(super) fn migrates(&self) -> bool {
        self.migrate.is_some()
    }

    pub(super) fn of(&self, instance: Instance) -> Functions {
        Functions {
            format: self.format.map(|index| Export::new(instance, index)),
            migrate: self.migrate.map(|index| Export::new(instance, index)),
        }
    }
}

/// Those of one instance.
pub(super) struct Functions {
    format: Option<Export<(), (String,)>>,
    migrate: Option<Export<(String, Bytes), Migrated>>,
}

/// An attachment to be turned into one of the instance's format.
pub(crate) struct Migration {
    from: Arc<str>,
    attachment: Bytes,
    migrated: Rc<Cell<Option<Bytes>>>,
}

impl Call {
    /// A migration, and where the new attachment is found when it is done.
    pub(crate) fn migrate(from: &Arc<str>, attachment: Bytes) -> (Self, Rc<Cell<Option<Bytes>>>) {
        let migrated = Rc::default();
        let migration = Migration {
            from: Arc::clone(from),
            attachment,
            migrated: Rc::clone(&migrated),
        };
        (Self::Migrate(migration), migrated)
    }
}

impl Migration {
    /// The format of the old attachment.
    pub(super) fn from(&self) -> &str {
        &self.from
    }

    /// The old attachment.
    pub(super) fn attachment(&self) -> &[u8] {
        &self.attachment
    }

    /// Takes what the guest has made of it.
    pub(super) fn end(self, migrated: Result<Bytes, String>) -> Outcome {
        match migrated {
            Ok(attachment) => {
                self.migrated.set(Some(attachment));
                Outcome::Done
            }
            Err(text) => Outcome::Failed(handler_failure(&text)),
        }
    }
}

impl Functions {
    pub(super) async fn format(&self, store: &mut Store<Guest>) -> wasmtime::Result<String> {
        match &self.format {
            Some(format) => Ok(Alone(store).call(format, ()).await?.0),
            None => Ok(String::new()),
        }
    }

    /// Runs a migration. An error means that the instance is lost.
    pub(super) async fn migrate(
        &self,
        mut caller: impl Caller,
        migration: Migration,
    ) -> wasmtime::Result<Outcome> {
        let Some(migrate) = &self.migrate else {
            return Ok(Outcome::Failed(Failure::NoHandler));
        };
        let params = (migration.from.to_string(), migration.attachment.clone());
        let (migrated,) = caller.call(migrate, params).await?;
        Ok(migration.end(migrated))
    }
}
