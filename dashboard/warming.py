"""What the first visitor would otherwise wait for, done before the server listens."""

import ast
import ctypes
import importlib
from collections.abc import Iterator

from dashboard.navigation import ROOT, SECTIONS, page_file

_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD, _M_ARENA_MAX = -1, -3, -8
_GLIBC_CHOICES = {_M_ARENA_MAX: 2, _M_MMAP_THRESHOLD: 131_072, _M_TRIM_THRESHOLD: 131_072}


def warm_up() -> None:
    """Import what the app and its pages import; their scripts run only when somebody visits them."""
    _return_freed_memory()
    import pyarrow

    pyarrow.set_memory_pool(pyarrow.system_memory_pool())  # the default pool keeps 15 MB that nobody uses
    for module, name in imported_names():
        loaded = importlib.import_module(module)
        if hasattr(loaded, "__path__") and not hasattr(loaded, name):
            importlib.import_module(f"{module}.{name}")


def _return_freed_memory() -> None:
    """Have glibc give back what large arrays held, and keep two arenas for all threads: 12 MB less after every page."""
    libc = ctypes.CDLL(None)
    if hasattr(libc, "mallopt"):  # other C libraries know no such choice
        for option, value in _GLIBC_CHOICES.items():
            libc.mallopt(option, value)


def imported_names() -> Iterator[tuple[str, str]]:
    """(module, name) of every `from module import name` of this project in the app and its pages."""
    pages = [page_file(name) for entries in SECTIONS.values() for name, _, _ in entries]
    for script in [ROOT / "dashboard" / "app.py", *pages]:
        for node in ast.walk(ast.parse(script.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ImportFrom) and str(node.module).startswith(("core", "dashboard")):
                yield from ((str(node.module), alias.name) for alias in node.names)
