"""Write Holdfast plugins in Python.

A plugin is a WebAssembly component with handlers for HTTP requests, for WebSocket
events, or for both. The host holds every socket; a handler runs in a sandbox, when
something happens, and decides. Here is one with both: what is posted to it appears
in every open WebSocket.

    import holdfast
    from holdfast import topics
    from holdfast.http import Request, Response
    from holdfast.websocket import Accept, Connection, Handshake, Message, WebSocket


    class News(WebSocket):
        async def accept(self, handshake: Handshake) -> Accept:
            return Accept(topics=["news"])


    async def handle(request: Request) -> str:
        text = await request.text()
        return f"sent to {topics.publish('news', text).queued}\\n"


    holdfast.export(http=handle, websocket=News())

What to know:

- State. The host runs as many instances of a plugin as it needs, ends them when it
  likes, and replaces the code under open connections. A global variable is not there
  at the next event. State is in attachments, in `topics` and in `keyvalue`.
- Waiting. Handlers are async. They wait with `asyncio.sleep`, `http.fetch` and the
  bodies of requests; there are no threads and no sockets. Sending and publishing never
  wait. The tasks of two events can't wake each other: use `connections` and `topics`
  instead of an `asyncio.Event`.
- Errors. An exception in a handler is logged with its traceback; the client gets 500,
  or the WebSocket is closed (`on_error` in the manifest). The instance goes on.
- Imports. All modules are imported when the component is built. There is no file
  system later; `holdfast.files` carries files along.
- Grants. A component imports the interfaces of the modules of this package which the
  plugin imports, and the host loads it only if it has them. `holdfast inspect` shows
  both.
- Tests. A plugin's modules can be imported by any Python; `holdfast.testing` is a host
  in memory.
"""

from holdfast._exports import export
from holdfast.websocket import WebSocket

__all__ = ["WebSocket", "export"]
