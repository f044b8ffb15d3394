"""Findings: the one contract between what a model learned and the figure that shows it (numpy only).

A finding says what its numbers mean (kind and axes), so that a page never needs to know a model's internals.
"""

import json
import zlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import numpy as np
import numpy.typing as npt

from core.errors import RunError
from core.files import read_json, replacing, write_json
from core.home import checked_name

Array = npt.NDArray[Any]
# What reading a damaged archive or description raises; RuntimeError is zipfile's word for flags it does not know.
_DAMAGE = (
    ValueError,
    KeyError,
    TypeError,
    AttributeError,
    OSError,
    EOFError,
    RuntimeError,
    BadZipFile,
    zlib.error,
)


class Kind(StrEnum):
    """What the values of a finding are, and so in which range they must lie and which figure shows them."""

    SHARE = "share"  # >= 0, the last axis sums to 1
    RATE = "rate"  # within [0, 1]
    AMOUNT = "amount"  # finite, >= 0
    SIGNED = "signed"  # finite
    POINT = "point"  # axes (node, dim)
    LINK = "link"  # CSR arrays over two axes


@dataclass(frozen=True)
class Axis:
    """One axis of a finding.

    `labels` name each position, or are empty for axes too long to name. `groups` cut a node axis into named, half-open
    ranges, e.g. {"user": (0, 5), "item": (5, 12)}.
    """

    name: str
    size: int
    labels: tuple[str, ...] = ()
    groups: dict[str, tuple[int, int]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.labels and len(self.labels) != self.size:
            raise ValueError(f"axis {self.name}: {len(self.labels)} labels for size {self.size}")
        for group, (start, stop) in self.groups.items():
            if not 0 <= start <= stop <= self.size:
                raise ValueError(
                    f"axis {self.name}: group {group} [{start}, {stop}) lies outside 0..{self.size}"
                )

    @staticmethod
    def labelled(name: str, labels: Sequence[str]) -> "Axis":
        return Axis(name, len(labels), tuple(labels))


@dataclass(frozen=True)
class Links:
    """Rows of (column, value) pairs in CSR form: `index[indptr[r]:indptr[r+1]]` are the columns of row r."""

    indptr: Array
    index: Array
    value: Array


@dataclass(frozen=True)
class Finding:
    """What a model states about itself.

    key: file-safe name, unique within a run. source: paper and equation, e.g. "CIGF, Eq. 9".
    values: array whose shape follows `axes`, or Links for LINK. support: same shape (LINK: one per link), how many
    pairs, users or edges stand behind each value. note: one sentence on how to read it, shown beside the figure.
    Raises ValueError if shape, kind and axes do not fit together.
    """

    key: str
    title: str
    source: str
    kind: Kind
    axes: tuple[Axis, ...]
    values: Array | Links
    support: Array | None = None
    note: str = ""

    def __post_init__(self) -> None:
        checked_name(self.key, "finding key")
        if isinstance(self.values, Links):
            self._check_links(self.values)
            return
        if self.kind is Kind.LINK:
            raise ValueError(f"{self.key}: a LINK finding needs Links values")
        expected = tuple(axis.size for axis in self.axes)
        if self.values.shape != expected:
            raise ValueError(f"{self.key}: values have shape {self.values.shape}, axes say {expected}")
        if self.support is not None and self.support.shape != expected:
            raise ValueError(f"{self.key}: support has shape {self.support.shape}, axes say {expected}")
        self._check_range(self.values)

    def _check_range(self, values: Array) -> None:
        if not np.isfinite(values).all():
            raise ValueError(f"{self.key}: {int((~np.isfinite(values)).sum())} values are not finite")
        if self.kind in (Kind.SHARE, Kind.RATE, Kind.AMOUNT) and values.size and values.min() < -1e-6:
            raise ValueError(
                f"{self.key}: {self.kind} values must not be negative, smallest is {values.min()}"
            )
        if self.kind is Kind.RATE and values.size and values.max() > 1 + 1e-6:
            raise ValueError(f"{self.key}: rates must not exceed 1, largest is {values.max()}")
        if self.kind is Kind.SHARE and values.size and not np.allclose(values.sum(-1), 1, atol=1e-4):
            raise ValueError(f"{self.key}: shares must sum to 1 along {self.axes[-1].name}")
        if self.kind is Kind.POINT and [axis.name for axis in self.axes] != ["node", "dim"]:
            raise ValueError(f"{self.key}: a POINT finding has axes (node, dim)")

    def _check_links(self, links: Links) -> None:
        if self.kind is not Kind.LINK or len(self.axes) != 2:
            raise ValueError(f"{self.key}: Links need kind LINK and two axes")
        rows, columns = self.axes[0].size, self.axes[1].size
        bounded = links.index.size == 0 or (links.index.min() >= 0 and links.index.max() < columns)
        rises = (
            len(links.indptr) == rows + 1
            and links.indptr[0] == 0
            and bool((np.diff(links.indptr) >= 0).all())
        )
        if not rises or links.indptr[-1] != len(links.index) or not bounded:
            raise ValueError(f"{self.key}: links do not form a {rows} x {columns} CSR matrix")
        if len(links.index) != len(links.value) or not np.isfinite(links.value).all():
            raise ValueError(f"{self.key}: every link needs one finite value")
        if self.support is not None and self.support.shape != links.value.shape:
            raise ValueError(f"{self.key}: support has shape {self.support.shape}, links {links.value.shape}")

    def axis(self, name: str) -> Axis:
        return next(axis for axis in self.axes if axis.name == name)


STATISTICS = ("mean", "q05", "q25", "q50", "q75", "q95")


def summary_over_nodes(finding: Finding) -> Finding:
    """The finding with its node axis replaced by axes (node_group, statistic): mean and quantiles within each group.

    A finding without a node axis comes back unchanged. Used for histories, where whole node axes would be too large.
    """
    names = [axis.name for axis in finding.axes]
    if "node" not in names or isinstance(finding.values, Links):
        return finding
    position = names.index("node")
    node = finding.axes[position]
    groups = node.groups or {"all": (0, node.size)}
    moved = np.moveaxis(finding.values, position, -1)
    stacked = np.stack([_statistics(moved[..., start:stop]) for start, stop in groups.values()], axis=-2)
    rest = tuple(axis for axis in finding.axes if axis is not node)
    axes = (*rest, Axis.labelled("node_group", tuple(groups)), Axis.labelled("statistic", STATISTICS))
    kind = Kind.SIGNED if finding.kind in (Kind.SHARE, Kind.POINT) else finding.kind
    return Finding(finding.key, finding.title, finding.source, kind, axes, stacked, None, finding.note)


def _statistics(values: Array) -> Array:
    quantiles = np.quantile(values, (0.05, 0.25, 0.5, 0.75, 0.95), axis=-1)
    return np.concatenate([values.mean(-1, keepdims=True), np.moveaxis(quantiles, 0, -1)], axis=-1)


def save_finding(folder: Path, finding: Finding) -> None:
    """Write `<key>.npz` and `<key>.json` into `folder`, arrays first, so that a description never lacks its arrays."""
    if isinstance(finding.values, Links):
        links = finding.values
        arrays = {"indptr": links.indptr, "index": links.index, "value": links.value}
    else:
        arrays = {"values": finding.values}
    if finding.support is not None:
        arrays["support"] = finding.support
    _save_arrays(folder / f"{finding.key}.npz", arrays)
    write_json(folder / f"{finding.key}.json", _description(finding))


def load_finding(folder: Path, key: str) -> Finding:
    """The finding `key` of a run's findings folder. Raises RunError where it is missing or damaged."""
    try:
        about = read_json(folder / f"{checked_name(key, 'finding key')}.json")
        with (folder / f"{key}.npz").open("rb") as file, np.load(file, allow_pickle=False) as arrays:
            stored = dict(arrays)
        support = stored.pop("support", None)
        values = Links(**stored) if about["kind"] == Kind.LINK else stored["values"]
        axes = tuple(map(_axis_from, about["axes"]))
        return Finding(
            key, about["title"], about["source"], Kind(about["kind"]), axes, values, support, about["note"]
        )
    except FileNotFoundError as error:
        raise RunError(
            f"{folder.parent.name} has no finding {key!r}; train the run further or pick another run"
        ) from error
    except _DAMAGE as error:
        raise RunError(
            f"{folder / key}: the finding cannot be read ({error}); resume or repeat the run to write it again"
        ) from error


def list_findings(folder: Path) -> tuple[str, ...]:
    """Keys of the findings stored in `folder`, histories excluded, in alphabetical order."""
    if not folder.is_dir():
        return ()
    return tuple(sorted(p.stem for p in folder.glob("*.json") if not p.name.startswith(".")))


@dataclass(frozen=True)
class History:
    """A finding at several epochs: `values[e]` belongs to `epochs[e]` and has the axes `axes`."""

    key: str
    kind: Kind
    axes: tuple[Axis, ...]
    epochs: Array
    values: Array


def save_history(folder: Path, history: History) -> None:
    """Write `<key>.history.npz`; kind and axes travel inside as JSON text."""
    about = {"kind": str(history.kind), "axes": [_axis_description(axis) for axis in history.axes]}
    arrays = {
        "epochs": history.epochs,
        "values": history.values,
        "about": np.frombuffer(json.dumps(about).encode(), dtype=np.uint8),
    }
    _save_arrays(folder / f"{history.key}.history.npz", arrays)


def load_history(folder: Path, key: str) -> History | None:
    """The stored history of a finding, or None where the run took no snapshots. Raises RunError if damaged."""
    path = folder / f"{checked_name(key, 'finding key')}.history.npz"
    if not path.exists():
        return None
    try:
        with path.open("rb") as file, np.load(file, allow_pickle=False) as arrays:
            about = json.loads(arrays["about"].tobytes())
            axes = tuple(map(_axis_from, about["axes"]))
            return History(key, Kind(about["kind"]), axes, arrays["epochs"], arrays["values"])
    except _DAMAGE as error:
        raise RunError(
            f"{path}: the history cannot be read ({error}); resume or repeat the run to write it again"
        ) from error


def _description(finding: Finding) -> dict[str, Any]:
    return {
        "key": finding.key,
        "title": finding.title,
        "source": finding.source,
        "kind": str(finding.kind),
        "note": finding.note,
        "axes": [_axis_description(axis) for axis in finding.axes],
    }


def _axis_description(axis: Axis) -> dict[str, Any]:
    groups = {name: list(bounds) for name, bounds in axis.groups.items()}
    return {"name": axis.name, "size": axis.size, "labels": list(axis.labels), "groups": groups}


def _axis_from(stored: dict[str, Any]) -> Axis:
    groups = {name: (start, stop) for name, (start, stop) in stored["groups"].items()}
    return Axis(stored["name"], stored["size"], tuple(stored["labels"]), groups)


def _save_arrays(path: Path, arrays: dict[str, Array]) -> None:
    with replacing(path) as file:
        np.savez_compressed(file, allow_pickle=False, **arrays)
