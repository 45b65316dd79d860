"""Files which the component carries along: templates, style sheets, pictures.

A component sees no file system. What is embedded while its modules are imported can be read
later under the same name by `open`, `os.stat`, `os.listdir`, `pathlib` and all that is built
on them, such as the template loaders and static files of web frameworks:

    from pathlib import Path
    from holdfast import files

    files.embed(Path(__file__).parent / "templates")

Outside of a component this does nothing: there the files are where they are.
"""

from __future__ import annotations

import builtins
import errno
import io
import os
import stat
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import IO, Any

__all__ = ["embed"]

StrPath = str | os.PathLike[str]

_SKIPPED = ("__pycache__", ".pyc", ".pyo", ".so")

_files: dict[str, tuple[bytes, float]] = {}
_folders: dict[str, set[str]] = {}
_real_open, _real_stat, _real_list = builtins.open, os.stat, os.listdir
is_in_component = False
"""Whether this is a component that is being built."""


def embed(*paths: StrPath) -> None:
    """Takes files along, and folders with all that is in them, except for compiled code.

    Names are absolute, or relative to the current folder. Raises `FileNotFoundError`.
    """
    if not is_in_component:
        for path in paths:
            os.stat(path)
        return
    if not _files and not _folders:
        _install()
    for path in paths:
        _embed(os.path.abspath(path))


def _embed(path: str) -> None:
    if stat.S_ISDIR(_real_stat(path).st_mode):
        _folders.setdefault(path, set())
        for name in sorted(_real_list(path)):
            if not name.endswith(_SKIPPED):
                _embed(os.path.join(path, name))
        return
    with _real_open(path, "rb") as file:
        _files[path] = (file.read(), _real_stat(path).st_mtime)
    while path != "/":
        path, name = os.path.split(path)
        _folders.setdefault(path, set()).add(name)


def _found(path: Any) -> str | None:
    """The name under which a path is embedded, if it is."""
    if isinstance(path, int):
        return None
    name = os.path.abspath(os.fsdecode(path))
    return name if name in _files or name in _folders else None


def _open(original: Callable[..., IO[Any]]) -> Callable[..., IO[Any]]:
    def open(
        file: Any,
        mode: str = "r",
        buffering: int = -1,
        encoding: str | None = None,
        errors: str | None = None,
        newline: str | None = None,
        *rest: Any,
        **more: Any,
    ) -> IO[Any]:
        name = _found(file)
        if name is None:
            return original(file, mode, buffering, encoding, errors, newline, *rest, **more)
        if name in _folders:
            raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), name)
        if set(mode) & set("wax+"):
            raise OSError(errno.EROFS, os.strerror(errno.EROFS), name)
        content = io.BytesIO(_files[name][0])
        if "b" in mode:
            return content
        return io.TextIOWrapper(content, encoding or "utf-8", errors, newline)

    return open


def _stat(original: Callable[..., os.stat_result]) -> Callable[..., os.stat_result]:
    def look(path: Any, *rest: Any, **more: Any) -> os.stat_result:
        name = _found(path)
        if name is None:
            return original(path, *rest, **more)
        if name in _folders:
            return os.stat_result((stat.S_IFDIR | 0o555, 0, 0, 1, 0, 0, 0, 0, 0, 0))
        content, time = _files[name]
        seconds = int(time)
        return os.stat_result((stat.S_IFREG | 0o444, 0, 0, 1, 0, 0, len(content), seconds, seconds, seconds))

    return look


def _list(original: Callable[..., list[Any]]) -> Callable[..., list[Any]]:
    def list_names(path: Any = ".") -> list[Any]:
        name = _found(path)
        if name is None:
            return original(path)
        if name in _files:
            raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR), name)
        return sorted(_folders[name])

    return list_names


@dataclass(frozen=True)
class _Entry:
    """An `os.DirEntry`."""

    name: str
    path: str

    def is_dir(self, *, follow_symlinks: bool = True) -> bool:
        return self.path in _folders

    def is_file(self, *, follow_symlinks: bool = True) -> bool:
        return self.path in _files

    def is_symlink(self) -> bool:
        return False

    def is_junction(self) -> bool:
        return False

    def stat(self, *, follow_symlinks: bool = True) -> os.stat_result:
        return os.stat(self.path)

    def __fspath__(self) -> str:
        return self.path


class _Entries:
    """What `os.scandir` gives."""

    def __init__(self, folder: str) -> None:
        self._entries = (_Entry(name, os.path.join(folder, name)) for name in sorted(_folders[folder]))

    def __iter__(self) -> Iterator[_Entry]:
        return self._entries

    def __next__(self) -> _Entry:
        return next(self._entries)

    def __enter__(self) -> _Entries:
        return self

    def __exit__(self, *_: object) -> None:
        """There is nothing to let go of."""

    def close(self) -> None:
        """The same."""


def _scan(original: Callable[..., Any]) -> Callable[..., Any]:
    def scan(path: Any = ".") -> Any:
        name = _found(path)
        return original(path) if name is None or name in _files else _Entries(name)

    return scan


def _install() -> None:
    """Puts functions which know of these files in the place of those which don't."""
    opener = _open(builtins.open)
    builtins.open = io.open = opener  # type: ignore[assignment]
    os.stat, os.lstat = _stat(os.stat), _stat(os.lstat)
    os.listdir, os.scandir = _list(os.listdir), _scan(os.scandir)
