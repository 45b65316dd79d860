"""`wasi:config`."""

from __future__ import annotations

from collections.abc import Iterable

from componentize_py_types import Err
from wit_world.imports import wasi_config_store_0_2_0_rc_1 as store

from holdfast.errors import ConfigError


def get(key: str) -> str | None:
    """The value of a key."""
    try:
        return store.get(key)
    except Err as error:
        raise ConfigError(f"the settings can't be read: {error.value.value}") from None


def get_all() -> Iterable[tuple[str, str]]:
    """All keys and values."""
    try:
        return store.get_all()
    except Err as error:
        raise ConfigError(f"the settings can't be read: {error.value.value}") from None
