"""Streamlit's assets in one piece: the same content, type and caching as Streamlit's own answer, and nothing but assets."""

import asyncio
from pathlib import Path
from typing import Any

import pytest
import streamlit
from streamlit.web.server.starlette.starlette_static_routes import create_streamlit_static_handler

from dashboard.assets_at_once import AssetsAtOnce

STATIC = Path(streamlit.__file__).parent / "static"


def answer(
    app: Any, path: str, method: str = "GET", headers: tuple[tuple[bytes, bytes], ...] = ()
) -> tuple[int, dict[bytes, bytes], list[bytes]]:
    """What `app` sends: the status, the headers, and the body piece by piece."""
    sent: list[dict[str, Any]] = []

    async def receive() -> dict[str, Any]:
        await asyncio.sleep(3600)  # the request has no body, and the browser stays
        return {"type": "http.disconnect"}

    async def send(message: dict[str, Any]) -> None:
        sent.append(message)

    scope = {
        "type": "http",
        "method": method,
        "path": path,
        "headers": list(headers),
        "query_string": b"",
        "root_path": "",
    }
    asyncio.run(app(scope, receive, send))
    start, *rest = sent
    return start["status"], dict(start["headers"]), [message["body"] for message in rest]


async def passed_on(scope: Any, receive: Any, send: Any) -> None:
    await send({"type": "http.response.start", "status": 299, "headers": []})
    await send({"type": "http.response.body", "body": b"passed on"})


def assets() -> list[str]:
    """A small and the largest script, a style and a font of the installed Streamlit."""
    scripts = sorted((STATIC / "static" / "js").glob("*.js"), key=lambda path: path.stat().st_size)
    others = [next((STATIC / "static").glob(pattern)) for pattern in ("css/*.css", "media/*.woff2")]
    return [f"/{path.relative_to(STATIC).as_posix()}" for path in (scripts[0], scripts[-1], *others)]


@pytest.mark.parametrize("path", assets())
def test_an_asset_is_answered_as_streamlit_would_but_in_one_piece(path: str) -> None:
    theirs = answer(create_streamlit_static_handler(str(STATIC), None), path)
    status, headers, pieces = answer(AssetsAtOnce(passed_on), path)
    assert (status, len(pieces)) == (theirs[0], 1) == (200, 1)
    assert pieces[0] == b"".join(theirs[2]) == (STATIC / path[1:]).read_bytes()
    for name in (b"content-type", b"content-length", b"cache-control"):
        assert headers[name] == theirs[1][name]


@pytest.mark.parametrize(
    "path",
    [
        "/",
        "/runs",
        "/_stcore/health",
        "/static/js/no_such_file.js",
        "/static/js/../../index.html",
        "/static/js/..",
        "/static/js/..%2F..%2Findex.html",
        "/static/js//etc/passwd",
        "/static/js/..\\..\\index.html",
        "/static/./js/a.js",
        "/static/index.html",
        "/static/js/a.js\n",
    ],
)
def test_everything_else_is_passed_on(path: str) -> None:
    assert answer(AssetsAtOnce(passed_on), path)[0] == 299


def test_other_methods_are_passed_on() -> None:
    assert answer(AssetsAtOnce(passed_on), assets()[0], "POST")[0] == 299
    assert answer(AssetsAtOnce(passed_on), assets()[0], "HEAD")[0] == 299


@pytest.mark.parametrize("name", [b"if-none-match", b"if-modified-since", b"range"])
def test_conditions_and_ranges_are_left_to_streamlit(name: bytes) -> None:
    assert answer(AssetsAtOnce(passed_on), assets()[0], headers=((name, b"x"),))[0] == 299
