"""What the modules of this package ask of the host.

In a component it is `holdfast._component`, which speaks with the host through the
generated bindings; in tests `holdfast.testing`, which is a host in memory. Nothing else
knows which of them it is.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from holdfast.connections import State
    from holdfast.http import Request, Response
    from holdfast.log import Level
    from holdfast.topics import Delivery, Subscriber
    from holdfast.websocket import Message


class Bucket(Protocol):
    """An open store of keys and values. Errors are those of `holdfast.keyvalue`."""

    def get(self, key: str) -> bytes | None: ...
    def set(self, key: str, value: bytes) -> None: ...
    def delete(self, key: str) -> None: ...
    def exists(self, key: str) -> bool: ...
    def list_keys(self, cursor: str | None) -> tuple[list[str], str | None]: ...
    def get_many(self, keys: list[str]) -> list[tuple[str, bytes | None]]: ...
    def set_many(self, pairs: list[tuple[str, bytes]]) -> None: ...
    def delete_many(self, keys: list[str]) -> None: ...
    def increment(self, key: str, delta: int) -> int: ...
    def watch(self, key: str) -> Watched: ...


class Watched(Protocol):
    """A value that is to be replaced by compare-and-swap."""

    def current(self) -> bytes | None: ...
    def swap(self, value: bytes) -> Watched | None:
        """Replaces it; gives what is there now if somebody was faster."""


class Host(Protocol):
    """The host's capabilities, in the types of this package."""

    def send(self, connection: str, message: Message) -> int: ...
    def close(self, connection: str, code: int, reason: str) -> None: ...
    def get(self, connection: str) -> State | None: ...
    def set_attachment(self, connection: str, attachment: bytes, expected: int | None) -> int: ...

    def subscribe(self, connection: str, topic: str) -> None: ...
    def unsubscribe(self, connection: str, topic: str) -> None: ...
    def publish(self, topic: str, message: Message, without: str | None) -> Delivery: ...
    def count(self, topic: str) -> int: ...
    def subscribers(self, topic: str, limit: int) -> list[Subscriber]: ...

    def log(self, level: Level, context: str, message: str) -> None: ...
    def config(self, key: str) -> str | None: ...
    def config_all(self) -> Iterable[tuple[str, str]]: ...
    def open(self, name: str) -> Bucket: ...
    async def fetch(self, request: Request) -> Response: ...


_current: Host | None = None


def host() -> Host:
    """The host that is there."""
    if _current is None:
        raise RuntimeError(
            "there is no host here: code that asks it runs in a component, "
            "or in a test inside `with holdfast.testing.Host()`"
        )
    return _current


def is_there() -> bool:
    """Whether there is a host."""
    return _current is not None


def install(host: Host | None) -> Host | None:
    """Makes this the host, and returns the one before."""
    global _current
    before, _current = _current, host
    return before
