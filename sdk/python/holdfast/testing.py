"""A host in memory, for tests of plugins: no component is built, and no socket opened.

    import app
    from holdfast.testing import Host

    def test_echo() -> None:
        with Host() as host:
            client = host.connect("/")
            client.send("hello")
            assert client.received == ["hello"]
            assert host.request("GET", "/").text == "hello\\n"

The plugin is the one which has called `holdfast.export`. What it does for connections, topics,
keys and values, settings and the log happens here, with the host's default limits.
"""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Awaitable, Callable, Coroutine, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, TypeVar

from holdfast import _exports, _host, errors
from holdfast.connections import State
from holdfast.headers import Headers, HeadersLike
from holdfast.http import BodyLike, Request, Response
from holdfast.log import Level
from holdfast.topics import SUBSCRIBERS_MAX, Delivery, Subscriber
from holdfast.websocket import CloseCause, Closure, Connection, Handshake, Message, Reject

__all__ = ["Answer", "Client", "Host", "Refused"]

T = TypeVar("T")

MESSAGE_BYTES_MAX = 1 << 20
ATTACHMENT_BYTES_MAX = 4 << 10
TOPICS_PER_CONNECTION_MAX = 64
TOPIC_BYTES_MAX = 256
REASON_BYTES_MAX = 123
_CODES = {1000, 1001, 1003, *range(1007, 1015), *range(3000, 5000)}


class Refused(Exception):
    """The plugin has refused a handshake."""

    def __init__(self, rejection: Reject) -> None:
        super().__init__(f"refused with {rejection.status}")
        self.status = rejection.status
        self.headers = rejection.headers
        self.body = rejection.body


@dataclass
class Answer:
    """A whole response."""

    status: int
    headers: Headers
    body: bytes

    @property
    def text(self) -> str:
        """The body as text."""
        return self.body.decode()


class Client:
    """A client of a WebSocket; what the plugin sends is in `received`."""

    def __init__(self, host: Host, id: str, subprotocol: str | None, headers: Headers) -> None:
        self._host = host
        self.id = id
        self.subprotocol = subprotocol
        self.headers = headers
        """Those of the handshake's response."""
        self.received: list[Message] = []
        self.closure: Closure | None = None
        """How it has ended, if it has."""
        self.attachment = b""
        self.attachment_version = 0
        self.topics: set[str] = set()

    def send(self, message: Message) -> None:
        """Sends a message, and waits until the plugin has handled it.

        A handler that fails closes the connection with 1011, as the host does by default.
        """
        if self.closure is not None:
            raise errors.Gone
        self._host._event(self, lambda at: _exports.receive(at, message))

    def take(self) -> list[Message]:
        """What was received since the last time."""
        taken, self.received = self.received, []
        return taken

    def close(self, code: int = 1000, reason: str = "") -> None:
        """Closes it from the client's side."""
        self._host._end(self, Closure(CloseCause.CLIENT, code, reason))

    def _connection(self) -> Connection:
        return Connection(self.id, self.attachment, self.attachment_version, 0)


class Host:
    """A host with one plugin. Use it in a `with` statement."""

    def __init__(
        self,
        config: Mapping[str, str] | None = None,
        fetch: Callable[[Request], Awaitable[Response]] | None = None,
    ) -> None:
        """`config` are the operator's settings; `fetch` answers outbound requests."""
        self._config = dict(config or {})
        self._fetch = fetch
        self._ids = itertools.count(1)
        self.clients: dict[str, Client] = {}
        """The open connections, by id."""
        self.values: dict[str, dict[str, bytes]] = {"default": {}}
        """The stores of keys and values."""
        self.lines: list[tuple[Level, str]] = []
        """The log."""
        self._before: _host.Host | None = None

    def __enter__(self) -> Host:
        self._before = _host.install(self)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None
    ) -> None:
        _host.install(self._before)

    # What a test does.

    def connect(
        self, path: str = "/", *, headers: HeadersLike = (), subprotocols: Sequence[str] = ()
    ) -> Client:
        """Opens a WebSocket. Raises `Refused`."""
        id = f"connection-{next(self._ids)}"
        shake = Handshake(
            id, "http", "localhost", path, Headers(headers), tuple(subprotocols), "127.0.0.1:40000"
        )
        answer = _run(_exports.accept(shake))
        if isinstance(answer, Reject):
            raise Refused(answer)
        client = Client(self, id, answer.subprotocol, Headers(answer.headers))
        client.attachment = bytes(answer.attachment)
        self.clients[id] = client
        for topic in answer.topics:
            self.subscribe(id, topic)
        self._event(client, _exports.open)
        return client

    def request(
        self, method: str, path: str, *, headers: HeadersLike = (), body: BodyLike = None
    ) -> Answer:
        """Makes a request, and reads the whole response. A handler that fails answers 500."""
        return _run(self._request(method, path, Headers(headers), body))

    async def _request(self, method: str, path: str, headers: Headers, body: BodyLike) -> Answer:
        request = Request.received(method, "http", "localhost", path, headers, body)
        try:
            response = await _exports.handle(request)
        except _exports.Failed:
            return Answer(500, Headers(), b"")
        try:
            return Answer(response.status, response.headers, await response.read())
        finally:
            await response.body.close()

    def _event(self, client: Client, event: Callable[[Connection], Coroutine[Any, Any, None]]) -> None:
        try:
            _run(event(client._connection()))
        except _exports.Failed:
            self._end(client, Closure(CloseCause.ERROR, 1011, ""))
        if client.closure is not None and client.id in self.clients:
            self._end(client, client.closure)

    def _end(self, client: Client, closure: Closure) -> None:
        if self.clients.pop(client.id, None) is None:
            return
        client.closure = closure
        client.topics.clear()
        try:
            _run(_exports.close(client._connection(), closure))
        except _exports.Failed:
            pass

    # What the plugin asks for.

    def _client(self, connection: str) -> Client:
        client = self.clients.get(connection)
        if client is None or client.closure is not None:
            raise errors.Gone
        return client

    def send(self, connection: str, message: Message) -> int:
        client = self._client(connection)
        length = _check(message)
        client.received.append(message)
        return length

    def close(self, connection: str, code: int, reason: str) -> None:
        client = self._client(connection)
        if code not in _CODES:
            raise errors.InvalidCode
        if len(reason.encode()) > REASON_BYTES_MAX:
            raise errors.ReasonTooLong
        client.closure = Closure(CloseCause.SERVER, code, reason)

    def get(self, connection: str) -> State | None:
        client = self.clients.get(connection)
        return None if client is None else State(client.attachment, client.attachment_version, 0)

    def set_attachment(self, connection: str, attachment: bytes, expected: int | None) -> int:
        client = self._client(connection)
        if len(attachment) > ATTACHMENT_BYTES_MAX:
            raise errors.TooLarge(ATTACHMENT_BYTES_MAX)
        if expected is not None and expected != client.attachment_version:
            raise errors.Conflict(client.attachment_version)
        client.attachment = bytes(attachment)
        client.attachment_version += 1
        return client.attachment_version

    def subscribe(self, connection: str, topic: str) -> None:
        client = self._client(connection)
        if not 0 < len(topic.encode()) <= TOPIC_BYTES_MAX:
            raise errors.InvalidTopic(TOPIC_BYTES_MAX)
        if topic not in client.topics and len(client.topics) >= TOPICS_PER_CONNECTION_MAX:
            raise errors.TooManyTopics(TOPICS_PER_CONNECTION_MAX)
        client.topics.add(topic)

    def unsubscribe(self, connection: str, topic: str) -> None:
        client = self.clients.get(connection)
        if client is not None:
            client.topics.discard(topic)

    def _subscribers(self, topic: str) -> list[Client]:
        return [client for client in self.clients.values() if topic in client.topics]

    def publish(self, topic: str, message: Message, without: str | None) -> Delivery:
        _check(message)
        found = [client for client in self._subscribers(topic) if client.id != without]
        for client in found:
            client.received.append(message)
        return Delivery(len(found), 0)

    def count(self, topic: str) -> int:
        return len(self._subscribers(topic))

    def subscribers(self, topic: str, limit: int) -> list[Subscriber]:
        found = self._subscribers(topic)[: min(limit, SUBSCRIBERS_MAX)]
        return [Subscriber(client.id, client.attachment) for client in found]

    def log(self, level: Level, context: str, message: str) -> None:
        self.lines.append((level, message))

    def config(self, key: str) -> str | None:
        return self._config.get(key)

    def config_all(self) -> Iterable[tuple[str, str]]:
        return self._config.items()

    def open(self, name: str) -> _Bucket:
        if name not in self.values:
            raise errors.NoSuchStore
        return _Bucket(self.values[name])

    async def fetch(self, request: Request) -> Response:
        if self._fetch is None:
            raise errors.FetchDenied(request.authority)
        return await self._fetch(request)


@dataclass
class _Bucket:
    values: dict[str, bytes]

    def get(self, key: str) -> bytes | None:
        return self.values.get(key)

    def set(self, key: str, value: bytes) -> None:
        self.values[key] = bytes(value)

    def delete(self, key: str) -> None:
        self.values.pop(key, None)

    def exists(self, key: str) -> bool:
        return key in self.values

    def list_keys(self, cursor: str | None) -> tuple[list[str], str | None]:
        return sorted(self.values), None

    def get_many(self, keys: list[str]) -> list[tuple[str, bytes | None]]:
        return [(key, self.values.get(key)) for key in keys]

    def set_many(self, pairs: list[tuple[str, bytes]]) -> None:
        self.values.update(pairs)

    def delete_many(self, keys: list[str]) -> None:
        for key in keys:
            self.delete(key)

    def increment(self, key: str, delta: int) -> int:
        try:
            number = int(self.values.get(key, b"0")) + delta
        except ValueError:
            raise errors.StoreError("the key-value store failed: the value is no number") from None
        self.values[key] = str(number).encode()
        return number

    def watch(self, key: str) -> _Watched:
        return _Watched(self, key, self.values.get(key))


@dataclass
class _Watched:
    bucket: _Bucket
    key: str
    seen: bytes | None = field(default=None)

    def current(self) -> bytes | None:
        return self.seen

    def swap(self, value: bytes) -> _Watched | None:
        if self.bucket.get(self.key) != self.seen:
            return self.bucket.watch(self.key)
        self.bucket.set(self.key, value)
        return None


def _check(message: Message) -> int:
    length = len(message.encode() if isinstance(message, str) else message)
    if length > MESSAGE_BYTES_MAX:
        raise errors.TooLarge(MESSAGE_BYTES_MAX)
    return length


def _run(work: Coroutine[Any, Any, T]) -> T:
    return asyncio.run(work)
