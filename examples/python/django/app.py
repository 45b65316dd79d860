"""A Django site as a plugin's HTTP handler, beside a WebSocket handler.

The site in `mysite` and `blog` is an ordinary one. What is particular to a component is here,
and in the settings: the database, the key for sessions, and how passwords are kept.
"""

import os
import secrets
from pathlib import Path

os.environ["DJANGO_SETTINGS_MODULE"] = "mysite.settings"

import django
from django.conf import settings
from django.contrib.staticfiles.handlers import StaticFilesHandler
from django.core.management import call_command
from django.core.wsgi import get_wsgi_application

import holdfast
from holdfast import files, keyvalue
from holdfast.django import import_settings
from holdfast.django.base import initial
from holdfast.websocket import Accept, Handshake, Reject, WebSocket
from holdfast.wsgi import Wsgi

HERE = Path(__file__).parent


class Live(WebSocket):
    """Tells open pages of new posts."""

    async def accept(self, handshake: Handshake) -> Accept:
        if handshake.path != "/live":
            raise Reject(404, "there are no sockets here")
        return Accept(topics=["posts"])


def application(environ, start_response):
    """The Django site, with a key for its sessions which all instances share."""
    global has_key
    if not has_key:
        kept = keyvalue.open().update("secret-key", lambda key: key or secrets.token_hex(32).encode())
        settings.SECRET_KEY = kept.decode()
        has_key = True
    return site(environ, start_response)


files.embed(HERE / "blog/templates", HERE / "blog/static", Path(django.__file__).parent / "forms/templates")
site = StaticFilesHandler(get_wsgi_application())
import_settings()
# The tables are made now; every new database begins with them.
call_command("migrate", verbosity=0)
initial()

# While this is built, the pages are asked for once: then all modules are imported, and all
# templates compiled.
has_key = True
wsgi = Wsgi(application)
wsgi.warm_up("/", "/signup/", "/accounts/login/", "/new/", "/static/blog/style.css", "/nothing/")
has_key = False

holdfast.export(http=wsgi, websocket=Live())
