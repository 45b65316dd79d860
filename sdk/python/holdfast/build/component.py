"""Runs componentize-py."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import sysconfig
import tempfile
from importlib.util import find_spec
from pathlib import Path

from holdfast.build.probe import Mistake
from holdfast.build.world import World

ENTRY = "holdfast_entry"
"""The name of the program which the builder writes."""

_SCRIPT = "import sys; from componentize_py import script; sys.exit(script())"


def search_path(project: Path) -> list[str]:
    """Where the plugin's modules, this package and what is installed are."""
    here = str(Path(__file__).resolve().parents[2])
    installed = [sysconfig.get_path("purelib"), sysconfig.get_path("platlib")]
    given = [entry for entry in os.environ.get("PYTHONPATH", "").split(os.pathsep) if entry]
    paths = [str(project), *given, here, *installed]
    absolute = [os.path.abspath(path) for path in paths if path and os.path.isdir(path)]
    return list(dict.fromkeys(absolute))


def check_tool(may_change: bool = False) -> None:
    """Raises `Mistake` if componentize-py is not there.

    If it is in the project's own environment, and `may_change`, that one's Python goes on with
    the same command line.
    """
    if find_spec("componentize_py") is not None:
        return
    own = Path.cwd() / ".venv/bin/python"
    if may_change and own.exists() and not sys.prefix.startswith(str(Path.cwd())):
        os.execv(own, [str(own), "-m", "holdfast.build", *sys.argv[1:]])
    raise Mistake(
        "error: componentize-py is not installed\n"
        "  hint: python3 -m venv .venv && .venv/bin/python -m pip install 'componentize-py>=0.25.1,<0.26'"
    )


def build(world: World, module: str, path: list[str], output: Path) -> None:
    """Makes the component. Raises `Mistake`."""
    with tempfile.TemporaryDirectory(prefix="holdfast-") as made:
        folder = Path(made)
        (folder / "wit").mkdir()
        (folder / "program").mkdir()
        (folder / "program" / f"{ENTRY}.py").write_text(world.entry(module))
        partial = folder / "plugin.wasm"
        places = [word for place in (str(folder / "program"), *path) for word in ("-p", place)]
        _run([*world.options(folder / "wit"), "componentize", *places, ENTRY, "-o", str(partial)])
        output.parent.mkdir(parents=True, exist_ok=True)
        # Whoever follows the file never sees half of it.
        hidden = output.with_name(f".{output.name}.partial")
        hidden.write_bytes(partial.read_bytes())
        hidden.replace(output)


def bindings(folder: Path) -> None:
    """Writes the bindings of everything there is, for type checkers."""
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="holdfast-") as made:
        _run([*World.everything().options(Path(made)), "bindings", str(folder)])


def _run(options: list[str]) -> None:
    command = [sys.executable, "-c", _SCRIPT, *options]
    result = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    if result.returncode != 0:
        raise Mistake(shown(result.stdout))
    sys.stderr.write(result.stdout)


def shown(output: str) -> str:
    """What there is to read in componentize-py's output: the traceback of the guest's Python."""
    text = re.split(r"\n\s*Caused by:|\nStack backtrace:", output)[0]
    _, mark, rest = text.partition("AssertionError: ")
    return ("error: the plugin can't be imported in a component\n" + rest if mark else text).strip()
