"""Handlers, run by a host in memory."""

import asyncio
from collections.abc import AsyncIterator

import pytest

import holdfast
from holdfast import connections, errors, topics
from holdfast.http import Request, Response
from holdfast.log import Level
from holdfast.testing import Host, Refused
from holdfast.websocket import Accept, Closure, Connection, Handshake, Message, Reject, WebSocket


class Rooms(WebSocket):
    async def accept(self, handshake: Handshake) -> Accept:
        name = handshake.query_value("name")
        if name is None:
            raise Reject(400, "add ?name=…")
        return Accept(attachment=name.encode(), topics=["room"], subprotocol="v1")

    async def open(self, connection: Connection) -> None:
        connection.send("welcome")

    async def receive(self, connection: Connection, message: Message) -> None:
        match message:
            case "leave":
                connection.close(4000, "left")
            case "oops":
                raise ValueError("what a mess")
            case "rename":
                connection.set_attachment(b"Grace", connection.attachment_version)
            case _:
                topics.publish("room", message, without=connection.id)

    async def close(self, connection: Connection, closure: Closure) -> None:
        topics.publish("room", f"{connection.attachment.decode()} {closure.cause.value} {closure.code}")


def test_messages_reach_the_others_of_a_topic() -> None:
    holdfast.export(websocket=Rooms())
    with Host() as host:
        ada, grace = host.connect("/?name=Ada"), host.connect("/?name=Grace%20H")
        assert ada.subprotocol == "v1"
        assert (ada.take(), grace.take()) == (["welcome"], ["welcome"])
        ada.send("hello")
        grace.send(b"\0")
        assert (ada.take(), grace.take()) == ([b"\0"], ["hello"])
        assert [one.attachment for one in topics.subscribers("room", 1)] == [b"Ada"]
        ada.send("leave")
        assert grace.take() == ["Ada server 4000"]
        assert ada.closure is not None and ada.closure.reason == "left"
        assert topics.count("room") == 1
        with pytest.raises(connections.Gone):
            connections.send(ada.id, "too late")


def test_a_refusal_is_a_response() -> None:
    holdfast.export(websocket=Rooms())
    with Host() as host, pytest.raises(Refused) as refused:
        host.connect("/")
    assert refused.value.status == 400
    assert refused.value.headers["content-type"] == "text/plain; charset=utf-8"
    assert refused.value.body == "add ?name=…".encode()


def test_an_exception_is_logged_with_its_traceback_and_costs_one_connection() -> None:
    holdfast.export(websocket=Rooms())
    with Host() as host:
        ada, grace = host.connect("/?name=Ada"), host.connect("/?name=Grace")
        ada.send("oops")
        assert ada.closure is not None and ada.closure.code == 1011
        assert grace.take() == ["welcome", "Ada error 1011"]
        level, line = host.lines[-1]
        assert level is Level.ERROR
        assert line.startswith("receive failed: ValueError: what a mess; Traceback")
        assert "test_websocket.py" in line and "\n" not in line and "_exports.py" not in line


def test_attachments_are_compared_and_set() -> None:
    holdfast.export(websocket=Rooms())
    with Host() as host:
        ada = host.connect("/?name=Ada")
        ada.send("rename")
        state = connections.get(ada.id)
        assert state is not None and (state.attachment, state.attachment_version) == (b"Grace", 1)
        with pytest.raises(connections.Conflict) as conflict:
            connections.set_attachment(ada.id, b"", 7)
        assert conflict.value.version == 1
        with pytest.raises(connections.TooLarge):
            connections.set_attachment(ada.id, b"x" * 5000)
        with pytest.raises(connections.InvalidCode):
            connections.close(ada.id, 5)
        with pytest.raises(topics.InvalidTopic):
            topics.subscribe(ada.id, "")


def test_requests_and_their_bodies() -> None:
    async def handle(request: Request) -> Response | str:
        if request.path == "/echo":
            return Response(request.body, 201)
        if request.path == "/json":
            return Response.of_json({"sum": sum(await request.json(100))})
        assert request.query_value("q") == "a b"
        return f"{request.method} {request.headers['x-one']}"

    async def pieces() -> AsyncIterator[str | bytes]:
        both: tuple[str | bytes, ...] = ("one ", b"two")
        for piece in both:
            yield piece
            await asyncio.sleep(0)

    holdfast.export(http=handle)
    with Host() as host:
        answer = host.request("GET", "/?q=a%20b", headers={"X-One": "1"})
        assert (answer.status, answer.text) == (200, "GET 1")
        assert host.request("POST", "/echo", body=pieces()).body == b"one two"
        answer = host.request("POST", "/json", body="[1, 2]")
        assert (answer.headers["content-type"], answer.text) == ("application/json", '{"sum": 3}')
        assert host.request("POST", "/json", body="[" + "1," * 100).status == 500
        assert "BodyTooLarge" in host.lines[-1][1]


def test_handlers_are_exported_once_and_checked() -> None:
    with pytest.raises(TypeError, match="give `http`"):
        holdfast.export()
    with pytest.raises(TypeError, match="an instance"):
        holdfast.export(websocket=Rooms)  # type: ignore[arg-type]
    holdfast.export(websocket=Rooms())
    with pytest.raises(RuntimeError, match="already"):
        holdfast.export(websocket=Rooms())
    with pytest.raises(RuntimeError, match="no host"):
        topics.count("room")


def test_every_error_is_one_of_the_host() -> None:
    kinds = [kind for kind in vars(errors).values() if isinstance(kind, type)]
    assert len(kinds) > 15 and all(issubclass(kind, errors.HostError) for kind in kinds)
