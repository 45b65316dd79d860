//! Header fields and trailers.

use wasmtime::component::Resource;
use wasmtime_wasi::TrappableError;
use wasmtime_wasi_http::p3::bindings::http::types::{
    FieldName, FieldValue, Fields, HeaderError, HostFields,
};
use wasmtime_wasi_http::{FieldMap, FieldMapError};

use super::{FIELDS_BYTES_MAX, View};

type FieldsResult<T> = Result<T, TrappableError<HeaderError>>;

impl View<'_> {
    /// The fields of a message, which can't be changed from now on.
    pub(super) fn take_fields(&mut self, fields: Resource<Fields>) -> wasmtime::Result<FieldMap> {
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

fn refusal(error: FieldMapError) -> TrappableError<HeaderError> {
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
