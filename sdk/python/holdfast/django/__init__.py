"""A database backend for Django: SQLite in memory, kept in `wasi:keyvalue`.

    DATABASES = {"default": {"ENGINE": "holdfast.django", "NAME": "blog", "ATOMIC_REQUESTS": True}}

`NAME` is that of the database in `holdfast.sqlite`, whose rules hold here. With
`ATOMIC_REQUESTS` a request's changes are kept before its response is sent; what is changed
outside of transactions is kept when the connection closes, after the response.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

__all__ = ["import_settings"]


def import_settings() -> None:
    """Imports whatever Django's settings name: hashers of passwords, views for errors, and so on.

    Django imports them when it needs them first, which in a component is too late. To be called
    at build, after `django.setup` or `get_wsgi_application`.
    """
    from django.conf import settings
    from django.utils import formats, timezone
    from django.utils.module_loading import import_string

    # It is read from the package `tzdata`, and kept.
    timezone.get_default_timezone()
    formats.get_format("DATE_FORMAT")

    for name in dir(settings):
        # A runner of tests would bring Django's and Python's own for them.
        if not name.isupper() or name == "TEST_RUNNER":
            continue
        for text in _texts(getattr(settings, name)):
            parts = text.split(".")
            if len(parts) > 1 and all(part.isidentifier() for part in parts):
                try:
                    import_string(text)
                except ImportError:
                    # Many texts with a dot in them name no module.
                    continue


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for inner in value.values():
            yield from _texts(inner)
    elif isinstance(value, (list, tuple)):
        for inner in value:
            yield from _texts(inner)
