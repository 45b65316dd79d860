"""Talks to an echo over WebSocket by Python's `websockets`.

Arguments: the URL, and `deflate` or `plain`: what has to be agreed on.
"""

import asyncio
import os
import sys

from websockets.asyncio.client import connect
from websockets.extensions.permessage_deflate import PerMessageDeflate


async def main(url, expected):
    compression = "deflate" if expected == "deflate" else None
    async with connect(url, compression=compression, max_size=None) as socket:
        agreed = socket.protocol.extensions
        is_deflated = any(isinstance(one, PerMessageDeflate) for one in agreed)
        assert is_deflated == (expected == "deflate"), agreed
        messages = ["short", "Ä" * 100, "to be or not to be " * 5000, "", "x" * 300_000]
        messages += [b"", os.urandom(70_000), b"\0" * 500_000]
        # Twice, so that the second time may refer to the first.
        for message in messages * 2:
            await socket.send(message)
            assert await socket.recv() == message
        # In fragments, with a ping between them.
        await socket.send(["one, ", "two, " * 100, "three"])
        assert await socket.recv() == "one, " + "two, " * 100 + "three"
        await (await socket.ping(b"are you there"))
    assert socket.close_code == 1000, socket.close_code
    print("passed")


asyncio.run(main(*sys.argv[1:]))
