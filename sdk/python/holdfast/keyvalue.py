"""Keys and values which outlive connections, instances and versions of the plugin
(`wasi:keyvalue`).

Any instance may change a key at any time. Where the new value depends on the old one,
use `Store.update` or `Store.increment`.

    visits = keyvalue.open().increment("visits")
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from holdfast._host import Bucket, host
from holdfast.errors import AccessDenied, Contended, NoSuchStore, StoreError

__all__ = [
    "ATTEMPTS_MAX",
    "AccessDenied",
    "Contended",
    "NoSuchStore",
    "Store",
    "StoreError",
    "open",
]

ATTEMPTS_MAX = 1000
"""How often `Store.update` tries before it gives up."""


class Store:
    """A named bucket of keys and values. Every method may raise `StoreError`."""

    def __init__(self, bucket: Bucket) -> None:
        self._bucket = bucket

    def get(self, key: str) -> bytes | None:
        """The value of a key, if it has one."""
        return self._bucket.get(key)

    def set(self, key: str, value: bytes) -> None:
        """Sets a value, whatever there was."""
        self._bucket.set(key, value)

    def delete(self, key: str) -> None:
        """Removes a key. Removing one that is not there is no error."""
        self._bucket.delete(key)

    def exists(self, key: str) -> bool:
        """Whether a key has a value."""
        return self._bucket.exists(key)

    def keys(self) -> list[str]:
        """All keys. Those that come or go meanwhile may or may not be among them."""
        keys, cursor = self._bucket.list_keys(None)
        while cursor is not None:
            more, cursor = self._bucket.list_keys(cursor)
            keys += more
        return keys

    def get_many(self, keys: Iterable[str]) -> dict[str, bytes]:
        """The values of several keys in one call, without those that have none."""
        found = self._bucket.get_many(list(keys))
        return {key: value for key, value in found if value is not None}

    def set_many(self, values: Mapping[str, bytes]) -> None:
        """Sets several values in one call."""
        self._bucket.set_many(list(values.items()))

    def delete_many(self, keys: Iterable[str]) -> None:
        """Removes several keys in one call."""
        self._bucket.delete_many(list(keys))

    def increment(self, key: str, delta: int = 1) -> int:
        """Adds to a number, which is 0 where the key has no value, and returns the sum.

        No other change comes between.
        """
        return self._bucket.increment(key, delta)

    def update(self, key: str, change: Callable[[bytes | None], bytes]) -> bytes:
        """Replaces a value by what `change` makes of it, and returns the new one.

        No other change comes between: `change` is called again when one did, so it has
        to be free of effects. Raises `Contended` after `ATTEMPTS_MAX` times.
        """
        watched = self._bucket.watch(key)
        for _ in range(ATTEMPTS_MAX):
            value = change(watched.current())
            newer = watched.swap(value)
            if newer is None:
                return value
            watched = newer
        raise Contended(ATTEMPTS_MAX)

    def replace(self, key: str, expected: bytes | None, value: bytes) -> bool:
        """Sets a value if it is still `expected`; says whether it was."""
        watched = self._bucket.watch(key)
        while watched.current() == expected:
            newer = watched.swap(value)
            if newer is None:
                return True
            watched = newer
        return False


def open(name: str = "default") -> Store:
    """Opens a store; `default` is there wherever stores are granted."""
    return Store(host().open(name))
