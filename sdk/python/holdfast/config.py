"""Settings which the operator has written for this plugin (`wasi:config`)."""

from __future__ import annotations

from holdfast._host import host
from holdfast.errors import ConfigError

__all__ = ["ConfigError", "all", "get"]


def get(key: str, default: str | None = None) -> str | None:
    """The value of a key; `default` if it is not set. Raises `ConfigError`."""
    value = host().config(key)
    return default if value is None else value


def all() -> dict[str, str]:
    """All keys and values. Raises `ConfigError`."""
    return dict(host().config_all())
