"""The server process stays light: no page or dashboard module loads torch or umap, not even indirectly."""

import subprocess
import sys

from dashboard.navigation import ROOT

SCRIPT = """
import importlib, pathlib, sys
for path in sorted(pathlib.Path("dashboard").rglob("*.py")):
    if path.name not in ("app.py", "__init__.py"):
        importlib.import_module(".".join(path.with_suffix("").parts))
import ast
for page in sorted(pathlib.Path("pages").glob("*.py")):
    for node in ast.walk(ast.parse(page.read_text())):
        if isinstance(node, ast.ImportFrom):
            importlib.import_module(node.module)
for package in ("core.data", "core.runs", "core.catalog"):
    for path in sorted(pathlib.Path(*package.split(".")).glob("*.py")):
        importlib.import_module(f"{package}.{path.stem}" if path.stem != "__init__" else package)
importlib.import_module("core.evaluation.paths")
heavy = {"torch", "umap", "numba", "core.ops", "core.models", "core.training"} & set(sys.modules)
print(sorted(heavy))
"""


def test_nothing_the_server_imports_loads_torch_or_umap() -> None:
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT], cwd=ROOT, capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == "[]"
