"""The blogs in `examples/python`, used in this Python: what they import only when somebody uses
them would not be there in a component."""

import os
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

SDK = Path(__file__).parents[1]
EXAMPLES = SDK.parents[1] / "examples/python"

# In a process of its own: both have a module `app`, and settings of their own.
PROGRAM = """
import re
import sys
from urllib.parse import urlencode

sys.path.insert(0, ".")
import app
from holdfast.testing import Host

there = set(sys.modules)
jar = {}


def ask(method, path, form=None):
    headers = {"cookie": "; ".join(f"{name}={value}" for name, value in jar.items())}
    if form is not None:
        headers["content-type"] = "application/x-www-form-urlencoded"
    answer = host.request(method, path, headers=headers, body=form and urlencode(form))
    for cookie in answer.headers.get_all("set-cookie"):
        name, _, value = cookie.partition(";")[0].partition("=")
        jar[name] = value
    assert answer.status < 500, (method, path, host.lines[-1:])
    return answer


def post(page, path=None, **form):
    token = re.findall(r'csrfmiddlewaretoken" value="([^"]*)', ask("GET", page).text)
    form["csrfmiddlewaretoken"] = token[-1] if token else ""
    return ask("POST", path or page, form)


with Host() as host:
    names = {"username": "ada", "password": "correct-horse"}
    both = {"password1": "correct-horse", "password2": "correct-horse"}
    register, login, logout, new, edit, delete = sys.argv[1:]
    for _ in range(2):
        post(register, **names, **both)
    assert post(login, username="ada", password="wrong").status == 200
    assert post(login, **names).status == 302
    socket = host.connect("/live")
    assert post(new, title="Hello", body="one\\n\\ntwo").status == 302
    assert len(socket.received) == 1 and "Hello" in socket.received[0]
    assert "Hello" in ask("GET", "/").text
    assert post(edit, title="", body="").status == 200
    assert post(edit, title="Changed", body="").status == 302
    assert ask("GET", edit.replace("1", "7")).status == 404
    assert post(edit, delete).status == 302
    assert "Changed" not in ask("GET", "/").text
    post("/", logout)
    assert ask("GET", new).status == 302
    ask("GET", "/static/nothing.css")
late = set(sys.modules) - there
assert not late, late
"""

PATHS = {
    "flask": ("/auth/register", "/auth/login", "/auth/logout", "/create", "/1/update", "/1/delete"),
    "django": ("/signup/", "/accounts/login/", "/accounts/logout/", "/new/", "/1/", "/1/delete/"),
}


@pytest.mark.skipif(not EXAMPLES.is_dir(), reason="a copy of the SDK stands alone")
@pytest.mark.parametrize("name", PATHS)
def test_a_blog_has_imported_all_that_it_needs(name: str) -> None:
    if find_spec(name) is None:
        pytest.skip(f"{name} is not installed")
    subprocess.run(
        [sys.executable, "-B", "-c", PROGRAM, *PATHS[name]],
        cwd=EXAMPLES / name,
        env={**os.environ, "PYTHONPATH": str(SDK)},
        check=True,
    )
