"""`wasi:http/handler`, by the name under which componentize-py looks for it."""

from __future__ import annotations

import wit_world.exports
from componentize_py_types import Err
from wit_world.imports import wasi_http_types_0_3_0 as types

from holdfast import _exports
from holdfast._component import http
from holdfast._component.life import awake


class WasiHttpHandler030(wit_world.exports.WasiHttpHandler030):
    """HTTP requests."""

    async def handle(self, request: types.Request) -> types.Response:
        awake()
        try:
            received = http.read_request(request)
            response = await _exports.handle(received)
            return await http.write_response(response, received.method != "HEAD")
        except (_exports.Failed, ValueError) as error:
            raise Err(types.ErrorCode_InternalError(str(error))) from None
