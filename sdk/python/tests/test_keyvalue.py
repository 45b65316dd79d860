"""Keys and values, settings, the log, and SQLite on top of them."""

import logging
import sqlite3

import pytest

from holdfast import config, keyvalue, log, sqlite
from holdfast.testing import Host


def test_values_are_changed_by_compare_and_swap() -> None:
    with Host() as host:
        store = keyvalue.open()
        calls = []

        def change(value: bytes | None) -> bytes:
            calls.append(value)
            if len(calls) == 1:
                host.values["default"]["key"] = b"theirs"
            return (value or b"") + b"+mine"

        assert store.update("key", change) == b"theirs+mine"
        assert calls == [None, b"theirs"]
        assert store.replace("key", b"theirs+mine", b"new") and not store.replace("key", b"old", b"")
        store.set_many({"a": b"1", "b": b"2"})
        assert store.get_many(["a", "c"]) == {"a": b"1"}
        assert store.increment("a", 2) == 3
        assert store.keys() == ["a", "b", "key"]
        store.delete_many(["a", "b"])
        assert not store.exists("a") and store.get("key") == b"new"
        with pytest.raises(keyvalue.NoSuchStore):
            keyvalue.open("other")
        with pytest.raises(keyvalue.StoreError, match="no number"):
            store.increment("key")


def test_settings() -> None:
    with Host(config={"colour": "blue"}):
        assert config.get("colour") == "blue"
        assert config.get("size", "large") == "large"
        assert config.all() == {"colour": "blue"}


def test_pythons_logging_goes_to_the_host() -> None:
    logger = logging.getLogger("tests.log")
    handler = log.Handler()
    logger.addHandler(handler)
    try:
        with Host() as host:
            logger.warning("one\ntwo %s", 3)
            logger.critical("all is lost")
            log.info("plain")
            assert host.lines == [
                (log.Level.WARN, "one; two 3"),
                (log.Level.CRITICAL, "all is lost"),
                (log.Level.INFO, "plain"),
            ]
    finally:
        logger.removeHandler(handler)


def test_a_database_is_kept_and_read_by_the_next_connection() -> None:
    with Host() as host:
        with sqlite.connect("blog") as one:
            one.execute("create table post (title text)")
            one.execute("insert into post values (?)", ("x" * 2_000_000,))
        keys = list(host.values["default"])
        assert sum(key.startswith("sqlite/blog/") for key in keys) >= 4
        two = sqlite.connect("blog")
        two.execute("insert into post values ('second')")
        assert two.in_transaction
        two.rollback()
        assert two.execute("select count(*) from post").fetchone() == (1,)
        two.execute("delete from post")
        two.commit()
        two.execute("vacuum")
        two.close()
        # The pieces of the old one are gone.
        assert len(host.values["default"]) == 2
        three = sqlite.connect("blog")
        assert three.execute("select count(*) from post").fetchone() == (0,)


def test_of_two_who_write_at_a_time_the_second_is_told() -> None:
    with Host():
        first = sqlite.connect("blog")
        first.execute("create table post (title text)")
        first.commit()
        second = sqlite.connect("blog")
        first.execute("insert into post values ('first')")
        second.execute("insert into post values ('second')")
        first.commit()
        with pytest.raises(sqlite3.OperationalError, match="locked"):
            second.commit()
        assert second.execute("select title from post").fetchall() == [("first",)]
        second.execute("insert into post values ('second')")
        second.commit()
        # What does not change anything is no conflict.
        first.commit()
        first.close()
        assert len(sqlite.connect("blog").execute("select * from post").fetchall()) == 2
