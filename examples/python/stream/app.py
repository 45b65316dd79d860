"""Server-sent events: `GET /?count=N&pause=MS` streams until the count is reached or the client goes."""

import asyncio
from collections.abc import AsyncIterator
from itertools import count

import holdfast
from holdfast.http import Request, Response

PAUSE_MS = 100


async def events(limit: int | None, pause_ms: int) -> AsyncIterator[str]:
    """Goes no faster than the client reads, and ends when it goes."""
    for number in count():
        if number == limit:
            return
        if number:
            await asyncio.sleep(pause_ms / 1000)
        yield f"data: {number}\n\n"


async def handle(request: Request) -> Response:
    if request.method not in ("GET", "HEAD"):
        return Response("only GET\n", 405, {"allow": "GET, HEAD"})
    try:
        limit = request.query_value("count")
        pause_ms = int(request.query_value("pause") or PAUSE_MS)
        body = events(None if limit is None else int(limit), max(pause_ms, 0))
    except ValueError:
        return Response("`count` and `pause` are numbers\n", 400)
    headers = {"content-type": "text/event-stream", "cache-control": "no-cache"}
    return Response(body, headers=headers)


holdfast.export(http=handle)
