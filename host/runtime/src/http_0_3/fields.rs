//! Header fields and trailers.

mod map;

use http::{HeaderMap, HeaderValue};
use wasmtime::StoreContextMut;
use wasmtime::component::{Linker, Resource, WasmList, WasmStr};
use wasmtime_wasi::TrappableError;
use wasmtime_wasi_http::p3::bindings::http::types::{
    FieldName, FieldValue, Fields, HeaderError, HostFields,
};

use super::{FIELDS_BYTES_MAX, View};
use crate::guest::Guest;
pub(crate) use map::FieldMap;

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
            Ok((from_list(store, &entries)?,))
        },
    )?;
    types.func_wrap(
        "[method]fields.set",
        |store: StoreContextMut<'_, Guest>,
         (fields, name, values): (Resource<Fields>, String, Values)| {
            Ok((set(store, &fields, &name, &values)?,))
        },
    )?;
    linker.allow_shadowing(false);
    Ok(())
}

/// A change of fields. What ends the guest is told from what the guest is told.
pub(super) type Changed<T> = wasmtime::Result<Result<T, HeaderError>>;

/// The same as the bindings have it.
fn flat<T>(changed: Changed<T>) -> FieldsResult<T> {
    changed.map_err(TrappableError::trap)?.map_err(Into::into)
}

fn from_list(
    mut store: StoreContextMut<'_, Guest>,
    entries: &Entries,
) -> Changed<Resource<Fields>> {
    let mut fields = FieldMap::made(HeaderMap::new());
    let mut index = 0;
    while let Some(entry) = entries.get(&mut store, index) {
        let (name, value) = entry?;
        let appended = fields.append(name.to_str(&store)?.as_bytes(), value.as_le_slice(&store));
        if let Err(refusal) = appended {
            return Ok(Err(refusal));
        }
        index += 1;
    }
    let table = store.data_mut().http_0_3().table;
    table.fields.push(fields).map(Ok)
}

fn set(
    mut store: StoreContextMut<'_, Guest>,
    fields: &Resource<Fields>,
    name: &FieldName,
    values: &Values,
) -> Changed<()> {
    let mut copies = Vec::new();
    let mut bytes = 0;
    while let Some(value) = values.get(&mut store, copies.len()) {
        let value = value?;
        bytes += size_of::<HeaderValue>() + value.len();
        if bytes > FIELDS_BYTES_MAX {
            return Ok(Err(HeaderError::SizeExceeded));
        }
        copies.push(value.as_le_slice(&store).to_vec());
    }
    let fields = store.data_mut().http_0_3().table.fields.get_mut(fields)?;
    Ok(fields.set(name.as_bytes(), &copies))
}

impl View<'_> {
    /// The fields of a message, which can't be changed from now on.
    pub(crate) fn take_fields(&mut self, fields: Resource<Fields>) -> wasmtime::Result<FieldMap> {
        let mut fields = self.table.fields.take(fields)?;
        fields.freeze();
        Ok(fields)
    }

    /// Adds a field.
    pub(super) fn append_field(
        &mut self,
        fields: &Resource<Fields>,
        name: &[u8],
        value: &[u8],
    ) -> Changed<()> {
        Ok(self.table.fields.get_mut(fields)?.append(name, value))
    }

    /// Gives all fields of a name other values.
    pub(super) fn set_field(
        &mut self,
        fields: &Resource<Fields>,
        name: &[u8],
        values: &[FieldValue],
    ) -> Changed<()> {
        Ok(self.table.fields.get_mut(fields)?.set(name, values))
    }

    fn remove_field(
        &mut self,
        fields: &Resource<Fields>,
        name: &FieldName,
    ) -> Changed<Vec<HeaderValue>> {
        let fields = self.table.fields.get_mut(fields)?;
        Ok(fields.remove_all(name.as_bytes()))
    }
}

impl HostFields for View<'_> {
    fn new(&mut self) -> wasmtime::Result<Resource<Fields>> {
        let spare = std::mem::take(&mut self.table.spare);
        self.table.fields.push(FieldMap::made(spare))
    }

    /// The trait asks for it; guests call the other [`from_list`].
    fn from_list(
        &mut self,
        entries: Vec<(FieldName, FieldValue)>,
    ) -> FieldsResult<Resource<Fields>> {
        let mut fields = FieldMap::made(HeaderMap::new());
        for (name, value) in entries {
            fields.append(name.as_bytes(), &value)?;
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
        flat(self.set_field(&fields, name.as_bytes(), &values))
    }

    fn delete(&mut self, fields: Resource<Fields>, name: FieldName) -> FieldsResult<()> {
        flat(self.remove_field(&fields, &name)).map(drop)
    }

    fn get_and_delete(
        &mut self,
        fields: Resource<Fields>,
        name: FieldName,
    ) -> FieldsResult<Vec<FieldValue>> {
        let values = flat(self.remove_field(&fields, &name))?;
        Ok(values.iter().map(|value| value.as_bytes().into()).collect())
    }

    fn append(
        &mut self,
        fields: Resource<Fields>,
        name: FieldName,
        value: FieldValue,
    ) -> FieldsResult<()> {
        flat(self.append_field(&fields, name.as_bytes(), &value))
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
        let mut fields = self.table.fields.get_mut(&fields)?.share();
        fields.thaw();
        self.table.fields.push(fields)
    }

    fn drop(&mut self, fields: Resource<Fields>) -> wasmtime::Result<()> {
        self.table.fields.take(fields)?;
        Ok(())
    }
}
