"""What the first visitor would otherwise wait for, done before the server listens."""

import ast
import ctypes
import gc
import importlib
import os
import socket
from collections.abc import Iterator
from contextlib import suppress

import psutil

from dashboard.navigation import ROOT, SECTIONS, page_file

_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD, _M_ARENA_MAX = -1, -3, -8
_GLIBC_CHOICES = {_M_ARENA_MAX: 2, _M_MMAP_THRESHOLD: 131_072, _M_TRIM_THRESHOLD: 131_072}


def warm_up() -> None:
    """Import what the app and its pages import; their scripts run only when somebody visits them."""
    _return_freed_memory()
    answer_at_once()
    import pyarrow

    pyarrow.set_memory_pool(pyarrow.system_memory_pool())  # the default pool keeps 15 MB that nobody uses
    for module, name in imported_names():
        loaded = importlib.import_module(module)
        if hasattr(loaded, "__path__") and not hasattr(loaded, name):
            importlib.import_module(f"{module}.{name}")
    gc.collect()
    gc.freeze()  # Streamlit collects after every view: 0.1 s less each time without what is here to stay


def _return_freed_memory() -> None:
    """Have glibc give back what large arrays held, and keep two arenas for all threads: 12 MB less after every page."""
    libc = ctypes.CDLL(None)
    if hasattr(libc, "mallopt"):  # other C libraries know no such choice
        for option, value in _GLIBC_CHOICES.items():
            libc.mallopt(option, value)


def answer_at_once() -> None:
    """Send small answers without waiting for the browser's acknowledgement (TCP_NODELAY).

    Streamlit binds a socket on which asyncio does not set it, so each of a page's hundred small scripts, whose header and
    body are two packets, waits 40 ms for a delayed acknowledgement. Accepted connections inherit it from the listener.
    """
    with suppress(psutil.Error, OSError):  # where the system does not tell, pages are slower and that is all
        for connection in psutil.Process().net_connections("tcp"):
            if connection.status == psutil.CONN_LISTEN:
                with socket.socket(fileno=os.dup(connection.fd)) as listener:
                    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)


def imported_names() -> Iterator[tuple[str, str]]:
    """(module, name) of every `from module import name` of this project in the app and its pages."""
    pages = [page_file(name) for entries in SECTIONS.values() for name, _, _ in entries]
    for script in [ROOT / "dashboard" / "app.py", *pages]:
        for node in ast.walk(ast.parse(script.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ImportFrom) and str(node.module).startswith(("core", "dashboard")):
                yield from ((str(node.module), alias.name) for alias in node.names)
