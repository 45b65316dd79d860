"""The backend, where Django looks for it."""

from __future__ import annotations

from typing import Any

from django.db import connections
from django.db.backends.sqlite3 import base

from holdfast import sqlite

__all__ = ["DatabaseWrapper", "initial"]


class DatabaseWrapper(base.DatabaseWrapper):  # type: ignore[misc]
    """Django's own for SQLite, with connections of `holdfast.sqlite`."""

    def get_new_connection(self, conn_params: dict[str, Any]) -> sqlite.Connection:
        """Opens the database."""
        name = conn_params["database"]
        # `uri` would make SQLite look for a file system.
        more = {"database": ":memory:", "factory": sqlite.Connection, "uri": False}
        connection: sqlite.Connection = super().get_new_connection({**conn_params, **more})
        connection.attach(str(name))
        return connection


def initial(alias: str = "default") -> None:
    """What the database has now, new ones begin with: to be called after `migrate`, at build."""
    wrapper = connections[alias]
    wrapper.ensure_connection()
    sqlite.initial(str(wrapper.settings_dict["NAME"]), wrapper.connection)
    wrapper.close()
