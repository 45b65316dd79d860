//! Header fields and trailers.

use http::HeaderValue;
use wasmtime::StoreContextMut;
use wasmtime::component::{Linker, Resource, WasmList, WasmStr};
use wasmtime_wasi::TrappableError;
use wasmtime_wasi_http::p3::bindings::http::types::{
    FieldName, FieldValue, Fields, HeaderError, HostFields,
};
use wasmtime_wasi_http::{FieldMap, FieldMapError};

use super::{FIELDS_BYTES_MAX, View};
use crate::guest::Guest;

const TYPES: &str = "wasi:http/types@0.3.0";

type FieldsResult<T> = Result<T, TrappableError<HeaderError>>;

/// Lists in a guest's memory.
type Entries = WasmList<(WasmStr, WasmList<u8>)>;
type Values = WasmList<WasmList<u8>>;

/// Reads lists where they lie, no further than to the first entry that is refused:
/// to read all of one that is much too long takes long, and nobody can interrupt
/// it. Comes behind what adds the interface.
pub(super) fn add_to_linker(linker: &mut Linker<Guest>) -> wasmtime::Result<()> {
    linker.allow_shadowing(true);
    let mut types = linker.instance(TYPES)?;
    types.func_wrap(
        "[static]fields.from-list",
        |store: StoreContextMut<'_, Guest>, (entries,): (Entries,)| {
            Ok((known(from_list(store, &entries))?,))
        },
    )?;
    types.func_wrap(
        "[method]fields.set",
        |store: StoreContextMut<'_, Guest>,
         (fields, name, values): (Resource<Fields>, String, Values)| {
            Ok((known(set(store, &fields, name, &values))?,))
        },
    )?;
    linker.allow_shadowing(false);
    Ok(())
}

/// Tells an error that the guest is to know from one that ends it.
pub(super) fn known<T>(result: FieldsResult<T>) -> wasmtime::Result<Result<T, HeaderError>> {
    match result {
        Ok(value) => Ok(Ok(value)),
        Err(error) => error.downcast().map(Err),
    }
}

fn from_list(
    mut store: StoreContextMut<'_, Guest>,
    entries: &Entries,
) -> FieldsResult<Resource<Fields>> {
    let mut fields = FieldMap::new_mutable(FIELDS_BYTES_MAX);
    let mut index = 0;
    while let Some(entry) = entries.get(&mut store, index) {
        let (name, value) = entry.map_err(TrappableError::trap)?;
        let name = name.to_str(&store).map_err(TrappableError::trap)?;
        let (name, value) = (name.into_owned(), value.as_le_slice(&store).to_vec());
        let outbound = store.data_mut().http_0_3().outbound;
        fields.append(outbound, name, value).map_err(refusal)?;
        index += 1;
    }
    let table = store.data_mut().http_0_3().table;
    table.fields.push(fields).map_err(TrappableError::trap)
}

fn set(
    mut store: StoreContextMut<'_, Guest>,
    fields: &Resource<Fields>,
    name: FieldName,
    values: &Values,
) -> FieldsResult<()> {
    let mut copies = Vec::new();
    let mut bytes = 0;
    while let Some(value) = values.get(&mut store, copies.len()) {
        let value = value.map_err(TrappableError::trap)?;
        bytes += size_of::<HeaderValue>() + value.len();
        if bytes > FIELDS_BYTES_MAX {
            return Err(HeaderError::SizeExceeded.into());
        }
        copies.push(value.as_le_slice(&store).to_vec());
    }
    let mut view = store.data_mut().http_0_3();
    view.change(fields, |fields, hooks| fields.set(hooks, name, copies))
}

impl View<'_> {
    /// The fields of a message, which can't be changed from now on.
    pub(crate) fn take_fields(&mut self, fields: Resource<Fields>) -> wasmtime::Result<FieldMap> {
        let mut fields = self.table.fields.take(fields)?;
        fields.set_immutable();
        Ok(fields)
    }

    fn change<T>(
        &mut self,
        fields: &Resource<Fields>,
        change: impl FnOnce(&mut FieldMap, &mut super::Outbound) -> Result<T, FieldMapError>,
    ) -> FieldsResult<T> {
        let fields = self.table.fields.get_mut(fields);
        let fields = fields.map_err(TrappableError::trap)?;
        change(fields, self.outbound).map_err(refusal)
    }
}

pub(super) fn refusal(error: FieldMapError) -> TrappableError<HeaderError> {
    TrappableError::from(match error {
        FieldMapError::Immutable => HeaderError::Immutable,
        FieldMapError::InvalidHeaderName | FieldMapError::InvalidHeaderValue => {
            HeaderError::InvalidSyntax
        }
        FieldMapError::TooManyFields | FieldMapError::TotalSizeTooBig => HeaderError::SizeExceeded,
        FieldMapError::Forbidden => HeaderError::Forbidden,
    })
}

impl HostFields for View<'_> {
    fn new(&mut self) -> wasmtime::Result<Resource<Fields>> {
        let fields = FieldMap::new_mutable(FIELDS_BYTES_MAX);
        self.table.fields.push(fields)
    }

    /// The trait asks for it; guests call the other [`from_list`].
    fn from_list(
        &mut self,
        entries: Vec<(FieldName, FieldValue)>,
    ) -> FieldsResult<Resource<Fields>> {
        let mut fields = FieldMap::new_mutable(FIELDS_BYTES_MAX);
        for (name, value) in entries {
            let appended = fields.append(self.outbound, name, value);
            appended.map_err(refusal)?;
        }
        self.table.fields.push(fields).map_err(TrappableError::trap)
    }

    fn get(
        &mut self,
        fields: Resource<Fields>,
        name: FieldName,
    ) -> wasmtime::Result<Vec<FieldValue>> {
        let values = self.table.fields.get(&fields)?.get_all(name);
        Ok(values.iter().map(|value| value.as_bytes().into()).collect())
    }

    fn has(&mut self, fields: Resource<Fields>, name: FieldName) -> wasmtime::Result<bool> {
        Ok(self.table.fields.get(&fields)?.contains_key(name))
    }

    /// As with [`HostFields::from_list`].
    fn set(
        &mut self,
        fields: Resource<Fields>,
        name: FieldName,
        values: Vec<FieldValue>,
    ) -> FieldsResult<()> {
        self.change(&fields, |fields, hooks| fields.set(hooks, name, values))
    }

    fn delete(&mut self, fields: Resource<Fields>, name: FieldName) -> FieldsResult<()> {
        self.change(&fields, |fields, hooks| fields.remove_all(hooks, name))?;
        Ok(())
    }

    fn get_and_delete(
        &mut self,
        fields: Resource<Fields>,
        name: FieldName,
    ) -> FieldsResult<Vec<FieldValue>> {
        let values = self.change(&fields, |fields, hooks| fields.remove_all(hooks, name))?;
        Ok(values.iter().map(|value| value.as_bytes().into()).collect())
    }

    fn append(
        &mut self,
        fields: Resource<Fields>,
        name: FieldName,
        value: FieldValue,
    ) -> FieldsResult<()> {
        self.change(&fields, |fields, hooks| fields.append(hooks, name, value))?;
        Ok(())
    }

    fn copy_all(
        &mut self,
        fields: Resource<Fields>,
    ) -> wasmtime::Result<Vec<(FieldName, FieldValue)>> {
        let fields = self.table.fields.get(&fields)?.iter();
        let copy = |(name, value): (&http::HeaderName, &http::HeaderValue)| {
            (name.as_str().to_owned(), value.as_bytes().to_owned())
        };
        Ok(fields.map(copy).collect())
    }

    fn clone(&mut self, fields: Resource<Fields>) -> wasmtime::Result<Resource<Fields>> {
        let mut fields = self.table.fields.get(&fields)?.clone();
        fields.set_mutable(FIELDS_BYTES_MAX);
        self.table.fields.push(fields)
    }

    fn drop(&mut self, fields: Resource<Fields>) -> wasmtime::Result<()> {
        self.table.fields.take(fields)?;
        Ok(())
    }
}
