"""Imports a plugin in this Python, in a process of its own, to see what it has.

Run as `python -m holdfast.build.probe MODULE`, it says so as JSON in the file descriptor that
the variable `HOLDFAST_PROBE` names.
"""

from __future__ import annotations

import importlib
import json
import os
import subprocess
import sys
import traceback
from pathlib import Path

from holdfast.build.world import PARTS, World

_DESCRIPTOR = "HOLDFAST_PROBE"


class Mistake(Exception):
    """What the author of the plugin has to mend; the text is for the terminal."""


def probe(module: str, path: list[str]) -> World:
    """Imports the module with this search path. Raises `Mistake`."""
    reading, writing = os.pipe()
    environment = {**os.environ, _DESCRIPTOR: str(writing), "PYTHONPATH": os.pathsep.join(path)}
    command = [sys.executable, "-B", "-m", "holdfast.build.probe", module]
    with os.fdopen(reading) as said:
        process = subprocess.Popen(
            command, env=environment, pass_fds=[writing], stderr=subprocess.PIPE, text=True
        )
        os.close(writing)
        _, errors = process.communicate()
        text = said.read()
    if process.returncode != 0:
        raise Mistake(errors.strip() or f"{module} can't be imported ({process.returncode})")
    sys.stderr.write(errors)
    found = json.loads(text)
    if not found["http"] and not found["websocket"]:
        raise Mistake(
            f"error: {module} exports no handler\n"
            "  hint: call `holdfast.export(http=…, websocket=…)` at the end of it"
        )
    return World(
        frozenset(found["parts"]), found["http"], found["websocket"], found["attachments"]
    )


def _main(module: str) -> int:
    # The project's own folder is on the path by name, not as the current one.
    sys.path[:] = [entry for entry in sys.path if entry]
    try:
        importlib.import_module(module)
    except ModuleNotFoundError as error:
        if error.name == module:
            print(f"error: there is no module `{module}` in {Path.cwd()}", file=sys.stderr)
            return 1
        _show(error)
        print(f"  hint: python -m pip install {error.name}", file=sys.stderr)
        return 1
    except Exception as error:
        _show(error)
        return 1
    from holdfast._exports import plugin

    parts = [part for part in PARTS if f"holdfast.{part}" in sys.modules]
    if plugin.http is not None and "http" not in parts:
        parts.append("http")
    found = {
        "parts": parts,
        "http": plugin.http is not None,
        "websocket": plugin.websocket is not None,
        "attachments": plugin.websocket is not None and plugin.websocket.migrates,
    }
    with os.fdopen(int(os.environ[_DESCRIPTOR]), "w") as saying:
        json.dump(found, saying)
    return 0


def _show(error: BaseException) -> None:
    """The traceback, from the plugin's own code on."""
    at = error.__traceback__
    while at is not None and _is_ours(at.tb_frame.f_code.co_filename):
        at = at.tb_next
    lines = traceback.format_exception(type(error), error, at)
    print("".join(lines).rstrip(), file=sys.stderr)


def _is_ours(file: str) -> bool:
    return file.startswith("<frozen") or "importlib" in file or file == __file__


if __name__ == "__main__":
    sys.exit(_main(sys.argv[1]))
