//! Options of requests which guests send.

use std::sync::Arc;
use std::time::Duration;

use wasmtime::component::Resource;
use wasmtime_wasi::TrappableError;
use wasmtime_wasi_http::RequestOptions;
use wasmtime_wasi_http::p3::bindings::clocks::monotonic_clock::Duration as Nanoseconds;
use wasmtime_wasi_http::p3::bindings::http::types::{
    HostRequestOptions, RequestOptions as Handle, RequestOptionsError,
};

use super::View;

type Get = wasmtime::Result<Option<Nanoseconds>>;
type Set = Result<(), TrappableError<RequestOptionsError>>;

impl View<'_> {
    fn timeout(
        &self,
        options: &Resource<Handle>,
        timeout: impl FnOnce(&RequestOptions) -> Option<Duration>,
    ) -> Get {
        let options = self.table.options.get(options)?;
        let timeout = timeout(options).map(|timeout| timeout.as_nanos().try_into());
        Ok(timeout.transpose()?)
    }

    fn set_timeout(
        &mut self,
        options: &Resource<Handle>,
        timeout: Option<Nanoseconds>,
        set: impl FnOnce(&mut RequestOptions, Option<Duration>),
    ) -> Set {
        let options = self.table.options.get_mut(options);
        let options = options.map_err(TrappableError::trap)?;
        let options = options.get_mut().ok_or(RequestOptionsError::Immutable)?;
        set(options, timeout.map(Duration::from_nanos));
        Ok(())
    }
}

impl HostRequestOptions for View<'_> {
    fn new(&mut self) -> wasmtime::Result<Resource<Handle>> {
        self.table.options.push(Handle::new_mutable_default())
    }

    fn get_connect_timeout(&mut self, options: Resource<Handle>) -> Get {
        self.timeout(&options, |options| options.connect_timeout)
    }

    fn set_connect_timeout(
        &mut self,
        options: Resource<Handle>,
        timeout: Option<Nanoseconds>,
    ) -> Set {
        self.set_timeout(&options, timeout, |options, timeout| {
            options.connect_timeout = timeout;
        })
    }

    fn get_first_byte_timeout(&mut self, options: Resource<Handle>) -> Get {
        self.timeout(&options, |options| options.first_byte_timeout)
    }

    fn set_first_byte_timeout(
        &mut self,
        options: Resource<Handle>,
        timeout: Option<Nanoseconds>,
    ) -> Set {
        self.set_timeout(&options, timeout, |options, timeout| {
            options.first_byte_timeout = timeout;
        })
    }

    fn get_between_bytes_timeout(&mut self, options: Resource<Handle>) -> Get {
        self.timeout(&options, |options| options.between_bytes_timeout)
    }

    fn set_between_bytes_timeout(
        &mut self,
        options: Resource<Handle>,
        timeout: Option<Nanoseconds>,
    ) -> Set {
        self.set_timeout(&options, timeout, |options, timeout| {
            options.between_bytes_timeout = timeout;
        })
    }

    fn clone(&mut self, options: Resource<Handle>) -> wasmtime::Result<Resource<Handle>> {
        let options = Arc::clone(self.table.options.get(&options)?);
        self.table.options.push(Handle::new_mutable(options))
    }

    fn drop(&mut self, options: Resource<Handle>) -> wasmtime::Result<()> {
        self.table.options.take(options)?;
        Ok(())
    }
}
