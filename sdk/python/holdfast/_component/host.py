"""The host's capabilities over the generated bindings: connections, topics, the log.

What a component imports only if its plugin uses it has modules of its own beside this one,
and comes in as a part.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Protocol

from componentize_py_types import Err
from wit_world.imports import holdfast_websocket_connections_0_1_0 as connections
from wit_world.imports import holdfast_websocket_topics_0_1_0 as topics
from wit_world.imports import holdfast_websocket_websocket_types_0_1_0 as types
from wit_world.imports import wasi_logging_logging_0_1_0_draft as logging

from holdfast import errors
from holdfast._host import Bucket
from holdfast.connections import State
from holdfast.http import Request, Response
from holdfast.log import Level
from holdfast.topics import Delivery, Subscriber
from holdfast.websocket import Message

_LEVELS = {
    Level.TRACE: logging.Level.TRACE,
    Level.DEBUG: logging.Level.DEBUG,
    Level.INFO: logging.Level.INFO,
    Level.WARN: logging.Level.WARN,
    Level.ERROR: logging.Level.ERROR,
    Level.CRITICAL: logging.Level.CRITICAL,
}


class Config(Protocol):
    """`holdfast._component.config`."""

    def get(self, key: str) -> str | None: ...
    def get_all(self) -> Iterable[tuple[str, str]]: ...


class Store(Protocol):
    """`holdfast._component.keyvalue`."""

    def open(self, name: str) -> Bucket: ...


class Client(Protocol):
    """`holdfast._component.http`."""

    async def fetch(self, request: Request) -> Response: ...


class ComponentHost:
    """The host around this component."""

    def __init__(self) -> None:
        self.config_part: Config | None = None
        self.store_part: Store | None = None
        self.client_part: Client | None = None

    def send(self, connection: str, message: Message) -> int:
        try:
            return connections.send(connection, to_message(message))
        except Err as error:
            raise _send_error(error.value) from None

    def close(self, connection: str, code: int, reason: str) -> None:
        try:
            connections.close(connection, code, reason)
        except Err as error:
            raise _close_error(error.value) from None

    def get(self, connection: str) -> State | None:
        state = connections.get(connection)
        if state is None:
            return None
        return State(state.attachment, state.attachment_version, state.buffered_bytes)

    def set_attachment(self, connection: str, attachment: bytes, expected: int | None) -> int:
        try:
            return connections.set_attachment(connection, attachment, expected)
        except Err as error:
            raise _attachment_error(error.value) from None

    def subscribe(self, connection: str, topic: str) -> None:
        try:
            topics.subscribe(connection, topic)
        except Err as error:
            raise _subscribe_error(error.value) from None

    def unsubscribe(self, connection: str, topic: str) -> None:
        topics.unsubscribe(connection, topic)

    def publish(self, topic: str, message: Message, without: str | None) -> Delivery:
        try:
            delivery = topics.publish(topic, to_message(message), without)
        except Err as error:
            raise errors.TooLarge(error.value.value) from None
        return Delivery(delivery.queued, delivery.full)

    def count(self, topic: str) -> int:
        return topics.count(topic)

    def subscribers(self, topic: str, limit: int) -> list[Subscriber]:
        found = topics.subscribers(topic, limit)
        return [Subscriber(one.connection, one.attachment) for one in found]

    def log(self, level: Level, context: str, message: str) -> None:
        logging.log(_LEVELS[level], context, message)

    def config(self, key: str) -> str | None:
        return _granted(self.config_part, "config").get(key)

    def config_all(self) -> Iterable[tuple[str, str]]:
        return _granted(self.config_part, "config").get_all()

    def open(self, name: str) -> Bucket:
        return _granted(self.store_part, "keyvalue").open(name)

    async def fetch(self, request: Request) -> Response:
        return await _granted(self.client_part, "http").fetch(request)


def _granted[T](part: T | None, module: str) -> T:
    if part is None:
        raise RuntimeError(f"import holdfast.{module} at the top of a module of the plugin")
    return part


def to_message(message: Message) -> types.Message:
    """A message for the host."""
    if isinstance(message, str):
        return types.Message_Text(message)
    return types.Message_Binary(bytes(message))


def _send_error(error: connections.SendError) -> errors.HostError:
    match error:
        case connections.SendError_Full(buffered_bytes):
            return errors.QueueFull(buffered_bytes)
        case connections.SendError_TooLarge(limit):
            return errors.TooLarge(limit)
    return errors.Gone()


def _close_error(error: connections.CloseError) -> errors.HostError:
    match error:
        case connections.CloseError_InvalidCode():
            return errors.InvalidCode()
        case connections.CloseError_ReasonTooLong():
            return errors.ReasonTooLong()
    return errors.Gone()


def _attachment_error(error: connections.AttachmentError) -> errors.HostError:
    match error:
        case connections.AttachmentError_Conflict(version):
            return errors.Conflict(version)
        case connections.AttachmentError_TooLarge(limit):
            return errors.TooLarge(limit)
    return errors.Gone()


def _subscribe_error(error: topics.SubscribeError) -> errors.HostError:
    match error:
        case topics.SubscribeError_TooMany(limit):
            return errors.TooManyTopics(limit)
        case topics.SubscribeError_InvalidName(limit):
            return errors.InvalidTopic(limit)
    return errors.Gone()
