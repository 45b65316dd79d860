"""Tests of the handlers, by a host in memory."""

import app  # noqa: F401 (it exports the handlers)
from holdfast.testing import Host


def test_messages_are_counted() -> None:
    with Host() as host:
        client = host.connect()
        client.send("hi")
        client.send("again")
        client.send(b"\0")
        assert client.received == ["Hello! Say something.", "1: you said hi", "2: you said again", b"\0"]


def test_there_is_a_page() -> None:
    with Host() as host:
        assert host.request("GET", "/").text.startswith("<!doctype html>")
