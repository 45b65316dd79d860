"""Topics: named groups of connections within the tenant.

The host does the fan-out without waking a guest. A topic exists while it has a
subscriber.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from holdfast._host import host
from holdfast.errors import Gone, InvalidTopic, TooLarge, TooManyTopics

if TYPE_CHECKING:
    from holdfast.websocket import Message

__all__ = [
    "SUBSCRIBERS_MAX",
    "Delivery",
    "Gone",
    "InvalidTopic",
    "Subscriber",
    "TooLarge",
    "TooManyTopics",
    "count",
    "publish",
    "subscribe",
    "subscribers",
    "unsubscribe",
]

SUBSCRIBERS_MAX = 1000
"""The most that `subscribers` returns."""


@dataclass(frozen=True)
class Delivery:
    """What became of a published message."""

    queued: int
    """Connections in whose queue it is now."""
    full: int
    """Connections whose queue was full, under the policy to wait."""


@dataclass(frozen=True)
class Subscriber:
    """A connection that is subscribed to a topic."""

    connection: str
    """Its id."""
    attachment: bytes


def subscribe(connection: str, topic: str) -> None:
    """Subscribes a connection, by id. Doing so twice is no error.

    Raises `Gone`, `TooManyTopics` or `InvalidTopic`.
    """
    host().subscribe(connection, topic)


def unsubscribe(connection: str, topic: str) -> None:
    """Ends a subscription. Ending one that is not there is no error."""
    host().unsubscribe(connection, topic)


def publish(topic: str, message: Message, *, without: str | None = None) -> Delivery:
    """Queues a message for every subscriber but the connection `without`, by id.

    Messages published by one handler arrive in order. Raises `TooLarge`.
    """
    return host().publish(topic, message, without)


def count(topic: str) -> int:
    """How many connections are subscribed."""
    return host().count(topic)


def subscribers(topic: str, limit: int = SUBSCRIBERS_MAX) -> list[Subscriber]:
    """The subscribers and their attachments, in no particular order.

    At most `limit` of them and at most `SUBSCRIBERS_MAX`.
    """
    return host().subscribers(topic, limit)
