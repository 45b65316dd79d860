"""`wasi:keyvalue`."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from componentize_py_types import Err
from wit_world.imports import wasi_keyvalue_atomics_0_2_0_draft2 as atomics
from wit_world.imports import wasi_keyvalue_batch_0_2_0_draft2 as batch
from wit_world.imports import wasi_keyvalue_store_0_2_0_draft2 as store

from holdfast import errors
from holdfast._host import Bucket, Watched


def open(name: str) -> Bucket:
    """Opens a bucket."""
    with _raising():
        return _Bucket(store.open(name))


class _Bucket:
    def __init__(self, bucket: store.Bucket) -> None:
        self._bucket = bucket

    def get(self, key: str) -> bytes | None:
        with _raising():
            return self._bucket.get(key)

    def set(self, key: str, value: bytes) -> None:
        with _raising():
            self._bucket.set(key, value)

    def delete(self, key: str) -> None:
        with _raising():
            self._bucket.delete(key)

    def exists(self, key: str) -> bool:
        with _raising():
            return self._bucket.exists(key)

    def list_keys(self, cursor: str | None) -> tuple[list[str], str | None]:
        with _raising():
            page = self._bucket.list_keys(cursor)
        return page.keys, page.cursor

    def get_many(self, keys: list[str]) -> list[tuple[str, bytes | None]]:
        with _raising():
            return batch.get_many(self._bucket, keys)

    def set_many(self, pairs: list[tuple[str, bytes]]) -> None:
        with _raising():
            batch.set_many(self._bucket, pairs)

    def delete_many(self, keys: list[str]) -> None:
        with _raising():
            batch.delete_many(self._bucket, keys)

    def increment(self, key: str, delta: int) -> int:
        with _raising():
            return atomics.increment(self._bucket, key, delta)

    def watch(self, key: str) -> Watched:
        with _raising():
            return _Watched(atomics.Cas.new(self._bucket, key))


class _Watched:
    def __init__(self, cas: atomics.Cas) -> None:
        self._cas = cas

    def current(self) -> bytes | None:
        with _raising():
            return self._cas.current()

    def swap(self, value: bytes) -> Watched | None:
        try:
            atomics.swap(self._cas, value)
        except Err as error:
            if isinstance(error.value, atomics.CasError_CasFailed):
                return _Watched(error.value.value)
            raise _error(error.value.value) from None
        return None


@contextmanager
def _raising() -> Iterator[None]:
    try:
        yield
    except Err as error:
        raise _error(error.value) from None


def _error(error: store.Error) -> errors.StoreError:
    match error:
        case store.Error_NoSuchStore():
            return errors.NoSuchStore()
        case store.Error_AccessDenied():
            return errors.AccessDenied()
        case store.Error_Other(text):
            return errors.StoreError(f"the key-value store failed: {text}")
    raise AssertionError(error)
