"""SQLite databases without a file system: they live in memory, and are kept in `wasi:keyvalue`.

    db = sqlite.connect("blog")

gives a `sqlite3.Connection` with what was committed last, by whatever instance. `commit` keeps
it; if somebody else has committed since this connection was made, it raises
`sqlite3.OperationalError` ("database is locked"), as SQLite does when two write at a time, and
the connection has what the other has written. `holdfast.wsgi` then calls the application again.
It is for small databases: each connection reads
the whole one, and each commit that changes something writes it, up to `BYTES_MAX`.

While a component is built there is no host, and nothing is kept; what `initial` is given then,
every database of that name begins with:

    with sqlite.connect("blog") as db:
        db.executescript(SCHEMA)
        sqlite.initial("blog", db)
"""

from __future__ import annotations

import secrets
import sqlite3
from types import TracebackType
from typing import Any, Literal

from holdfast import _conflicts, _host, keyvalue

__all__ = ["BYTES_MAX", "Connection", "connect", "initial"]

BYTES_MAX = 32 << 20
"""The largest database that is kept."""

_PIECE_BYTES = 512 << 10
_PIECES_AT_ONCE = 16
_READS_MAX = 16
_initial: dict[str, bytes] = {}
_LOCKED = "database is locked: somebody else has changed it"


def connect(name: str, store: str = "default", **options: Any) -> Connection:
    """Opens the database `name` in a key-value store.

    `options` are those of `sqlite3.connect`.
    """
    connection = sqlite3.connect(":memory:", factory=Connection, **options)
    connection.attach(name, store)
    return connection


def initial(name: str, connection: sqlite3.Connection) -> None:
    """What is in this connection's database is what the database `name` begins with."""
    connection.commit()
    _initial[name] = connection.serialize()


class Connection(sqlite3.Connection):
    """A connection to a database that is kept. Made by `connect`."""

    _kept: _Kept | None = None

    def attach(self, name: str, store: str = "default") -> None:
        """Takes the place of what is there by the database `name`."""
        if _host.is_there():
            self._kept = _Kept(keyvalue.open(store), name)
            self._load()
        elif name in _initial:
            self.deserialize(_initial[name])

    def commit(self) -> None:
        """Ends a transaction, and keeps what has changed."""
        super().commit()
        self._keep()

    def close(self) -> None:
        """Keeps what has changed outside of transactions, and closes the connection."""
        try:
            if not self.in_transaction:
                self._keep()
        finally:
            super().close()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None
    ) -> Literal[False]:
        if kind is None:
            self.commit()
        else:
            self.rollback()
        return False

    def _load(self) -> None:
        assert self._kept is not None
        content = self._kept.read()
        if content:
            self.deserialize(content)

    def _keep(self) -> None:
        if self._kept is None:
            return
        content = self.serialize()
        if content == self._kept.content or not content:
            return
        if len(content) > BYTES_MAX:
            raise sqlite3.OperationalError(f"database or disk is full: it has over {BYTES_MAX} bytes")
        if not self._kept.write(content):
            self._load()
            _conflicts.add()
            raise sqlite3.OperationalError(_LOCKED)


class _Kept:
    """A database in a key-value store: a head, which names pieces, which are written before it."""

    def __init__(self, store: keyvalue.Store, name: str) -> None:
        self._store = store
        self._name, self._key = name, f"sqlite/{name}"
        self._head: bytes | None = None
        self.content = b""
        """As it was read or written last."""

    def read(self) -> bytes:
        for _ in range(_READS_MAX):
            self._head = self._store.get(self._key)
            self.content = b""
            if self._head is None:
                self.content = _initial.get(self._name, b"")
                return self.content
            keys = self._pieces(self._head)
            found: dict[str, bytes] = {}
            for some in _groups(keys):
                found |= self._store.get_many(some)
            # Whoever has written another one since has removed these.
            if len(found) == len(keys):
                self.content = b"".join(found[key] for key in keys)
                return self.content
        raise sqlite3.OperationalError(_LOCKED)

    def write(self, content: bytes) -> bool:
        """Says whether nobody else has written meanwhile."""
        count = -(-len(content) // _PIECE_BYTES)
        head = f"{secrets.token_hex(8)} {count}".encode()
        keys = self._pieces(head)
        for some in _groups(keys):
            start = keys.index(some[0])
            pieces = enumerate(some, start)
            self._store.set_many(
                {key: content[at * _PIECE_BYTES : (at + 1) * _PIECE_BYTES] for at, key in pieces}
            )
        if not self._store.replace(self._key, self._head, head):
            self._remove(head)
            return False
        if self._head is not None:
            self._remove(self._head)
        self._head, self.content = head, content
        return True

    def _remove(self, head: bytes) -> None:
        self._store.delete_many(self._pieces(head))

    def _pieces(self, head: bytes) -> list[str]:
        id, _, count = head.decode().partition(" ")
        return [f"{self._key}/{id}/{number}" for number in range(int(count))]


def _groups(keys: list[str]) -> list[list[str]]:
    return [keys[at : at + _PIECES_AT_ONCE] for at in range(0, len(keys), _PIECES_AT_ONCE)]
