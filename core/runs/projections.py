"""Two-dimensional maps of a run's embeddings on disk: made by a process of their own, read by everybody else (no umap, no torch).

`<run>/projections/<level>-<method>.parquet` holds one row per node: `node`, `x`, `y`. While it is being made, its `.lock` is held;
why it could not be made stands in its `.json`.
"""

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, get_args

import pandas as pd
import pyarrow as pa

from core.detached import start_detached
from core.errors import ConfigError, RunError
from core.files import read_json
from core.home import Home, checked_name
from core.locks import is_held
from core.runs.folder import RunFolder

Method = Literal["pca", "umap"]
METHODS: tuple[Method, ...] = get_args(Method)


@dataclass(frozen=True)
class Projecting:
    """Where a map stands. said: why it `failed`."""

    state: Literal["stored", "running", "failed", "absent"]
    said: str = ""


def projection_file(run: RunFolder, level: str, method: Method) -> Path:
    """Where the map of `level` lies, or will. Raises ConfigError for a name that cannot be one."""
    return run.path / "projections" / f"{checked_name(level, 'level')}-{checked_method(method)}.parquet"


def checked_method(method: str) -> Method:
    """`method` unchanged if there is one of that name. Raises ConfigError otherwise."""
    if method not in METHODS:
        raise ConfigError(f"unknown method {method!r}: expected one of {', '.join(METHODS)}")
    return method


def levels(run: RunFolder) -> list[str]:
    """The levels whose embeddings the run has stored."""
    return sorted(path.stem for path in run.embeddings.glob("*.npz") if not path.name.startswith("."))


def standing(run: RunFolder, level: str, method: Method) -> Projecting:
    """Whether the map is stored, being made, or why it is not."""
    path = projection_file(run, level, method)
    if is_held(path.with_suffix(".lock")):
        return Projecting("running")
    if path.exists():
        return Projecting("stored")
    try:
        return Projecting("failed", str(read_json(path.with_suffix(".json"))["message"]))
    except FileNotFoundError:
        return Projecting("absent")
    except (OSError, ValueError, KeyError, TypeError):
        return Projecting("failed", "its process left no readable word")


def read(run: RunFolder, level: str, method: Method) -> pd.DataFrame | None:
    """Columns node, x, y; None where there is no map yet. Raises RunError if it is damaged."""
    path = projection_file(run, level, method)
    if not path.exists():
        return None
    try:
        return pd.read_parquet(path, columns=["node", "x", "y"])
    except (OSError, ValueError, pa.ArrowException) as error:
        raise RunError(f"{path}: cannot be read ({error}); delete it and make the map again") from error


def start(home: Home, run: RunFolder, level: str, method: Method) -> None:
    """Have the map made by a process of its own, and return at once. Raises OSError if none can be started."""
    path = projection_file(run, level, method)
    path.parent.mkdir(exist_ok=True)
    path.with_suffix(".json").unlink(missing_ok=True)
    command = [sys.executable, "-m", "core", "project", run.run_id, "--level", level, "--method", method]
    start_detached([*command, "--home", str(home.root)], path.with_suffix(".log"))
