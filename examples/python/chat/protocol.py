"""The messages between server and clients, as `plugins/chat/README.md` documents them."""

from __future__ import annotations

import json
import unicodedata
from dataclasses import dataclass

ROOM_LEN_MAX = 64
NICK_LEN_MAX = 24
KEY_LEN_MAX = 64
TEXT_LEN_MAX = 1000
MEMBERS_MAX = 500
HISTORY_LEN_MAX = 50
BODY_BYTES_MAX = 16 << 10

_STATUS = {"nick-taken": 409, "room-full": 503}
_TEXTS = {
    "not-json": "a message is a JSON object with a `type`",
    "unknown-type": "the type of a message is `join` or `say`",
    "not-joined": "join the room before you say something",
    "already-joined": "you have joined this room already",
    "nick-taken": "somebody in this room has this nickname",
    "bad-key": "a key has up to 64 printable ASCII characters",
    "room-full": "the room is full",
    "bad-body": "the body is a text, or JSON with `nick` and `text`, of up to 16 KiB",
}


class Problem(Exception):
    """What a client has done wrong."""

    def __init__(self, code: str, text: str = "") -> None:
        super().__init__(code)
        self.code = code
        self.text = text or _TEXTS[code]
        self.status = _STATUS.get(code, 400)

    def message(self) -> dict[str, object]:
        return {"type": "error", "code": self.code, "text": self.text}


@dataclass(frozen=True)
class Join:
    nick: str
    key: str


@dataclass(frozen=True)
class Say:
    text: str


def parse(message: str | bytes) -> Join | Say:
    """What a client says."""
    if isinstance(message, bytes):
        raise Problem("not-json")
    said = _object(message, "not-json")
    match said.get("type"):
        case "join":
            return Join(_text(said, "nick", "not-json"), _text(said, "key", "not-json"))
        case "say":
            return Say(_text(said, "text", "not-json"))
        case str():
            raise Problem("unknown-type")
    raise Problem("not-json")


def parse_post(body: bytes, is_json: bool) -> tuple[str, str]:
    """The nickname and the text of what is posted."""
    try:
        text = body.decode()
    except UnicodeDecodeError:
        raise Problem("bad-body") from None
    if not is_json:
        return "curl", text
    said = _object(text, "bad-body")
    if "text" not in said:
        raise Problem("bad-body")
    return _text(said, "nick", "bad-body") or "curl", _text(said, "text", "bad-body")


def _object(text: str, code: str) -> dict[str, object]:
    try:
        said = json.loads(text)
    except ValueError:
        raise Problem(code) from None
    if not isinstance(said, dict):
        raise Problem(code)
    return said


def _text(said: dict[str, object], name: str, code: str) -> str:
    value = said.get(name)
    if value is None:
        return ""
    if not isinstance(value, str):
        raise Problem(code)
    return value


def is_room(name: str) -> bool:
    """Whether a room can have this name."""
    return 0 < len(name) <= ROOM_LEN_MAX and all(
        letter.isascii() and (letter.isalnum() or letter in "-_") for letter in name
    )


def checked_nick(nick: str) -> str:
    nick = nick.strip()
    if not nick:
        raise Problem("bad-nick", "the nickname is empty")
    if len(nick) > NICK_LEN_MAX:
        raise Problem("bad-nick", f"the nickname has more than {NICK_LEN_MAX} characters")
    if any(unicodedata.category(letter) in ("Cc", "Cf", "Zl", "Zp", "Cs") for letter in nick):
        raise Problem("bad-nick", "the nickname has control characters")
    return nick


def checked_key(key: str) -> str:
    if len(key) > KEY_LEN_MAX or not all("!" <= letter <= "~" for letter in key):
        raise Problem("bad-key")
    return key


def checked_text(text: str) -> str:
    text = text.strip()
    if not text:
        raise Problem("bad-text", "the text is empty")
    if len(text) > TEXT_LEN_MAX:
        raise Problem("bad-text", f"the text has more than {TEXT_LEN_MAX} characters")
    if any(unicodedata.category(letter) == "Cc" and letter not in "\n\t" for letter in text):
        raise Problem("bad-text", "the text has control characters")
    return text


def same_nick(one: str, other: str) -> bool:
    """Whether two nicknames are too much alike to be in one room."""
    return one.casefold() == other.casefold()
