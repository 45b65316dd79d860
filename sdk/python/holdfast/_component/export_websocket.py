"""`holdfast:websocket/websocket-handler`, by the name under which componentize-py looks for it."""

from __future__ import annotations

import wit_world.exports
from componentize_py_types import Err
from wit_world.imports import holdfast_websocket_websocket_types_0_1_0 as types

from holdfast import _exports
from holdfast._component.life import awake
from holdfast.headers import Headers
from holdfast.websocket import CloseCause, Closure, Connection, Handshake, Reject

_CAUSES = {cause: CloseCause[cause.name] for cause in types.CloseCause}


class HoldfastWebsocketWebsocketHandler010(wit_world.exports.HoldfastWebsocketWebsocketHandler010):
    """WebSocket events."""

    async def accept(self, request: types.Handshake) -> types.Acceptance:
        awake()
        fields = ((header.name, header.value) for header in request.headers)
        handshake = Handshake(
            id=request.id,
            scheme=request.scheme,
            authority=request.authority,
            path_with_query=request.path_with_query,
            headers=Headers(fields),
            subprotocols=request.subprotocols,
            remote_address=request.remote_address,
        )
        answer = await _exports.accept(handshake)
        if isinstance(answer, Reject):
            raise Err(types.Rejection(answer.status, _fields(answer.headers), answer.body))
        return types.Acceptance(
            answer.subprotocol,
            _fields(Headers(answer.headers)),
            bytes(answer.attachment),
            list(answer.topics),
        )

    async def open(self, connection: types.Connection) -> None:
        awake()
        try:
            await _exports.open(_connection(connection))
        except _exports.Failed as error:
            raise _failed(error) from None

    async def receive(self, connection: types.Connection, message: types.Message) -> None:
        awake()
        try:
            await _exports.receive(_connection(connection), message.value)
        except _exports.Failed as error:
            raise _failed(error) from None

    async def close(self, connection: types.Connection, closure: types.Closure) -> None:
        awake()
        ended = Closure(_CAUSES[closure.cause], closure.code, closure.reason)
        try:
            await _exports.close(_connection(connection), ended)
        except _exports.Failed as error:
            raise _failed(error) from None


def _connection(connection: types.Connection) -> Connection:
    return Connection(
        connection.id,
        connection.attachment,
        connection.attachment_version,
        connection.buffered_bytes,
    )


def _fields(headers: Headers) -> list[types.Header]:
    return [types.Header(name, value) for name, value in headers.raw()]


def _failed(error: _exports.Failed) -> Err[types.HandlerError]:
    return Err(types.HandlerError_Failed(str(error)))
