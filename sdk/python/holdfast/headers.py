"""Header fields (RFC 9110, section 5)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import TypeAlias

HeadersLike: TypeAlias = "Headers | Mapping[str, str] | Iterable[tuple[str, str | bytes]]"
"""What can be given where header fields are wanted."""


class Headers:
    """Header fields in order; names without regard to case, several of one name allowed.

    Values are text in Latin-1, as in all of Python's HTTP, so that each byte is a character.
    """

    def __init__(self, fields: HeadersLike = ()) -> None:
        self._fields: list[tuple[str, str]] = []
        pairs: Iterable[tuple[str, str | bytes]]
        if isinstance(fields, Headers):
            pairs = fields.items()
        elif isinstance(fields, Mapping):
            pairs = fields.items()
        else:
            pairs = fields
        for name, value in pairs:
            self.add(name, value)

    def add(self, name: str, value: str | bytes) -> None:
        """Adds a field, whatever is there of its name."""
        if isinstance(value, bytes):
            value = value.decode("latin-1")
        self._fields.append((name.lower(), value))

    def get(self, name: str, default: str | None = None) -> str | None:
        """The first value of a name."""
        wanted = name.lower()
        return next((value for key, value in self._fields if key == wanted), default)

    def get_all(self, name: str) -> list[str]:
        """All values of a name, in order."""
        wanted = name.lower()
        return [value for key, value in self._fields if key == wanted]

    def setdefault(self, name: str, value: str) -> None:
        """Adds a field if there is none of its name."""
        if name not in self:
            self.add(name, value)

    def items(self) -> Iterator[tuple[str, str]]:
        """All fields, in order; names in lower case."""
        return iter(list(self._fields))

    def raw(self) -> list[tuple[str, bytes]]:
        """All fields as bytes. What is not Latin-1 becomes UTF-8."""
        return [(name, _encoded(value)) for name, value in self._fields]

    def __getitem__(self, name: str) -> str:
        value = self.get(name)
        if value is None:
            raise KeyError(name)
        return value

    def __setitem__(self, name: str, value: str) -> None:
        """Replaces all fields of a name."""
        del self[name]
        self.add(name, value)

    def __delitem__(self, name: str) -> None:
        """Removes all fields of a name, if there are any."""
        wanted = name.lower()
        self._fields = [field for field in self._fields if field[0] != wanted]

    def __contains__(self, name: object) -> bool:
        return isinstance(name, str) and self.get(name) is not None

    def __len__(self) -> int:
        return len(self._fields)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Headers) and self._fields == other._fields

    def __repr__(self) -> str:
        return f"Headers({self._fields!r})"


def _encoded(value: str) -> bytes:
    try:
        return value.encode("latin-1")
    except UnicodeEncodeError:
        return value.encode()
