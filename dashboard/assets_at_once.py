"""Streamlit's own scripts, styles and fonts, each sent in one piece."""

import mimetypes
import re
from pathlib import Path

import streamlit
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

_FOLDER = Path(streamlit.__file__).parent / "static" / "static"
# js/index.DormvYxC.js: a hashed name in one folder, nothing that climbs out of it.
_ASSET = re.compile(r"/static/(js|css|media)/([A-Za-z0-9_-]+(?:\.[A-Za-z0-9_-]+)+)")
_CONDITIONS = {b"if-none-match", b"if-modified-since", b"range"}
_FOR_EVER = {"cache-control": "public, immutable, max-age=31536000"}


class AssetsAtOnce:
    """ASGI middleware: answers for Streamlit's hashed assets, passes everything else on, also conditions and ranges.

    Streamlit hands a file to a worker thread in pieces of 64 kB; a first visit asks for a hundred small ones, and on two
    cores the server's part of that is time the browser lacks.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        path = _wanted(scope)
        if path is None or not path.is_file():
            await self.app(scope, receive, send)
            return
        kind = mimetypes.guess_type(path.name)[0]
        await Response(path.read_bytes(), headers=_FOR_EVER, media_type=kind)(scope, receive, send)


def _wanted(scope: Scope) -> Path | None:
    """The file of the asset that is asked for whole and without conditions, if one is."""
    if scope["type"] != "http" or scope["method"] != "GET":
        return None
    asset = _ASSET.fullmatch(scope["path"])
    conditional = any(name in _CONDITIONS for name, _ in scope["headers"])
    return _FOLDER / asset[1] / asset[2] if asset and not conditional else None
