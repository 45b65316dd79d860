"""Lines for the host's log (`wasi:logging`), which adds the plugin and the tenant.

Python's own `logging` ends up there too: `logging.getLogger(__name__).info("…")`. A
line has at most 8 KiB.
"""

from __future__ import annotations

import logging
import sys
import traceback
from enum import IntEnum
from pathlib import Path
from types import TracebackType

from holdfast import _host
from holdfast._host import host

__all__ = ["Handler", "Level", "critical", "debug", "error", "exception", "info", "log", "trace", "warn"]


_HERE = str(Path(__file__).parent)


class Level(IntEnum):
    """How important a line is; the numbers are those of Python's `logging`."""

    TRACE = 5
    DEBUG = 10
    INFO = 20
    WARN = 30
    ERROR = 40
    CRITICAL = 50


def log(level: Level, message: str, context: str = "") -> None:
    """Writes one line. `context` says which part of the program it comes from."""
    host().log(level, context, message)


def trace(message: str, context: str = "") -> None:
    """The flow of control and the values of variables."""
    log(Level.TRACE, message, context)


def debug(message: str, context: str = "") -> None:
    """Of interest to somebody who is debugging."""
    log(Level.DEBUG, message, context)


def info(message: str, context: str = "") -> None:
    """Of interest to somebody who is watching."""
    log(Level.INFO, message, context)


def warn(message: str, context: str = "") -> None:
    """Something that may become harmful."""
    log(Level.WARN, message, context)


def error(message: str, context: str = "") -> None:
    """Something has failed."""
    log(Level.ERROR, message, context)


def critical(message: str, context: str = "") -> None:
    """Nothing works any more."""
    log(Level.CRITICAL, message, context)


def exception(what: str, error: BaseException) -> None:
    """Writes an exception and its traceback: one line, since the host has no longer ones."""
    lines = traceback.format_exception(type(error), error, _own(error.__traceback__))
    parts = [part.strip() for line in lines for part in line.splitlines()]
    if isinstance(error, ModuleNotFoundError):
        parts.append("hint: in a component, import it at the top of a module of the plugin")
    log(Level.ERROR, f"{what}: {summary(error)}; " + "; ".join(filter(None, parts)), "traceback")


def _own(at: TracebackType | None) -> TracebackType | None:
    """A traceback without the frames of this package which it begins with."""
    while at is not None and at.tb_next is not None and at.tb_frame.f_code.co_filename.startswith(_HERE):
        at = at.tb_next
    return at


def summary(error: BaseException) -> str:
    """The kind of an exception and its text."""
    return "".join(traceback.format_exception_only(error)).strip()


class Handler(logging.Handler):
    """Writes what comes by Python's `logging` to the host's log.

    While a component is built there is no host, and it goes to standard error.
    """

    def emit(self, record: logging.LogRecord) -> None:
        try:
            levels = [level for level in Level if level <= record.levelno]
            level = levels[-1] if levels else Level.TRACE
            text = "; ".join(filter(None, map(str.strip, self.format(record).splitlines())))
            if _host.is_there():
                log(level, text, record.name)
            else:
                print(text, file=sys.stderr)
        except Exception:
            self.handleError(record)
