"""What the conformance suite asks of every language, in Python.

`tests/conformance/README.md` says what each command is to do.
"""

import holdfast
import message
import request
from holdfast import topics
from holdfast.websocket import Accept, Closure, Connection, Handshake, Message, Reject, WebSocket


class Conformance(WebSocket):
    async def accept(self, handshake: Handshake) -> Accept:
        accept = Accept(attachment=handshake.path_with_query.encode())
        match handshake.path:
            case "/refuse":
                raise Reject(403, b"refused", {"x-why": "refused"})
            case "/protocol" if handshake.subprotocols:
                accept.subprotocol = handshake.subprotocols[-1]
            case "/headers":
                accept.headers = {"x-conformance": "yes"}
            case "/trap":
                raise RuntimeError("told to trap in accept")
            case path if path.startswith("/topic/"):
                accept.topics = [path.removeprefix("/topic/")]
        return accept

    async def open(self, connection: Connection) -> None:
        if connection.attachment == b"/greet":
            connection.send("open")
        if connection.attachment == b"/trap-open":
            raise RuntimeError("told to trap in open")

    async def receive(self, connection: Connection, text: Message) -> None:
        if isinstance(text, bytes):
            connection.send(text)
            return
        answer = await message.answer(connection, text)
        if answer is not None:
            connection.send(answer)

    async def close(self, connection: Connection, closure: Closure) -> None:
        _, mark, topic = connection.attachment.decode().partition("?observer=")
        if mark:
            topics.publish(topic, f"closed {closure.cause.value} {closure.code} {closure.reason}")


holdfast.export(http=request.handle, websocket=Conformance())
