"""WebSocket events, and a page to try them.

Open the URL that `holdfast dev` prints, say something, change `answer` below, and save: the
socket stays open, and the next message is answered by the new code.
"""

from pathlib import Path

import holdfast
from holdfast.http import Request, Response
from holdfast.websocket import Connection, Message, WebSocket

# Files are there while the component is built, and not later.
PAGE = Path(__file__).with_name("page.html").read_text()


class Socket(WebSocket):
    async def open(self, connection: Connection) -> None:
        connection.send("Hello! Say something.")

    async def receive(self, connection: Connection, message: Message) -> None:
        # Whatever is to be there at the next message is in the attachment, which the host
        # keeps: this code may be another by then.
        count = int(connection.attachment or b"0") + 1
        connection.set_attachment(str(count).encode())
        connection.send(answer(count, message) if isinstance(message, str) else message)


def answer(count: int, text: str) -> str:
    return f"{count}: you said {text}"


async def page(request: Request) -> Response:
    return Response(PAGE, headers={"content-type": "text/html; charset=utf-8"})


holdfast.export(http=page, websocket=Socket())
