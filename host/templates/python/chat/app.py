"""A chat. `/rooms/NAME` is a room: its page, and the WebSocket of that page.

A text posted to it appears on every page. All state is in the host: the attachment says who a
connection is, a topic says who is in a room, the key-value store has the last messages. So new
code can take over at any moment, under open sockets.
"""

import json
import re
from pathlib import Path

import holdfast
from holdfast.http import Request, Response
from holdfast.websocket import Accept, Closure, Connection, Handshake, Message, Reject, WebSocket
from room import Room, Visitor

PAGE = Path(__file__).with_name("page.html").read_text()
POST_BYTES_MAX = 4000


class Chat(WebSocket):
    async def accept(self, handshake: Handshake) -> Accept:
        room = room_of(handshake.path)
        if room is None:
            raise Reject(404, "rooms are at /rooms/NAME")
        return Accept(Visitor(room).to_bytes())

    async def receive(self, connection: Connection, message: Message) -> None:
        visitor = Visitor.of(connection.attachment)
        problem = react(connection, visitor, message)
        if problem is not None:
            connection.send(json.dumps({"type": "error", "text": problem}))

    async def close(self, connection: Connection, closure: Closure) -> None:
        visitor = Visitor.of(connection.attachment)
        if visitor.nick is not None:
            Room(visitor.room).leave(visitor.nick)


def react(connection: Connection, visitor: Visitor, message: Message) -> str | None:
    """Does what a message says, or says what is wrong with it."""
    try:
        said = json.loads(message)
    except ValueError:
        said = None
    match said:
        case {"type": "join", "nick": str(nick)} if visitor.nick is None:
            return Room(visitor.room).join(connection, nick.strip())
        case {"type": "say", "text": str(text)} if visitor.nick is not None:
            return Room(visitor.room).say(visitor.nick, text.strip())
        case {"type": "join" | "say"}:
            return "join once, then say something"
    return "a message is JSON: a `join` or a `say`"


async def handle(request: Request) -> Response:
    room = room_of(request.path)
    match request.method:
        case "GET" | "HEAD" if request.path == "/":
            return Response(status=303, headers={"location": "/rooms/lobby"})
        case "GET" | "HEAD" if room is not None:
            return Response(PAGE, headers={"content-type": "text/html; charset=utf-8"})
        case "POST" if room is not None:
            text = await request.text(POST_BYTES_MAX)
            problem = Room(room).say("guest", text.strip())
            return Response("It was said.\n", 201) if problem is None else Response(problem, 400)
    return Response("Rooms are at /rooms/NAME.\n", 404)


def room_of(path: str) -> str | None:
    """The room's name in `/rooms/NAME`."""
    found = re.fullmatch(r"/rooms/([A-Za-z0-9_-]{1,64})", path)
    return found and found[1]


holdfast.export(http=handle, websocket=Chat())
