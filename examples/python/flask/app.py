"""A Flask application as a plugin's HTTP handler, beside a WebSocket handler.

The application in `flaskr` is an ordinary one; all that is particular to a component is here
and in `flaskr/db.py`, which opens a database that is kept by the host.
"""

import secrets
from pathlib import Path

import holdfast
from flaskr import create_app, db
from holdfast import files, keyvalue
from holdfast.websocket import Accept, Handshake, Reject, WebSocket
from holdfast.wsgi import Wsgi

HERE = Path(__file__).parent / "flaskr"


class Live(WebSocket):
    """Tells open pages of new posts."""

    async def accept(self, handshake: Handshake) -> Accept:
        if handshake.path != "/live":
            raise Reject(404, "there are no sockets here")
        return Accept(topics=["posts"])


def application(environ, start_response):
    """The Flask application, with a key for its sessions which all instances share."""
    if not app.secret_key:
        kept = keyvalue.open().update("secret-key", lambda key: key or secrets.token_hex(32).encode())
        app.secret_key = kept.decode()
    return app(environ, start_response)


files.embed(HERE / "templates", HERE / "static")
app = create_app()
db.prepare()

# While this is built, the pages are asked for once: then all modules are imported, and all
# templates compiled.
app.secret_key = "of the build"
wsgi = Wsgi(application)
wsgi.warm_up("/", "/auth/register", "/auth/login", "/static/style.css")
app.secret_key = None

holdfast.export(http=wsgi, websocket=Live())
