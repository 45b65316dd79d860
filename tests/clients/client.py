"""Speaks WebSocket with the plugin `echo`: client.py URL CA-FILE."""

import asyncio
import ssl
import sys

import websockets


async def main(url, authority):
    context = None
    if url.startswith("wss:"):
        context = ssl.create_default_context(cafile=authority)
    async with websockets.connect(url, ssl=context, max_size=None) as socket:
        for message in ["hello", "ü" * 100_000, b"\x00\xff" * 100_000, ""]:
            await socket.send(message)
            assert await socket.recv() == message
        await socket.send(["in ", "three ", "pieces"])
        assert await socket.recv() == "in three pieces"
        await (await socket.ping())
    assert socket.close_code == 1000, socket.close_code
    print("good")


asyncio.run(main(*sys.argv[1:]))
