"""The import law: packages of `core` know only those below them, and the server process stays free of torch and umap."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
LAYERS = (
    ("errors", "home", "files", "locks", "detached"),
    ("findings", "protocol"),
    ("catalog",),
    ("recipe",),
    ("data",),
    ("ops",),
    ("models",),
    ("evaluation",),
    ("runs",),
    ("training",),
    ("studies",),
    ("bench",),
    ("arguments", "asked", "cli", "__main__"),
)
# `evaluation` scores models and `training` uses it: both need torch. What the server reads lies outside of these.
HEAVY = (
    "core.ops",
    "core.models",
    "core.training",
    "core.bench",
    "core.evaluation.ranking",
    "core.evaluation.nodes",
)
RANK = {name: rank for rank, layer in enumerate(LAYERS) for name in layer}


def modules(*folders: str) -> list[Path]:
    return sorted(path for folder in folders for path in (ROOT / folder).rglob("*.py"))


def imported(path: Path) -> set[str]:
    found = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            found.add(node.module or "")
    return found


def dotted(path: Path) -> str:
    return ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")


@pytest.mark.parametrize("path", modules("core"), ids=dotted)
def test_a_package_of_core_imports_only_packages_below_it(path: Path) -> None:
    parts = path.relative_to(ROOT / "core").with_suffix("").parts
    if parts == ("__init__",):
        return
    for name in imported(path):
        if name.startswith("core."):
            other = name.split(".")[1]
            assert RANK[other] <= RANK[parts[0]], f"{dotted(path)} imports {name}"
        assert name.split(".")[0] not in ("streamlit", "plotly", "dashboard", "pages"), (
            f"{dotted(path)} imports {name}"
        )


def test_every_package_of_core_has_a_place_in_the_law() -> None:
    present = {p.stem for p in (ROOT / "core").iterdir() if p.suffix == ".py" or (p / "__init__.py").exists()}
    assert present - {"__init__"} == set(RANK)


def test_package_init_files_are_empty() -> None:
    assert [
        p for p in modules("core", "dashboard") if p.name == "__init__.py" and p.read_text().strip()
    ] == []


@pytest.mark.parametrize("path", modules("dashboard", "pages"), ids=dotted)
def test_the_dashboard_imports_no_heavy_module(path: Path) -> None:
    for name in imported(path):
        assert not name.startswith(HEAVY), f"{dotted(path)} imports {name}"
        assert name.split(".")[0] not in ("torch", "umap"), f"{dotted(path)} imports {name}"


def test_no_light_module_loads_torch_or_umap() -> None:
    """All light modules together in one fresh process: a page can load any of them."""
    light = [
        dotted(p) for p in modules("core", "dashboard") if not dotted(p).startswith((*HEAVY, "core.__main__"))
    ]
    light = [name for name in light if name != "dashboard.app"]
    script = f"import importlib, sys\nfor name in {light!r}: importlib.import_module(name)\n"
    script += "print(sorted({'torch', 'umap'} & set(sys.modules)))"
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, cwd=ROOT, timeout=120
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-1] == "[]"
