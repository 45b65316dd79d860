"""`wasi:http` 0.3: requests and responses in the types of this package."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import wit_world
from componentize_py_types import Err, Ok
from wit_world.imports import wasi_http_client_0_3_0 as client
from wit_world.imports import wasi_http_types_0_3_0 as types

from holdfast import errors, log
from holdfast._component.loop import start
from holdfast.headers import Headers
from holdfast.http import Body, Request, Response

CHUNK_BYTES = 64 << 10
"""The most that is read at once."""

_new_trailers = wit_world.result_option_wasi_http_types_0_3_0_fields_wasi_http_types_0_3_0_error_code_future
_new_ending = wit_world.result_unit_wasi_http_types_0_3_0_error_code_future

_METHODS = ("GET", "HEAD", "POST", "PUT", "DELETE", "CONNECT", "OPTIONS", "TRACE", "PATCH")
_TO_METHOD: dict[str, Any] = {name: getattr(types, f"Method_{name.capitalize()}") for name in _METHODS}
_FROM_METHOD = {kind: name for name, kind in _TO_METHOD.items()}


def read_request(wire: types.Request) -> Request:
    """One that came in."""
    method = wire.get_method()
    name = method.value if isinstance(method, types.Method_Other) else _FROM_METHOD[type(method)]
    return Request.received(
        name,
        _from_scheme(wire.get_scheme()),
        wire.get_authority() or "",
        wire.get_path_with_query() or "/",
        _read_fields(wire.get_headers()),
        _incoming(wire),
    )


async def write_response(response: Response, has_body: bool) -> types.Response:
    """One that is to be given; without its body if the request was HEAD."""
    no_content = response.status < 200 or response.status in (204, 304)
    if no_content or not has_body:
        length = response.headers.get("content-length")
        if response.body.whole is not None and not no_content and length is None:
            response.headers["content-length"] = str(len(response.body.whole))
        await response.body.close()
        response.body = Body()
    elif response.body.whole is not None:
        response.headers.setdefault("content-length", str(len(response.body.whole)))
    fields = _write_fields(response.headers)
    writer, contents = _stream(response.body)
    ending, trailers = _new_trailers(lambda: Ok(None))
    wire, _ = types.Response.new(fields, contents, trailers)
    if response.status != 200:
        try:
            wire.set_status_code(response.status)
        except Err:
            raise ValueError(f"the host refuses the status {response.status}") from None
    start(_outgoing(response.body, writer, ending))
    return wire


async def fetch(request: Request) -> Response:
    """Asks another server."""
    wire = _write_request(request)
    try:
        response = await client.send(wire)
    except Err as error:
        raise _fetch_error(error.value, request.authority) from None
    return Response(
        _incoming(response), response.get_status_code(), _read_fields(response.get_headers())
    )


def _write_request(request: Request) -> types.Request:
    headers = Headers(request.headers)
    # The host adds it from the URL, and accepts no other.
    del headers["host"]
    if request.body.whole:
        headers.setdefault("content-length", str(len(request.body.whole)))
    writer, contents = _stream(request.body)
    ending, trailers = _new_trailers(lambda: Ok(None))
    wire, _ = types.Request.new(_write_fields(headers), contents, trailers, _options(request.timeout))
    method = _TO_METHOD.get(request.method.upper())
    try:
        wire.set_method(types.Method_Other(request.method) if method is None else method())
        wire.set_scheme(_to_scheme(request.scheme))
        wire.set_authority(request.authority)
        wire.set_path_with_query(request.path_with_query)
    except Err:
        raise errors.FetchError(f"the host refuses the method or the URL of {request!r}") from None
    start(_outgoing(request.body, writer, ending))
    return wire


def _options(timeout: float | None) -> types.RequestOptions | None:
    if timeout is None:
        return None
    options = types.RequestOptions()
    nanoseconds = int(timeout * 1e9)
    options.set_connect_timeout(nanoseconds)
    options.set_first_byte_timeout(nanoseconds)
    options.set_between_bytes_timeout(nanoseconds)
    return options


def _stream(body: Body) -> tuple[Any, Any]:
    if body.whole == b"":
        return None, None
    return wit_world.byte_stream()


async def _outgoing(body: Body, writer: Any, ending: Any) -> None:
    """Writes a body. One that fails is broken off, so that the peer sees it."""
    result: Any = Ok(None)
    if writer is not None:
        try:
            with writer:
                await _write(body, writer)
        except Exception as error:
            log.exception("a body broke off", error)
            result = Err(types.ErrorCode_InternalError(log.summary(error)))
    await ending.write(result)


async def _write(body: Body, writer: Any) -> None:
    if body.whole is not None:
        await writer.write_all(body.whole)
        return
    try:
        async for piece in body:
            if piece and await writer.write_all(piece) < len(piece):
                return
    finally:
        await body.close()


async def _incoming(message: types.Request | types.Response) -> AsyncIterator[bytes]:
    ending, result = _new_ending(lambda: Ok(None))
    # Nothing is to be said of how it went: the host sees what is read.
    stream, trailers = type(message).consume_body(message, result)  # type: ignore[arg-type]
    start(_end(ending))
    with stream, trailers:
        while not stream.writer_dropped:
            piece = await stream.read(CHUNK_BYTES)
            if piece:
                yield piece
        outcome = await trailers.read()
    if isinstance(outcome, Err):
        raise errors.BodyBroken(f"the body broke off: {describe(outcome.value)}")


async def _end(ending: Any) -> None:
    await ending.write(Ok(None))


def _read_fields(fields: types.Fields) -> Headers:
    with fields:
        return Headers(fields.copy_all())


def _write_fields(headers: Headers) -> types.Fields:
    try:
        return types.Fields.from_list(headers.raw())
    except Err as error:
        kind = type(error.value).__name__.removeprefix("HeaderError_")
        raise ValueError(f"the host refuses the header fields: {kind}") from None


def _from_scheme(scheme: types.Scheme | None) -> str:
    match scheme:
        case types.Scheme_Https():
            return "https"
        case types.Scheme_Other(name):
            return name
    return "http"


def _to_scheme(scheme: str) -> types.Scheme:
    match scheme:
        case "http":
            return types.Scheme_Http()
        case "https":
            return types.Scheme_Https()
    return types.Scheme_Other(scheme)


def describe(code: types.ErrorCode) -> str:
    """An error of `wasi:http` in words: the name of its case, or its own text."""
    if isinstance(code, types.ErrorCode_InternalError) and code.value:
        return code.value
    return type(code).__name__.removeprefix("ErrorCode_")


def _fetch_error(code: types.ErrorCode, server: str) -> errors.FetchError:
    name = type(code).__name__.removeprefix("ErrorCode_")
    match name:
        case "HttpRequestDenied" | "DestinationIpProhibited":
            return errors.FetchDenied(server)
        case "ConnectionTimeout" | "ConnectionReadTimeout" | "ConnectionWriteTimeout" | "HttpResponseTimeout":
            return errors.FetchTimeout()
        case (
            "DnsTimeout"
            | "DnsError"
            | "DestinationNotFound"
            | "DestinationUnavailable"
            | "DestinationIpUnroutable"
            | "ConnectionRefused"
            | "ConnectionTerminated"
        ):
            return errors.FetchUnreachable(f"the server could not be reached: {name}")
    return errors.FetchError(describe(code))
