"""Tests of the handler, by a host in memory."""

import app  # noqa: F401 (it exports the handler)
from holdfast.testing import Host


def test_the_page_greets() -> None:
    with Host() as host:
        assert "Hello, world!" in host.request("GET", "/").text
        assert "Hello, Ada!" in host.request("POST", "/", body="Ada").text
        assert host.request("GET", "/nothing").status == 404


def test_a_name_is_no_markup() -> None:
    with Host() as host:
        assert "Hello, &lt;b&gt;!" in host.request("POST", "/", body="<b>").text
