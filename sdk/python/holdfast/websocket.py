"""WebSocket events.

For one connection the host calls `accept` once, then `open` once, then `receive` for each
message in order, one at a time, then `close` exactly once, whatever happened. Different
connections run concurrently, in one instance and in several, so an attribute of the
handler is no place for state: the attachment, topics and `holdfast.keyvalue` are.

    class Echo(WebSocket):
        async def receive(self, connection: Connection, message: Message) -> None:
            connection.send(message)

    holdfast.export(websocket=Echo())
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from enum import Enum
from typing import TypeAlias
from urllib.parse import parse_qs

from holdfast import connections, topics
from holdfast.headers import Headers, HeadersLike

__all__ = [
    "Accept",
    "CloseCause",
    "Closure",
    "Connection",
    "Handshake",
    "Message",
    "Reject",
    "WebSocket",
]

Message: TypeAlias = str | bytes
"""A complete WebSocket message (RFC 6455, section 5.6): text or binary.

The host joins fragments and answers pings. Its size is limited by `message_bytes_max`, 1 MiB
unless the plugin's manifest says otherwise.
"""


@dataclass(frozen=True)
class Handshake:
    """An opening handshake (RFC 6455, section 4.2.1) about which the plugin has to decide."""

    id: str
    """The id which the connection will have if it is accepted.

    Messages sent to it from now on are queued, and written after the handshake.
    """
    scheme: str
    """`http` or `https`."""
    authority: str
    """The `Host` field or the `:authority` pseudo-header field."""
    path_with_query: str
    """As the client sent them, still percent-encoded."""
    headers: Headers = field(default_factory=Headers)
    """All header fields of the request."""
    subprotocols: Sequence[str] = ()
    """Those which the client offers, best first."""
    remote_address: str = "0.0.0.0:0"
    """Address of the client, `ADDRESS:PORT`."""

    @property
    def path(self) -> str:
        """The path, still percent-encoded."""
        return self.path_with_query.partition("?")[0]

    @property
    def query(self) -> str:
        """The query as the client sent it, without the question mark; `""` for none."""
        return self.path_with_query.partition("?")[2]

    def query_value(self, key: str) -> str | None:
        """The first value of a key in the query, decoded."""
        values = parse_qs(self.query, keep_blank_values=True).get(key)
        return values[0] if values else None


@dataclass
class Accept:
    """Accepts a handshake: the host answers 101."""

    attachment: bytes = b""
    """The bytes which the host keeps for the connection and gives to each of its events.

    Limit: 4 KiB unless configured otherwise (`attachment_bytes_max`).
    """
    topics: Iterable[str] = ()
    """Topics to which the connection is subscribed before its first event."""
    subprotocol: str | None = None
    """One of the offered subprotocols. Any other makes the host answer 500 (RFC 6455, section 4.1)."""
    headers: HeadersLike = ()
    """More fields for the response. Those of the handshake itself are the host's."""


class Reject(Exception):
    """Refuses a handshake with an ordinary response; raised or returned by `accept`."""

    def __init__(self, status: int = 403, body: str | bytes = b"", headers: HeadersLike = ()) -> None:
        """`status` is 300 to 599; any other value becomes 500."""
        super().__init__(f"refused with {status}")
        self.status = status
        self.headers = Headers(headers)
        if isinstance(body, str):
            self.headers.setdefault("content-type", "text/plain; charset=utf-8")
            body = body.encode()
        self.body = body


@dataclass(frozen=True)
class Connection:
    """The connection an event belongs to, with what the host keeps for it.

    It lives as long as the event. What has to outlive it goes into the attachment, since the
    next event of the same connection may run in another instance, or in a newer version of
    the plugin.
    """

    id: str
    """Opaque, unguessable, and meaningful only inside the tenant.

    With it, any handler can reach the connection through `holdfast.connections`.
    """
    attachment: bytes = b""
    """As it was when the event began."""
    attachment_version: int = 0
    """Counts the changes of the attachment, from 0 at the handshake."""
    buffered_bytes: int = 0
    """Queued for the client, and not yet written to its socket, when the event began."""

    def send(self, message: Message) -> int:
        """See `connections.send`."""
        return connections.send(self.id, message)

    def close(self, code: int = 1000, reason: str = "") -> None:
        """See `connections.close`."""
        connections.close(self.id, code, reason)

    def set_attachment(self, attachment: bytes, expected: int | None = None) -> int:
        """See `connections.set_attachment`. `attachment` here stays that of the beginning."""
        return connections.set_attachment(self.id, attachment, expected)

    def subscribe(self, topic: str) -> None:
        """See `topics.subscribe`."""
        topics.subscribe(self.id, topic)

    def unsubscribe(self, topic: str) -> None:
        """See `topics.unsubscribe`."""
        topics.unsubscribe(self.id, topic)


class CloseCause(Enum):
    """Why a connection ended."""

    CLIENT = "client"
    """The client sent a close frame."""
    SERVER = "server"
    """A handler closed it."""
    IDLE = "idle"
    """Nothing was heard from the client for the idle time-out."""
    SLOW_CONSUMER = "slow-consumer"
    """The outbound queue was full and the policy is to close (1013)."""
    LIMIT = "limit"
    """A limit was exceeded, for example the message size (1009)."""
    ERROR = "error"
    """The client broke the protocol (1002, 1007), or a handler failed (1011)."""
    DEPLOY = "deploy"
    """The plugin was removed by a deployment (1001)."""
    DRAIN = "drain"
    """The host shuts down (1001)."""
    CONNECTION_LOST = "connection-lost"
    """The transport ended without a close frame (1006)."""


@dataclass(frozen=True)
class Closure:
    """How a connection ended."""

    cause: CloseCause
    code: int
    """The status code (RFC 6455, section 7.4): the client's for `CLIENT`, else the host's.

    1005 if the client gave none, 1006 if no close frame was received.
    """
    reason: str = ""
    """At most 123 bytes."""


class WebSocket:
    """The WebSocket events of a plugin. Override what you need.

    While a handler waits, the same instance takes events of other connections. An exception
    is logged; the host then closes the connection with 1011, or skips the event, as the
    plugin's `on_error` says.
    """

    format = ""
    """The name of the format in which this code writes attachments, at most 64 bytes.

    Connections stay open when a plugin is deployed anew, and so the new code meets attachments
    which the old one wrote. To change what they look like, give the new format a name, and
    override `migrate` in the same deployment.
    """

    async def accept(self, handshake: Handshake) -> Accept | Reject | None:
        """Decides about an opening handshake; `None` accepts it."""
        return None

    async def open(self, connection: Connection) -> None:
        """The connection is open: the client has been sent its 101."""

    async def receive(self, connection: Connection, message: Message) -> None:
        """A message arrived."""

    async def close(self, connection: Connection, closure: Closure) -> None:
        """The connection has ended. Nothing can be sent to it any more."""

    def migrate(self, from_format: str, attachment: bytes) -> bytes:
        """Turns an attachment of another format into one of this.

        The host calls it before the first event of a connection in this code, perhaps again
        with a newer attachment: it only computes. An exception leaves the connection with the
        code it had; its text shows in `holdfast status`.
        """
        return attachment

    @property
    def migrates(self) -> bool:
        """Whether the component is to have the optional interface for this."""
        return self.format != "" or type(self).migrate is not WebSocket.migrate
