"""Tests of the chat, by a host in memory."""

import json

import app
from holdfast.testing import Client, Host


def say(client: Client, **message: str) -> list[dict[str, object]]:
    """Sends a message, and returns what this client has received since."""
    client.send(json.dumps(message))
    return [json.loads(text) for text in client.take()]


def test_members_hear_each_other_and_newcomers_what_was_said() -> None:
    with Host() as host:
        ada = host.connect("/rooms/lobby")
        assert say(ada, type="join", nick="Ada")[0]["members"] == ["Ada"]
        assert say(ada, type="say", text="hello")[0]["text"] == "hello"
        grace = host.connect("/rooms/lobby")
        assert say(grace, type="join", nick="Ada")[0]["type"] == "error"
        welcome = say(grace, type="join", nick="Grace")[0]
        assert welcome["messages"] == [{"id": 1, "nick": "Ada", "text": "hello"}]
        assert host.request("POST", "/rooms/lobby", body="from outside").status == 201
        grace.close()
        types = [json.loads(text)["type"] for text in ada.take()]
        assert types == ["joined", "message", "left"]


def test_rooms_have_plain_names() -> None:
    assert app.room_of("/rooms/lobby") == "lobby"
    for path in ("/", "/rooms/", "/rooms/a/b", "/rooms/a%20b", "/other/lobby"):
        assert app.room_of(path) is None
