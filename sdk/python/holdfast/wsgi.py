"""WSGI applications (PEP 3333) as the plugin's HTTP handler: Flask, Django, Bottle, unchanged.

    from holdfast.wsgi import Wsgi
    from flaskr import create_app

    holdfast.export(http=Wsgi(create_app()), websocket=Live())

A WSGI application can't wait: while it computes, its instance does nothing else, and the host
runs others. So the body of a request is read before the application is called; what it returns
is iterated while the client reads, and streams.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator, Callable, Iterable, Iterator
from contextlib import contextmanager
from io import BytesIO
from types import TracebackType
from typing import Any, TypeAlias
from urllib.parse import unquote_to_bytes
from wsgiref.util import FileWrapper

from holdfast import _conflicts, log
from holdfast.headers import Headers
from holdfast.http import BodyTooLarge, Request, Response

__all__ = ["Wsgi"]

ExcInfo: TypeAlias = "tuple[type[BaseException], BaseException, TracebackType] | tuple[None, None, None]"
Environ: TypeAlias = dict[str, Any]
Application: TypeAlias = Callable[[Environ, Callable[..., Callable[[bytes], object]]], Iterable[bytes]]

INPUT_BYTES_MAX = 16 << 20
"""The largest body that is read, unless said otherwise; the host's own limit is `body_bytes_max`."""

ATTEMPTS_MAX = 10
"""How often an application is called for one request.

It is called again when its answer is an error and a commit of `holdfast.sqlite` has come too late.
"""

_HOP_BY_HOP = frozenset(
    ("connection", "keep-alive", "proxy-connection", "te", "trailer", "transfer-encoding", "upgrade")
)


class Wsgi:
    """An HTTP handler that calls a WSGI application."""

    def __init__(
        self, application: Application, *, script_name: str = "", input_bytes_max: int = INPUT_BYTES_MAX
    ) -> None:
        """`script_name` is the path below which the application is, as in the manifest's route.

        A request with a body of more than `input_bytes_max` gets 413.
        """
        self.application = application
        self.script_name = script_name.rstrip("/")
        self.input_bytes_max = input_bytes_max

    async def __call__(self, request: Request) -> Response:
        """Handles a request."""
        try:
            body = await request.read(self.input_bytes_max)
        except BodyTooLarge:
            return Response("The body is too large.\n", 413)
        for attempt in range(ATTEMPTS_MAX):
            conflicts = _conflicts.count
            is_last = attempt + 1 == ATTEMPTS_MAX
            try:
                run = _Run(self.application, environ(request, body, self.script_name))
                response = run.response(request.method == "HEAD")
            except Exception:
                if is_last or _conflicts.count == conflicts:
                    raise
            else:
                if is_last or response.status < 500 or _conflicts.count == conflicts:
                    return response
                await response.body.close()
            # Whoever was in the way is to be gone when it comes again.
            await asyncio.sleep(random.random() * 0.01 * (attempt + 1))
        raise AssertionError("the last attempt returns or raises")

    def warm_up(self, *paths: str) -> None:
        """Asks the application for these paths while the component is built.

        Frameworks import modules and compile templates when they need them first; what they
        have by then, every instance begins with. There is no host yet. An application that
        fails here fails to be built.
        """
        for path in paths:
            asked = Request.received("GET", "http", "localhost", path, Headers(), None)
            _Run(self.application, environ(asked, b"", self.script_name)).drain()


def environ(request: Request, body: bytes, script_name: str = "") -> Environ:
    """What the application is told of a request."""
    path = request.path
    if script_name and (path + "/").startswith(script_name + "/"):
        path = path[len(script_name) :]
    else:
        script_name = ""
    server, port = _split(request.authority, "443" if request.scheme == "https" else "80")
    said: Environ = {
        "REQUEST_METHOD": request.method,
        "SCRIPT_NAME": _decoded(script_name),
        "PATH_INFO": _decoded(path),
        "QUERY_STRING": request.query,
        # For tools that want to see what the client has written.
        "REQUEST_URI": request.path_with_query,
        "SERVER_NAME": server or "localhost",
        "SERVER_PORT": port,
        "SERVER_PROTOCOL": "HTTP/1.1",
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": request.scheme,
        "wsgi.input": BytesIO(body),
        "wsgi.input_terminated": True,
        "wsgi.errors": _Errors(),
        "wsgi.multithread": False,
        "wsgi.multiprocess": True,
        "wsgi.run_once": False,
        "wsgi.file_wrapper": FileWrapper,
    }
    _add_fields(said, request.headers)
    if body or "content-length" in request.headers or "transfer-encoding" in request.headers:
        said["CONTENT_LENGTH"] = str(len(body))
    if request.authority:
        said["HTTP_HOST"] = request.authority
    if request.remote_address is not None:
        said["REMOTE_ADDR"], said["REMOTE_PORT"] = _split(request.remote_address, "")
    return said


def _add_fields(said: Environ, headers: Headers) -> None:
    for name, value in headers.items():
        # Two names would become one, and a client could pretend to be a proxy.
        if "_" in name or name in ("content-length", "transfer-encoding"):
            continue
        key = name.upper().replace("-", "_")
        if name != "content-type":
            key = f"HTTP_{key}"
        if key in said:
            value = f"{said[key]}{'; ' if name == 'cookie' else ', '}{value}"
        said[key] = value


def _decoded(path: str) -> str:
    """PEP 3333: bytes, each as a character."""
    return unquote_to_bytes(path).decode("latin-1")


def _split(authority: str, port: str) -> tuple[str, str]:
    name, colon, digits = authority.rpartition(":")
    if colon and digits.isdigit():
        return name.strip("[]"), digits
    return authority.strip("[]"), port


class _Errors:
    """`wsgi.errors`: what is written there is logged, line by line."""

    def __init__(self) -> None:
        self._rest = ""

    def write(self, text: str) -> int:
        *lines, self._rest = (self._rest + text).split("\n")
        for line in lines:
            if line.strip():
                log.error(line, "wsgi")
        return len(text)

    def writelines(self, lines: Iterable[str]) -> None:
        for line in lines:
            self.write(line)

    def flush(self) -> None:
        """A line is logged when it is complete, or with the response."""

    def finish(self) -> None:
        """Logs what has no line break at its end."""
        if self._rest:
            self.write("\n")


@contextmanager
def _outside_of_asyncio() -> Iterator[None]:
    """Lets code that is not async see no event loop: Django, for one, refuses to work in one."""
    loop = asyncio._get_running_loop()
    asyncio._set_running_loop(None)
    try:
        yield
    finally:
        asyncio._set_running_loop(loop)


class _Run:
    """One call of an application."""

    def __init__(self, application: Application, said: Environ) -> None:
        self._application = application
        self._environ = said
        # Middleware may put another one into the environment.
        self._errors: _Errors = said["wsgi.errors"]
        self._status: int | None = None
        self._headers = Headers()
        self._written: list[bytes] = []
        self._is_sent = False

    def start_response(
        self, status: str, headers: list[tuple[str, str]], exc_info: ExcInfo | None = None
    ) -> Callable[[bytes], object]:
        """What the application calls with the head of its response."""
        if exc_info is not None:
            try:
                if self._is_sent and exc_info[1] is not None:
                    raise exc_info[1].with_traceback(exc_info[2])
            finally:
                exc_info = None
        elif self._status is not None:
            raise AssertionError("start_response is called a second time, without exc_info")
        self._status = int(status.split(" ", 1)[0])
        self._headers = Headers((name, value) for name, value in headers if name.lower() not in _HOP_BY_HOP)
        return self._written.append

    def response(self, is_head: bool) -> Response:
        """Calls the application, up to the first bytes of the body: they send the head."""
        with _outside_of_asyncio():
            iterable = self._application(self._environ, self.start_response)
            body = _Body(iterable, self._written, self._errors)
        try:
            first = self._first(body)
            if self._status is None:
                raise AssertionError("the application has not called start_response")
            if self._known(iterable, first):
                self._headers.setdefault("content-length", str(len(first)))
            length = self._headers.get("content-length")
            if length == str(len(first)) and not is_head:
                # That is all. The application lets go of what it holds, such as a connection
                # to its database, before the next request is handled.
                body.close()
                return Response(first, self._status, self._headers)
            body.limit(length, is_head)
            body.put(first)
        except BaseException:
            body.close()
            raise
        return Response(body, self._status, self._headers)

    def drain(self) -> None:
        """Calls the application, and drops what it answers."""
        iterable = self._application(self._environ, self.start_response)
        body = _Body(iterable, self._written, self._errors)
        try:
            while body.next() is not None:
                pass
        finally:
            body.close()

    def _first(self, body: _Body) -> bytes:
        """The first bytes, with what was given to `write`."""
        first = b"".join(self._written)
        while not first:
            piece = body.next()
            # An application may call `write` or start_response only now.
            first = b"".join(self._written) + (piece or b"")
            if piece is None:
                break
        self._is_sent = True
        self._written.clear()
        return first

    def _known(self, iterable: Iterable[bytes], first: bytes) -> bool:
        """Whether that is all."""
        return isinstance(iterable, (list, tuple)) and (len(iterable) == 0 or len(iterable) == 1 and bool(first))


class _Body:
    """What an application has returned, as the body of a response."""

    def __init__(self, iterable: Iterable[bytes], written: list[bytes], errors: _Errors) -> None:
        self._iterable = iterable
        self._written = written
        self._iterator: Iterator[bytes] = iter(iterable)
        self._errors = errors
        self._is_closed = False
        self._rest: int | None = None
        self._first = b""

    def next(self) -> bytes | None:
        """The next piece, perhaps empty; none at the end."""
        with _outside_of_asyncio():
            return next(self._iterator, None)

    def limit(self, length: str | None, is_head: bool) -> None:
        """No more bytes than the response's head has promised."""
        if length is not None and length.isdigit() and not is_head:
            self._rest = int(length)

    def put(self, first: bytes) -> None:
        """What comes before the next piece."""
        self._first = first

    def __aiter__(self) -> AsyncIterator[bytes]:
        return self

    async def __anext__(self) -> bytes:
        piece: bytes | None = self._first
        self._first = b""
        while not piece:
            piece = None if self._is_closed else self.next()
            if self._written:
                piece = b"".join(self._written) + (piece or b"")
                self._written.clear()
            if piece is None:
                self.close()
                raise StopAsyncIteration
        if self._rest is None:
            return piece
        if len(piece) > self._rest:
            log.error("the application gives more bytes than its Content-Length says", "wsgi")
            piece = piece[: self._rest]
        self._rest -= len(piece)
        if not piece:
            self.close()
            raise StopAsyncIteration
        return piece

    async def aclose(self) -> None:
        """The client has gone, or asked for the head alone."""
        self.close()

    def close(self) -> None:
        """Tells the application that the response is over, once."""
        if self._is_closed:
            return
        self._is_closed = True
        close = getattr(self._iterable, "close", None)
        if close is not None:
            with _outside_of_asyncio():
                close()
        self._errors.finish()
