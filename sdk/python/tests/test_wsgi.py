"""WSGI applications, checked by Python's own validator of PEP 3333."""

import asyncio
import sqlite3
import sys
from collections.abc import Callable, Iterable, Iterator
from typing import Any
from wsgiref.validate import validator

import pytest

import holdfast
from holdfast import _exports, sqlite
from holdfast.http import Request, Response
from holdfast.log import Level
from holdfast.testing import Answer, Host
from holdfast.wsgi import Wsgi

Start = Callable[..., Callable[[bytes], object]]
PLAIN = [("Content-Type", "text/plain")]


def ask(application: Any, method: str = "GET", path: str = "/", *, is_valid: bool = True, **more: Any) -> Answer:
    options = {key: more.pop(key) for key in ("script_name", "input_bytes_max") if key in more}
    holdfast.export(http=Wsgi(validator(application) if is_valid else application, **options))
    with Host() as host:
        answer = host.request(method, path, **more)
        answer.lines = host.lines  # type: ignore[attr-defined]
        return answer


def test_the_environment() -> None:
    seen: dict[str, Any] = {}

    def application(environ: dict[str, Any], start: Start) -> list[bytes]:
        seen.update(environ)
        seen["body"] = environ["wsgi.input"].read(int(environ["CONTENT_LENGTH"]))
        start("201 Created", PLAIN)
        return [b"done"]

    answer = ask(
        application,
        "POST",
        "/shop/a%20%C3%A9?q=%20",
        script_name="/shop",
        headers=[
            ("content-type", "text/x"),
            ("x-two", "1"),
            ("x-two", "2"),
            ("cookie", "a=1"),
            ("cookie", "b=2"),
            ("x_two", "spoofed"),
            ("transfer-encoding", "chunked"),
            ("holdfast-client-address", "[2001:db8::1]:99"),
        ],
        body="héllo",
    )
    assert (answer.status, answer.text) == (201, "done")
    assert seen["body"] == "héllo".encode()
    expected = {
        "REQUEST_METHOD": "POST",
        "SCRIPT_NAME": "/shop",
        "PATH_INFO": "/a é".encode().decode("latin-1"),
        "QUERY_STRING": "q=%20",
        "CONTENT_TYPE": "text/x",
        "CONTENT_LENGTH": "6",
        "HTTP_X_TWO": "1, 2",
        "HTTP_COOKIE": "a=1; b=2",
        "HTTP_HOST": "localhost",
        "SERVER_NAME": "localhost",
        "SERVER_PORT": "80",
        "REMOTE_ADDR": "2001:db8::1",
        "REMOTE_PORT": "99",
        "wsgi.url_scheme": "http",
    }
    assert {key: seen.get(key) for key in expected} == expected
    assert "HTTP_TRANSFER_ENCODING" not in seen


def test_a_path_that_is_not_below_the_script_is_whole() -> None:
    def application(environ: dict[str, Any], start: Start) -> list[bytes]:
        start("200 OK", PLAIN)
        return [f"{environ['SCRIPT_NAME']}|{environ['PATH_INFO']}".encode()]

    wsgi = Wsgi(validator(application), script_name="/shop/")
    holdfast.export(http=wsgi)
    with Host() as host:
        assert host.request("GET", "/shopping").text == "|/shopping"
        assert host.request("GET", "/shop").text == "/shop|"
        assert host.request("GET", "/shop/x").text == "/shop|/x"


class Pieces:
    """An iterable that counts, and knows whether it was closed."""

    def __init__(self, pieces: Iterable[bytes]) -> None:
        self.pieces = iter(pieces)
        self.count = 0
        self.closed = 0

    def __iter__(self) -> Iterator[bytes]:
        return self

    def __next__(self) -> bytes:
        piece = next(self.pieces)
        self.count += 1
        return piece

    def close(self) -> None:
        self.closed += 1


def test_what_is_iterated_streams_and_is_closed_once() -> None:
    pieces = Pieces([b"", b"one ", b"", b"two"])

    def application(environ: dict[str, Any], start: Start) -> Pieces:
        start("200 OK", PLAIN)
        return pieces

    answer = ask(application)
    assert answer.text == "one two" and "content-length" not in answer.headers
    assert pieces.closed == 1


def test_a_client_that_goes_away_closes_the_iterable() -> None:
    pieces = Pieces([b"x"] * 1000)

    def application(environ: dict[str, Any], start: Start) -> Pieces:
        start("200 OK", PLAIN)
        return pieces

    async def go() -> None:
        response = await Wsgi(application)(Request("GET", "http://h/"))
        async for _ in response.body:
            break
        await response.body.close()

    asyncio.run(go())
    assert (pieces.count, pieces.closed) == (1, 1)


def test_what_is_whole_is_closed_before_the_next_request() -> None:
    pieces = Pieces([b"", b"all of it", b"never"])

    def application(environ: dict[str, Any], start: Start) -> Pieces:
        start("200 OK", [*PLAIN, ("Content-Length", "9")])
        return pieces

    async def go() -> Response:
        return await Wsgi(application)(Request("GET", "http://h/"))

    response = asyncio.run(go())
    assert (pieces.closed, response.body.whole) == (1, b"all of it")


def test_an_application_may_write_and_start_late() -> None:
    def application(environ: dict[str, Any], start: Start) -> Iterator[bytes]:
        write = start("200 OK", PLAIN)
        write(b"written ")
        yield b"yielded "
        write(b"again ")
        yield b"end"

    assert ask(application, is_valid=False).text == "written yielded again end"


def test_an_error_before_the_first_byte_can_change_the_head() -> None:
    def application(environ: dict[str, Any], start: Start) -> list[bytes]:
        start("200 OK", PLAIN)
        try:
            raise ValueError("mend me")
        except ValueError:
            start("500 Oops", [*PLAIN, ("X-Mended", "yes")], sys.exc_info())
        return [b"mended"]

    answer = ask(application)
    assert (answer.status, answer.headers["x-mended"], answer.text) == (500, "yes", "mended")


def test_an_error_after_the_first_byte_breaks_the_body_off() -> None:
    def application(environ: dict[str, Any], start: Start) -> Iterator[bytes]:
        start("200 OK", PLAIN)
        yield b"begun"
        try:
            raise ValueError("too late")
        except ValueError:
            start("500 Oops", PLAIN, sys.exc_info())
        yield b"never"

    with pytest.raises(ValueError, match="too late"):
        ask(application)


@pytest.mark.parametrize(
    ("application", "said"),
    [
        (lambda environ, start: [b"no head"], "has not called start_response"),
        (lambda environ, start: (start("200 OK", []), start("200 OK", []), [b""])[2], "a second time"),
        (lambda environ, start: 1 / 0, "ZeroDivisionError"),
    ],
)
def test_what_an_application_does_wrong_is_a_500_and_in_the_log(application: Any, said: str) -> None:
    answer = ask(application, is_valid=False)
    assert answer.status == 500
    assert any(level is Level.ERROR and said in line for level, line in answer.lines)  # type: ignore[attr-defined]


def test_errors_are_logged_and_hop_by_hop_fields_are_the_hosts() -> None:
    def application(environ: dict[str, Any], start: Start) -> list[bytes]:
        environ["wsgi.errors"].write("one\ntwo")
        environ["wsgi.errors"].writelines([" more"])
        environ["wsgi.errors"].flush()
        start("200 OK", [*PLAIN, ("Connection", "close"), ("Set-Cookie", "a=1"), ("Set-Cookie", "b=2")])
        return [b""]

    answer = ask(application, is_valid=False)
    assert answer.lines == [(Level.ERROR, "one"), (Level.ERROR, "two more")]  # type: ignore[attr-defined]
    assert "connection" not in answer.headers
    assert answer.headers.get_all("set-cookie") == ["a=1", "b=2"]


def test_no_more_than_the_length_that_was_said() -> None:
    def application(environ: dict[str, Any], start: Start) -> list[bytes]:
        start("200 OK", [*PLAIN, ("Content-Length", "4")])
        return [b"12", b"3456"]

    answer = ask(application)
    assert answer.text == "1234"
    assert "Content-Length" in answer.lines[0][1]  # type: ignore[attr-defined]


def test_too_large_a_body_is_not_read() -> None:
    assert ask(lambda environ, start: 1 / 0, "POST", is_valid=False, input_bytes_max=3, body="1234").status == 413


def test_flask_runs_as_it_is() -> None:
    flask = pytest.importorskip("flask")
    app = flask.Flask(__name__)

    def hello(name: str) -> Any:
        return {"name": name, "form": flask.request.form.to_dict()}

    app.add_url_rule("/hello/<name>", view_func=hello, methods=["POST"])
    answer = ask(
        app.wsgi_app,
        "POST",
        "/hello/Ada",
        headers={"content-type": "application/x-www-form-urlencoded"},
        body="a=1&b=%C3%A9",
        is_valid=False,
    )
    assert answer.headers["content-length"] == str(len(answer.body))
    assert answer.status == 200 and '"b":"\\u00e9"' in answer.text.replace(" ", "")


@pytest.mark.parametrize("catches", [True, False])
def test_a_commit_that_came_too_late_is_made_again(catches: bool) -> None:
    bodies = []

    def application(environ: dict[str, Any], start: Start) -> list[bytes]:
        bodies.append(environ["wsgi.input"].read(4))
        try:
            with sqlite.connect("counter") as ours:
                ours.execute("create table if not exists number (value)")
                ours.execute("insert into number values (1)")
                if len(bodies) < 4:
                    with sqlite.connect("counter") as theirs:
                        theirs.execute("create table if not exists number (value)")
                        theirs.execute("insert into number values (2)")
        except sqlite3.OperationalError:
            if not catches:
                raise
            start("500 Locked", PLAIN)
            return [b"locked"]
        start("200 OK", PLAIN)
        return [str(ours.execute("select value from number").fetchall()).encode()]

    answer = ask(application, "POST", body="body", is_valid=False)
    assert (answer.status, answer.text) == (200, "[(2,), (2,), (2,), (1,)]")
    assert bodies == [b"body"] * 4


def test_bottle_runs_as_it_is() -> None:
    bottle = pytest.importorskip("bottle")
    app = bottle.Bottle()

    def hello(name: str) -> Any:
        bottle.response.set_cookie("seen", name)
        return bottle.template("Hello {{name}}, {{said}}", name=name, said=bottle.request.forms.said)

    app.route("/hello/<name>", "POST", hello)
    form = {"content-type": "application/x-www-form-urlencoded"}
    answer = ask(app, "POST", "/hello/Ada", headers=form, body="said=%3Cb%3E", is_valid=False)
    assert (answer.status, answer.text) == (200, "Hello Ada, &lt;b&gt;")
    assert answer.headers["set-cookie"].startswith("seen=Ada")
    _exports.reset()
    assert ask(app, path="/nothing", is_valid=False).status == 404
