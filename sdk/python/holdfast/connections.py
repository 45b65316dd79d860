"""Connections of the tenant, by id, from any handler, HTTP included.

Every function returns at once. An id of another tenant is answered like one that never
was.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from holdfast._host import host
from holdfast.errors import Conflict, Gone, InvalidCode, QueueFull, ReasonTooLong, TooLarge

if TYPE_CHECKING:
    from holdfast.websocket import Message

__all__ = [
    "Conflict",
    "Gone",
    "InvalidCode",
    "QueueFull",
    "ReasonTooLong",
    "State",
    "TooLarge",
    "close",
    "get",
    "send",
    "set_attachment",
]


@dataclass(frozen=True)
class State:
    """What the host knows of a connection."""

    attachment: bytes
    attachment_version: int
    """Counts the changes of the attachment, from 0 at the handshake."""
    buffered_bytes: int
    """Queued and not yet written to the socket."""


def send(connection: str, message: Message) -> int:
    """Queues a message; the host writes it when the socket takes it.

    Returns the number of bytes now waiting for this client, the message included.
    Delivery is at most once. Raises `Gone`, `QueueFull` or `TooLarge`.
    """
    return host().send(connection, message)


def close(connection: str, code: int = 1000, reason: str = "") -> None:
    """Closes a connection after what is already queued for it has been sent.

    The code is 1000, 1001, 1003, 1007 to 1014, or 3000 to 4999, the reason at most 123
    bytes (RFC 6455, sections 5.5 and 7.4). Raises `Gone`, `InvalidCode` or
    `ReasonTooLong`.
    """
    host().close(connection, code, reason)


def get(connection: str) -> State | None:
    """A connection's state; `None` if there is no such connection."""
    return host().get(connection)


def set_attachment(connection: str, attachment: bytes, expected: int | None = None) -> int:
    """Replaces a connection's attachment and returns its new version.

    With a version for `expected`, only if it is still at that one (compare-and-set).
    Raises `Gone`, `Conflict` or `TooLarge`.
    """
    return host().set_attachment(connection, attachment, expected)
