"""Sends back what it gets over a WebSocket, text or binary, and says hello over HTTP."""

import holdfast
from holdfast.http import Request
from holdfast.websocket import Connection, Message, WebSocket


class Echo(WebSocket):
    async def receive(self, connection: Connection, message: Message) -> None:
        connection.send(message)


async def handle(request: Request) -> str:
    return "hello"


holdfast.export(http=handle, websocket=Echo())
