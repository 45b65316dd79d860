"""The database: SQLite in memory, which the host keeps between requests."""

import sqlite3

from flask import g

from holdfast import sqlite

SCHEMA = """
CREATE TABLE user (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  username TEXT UNIQUE NOT NULL,
  password TEXT NOT NULL
);
CREATE TABLE post (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  author_id INTEGER NOT NULL REFERENCES user (id),
  created TEXT NOT NULL DEFAULT CURRENT_TIMESTAMP,
  title TEXT NOT NULL,
  body TEXT NOT NULL
);
"""


def prepare() -> None:
    """What a new database begins with; called when the component is built."""
    with sqlite.connect("flaskr") as connection:
        connection.executescript(SCHEMA)
        sqlite.initial("flaskr", connection)


def get() -> sqlite.Connection:
    """The connection of this request."""
    if "db" not in g:
        g.db = sqlite.connect("flaskr")
        g.db.row_factory = sqlite3.Row
    return g.db


def close(_: BaseException | None = None) -> None:
    """Called at the end of each request."""
    connection = g.pop("db", None)
    if connection is not None:
        connection.close()
