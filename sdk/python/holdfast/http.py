"""HTTP: requests, responses, bodies that stream in both directions, requests to others.

    async def handle(request: Request) -> Response | str:
        if request.path == "/":
            return "hello\\n"
        return Response("there is nothing here\\n", status=404)

    holdfast.export(http=handle)

A handler returns a `Response`, a text, or bytes.
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterable, AsyncIterator, Awaitable, Callable
from typing import Any, TypeAlias
from urllib.parse import parse_qs, urlsplit

from holdfast._host import host
from holdfast.errors import (
    BodyBroken,
    BodyTooLarge,
    FetchDenied,
    FetchError,
    FetchTimeout,
    FetchUnreachable,
)
from holdfast.headers import Headers, HeadersLike

__all__ = [
    "Answer",
    "Body",
    "BodyBroken",
    "BodyLike",
    "BodyTooLarge",
    "FetchDenied",
    "FetchError",
    "FetchTimeout",
    "FetchUnreachable",
    "Handler",
    "Headers",
    "Request",
    "Response",
    "fetch",
    "send",
]

BodyLike: TypeAlias = "str | bytes | AsyncIterable[bytes | str] | Body | None"
"""What can be given where a body is wanted. What is iterated streams."""


class Body:
    """A body, coming or going; it can be read once, in pieces or as a whole.

    Nothing is read from the peer before it is asked for. The host limits the body of a request
    (`body_bytes_max`, 16 MiB unless the plugin's manifest says otherwise).
    """

    def __init__(self, content: BodyLike = None) -> None:
        self.whole: bytes | None = None
        """All of it, if it is there already."""
        self._pieces: AsyncIterator[bytes | str] | None = None
        if isinstance(content, Body):
            self.whole, self._pieces = content.whole, content._pieces
        elif content is None:
            self.whole = b""
        elif isinstance(content, str):
            self.whole = content.encode()
        elif isinstance(content, (bytes, bytearray, memoryview)):
            self.whole = bytes(content)
        else:
            self._pieces = aiter(content)

    async def __aiter__(self) -> AsyncIterator[bytes]:
        """The pieces, as they come."""
        if self._pieces is None:
            whole, self.whole = self.whole, b""
            if whole:
                yield whole
            return
        async for piece in self._pieces:
            yield piece.encode() if isinstance(piece, str) else piece

    async def read(self, limit: int | None = None) -> bytes:
        """All bytes; raises `BodyTooLarge` if there are more than `limit`, `BodyBroken` if it breaks off."""
        pieces: list[bytes] = []
        length = 0
        async for piece in self:
            length += len(piece)
            if limit is not None and length > limit:
                raise BodyTooLarge(limit)
            pieces.append(piece)
        return pieces[0] if len(pieces) == 1 else b"".join(pieces)

    async def close(self) -> None:
        """Lets go of what produces it."""
        close = getattr(self._pieces, "aclose", None)
        if close is not None:
            await close()


class _Message:
    """What requests and responses have in common."""

    headers: Headers
    body: Body

    async def read(self, limit: int | None = None) -> bytes:
        """The whole body. See `Body.read`."""
        return await self.body.read(limit)

    async def text(self, limit: int | None = None) -> str:
        """The whole body as text, UTF-8; raises `UnicodeDecodeError` if it is none."""
        return (await self.body.read(limit)).decode()

    async def json(self, limit: int | None = None) -> Any:
        """The whole body as JSON; raises `ValueError` if it is none."""
        return json.loads(await self.body.read(limit))


class Request(_Message):
    """An HTTP request, one that came in or one that is to be sent."""

    def __init__(
        self,
        method: str,
        url: str,
        *,
        headers: HeadersLike = (),
        body: BodyLike = None,
        timeout: float | None = None,
    ) -> None:
        """`timeout`, in seconds, is for requests that are sent.

        It holds for each of connecting, the first byte, and between bytes; it can only be
        shorter than the host's (`outbound_timeout_ms`).
        """
        parts = urlsplit(url)
        self.method = method
        self.scheme = parts.scheme or "http"
        """`http` or `https`."""
        self.authority = parts.netloc
        """Host and port, as the client has named them."""
        self.path = parts.path or "/"
        """As the client sent it, still percent-encoded."""
        self.query = parts.query
        """As the client sent it, without the question mark; `""` for none."""
        self.headers = Headers(headers)
        self.body = Body(body)
        self.timeout = timeout

    @classmethod
    def received(
        cls, method: str, scheme: str, authority: str, path_with_query: str, headers: Headers, body: BodyLike
    ) -> Request:
        """One that came in: nothing of its target is interpreted."""
        request = cls(method, "", headers=headers, body=body)
        request.scheme, request.authority = scheme, authority
        request.path, _, request.query = path_with_query.partition("?")
        return request

    @property
    def path_with_query(self) -> str:
        """Path and query, as they go over the wire."""
        return f"{self.path}?{self.query}" if self.query else self.path

    @property
    def url(self) -> str:
        """The whole URL."""
        return f"{self.scheme}://{self.authority}{self.path_with_query}"

    @property
    def remote_address(self) -> str | None:
        """Address of the client, if the host tells (`client_address_field` in `[proxies]`)."""
        return self.headers.get("holdfast-client-address")

    def query_value(self, key: str) -> str | None:
        """The first value of a key in the query, decoded."""
        values = parse_qs(self.query, keep_blank_values=True).get(key)
        return values[0] if values else None

    def __repr__(self) -> str:
        return f"<Request {self.method} {self.url}>"


class Response(_Message):
    """An HTTP response, one that is to be given or one that came."""

    def __init__(self, body: BodyLike = None, status: int = 200, headers: HeadersLike = ()) -> None:
        """A text is `text/plain` unless the headers say otherwise."""
        self.status = status
        self.headers = Headers(headers)
        if isinstance(body, str):
            self.headers.setdefault("content-type", "text/plain; charset=utf-8")
        self.body = Body(body)

    @classmethod
    def of_json(cls, value: object, status: int = 200, headers: HeadersLike = ()) -> Response:
        """A value as JSON, with its content type."""
        response = cls(json.dumps(value, ensure_ascii=False).encode(), status, headers)
        response.headers.setdefault("content-type", "application/json")
        return response

    def __repr__(self) -> str:
        return f"<Response {self.status}>"


Answer: TypeAlias = Response | str | bytes
"""What a handler returns."""

Handler: TypeAlias = Callable[[Request], Awaitable[Answer]]
"""An HTTP handler."""


async def send(request: Request) -> Response:
    """Sends a request and waits for the head of the response; both bodies stream.

    The host asks nobody but those whom the operator has allowed (`allow_http`, none by
    default). Raises `FetchError`, or the more exact `FetchDenied`, `FetchTimeout` and
    `FetchUnreachable`.
    """
    return await host().fetch(request)


async def fetch(
    url: str,
    *,
    method: str = "GET",
    headers: HeadersLike = (),
    body: BodyLike = None,
    timeout: float | None = None,
) -> Response:
    """Asks another server; see `send`."""
    return await send(Request(method, url, headers=headers, body=body, timeout=timeout))
