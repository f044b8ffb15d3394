"""What the first visitor would otherwise wait for, done before the server listens."""

import ast
import importlib
from collections.abc import Iterator

from dashboard.navigation import ROOT, SECTIONS, page_file


def warm_up() -> None:
    """Import what the app and its pages import; their scripts run only when somebody visits them."""
    import pyarrow

    pyarrow.set_memory_pool(pyarrow.system_memory_pool())  # the default pool keeps 15 MB that nobody uses
    for module, name in imported_names():
        loaded = importlib.import_module(module)
        if hasattr(loaded, "__path__") and not hasattr(loaded, name):
            importlib.import_module(f"{module}.{name}")


def imported_names() -> Iterator[tuple[str, str]]:
    """(module, name) of every `from module import name` of this project in the app and its pages."""
    pages = [page_file(name) for entries in SECTIONS.values() for name, _, _ in entries]
    for script in [ROOT / "dashboard" / "app.py", *pages]:
        for node in ast.walk(ast.parse(script.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ImportFrom) and str(node.module).startswith(("core", "dashboard")):
                yield from ((str(node.module), alias.name) for alias in node.names)
