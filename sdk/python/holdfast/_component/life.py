"""The life of a component: what is made ready when it is built, and at its first event.

The builder runs the plugin's modules once and keeps the memory which they leave behind; every
instance begins with a copy of it. So what has to differ between instances is made anew.
"""

from __future__ import annotations

import asyncio

# Codecs which Python loads when somebody asks for them, too late in a component.
import encodings.ascii
import encodings.cp1252
import encodings.idna
import encodings.latin_1
import encodings.punycode
import encodings.utf_8_sig
import encodings.utf_16  # noqa: F401
import gc
import logging
import random
import sys

from holdfast import _host, files
from holdfast._component import loop, standard
from holdfast._component.host import ComponentHost
from holdfast.log import Handler

_host_here = ComponentHost()
_is_awake = False


def before_import() -> None:
    """To be called before the plugin's modules are imported."""
    loop.install()
    # componentize-py says that it runs; modules are imported outside of any loop.
    asyncio._set_running_loop(None)
    standard.install()
    files.is_in_component = True
    logging.basicConfig(level=logging.INFO, format="%(message)s", handlers=[Handler()])
    sys.stdout.reconfigure(line_buffering=True)  # type: ignore[union-attr]


def after_import(parts: frozenset[str]) -> None:
    """To be called after it, with the modules whose interfaces the component imports."""
    if "config" in parts:
        from holdfast._component import config

        _host_here.config_part = config
    if "keyvalue" in parts:
        from holdfast._component import keyvalue

        _host_here.store_part = keyvalue
    if "http" in parts:
        from holdfast._component import http

        _host_here.client_part = http
    loop.run()
    # What is there now stays: the collector need not look at it again.
    gc.collect()
    gc.freeze()


def awake() -> None:
    """To be called at each event: at the first one of an instance, the host is there."""
    global _is_awake
    if _is_awake:
        return
    _is_awake = True
    _host.install(_host_here)
    random.seed()
