//! An instance that has just been made, and where its functions are.

use wasmtime::{
    Extern, Instance, Module, ModuleExport, Result, Store, TypedFunc, WasmParams, WasmResults,
};

use crate::guest::Guest;

/// An instance that has just been made.
pub(crate) struct Made<'a> {
    pub(crate) store: &'a mut Store<Guest>,
    instance: Instance,
}

/// Where a module has what the host needs to call it.
pub(super) struct Base {
    memory: ModuleExport,
    realloc: Option<ModuleExport>,
}

/// What a module lacks.
pub(crate) fn none() -> wasmtime::Error {
    wasmtime::Error::msg("a module does not export what its component does")
}

impl Base {
    pub(super) fn find(module: &Module) -> Result<Self> {
        Ok(Self {
            memory: module.get_export_index("memory").ok_or_else(none)?,
            realloc: module.get_export_index("realloc"),
        })
    }

    /// The imports of the instance may be called from now on.
    pub(super) fn of<'a>(
        &self,
        store: &'a mut Store<Guest>,
        instance: Instance,
    ) -> Result<Made<'a>> {
        let mut made = Made { store, instance };
        let memory = made.export(&self.memory)?.into_memory();
        let memory = memory.ok_or_else(none)?;
        let realloc = match &self.realloc {
            Some(realloc) => Some(made.function(realloc)?),
            None => None,
        };
        made.store.data_mut().direct.set_made(memory, realloc);
        Ok(made)
    }
}

impl Made<'_> {
    /// What it exports.
    pub(crate) fn export(&mut self, export: &ModuleExport) -> Result<Extern> {
        let export = self.instance.get_module_export(&mut *self.store, export);
        export.ok_or_else(none)
    }

    /// A function which it exports.
    pub(crate) fn function<P: WasmParams, R: WasmResults>(
        &mut self,
        export: &ModuleExport,
    ) -> Result<TypedFunc<P, R>> {
        let function = self.export(export)?.into_func().ok_or_else(none)?;
        function.typed(&*self.store)
    }
}
