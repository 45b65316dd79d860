"""The builder, without componentize-py, and that its WIT is the published one."""

from pathlib import Path

import pytest

from holdfast.build.component import search_path, shown
from holdfast.build.probe import Mistake, probe
from holdfast.build.world import WIT, World

REPOSITORY = Path(__file__).parents[3]


def world_of(folder: Path, text: str) -> World:
    (folder / "plugin.py").write_text(text)
    return probe("plugin", search_path(folder))


def test_a_component_has_what_its_plugin_uses(tmp_path: Path) -> None:
    text = "import holdfast\nfrom holdfast import keyvalue\nholdfast.export(websocket=holdfast.WebSocket())\n"
    world = world_of(tmp_path, text)
    assert world == World(frozenset({"keyvalue"}), http=False, websocket=True, attachments=False)
    assert "export holdfast:websocket/websocket-handler@0.1.0;" in world.wit()
    assert "wasi:http" not in world.wit() and "wasi:config" not in world.wit()

    text = (
        "import holdfast\nfrom holdfast.http import Request\n"
        "class Socket(holdfast.WebSocket):\n    format = '2'\n"
        "async def handle(request: Request) -> str:\n    return ''\n"
        "holdfast.export(http=handle, websocket=Socket())\n"
    )
    world = world_of(tmp_path, text)
    assert world == World(frozenset({"http"}), http=True, websocket=True, attachments=True)
    assert "export_attachments" in world.entry("plugin")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("x = (\n", "SyntaxError"),
        ("import nothing_like_it\n", "hint: python -m pip install nothing_like_it"),
        ("import holdfast\n", "hint: call `holdfast.export"),
        ("1 / 0\n", 'plugin.py", line 1'),
    ],
)
def test_mistakes_are_shown_as_python_shows_them(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(Mistake) as mistake:
        world_of(tmp_path, text)
    assert said in str(mistake.value)
    assert "importlib" not in str(mistake.value)


def test_a_module_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(Mistake, match="there is no module `other`"):
        probe("other", search_path(tmp_path))


def test_of_componentize_pys_output_the_traceback_is_shown() -> None:
    output = "Traceback (most recent call last):\nAssertionError: Traceback: no\n\nCaused by:\n  x\n\nStack backtrace:\n 0: y"
    assert shown(output) == "error: the plugin can't be imported in a component\nTraceback: no"


@pytest.mark.skipif(not (REPOSITORY / "wit").is_dir(), reason="a copy of the SDK stands alone")
def test_the_wit_is_the_published_one() -> None:
    published = {file.name: file.read_text() for file in (REPOSITORY / "wit/websocket-0.1.0").iterdir()}
    assert {file.name: file.read_text() for file in (WIT / "websocket-0.1.0").iterdir()} == published
    for file in (REPOSITORY / "sdk/rust/wit").iterdir():
        assert (WIT / file.name).read_text() == file.read_text()
