"""HTTP requests, whose path is a command."""

import asyncio
from collections.abc import AsyncIterator
from urllib.parse import unquote

import command
from holdfast import config, keyvalue, topics
from holdfast.http import Request, Response


async def handle(request: Request) -> Response:
    """Does what the path says."""
    _, name, argument, *_ = [unquote(segment) for segment in request.path.split("/")] + [""]
    match name:
        case "hello":
            return text("hello")
        case "echo":
            content_type = request.headers.get("content-type")
            return Response(request.body, headers={"content-type": content_type} if content_type else {})
        case "method":
            return text(request.method)
        case "head":
            return text("\n".join(sorted(f"{name}: {value}" for name, value in request.headers.items())))
        case "query":
            return text(request.query)
        case "status":
            return Response(status=int(argument))
        case "large":
            return text("x" * int(argument))
        case "events":
            return Response(events(int(argument)), headers={"content-type": "text/event-stream"})
        case "increment":
            return text(str(keyvalue.open().increment(argument)))
        case "publish":
            return text(command.published(topics.publish(argument, await request.text())))
        case "send":
            return text(command.send_to(argument, await request.text()))
        case "config":
            return text(config.get(argument, "none") or "")
        case "fetch":
            return text(await command.fetch(request.query_value("url") or ""))
        case "sleep":
            return text(await command.sleep(argument))
        case "fail":
            raise ValueError("told to fail")
        case "trap":
            raise RuntimeError("told to trap")
    return Response("no such command", status=404)


def text(body: str) -> Response:
    return Response(body, headers={"content-type": "text/plain"})


async def events(count: int) -> AsyncIterator[str]:
    """Server-sent events, numbered from 0."""
    for number in range(count):
        yield f"data: {number}\n\n"
        await asyncio.sleep(0)
