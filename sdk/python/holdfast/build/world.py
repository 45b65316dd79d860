"""The WIT world of a component: what it exports and imports."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

WIT = Path(__file__).parent.parent / "wit"
"""The published interfaces."""

PACKAGES = (
    "websocket-0.1.0",
    "clocks-0.3.0.wit",
    "config-0.2.0-rc.1.wit",
    "http-0.3.0.wit",
    "keyvalue-0.2.0-draft2.wit",
    "logging-0.1.0-draft.wit",
)

IMPORTS = (
    "holdfast:websocket/connections@0.1.0",
    "holdfast:websocket/topics@0.1.0",
    "holdfast:websocket/websocket-types@0.1.0",
    "wasi:clocks/monotonic-clock@0.3.0",
    "wasi:logging/logging@0.1.0-draft",
)
"""What every component imports."""

PARTS = {
    "config": ("wasi:config/store@0.2.0-rc.1",),
    "http": ("wasi:http/types@0.3.0", "wasi:http/client@0.3.0"),
    "keyvalue": (
        "wasi:keyvalue/store@0.2.0-draft2",
        "wasi:keyvalue/atomics@0.2.0-draft2",
        "wasi:keyvalue/batch@0.2.0-draft2",
    ),
}
"""What a component imports whose plugin imports a module of the SDK, by the module's name."""

HTTP = "wasi:http/handler@0.3.0"
WEBSOCKET = "holdfast:websocket/websocket-handler@0.1.0"
ATTACHMENTS = "holdfast:websocket/attachments@0.1.0"


@dataclass(frozen=True)
class World:
    """What a component has."""

    parts: frozenset[str]
    """Keys of `PARTS`."""
    http: bool
    websocket: bool
    attachments: bool

    @classmethod
    def everything(cls) -> World:
        """The largest there is."""
        return cls(frozenset(PARTS), http=True, websocket=True, attachments=True)

    def wit(self) -> str:
        """Its text."""
        imports = [*IMPORTS, *(name for part in sorted(self.parts) for name in PARTS[part])]
        lines = [f"    import {name};" for name in imports]
        lines += [f"    export {name};" for name, _ in self.exports()]
        return "package holdfast:python;\n\nworld component {\n" + "\n".join(lines) + "\n}\n"

    def exports(self) -> list[tuple[str, str]]:
        """The exported interfaces, and the modules that implement them."""
        rows = [
            (self.http, HTTP, "export_http"),
            (self.websocket, WEBSOCKET, "export_websocket"),
            (self.attachments, ATTACHMENTS, "export_attachments"),
        ]
        return [(name, module) for is_there, name, module in rows if is_there]

    def entry(self, module: str) -> str:
        """The program that is componentized, around the plugin's module."""
        exports = [f"from holdfast._component.{name} import *\n" for _, name in self.exports()]
        return (
            "from holdfast._component import life\n"
            "life.before_import()\n"
            f"import {module}\n"
            + "".join(exports)
            + f"life.after_import(frozenset({sorted(self.parts)!r}))\n"
        )

    def options(self, folder: Path) -> list[str]:
        """componentize-py's options for it. Its own WIT is written to `folder`."""
        (folder / "component.wit").write_text(self.wit())
        paths = [WIT / name for name in PACKAGES] + [folder]
        options = [word for path in paths for word in ("-d", str(path))]
        return ["--quiet", *options, "-w", "holdfast:python/component", "--full-names"]
