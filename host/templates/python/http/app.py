"""HTTP requests. Open the URL that `holdfast dev` prints, change a text below, and save."""

from html import escape

import holdfast
from holdfast.http import Request, Response

NAME_BYTES_MAX = 100
"""The longest name."""


async def handle(request: Request) -> Response:
    if request.path != "/":
        return Response("There is nothing here.\n", 404)
    match request.method:
        case "GET" | "HEAD":
            return html(page("world"))
        case "POST":
            return html(page(await request.text(NAME_BYTES_MAX)))
    return Response("GET it, or POST a name\n", 405, {"allow": "GET, HEAD, POST"})


def page(name: str) -> str:
    # What others send is never markup.
    return f"""<!doctype html>
<meta charset="utf-8">
<title>{{name}}</title>
<h1>Hello, {escape(name)}!</h1>
"""


def html(text: str) -> Response:
    return Response(text, headers={"content-type": "text/html; charset=utf-8"})


holdfast.export(http=handle)
