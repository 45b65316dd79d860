"""The command line of the builder."""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path

from holdfast.build import component
from holdfast.build.probe import Mistake, probe

_HELP = """\
Makes the component of a plugin.

MODULE is the name of the module that calls `holdfast.export`; it is looked for in the current
folder. What it imports is looked for there, in PYTHONPATH, and among what is installed for this
Python; packages have to be written in Python.
"""


def main(arguments: list[str] | None = None) -> int:
    """Runs it and returns the exit code."""
    parser = argparse.ArgumentParser(
        prog="python -m holdfast.build",
        description=_HELP,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("module", metavar="MODULE", nargs="?", help="the plugin's module")
    parser.add_argument("-o", "--output", metavar="FILE", default="plugin.wasm", type=Path)
    parser.add_argument(
        "--bindings", metavar="FOLDER", type=Path, help="write the SDK's bindings for type checkers instead"
    )
    options = parser.parse_args(arguments)
    try:
        component.check_tool(arguments is None)
        if options.bindings is not None:
            component.bindings(options.bindings)
            return 0
        if options.module is None:
            parser.error("which module?")
        _build(options.module.removesuffix(".py"), options.output)
    except Mistake as mistake:
        print(mistake, file=sys.stderr)
        return 1
    return 0


def _build(module: str, output: Path) -> None:
    begin = time.monotonic()
    path = component.search_path(Path.cwd())
    world = probe(module, path)
    print(f"{module}: imported in {time.monotonic() - begin:.1f} s; making its component", file=sys.stderr)
    component.build(world, module, path, output)
    size = output.stat().st_size / (1 << 20)
    print(f"{output}: {size:.1f} MiB, in {time.monotonic() - begin:.1f} s", file=sys.stderr)


if __name__ == "__main__":
    sys.exit(main())
