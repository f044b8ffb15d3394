"""Cached readers of run folders and data sets: keyed by a file's time and size, bounded in number.

What they return is shared between sessions: read it, never write into it.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import streamlit as st

from core.data import profile_store
from core.data.dataset import Dataset, DatasetInfo, list_datasets, open_dataset
from core.errors import DataError, RunError
from core.files import DAMAGED_ARCHIVE, read_json
from core.findings import Array, Finding, History, list_findings, load_finding, load_history
from core.home import Home, find_home
from core.protocol import FitOn
from core.recipe import Recipe
from core.runs.folder import RunFolder
from core.runs.index import list_runs
from core.runs.requests import pending_requests
from core.runs.state import supervisor_state
from core.runs.summary import RunSummary
from dashboard.metric_tails import MetricTails

if TYPE_CHECKING:
    from core.data.ranking import RankingData

Stamp = tuple[int, int]


def home() -> Home:
    """The home this server works on."""
    return find_home()


def stamp(path: Path) -> Stamp:
    """Time and size of a file, zeros if there is none: equal stamps mean that a cached reading still holds."""
    try:
        about = path.stat()
    except OSError:
        return (0, 0)
    return (about.st_mtime_ns, about.st_size)


def finding(run: RunFolder, key: str) -> Finding:
    """A finding of `run`. Raises RunError if it is missing or damaged."""
    return _finding(str(run.findings), key, stamp(run.findings / f"{key}.npz"))


@st.cache_resource(max_entries=24, show_spinner="Reading what the model learned")
def _finding(folder: str, key: str, written: Stamp) -> Finding:
    return load_finding(Path(folder), key)


def history(run: RunFolder, key: str) -> History | None:
    """A finding's snapshots, or None where the run took none. Raises RunError if damaged."""
    return _history(str(run.findings), key, stamp(run.findings / f"{key}.history.npz"))


@st.cache_resource(max_entries=24, show_spinner="Reading the snapshots")
def _history(folder: str, key: str, written: Stamp) -> History | None:
    return load_history(Path(folder), key)


def has_finding(run: RunFolder, key: str) -> bool:
    """Whether `run` has stored the finding `key` so far."""
    return (run.findings / f"{key}.json").exists()


def finding_titles(run: RunFolder) -> dict[str, tuple[str, str]]:
    """Title and kind of every finding stored so far, without its values; a damaged one goes by its key and has no kind."""
    keys = list_findings(run.findings)
    return {key: _about(str(run.findings), key, stamp(run.findings / f"{key}.json")) for key in keys}


@st.cache_resource(max_entries=256, show_spinner=False)
def _about(folder: str, key: str, written: Stamp) -> tuple[str, str]:
    try:
        stored = read_json(Path(folder) / f"{key}.json")
        return str(stored["title"]), str(stored["kind"])
    except (OSError, ValueError, KeyError, TypeError):
        return key, ""


def runs(chosen: Home) -> list[RunSummary]:
    """Summaries of every run, the latest first; at most a second old, and never without a run that was just created."""
    return _runs(str(chosen.root), stamp(chosen.runs))


@st.cache_resource(ttl=1, max_entries=4, show_spinner=False)
def _runs(root: str, changed: Stamp) -> list[RunSummary]:
    chosen = Home(Path(root))
    return [
        run.model_copy(update={"epoch": epoch_now(RunFolder(chosen.run(run.run_id)), run.epoch, run.started)})
        if run.state == "running"
        else run
        for run in list_runs(chosen)
    ]


def forget_runs() -> None:
    """Read the list of runs anew: somebody has just written into one of them."""
    _runs.clear()


def epoch_now(run: RunFolder, epoch: int, started: float | None) -> int:
    """The epoch a running run has finished: its newest metrics row says so earlier than `epoch` of its status.

    Rows from before `started` belong to an earlier attempt, which may have come further than its checkpoint.
    """
    rows = [row for row in _tails().rows(run.metrics) if row.time >= (started or 0.0)]
    return max(rows, key=lambda row: (row.time, row.epoch)).epoch if rows else epoch


def cancelling(chosen: Home) -> set[str]:
    """Ids of the runs that were told to stop, by a request or by the supervisor, and may not have stopped yet."""
    state = supervisor_state(chosen)
    told = {slot.run_id for slot in state.slots if slot.cancelling and slot.run_id} if state else set()
    requests = (pending.request for pending in pending_requests(chosen))
    return told | {request.run_id for request in requests if request and request.verb == "cancel"}


def dataset(chosen: Home, name: str) -> Dataset:
    """A stored data set. Raises DataError."""
    return open_dataset(chosen, name)


def datasets(chosen: Home) -> list[DatasetInfo]:
    return list_datasets(chosen)


@dataclass(frozen=True)
class GraphOutline:
    """What of a graph is to be classified: nodes of the target type, their classes (number), and the metapaths."""

    target: str
    nodes: int
    classes: int
    metapaths: tuple[str, ...]


def graph_outline(data: Dataset) -> GraphOutline:
    """The outline of a data set with typed nodes. Raises DataError if a file of it is missing or damaged."""
    return _graph_outline(str(data.folder), data.info.content_hash)


@st.cache_resource(max_entries=32, show_spinner=False)
def _graph_outline(folder: str, content: str) -> GraphOutline:
    try:
        nodes = read_json(Path(folder) / "nodes.json")
        metapaths = read_json(Path(folder) / "metapaths.json")
        labels = np.load(Path(folder) / "labels.npy", allow_pickle=False)
        target = str(nodes["target"])
        classes = nodes.get("classes") or range(int(labels.max(initial=-1)) + 1)
        return GraphOutline(target, int(nodes["types"][target]), len(classes), tuple(metapaths))
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise DataError(f"{folder}: the graph cannot be read ({error}); import the data set again") from error


def data_profile(chosen: Home, info: DatasetInfo) -> dict[str, Any] | None:
    """The stored profile of a data set (see `python -m core profile`), or None where there is none yet."""
    return _data_profile(str(chosen.root), info, _profile_stamps(chosen, info))


@st.cache_resource(
    max_entries=64, show_spinner=False, hash_funcs={DatasetInfo: lambda info: info.model_dump_json()}
)
def _data_profile(root: str, info: DatasetInfo, written: tuple[Stamp, ...]) -> dict[str, Any] | None:
    return profile_store.stored_profile(Home(Path(root)), info)


def _profile_stamps(chosen: Home, info: DatasetInfo) -> tuple[Stamp, ...]:
    folder = profile_store.profile_folder(chosen, info.content_hash)
    return tuple(stamp(folder / name) for name in ("profile.json", "users.parquet"))


def user_profile(chosen: Home, name: str) -> pd.DataFrame | None:
    """What is known of each user of data set `name`: `user`, `correlation` (mean over pairs of behaviours, CIGF, Eqs.
    25 and 26; NaN where undefined) and `degree_<behavior>` in training; row u is user u.

    None while another process counts, which this starts where nobody has. Raises DataError if the data set is missing
    or has no interactions, or if counting failed.
    """
    info = open_dataset(chosen, name).info
    if not info.behaviors:
        raise DataError(
            f"data set {name!r} has no interactions, so its users cannot be told apart; pick another data set"
        )
    table = _user_profile(str(chosen.root), info, _profile_stamps(chosen, info))
    if table is None:
        start_profile(chosen, info)
    return table


def start_profile(chosen: Home, info: DatasetInfo, *, again: bool = False) -> None:
    """Have a profile computed where nobody has tried, or where an attempt failed and `again` is true.

    Raises DataError if the last attempt failed and `again` is false, or if no process can be started.
    """
    now = profile_store.standing(chosen, info)
    if now.state == "failed" and not again:
        raise DataError(f"data set {info.name!r} could not be profiled: {now.said}")
    if now.state in ("absent", "failed"):
        try:
            profile_store.start(chosen, info)
        except OSError as error:
            raise DataError(
                f"data set {info.name!r} could not be profiled: {error}; make {chosen.cache} writable"
            ) from error


@st.cache_resource(
    max_entries=8, show_spinner="Reading users", hash_funcs={DatasetInfo: lambda info: info.content_hash}
)
def _user_profile(root: str, info: DatasetInfo, written: tuple[Stamp, ...]) -> pd.DataFrame | None:
    return profile_store.stored_users(Home(Path(root)), info)


def titles(data: Dataset) -> list[str]:
    """A readable name per item: its title, otherwise `item 42`."""
    return _titles(str(data.folder), stamp(data.folder / "items.parquet"))


@st.cache_resource(max_entries=8, show_spinner="Reading item titles")
def _titles(folder: str, written: Stamp) -> list[str]:
    items = pd.read_parquet(Path(folder) / "items.parquet")
    if "title" in items:
        return [str(title) for title in items["title"]]
    return [f"item {place}" for place in range(len(items))]


def training_matrices(data: Dataset, recipe: Recipe) -> "RankingData":
    """The matrices that the run of `recipe` was trained on. Raises DataError."""
    noise, seed = recipe.auxiliary_noise, recipe.seed if recipe.auxiliary_noise else 0
    return _training_matrices(data, recipe.fit_on, noise, seed, data.info.content_hash)


@st.cache_resource(max_entries=4, show_spinner="Reading the interactions")
def _training_matrices(_data: Dataset, fit_on: FitOn, noise: float, seed: int, content: str) -> "RankingData":
    from core.data.ranking import ranking_data  # loads scipy, which most pages do without

    return ranking_data(_data, fit_on, auxiliary_noise=noise, noise_seed=seed)


def results(run: RunFolder) -> Mapping[str, Mapping[str, Any]]:
    """What the run stored of its test, by protocol; empty before the test. Raises RunError if that is damaged."""
    content: Any = run.result()
    if content is None:
        return {}
    stored = content.get("protocols") if isinstance(content, Mapping) else None
    if not isinstance(stored, Mapping) or not all(
        isinstance(result, Mapping) and isinstance(result.get("metrics"), Mapping)
        for result in stored.values()
    ):
        raise RunError(
            f"{run.run_id}: result.json has no metrics; delete that file, then evaluate the run again"
        )
    return stored


def per_user(run: RunFolder) -> pd.DataFrame | None:
    """Results per protocol and user, or None where the run has none. Raises RunError if damaged."""
    path = run.path / "per_user.parquet"
    return _per_user(str(path), stamp(path)) if path.exists() else None


@st.cache_resource(max_entries=8, show_spinner="Reading results per user")
def _per_user(path: str, written: Stamp) -> pd.DataFrame:
    try:
        return pd.read_parquet(path)
    except (OSError, ValueError) as error:
        raise RunError(
            f"{path}: cannot be read ({error}); resume or repeat the run to write it again"
        ) from error


def user_metric(run: RunFolder, protocol: str, metric: str) -> pd.DataFrame | None:
    """One metric of every user scored under `protocol`: columns user, value, by rising user; None where it has none.

    Reads these columns alone, so that many runs can be laid beside each other. Raises RunError if damaged.
    """
    path = run.path / "per_user.parquet"
    return _user_metric(str(path), protocol, metric, stamp(path)) if path.exists() else None


@st.cache_resource(max_entries=24, show_spinner="Reading results per user")
def _user_metric(path: str, protocol: str, metric: str, written: Stamp) -> pd.DataFrame | None:
    try:
        rows = pd.read_parquet(path, columns=["protocol", "user", metric])
    except (OSError, ValueError) as error:
        raise RunError(
            f"{path}: cannot be read ({error}); resume or repeat the run to write it again"
        ) from error
    rows = rows.loc[rows["protocol"] == protocol, ["user", metric]].dropna()
    named = rows.rename(columns={metric: "value"}).sort_values("user", ignore_index=True)
    return named if len(named) else None


@dataclass(frozen=True)
class Recommendations:
    """The first items for every evaluated user: users [V], items and scores [V, 20]."""

    users: Array
    items: Array
    scores: Array


def recommendations(run: RunFolder) -> Recommendations | None:
    """The stored recommendations, or None where the run has none. Raises RunError if damaged."""
    path = run.path / "recommendations.npz"
    return _recommendations(str(path), stamp(path)) if path.exists() else None


@st.cache_resource(max_entries=8, show_spinner="Reading recommendations")
def _recommendations(path: str, written: Stamp) -> Recommendations:
    try:
        with np.load(path, allow_pickle=False) as arrays:
            return Recommendations(arrays["users"], arrays["items"], arrays["scores"])
    except DAMAGED_ARCHIVE as error:
        raise RunError(
            f"{path}: cannot be read ({error}); resume or repeat the run to write it again"
        ) from error


@st.cache_resource
def _tails() -> MetricTails:
    return MetricTails()


def metrics(run: RunFolder) -> pd.DataFrame:
    """Metric rows of `run` so far: columns step, epoch, name, value, time."""
    rows: list[dict[str, Any]] = [vars(row) for row in _tails().rows(run.metrics)]
    return pd.DataFrame(rows, columns=["step", "epoch", "name", "value", "time"])


def best_epoch(run: RunFolder, recipe: Recipe) -> int | None:
    """The epoch whose model was scored, where the run has a result."""
    result = run.result()
    chosen = (result or {}).get("protocols", {}).get(recipe.protocol.key, {}).get("epoch")
    return int(chosen) if chosen else None
