"""What a plugin has exported, and how its handlers are run.

Here exceptions of handlers become what the host is told, in one place, and whoever calls
(`holdfast._component`, `holdfast.testing`) only converts.
"""

from __future__ import annotations

from collections.abc import Awaitable
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

from holdfast import log
from holdfast.websocket import Accept, Closure, Connection, Handshake, Message, Reject, WebSocket

if TYPE_CHECKING:
    from holdfast.http import Handler, Request, Response

T = TypeVar("T")


@dataclass
class Plugin:
    """The handlers of a plugin."""

    http: Handler | None = None
    websocket: WebSocket | None = None


class Failed(Exception):
    """A handler has failed, and that is in the log. The text is for the host."""


plugin = Plugin()
"""The one of this program."""


def export(*, http: Handler | None = None, websocket: WebSocket | None = None) -> None:
    """Exports a plugin's handlers. Once in a program, while it is imported.

    `http` is an `async def` from `Request` to `Response`, text or bytes, or a
    `holdfast.wsgi.Wsgi`; `websocket` an instance of a class derived from `WebSocket`.
    """
    if http is None and websocket is None:
        raise TypeError("give `http`, `websocket` or both")
    if plugin.http is not None or plugin.websocket is not None:
        raise RuntimeError("the handlers are exported already: `holdfast.export` is called once")
    if http is not None and not callable(http):
        raise TypeError(f"`http` is to be an async function, not {http!r}")
    if websocket is not None and not isinstance(websocket, WebSocket):
        raise TypeError(f"`websocket` is to be an instance of a class derived from WebSocket, not {websocket!r}")
    plugin.http, plugin.websocket = http, websocket


def reset() -> None:
    """Forgets what was exported, for tests."""
    plugin.http = plugin.websocket = None


async def handle(request: Request) -> Response:
    """Runs the HTTP handler. Raises `Failed`."""
    from holdfast.http import Response

    if plugin.http is None:
        raise RuntimeError("the plugin has no HTTP handler")
    answer = await _told("the HTTP handler", plugin.http(request))
    if isinstance(answer, Response):
        return answer
    if isinstance(answer, (str, bytes)):
        return Response(answer)
    log.error(f"the HTTP handler has returned {answer!r}: neither a Response, nor text, nor bytes")
    raise Failed(f"the HTTP handler has returned {type(answer).__name__}")


async def accept(handshake: Handshake) -> Accept | Reject:
    """Asks the handler about a handshake. What fails is refused with 500."""
    try:
        answer = await _handler().accept(handshake)
    except Reject as refusal:
        return refusal
    except Exception as error:
        log.exception("accept failed", error)
        return Reject(500)
    return Accept() if answer is None else answer


async def open(connection: Connection) -> None:
    """Raises `Failed`."""
    await _told("open", _handler().open(connection))


async def receive(connection: Connection, message: Message) -> None:
    """Raises `Failed`."""
    await _told("receive", _handler().receive(connection, message))


async def close(connection: Connection, closure: Closure) -> None:
    """Raises `Failed`."""
    await _told("close", _handler().close(connection, closure))


def _handler() -> WebSocket:
    if plugin.websocket is None:
        raise RuntimeError("the plugin has no WebSocket handler")
    return plugin.websocket


async def _told(what: str, work: Awaitable[T]) -> T:
    try:
        return await work
    except Exception as error:
        log.exception(f"{what} failed", error)
        raise Failed(log.summary(error)) from error
