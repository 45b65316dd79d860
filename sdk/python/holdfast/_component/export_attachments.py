"""`holdfast:websocket/attachments`, by the name under which componentize-py looks for it."""

from __future__ import annotations

import wit_world.exports
from componentize_py_types import Err

from holdfast import _exports


class HoldfastWebsocketAttachments010(wit_world.exports.HoldfastWebsocketAttachments010):
    """How attachments change their format."""

    def format(self) -> str:
        handler = _exports.plugin.websocket
        return "" if handler is None else handler.format

    def migrate(self, from_format: str, attachment: bytes) -> bytes:
        handler = _exports.plugin.websocket
        if handler is None:
            return attachment
        try:
            return bytes(handler.migrate(from_format, attachment))
        except Exception as error:
            raise Err(str(error)) from None
