"""Cached readers of what node models leave in a run folder: votes per node, clusters, maps; and names of nodes."""

from pathlib import Path

import pandas as pd
import pyarrow as pa
import streamlit as st

from core.data.dataset import Dataset
from core.errors import DataError, RunError
from core.files import read_json
from core.runs import projections
from core.runs.folder import RunFolder
from core.runs.projections import Method
from dashboard.readers import Stamp, stamp


def is_scored(run: RunFolder) -> bool:
    """Whether the run has classified nodes."""
    return (run.path / "per_node.parquet").exists()


def per_node(run: RunFolder) -> pd.DataFrame | None:
    """Votes per protocol, label setting and test node; None before there are any. Raises RunError if damaged."""
    path = run.path / "per_node.parquet"
    return _table(str(path), stamp(path)) if path.exists() else None


def clusters(run: RunFolder) -> pd.DataFrame | None:
    """Cluster and label per protocol and labelled node; None before there are any. Raises RunError if damaged."""
    path = run.path / "clusters.parquet"
    return _table(str(path), stamp(path)) if path.exists() else None


@st.cache_resource(max_entries=16, show_spinner="Reading results per node")
def _table(path: str, written: Stamp) -> pd.DataFrame:
    try:
        return pd.read_parquet(path)
    except (OSError, ValueError, pa.ArrowException) as error:
        raise RunError(
            f"{path}: cannot be read ({error}); evaluate the run again to write it again"
        ) from error


def mapped(run: RunFolder, level: str, method: Method) -> pd.DataFrame | None:
    """The map of a level: node, x, y; None where there is none. Raises RunError if damaged."""
    path = projections.projection_file(run, level, method)
    return _mapped(str(run.path), level, method, stamp(path)) if path.exists() else None


@st.cache_resource(max_entries=16, show_spinner="Reading the map")
def _mapped(folder: str, level: str, method: Method, written: Stamp) -> pd.DataFrame | None:
    return projections.read(RunFolder(Path(folder)), level, method)


def node_names(data: Dataset | None, count: int) -> list[str]:
    """A readable name per node of the target type: its title, else its id in the source, else its number."""
    if data is not None:
        try:
            target = str(read_json(data.folder / "nodes.json")["target"])
        except (OSError, ValueError, KeyError, TypeError):
            target = ""
        path = data.folder / "nodes" / f"{target}.parquet"
        if target == "item" and not path.exists():
            path = data.folder / "items.parquet"
        if path.exists():
            found = _names(str(path), stamp(path))
            if len(found) == count:
                return found
    return [str(number) for number in range(count)]


def noise_metapaths(data: Dataset) -> tuple[str, ...]:
    """On planted data: the metapaths that walk over a relation which is pure noise; otherwise none."""
    if not data.info.planted:
        return ()
    try:
        truth = data.truth("relations")
        walks = read_json(data.folder / "metapaths.json")
        noise = {str(name) for name in truth.loc[truth["noise"].astype(bool), "relation"]}
        return tuple(str(name) for name, walk in walks.items() if noise & set(walk["relations"]))
    except (DataError, OSError, ValueError, KeyError, TypeError):
        return ()


@st.cache_resource(max_entries=8, show_spinner="Reading names of nodes")
def _names(path: str, written: Stamp) -> list[str]:
    try:
        frame = pd.read_parquet(path)
    except (OSError, ValueError, pa.ArrowException):
        return []
    column = "title" if "title" in frame else "original_id"
    return [str(name) for name in frame[column]] if column in frame else []
