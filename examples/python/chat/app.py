"""Chat rooms by path, by the protocol of plugins/chat, whose page and tests fit it too.

This file connects events to what they mean: the protocol is in `protocol.py`, rooms in `room.py`.
"""

import holdfast
import protocol
from holdfast.errors import BodyTooLarge
from holdfast.http import Request, Response
from holdfast.websocket import Accept, Closure, Connection, Handshake, Message, Reject, WebSocket
from protocol import Join, Problem
from room import Room, Visitor, tell

ROOM_RULE = "the name of a room has 1 to 64 letters (a to z, A to Z), digits, `-` and `_`"


class Chat(WebSocket):
    async def accept(self, handshake: Handshake) -> Accept:
        *_, rooms, name = ["", *handshake.path.split("/")]
        if rooms != "rooms":
            raise Reject(404, "rooms are at /rooms/{room}")
        if not protocol.is_room(name):
            raise Reject(404, ROOM_RULE)
        return Accept(Visitor(name).attachment())

    async def receive(self, connection: Connection, message: Message) -> None:
        visitor = Visitor.of(connection.attachment)
        room = Room(visitor.room)
        try:
            said = protocol.parse(message)
            if isinstance(said, Join):
                if visitor.nick is not None:
                    raise Problem("already-joined")
                room.join(connection, said.nick, said.key)
            elif visitor.nick is None:
                raise Problem("not-joined")
            else:
                room.say(visitor.nick, said.text)
        except Problem as problem:
            tell(connection, problem.message())

    async def close(self, connection: Connection, closure: Closure) -> None:
        visitor = Visitor.of(connection.attachment)
        if visitor.nick is not None:
            Room(visitor.room).leave(visitor.nick)


async def handle(request: Request) -> Response:
    *_, rooms, name, last = ["", "", *request.path.split("/")]
    if rooms != "rooms" or last not in ("messages", "members"):
        return Response("there is nothing here\n", 404)
    if not protocol.is_room(name):
        return Response(ROOM_RULE + "\n", 404)
    room = Room(name)
    is_read = request.method in ("GET", "HEAD")
    try:
        if is_read and last == "members":
            return answer({"members": room.members()})
        if is_read:
            return answer({"messages": room.history()})
        if request.method == "POST" and last == "messages":
            return await post(room, request)
    except Problem as problem:
        return answer(problem.message(), problem.status)
    allowed = "GET, HEAD, POST" if last == "messages" else "GET, HEAD"
    return Response("not this method\n", 405, {"allow": allowed})


async def post(room: Room, request: Request) -> Response:
    """Says something in a room without a connection."""
    kind = request.headers.get("content-type", "") or ""
    is_json = kind.partition(";")[0].strip().lower() == "application/json"
    try:
        body = await request.read(protocol.BODY_BYTES_MAX)
    except BodyTooLarge:
        raise Problem("bad-body") from None
    nick, text = protocol.parse_post(body, is_json)
    return answer(room.say_from_outside(nick, text), 201)


def answer(body: object, status: int = 200) -> Response:
    return Response.of_json(body, status, {"cache-control": "no-store"})


holdfast.export(http=handle, websocket=Chat())
