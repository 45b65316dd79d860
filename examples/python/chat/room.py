"""A room: who is in it, and what was said.

All of it is in the host: the subscribers of a topic, their attachments, and a value in the
key-value store.
"""

from __future__ import annotations

import json
import time
from dataclasses import dataclass
from typing import Any

import protocol
from holdfast import connections, keyvalue, topics
from holdfast.websocket import Connection
from protocol import Problem

REPLACED = 4000
"""The close code of a connection whose place another one of the same client takes."""


@dataclass(frozen=True)
class Visitor:
    """Who a connection is: what its attachment says."""

    room: str
    nick: str | None = None
    key: str = ""

    @classmethod
    def of(cls, attachment: bytes) -> Visitor:
        room, *member = attachment.decode().split("\n")
        return cls(room, member[0], member[1]) if len(member) == 2 else cls(room)

    def attachment(self) -> bytes:
        parts = [self.room] if self.nick is None else [self.room, self.nick, self.key]
        return "\n".join(parts).encode()


class Room:
    def __init__(self, name: str) -> None:
        self.name = name
        self.topic = f"rooms/{name}"

    def join(self, connection: Connection, nick: str, key: str) -> None:
        visitor = Visitor(self.name, protocol.checked_nick(nick), protocol.checked_key(key))
        connection.set_attachment(visitor.attachment())
        connection.subscribe(self.topic)
        try:
            self._settle(connection, visitor)
        except Exception:
            self._forget(connection.id)
            raise

    def _settle(self, connection: Connection, visitor: Visitor) -> None:
        replaced = self._check_place(connection.id, visitor)
        if replaced is not None:
            self._forget(replaced)
            try:
                connections.close(replaced, REPLACED, "replaced by a newer connection")
            except connections.Gone:
                pass
        welcome = {
            "type": "welcome",
            "room": self.name,
            "nick": visitor.nick,
            "members": self.members(),
            "messages": self.history(),
        }
        tell(connection, welcome)
        if replaced is None:
            self._publish({"type": "joined", "nick": visitor.nick, "time": now_ms()}, connection.id)

    def _check_place(self, id: str, visitor: Visitor) -> str | None:
        """The connection whose place this one takes, if any."""
        assert visitor.nick is not None
        for other in topics.subscribers(self.topic):
            holder = Visitor.of(other.attachment)
            if other.connection == id or holder.nick is None:
                continue
            if protocol.same_nick(holder.nick, visitor.nick):
                if holder.key and holder.key == visitor.key:
                    return other.connection
                raise Problem("nick-taken")
        if topics.count(self.topic) > protocol.MEMBERS_MAX:
            raise Problem("room-full")
        return None

    def _forget(self, id: str) -> None:
        topics.unsubscribe(id, self.topic)
        try:
            connections.set_attachment(id, Visitor(self.name).attachment())
        except connections.Gone:
            pass

    def leave(self, nick: str) -> None:
        self._publish({"type": "left", "nick": nick, "time": now_ms()})

    def say(self, nick: str, text: str) -> dict[str, Any]:
        """Keeps a message and then tells everybody, so that no newcomer misses it."""
        text = protocol.checked_text(text)
        message: dict[str, Any] = {"id": 0, "nick": nick, "text": text, "time": now_ms()}

        def add(value: bytes | None) -> bytes:
            history = _history(value)
            history["count"] += 1
            message["id"] = history["count"]
            history["messages"] = [*history["messages"], message][-protocol.HISTORY_LEN_MAX :]
            return json.dumps(history).encode()

        keyvalue.open().update(self.topic, add)
        said = {"type": "message", **message}
        self._publish(said)
        return said

    def say_from_outside(self, nick: str, text: str) -> dict[str, Any]:
        """The same for somebody without a connection, who must not take a member's name."""
        nick = protocol.checked_nick(nick)
        if any(protocol.same_nick(member, nick) for member in self.members()):
            raise Problem("nick-taken")
        return self.say(nick, text)

    def members(self) -> list[str]:
        """The nicknames of those who are here, in order."""
        visitors = [Visitor.of(one.attachment) for one in topics.subscribers(self.topic)]
        return sorted((one.nick for one in visitors if one.nick is not None), key=str.lower)

    def history(self) -> list[dict[str, Any]]:
        """The last messages, oldest first."""
        messages: list[dict[str, Any]] = _history(keyvalue.open().get(self.topic))["messages"]
        return messages

    def _publish(self, message: dict[str, Any], without: str | None = None) -> None:
        topics.publish(self.topic, json.dumps(message), without=without)


def _history(value: bytes | None) -> dict[str, Any]:
    """What was kept. What can't be read counts as empty: better to lose the past than the room."""
    try:
        history = json.loads(value or b"")
        return {"count": int(history["count"]), "messages": list(history["messages"])}
    except (ValueError, TypeError, KeyError):
        return {"count": 0, "messages": []}


def tell(connection: Connection, message: dict[str, Any]) -> None:
    """Sends a message to one client. One that is gone needs none."""
    try:
        connection.send(json.dumps(message))
    except connections.Gone:
        pass


def now_ms() -> int:
    return int(time.time() * 1000)
