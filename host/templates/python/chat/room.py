"""A room: who is in it and what was said, all of it kept by the host."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import Any

from holdfast import keyvalue, topics
from holdfast.websocket import Connection

NICK_LEN_MAX = 24
TEXT_LEN_MAX = 1000
HISTORY_LEN_MAX = 50


@dataclass
class Visitor:
    """Who a connection is: its attachment."""

    room: str
    nick: str | None = None
    """None before it has joined."""

    def to_bytes(self) -> bytes:
        return json.dumps(asdict(self)).encode()

    @classmethod
    def of(cls, attachment: bytes) -> Visitor:
        return cls(**json.loads(attachment))


class Room:
    """A room, by the name of its topic and of its history."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.key = f"rooms/{name}"

    def join(self, connection: Connection, nick: str) -> str | None:
        """Lets somebody in, or says why not."""
        if not 0 < len(nick) <= NICK_LEN_MAX:
            return "a nickname has 1 to 24 characters"
        if nick in self.members():
            return "somebody here has this nickname"
        connection.set_attachment(Visitor(self.name, nick).to_bytes())
        connection.subscribe(self.key)
        welcome = {"type": "welcome", "nick": nick, "members": self.members(), "messages": self.history()}
        connection.send(json.dumps(welcome))
        self._tell({"type": "joined", "nick": nick}, without=connection.id)
        return None

    def say(self, nick: str, text: str) -> str | None:
        """Says something to everybody here and keeps it, or says why not."""
        if not 0 < len(text) <= TEXT_LEN_MAX:
            return "a text has 1 to 1000 characters"

        def add(value: bytes | None) -> bytes:
            history = parsed(value)
            id = history[-1]["id"] + 1 if history else 1
            history.append({"id": id, "nick": nick, "text": text})
            return json.dumps(history[-HISTORY_LEN_MAX:]).encode()

        kept = keyvalue.open().update(self.key, add)
        self._tell({"type": "message", **parsed(kept)[-1]})
        return None

    def leave(self, nick: str) -> None:
        self._tell({"type": "left", "nick": nick})

    def members(self) -> list[str]:
        visitors = [Visitor.of(one.attachment) for one in topics.subscribers(self.key)]
        return sorted(one.nick for one in visitors if one.nick is not None)

    def history(self) -> list[dict[str, Any]]:
        return parsed(keyvalue.open().get(self.key))

    def _tell(self, message: dict[str, Any], without: str | None = None) -> None:
        topics.publish(self.key, json.dumps(message), without=without)


def parsed(value: bytes | None) -> list[dict[str, Any]]:
    """A history; what can't be read was written by other code, and is given up."""
    try:
        return list(json.loads(value or b"[]"))
    except ValueError:
        return []
