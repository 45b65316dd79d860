"""Text messages, each of which is a command and its arguments."""

import secrets
import time

import command
from holdfast import config, connections, keyvalue, log, topics
from holdfast.websocket import Connection


async def answer(connection: Connection, text: str) -> str | None:
    """Does what a message says, and returns the answer, if there is one."""
    name, _, rest = text.partition(" ")
    match name:
        case "echo":
            return rest
        case "id":
            return connection.id
        case "time":
            return str(int(time.time() * 1000))
        case "random":
            return secrets.token_hex(16)
        case "sleep":
            return await command.sleep(rest)
        case "fetch":
            return await command.fetch(rest)
        case "fail":
            raise ValueError(rest)
        case "trap":
            raise RuntimeError("told to trap")
        case "large":
            return "x" * int(rest)
        case "too-large":
            try:
                return str(connection.send("x" * int(rest)))
            except connections.TooLarge as error:
                return f"too-large {error.limit}"
        case "print":
            print(rest)
            return "printed"
        case "log":
            level, _, line = rest.partition(" ")
            log.log(log.Level[level.upper()], line)
            return "logged"
        case "config":
            return config.get(rest, "none")
        case "close":
            code, _, reason = rest.partition(" ")
            return close(connection, int(code), reason)
    for act in (state, topic):
        found = act(connection, name, rest)
        if found is not None:
            return found
    return keys(name, rest)


def state(connection: Connection, name: str, rest: str) -> str | None:
    """Attachments and other connections."""
    match name:
        case "attachment":
            return f"{connection.attachment_version} {connection.attachment.decode()}"
        case "remember":
            return f"remembered {connection.set_attachment(rest.encode(), connection.attachment_version)}"
        case "stale":
            try:
                return str(connection.set_attachment(rest.encode(), 999))
            except connections.Conflict as error:
                return f"conflict {error.version}"
        case "peer":
            found = connections.get(rest)
            return "none" if found is None else found.attachment.decode()
        case "send":
            peer, _, text = rest.partition(" ")
            return command.send_to(peer, text)
    return None


def close(connection: Connection, code: int, reason: str) -> str | None:
    """Closes the connection, and answers if that is not possible."""
    try:
        connection.close(code, reason)
    except connections.Gone:
        return "gone"
    except connections.InvalidCode:
        return "invalid-code"
    except connections.ReasonTooLong:
        return "reason-too-long"
    return None


def topic(connection: Connection, name: str, rest: str) -> str | None:
    to, _, text = rest.partition(" ")
    match name:
        case "subscribe":
            try:
                connection.subscribe(rest)
            except topics.Gone:
                return "gone"
            except topics.TooManyTopics as error:
                return f"too-many {error.limit}"
            except topics.InvalidTopic as error:
                return f"invalid-name {error.limit}"
            return "subscribed"
        case "unsubscribe":
            connection.unsubscribe(rest)
            return "unsubscribed"
        case "publish":
            return command.published(topics.publish(to, text))
        case "others":
            return command.published(topics.publish(to, text, without=connection.id))
        case "count":
            return str(topics.count(rest))
        case "subscribers":
            return " ".join(sorted(one.connection for one in topics.subscribers(rest)))
    return None


def keys(name: str, rest: str) -> str:
    store = keyvalue.open()
    key, _, value = rest.partition(" ")
    match name:
        case "set":
            store.set(key, value.encode())
            return "done"
        case "get":
            found = store.get(rest)
            return "none" if found is None else found.decode()
        case "delete":
            store.delete(rest)
            return "done"
        case "exists":
            return str(store.exists(rest)).lower()
        case "increment":
            return str(store.increment(key, int(value)))
        case "keys":
            return " ".join(sorted(store.keys()))
    raise ValueError(f"no such command: {name}")
