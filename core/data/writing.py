"""Writing a data set folder: everything goes to a hidden sibling folder that takes the name only when complete."""

import shutil
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from core.data.content_hash import ContentHash
from core.data.hetero import HeteroContent
from core.data.info import SPLITS, DatasetInfo, Kind, checked_label
from core.errors import ConfigError, DataError
from core.files import write_json
from core.home import Home
from core.locks import locked

LOCK_WAIT = 10.0


@dataclass(frozen=True)
class Provenance:
    """Where a data set came from: the part of `dataset.json` that its content does not tell."""

    kind: tuple[Kind, ...]
    source: str
    importer: str
    importer_version: int
    split_rule: str
    notes: tuple[str, ...] = ()
    planted: bool = False


@dataclass(frozen=True, eq=False)
class DatasetContent:
    """A whole data set in memory, ready to be written.

    interactions: columns user, item, behavior, split and optionally timestamp; any row order.
    users, items: row = dense id, column `original_id` and optionally more.
    features: modality -> [I, D] float32.
    """

    provenance: Provenance
    behaviors: tuple[str, ...]
    interactions: pd.DataFrame
    users: pd.DataFrame
    items: pd.DataFrame
    features: Mapping[str, NDArray[np.float32]] = field(default_factory=dict)
    hetero: HeteroContent | None = None


def write_dataset(home: Home, name: str, content: DatasetContent, *, replace: bool = False) -> DatasetInfo:
    """Store `content` under `name`; a failure leaves the home as it was.

    Raises DataError if the name exists and `replace` is false, or if the content is inconsistent.
    """
    with DatasetWriter(home, name, content.behaviors, replace=replace) as writer:
        writer.nodes(users=content.users, items=content.items)
        if content.behaviors:
            for piece in by_users(content.interactions):
                writer.interactions(piece)
        for modality, matrix in content.features.items():
            writer.features(modality, matrix)
        if content.hetero is not None:
            writer.hetero(content.hetero)
        return writer.finish(content.provenance)


def by_users(rows: pd.DataFrame, size: int = 1 << 20) -> Iterator[pd.DataFrame]:
    """`rows` in pieces of ascending users, none cut in two: about `size` rows each, so that no whole copy is made."""
    user = rows["user"].to_numpy()
    order = None if (user[1:] >= user[:-1]).all() else np.argsort(user, kind="stable")
    user = user if order is None else user[order]
    start = 0
    while start < len(user):
        last = user[min(start + size, len(user)) - 1]
        end = int(np.searchsorted(user, last, side="right"))
        yield rows.iloc[start:end] if order is None else rows.iloc[order[start:end]]
        start = end


def refuse_existing(home: Home, name: str, *, replace: bool) -> Path:
    """The folder of data set `name`. Raises DataError if the name is not allowed, or taken and `replace` is false."""
    try:
        folder = home.dataset(name)
    except ConfigError as error:
        raise DataError(str(error)) from error
    restore_interrupted(home)
    if folder.exists() and not replace:
        raise DataError(f"data set {name!r} exists in {folder.parent}; choose another name or pass --replace")
    return folder


def restore_interrupted(home: Home) -> None:
    """Give data sets their name back whose replacement was killed after they had lost it and before the new one had it."""
    for retired in home.datasets.glob(".*.old"):
        final = home.datasets / retired.name[1:].rsplit(".", 2)[0]
        if final.exists() or not (retired / "previous").exists():
            continue
        try:
            with locked(_lock(home)) as mine:
                if mine and _put_back(retired, final):
                    retired.rmdir()
        except OSError:  # a read-only disk: it stays where it is until somebody may write
            continue


class DatasetWriter:
    """Writes one data set piece by piece, so that a generator need not hold it; use as a context manager.

    Call `nodes` first, `interactions` as often as needed with ascending users, the rest in any order, `finish` last.
    Leaving the block without `finish` removes everything.
    """

    def __init__(self, home: Home, name: str, behaviors: Iterable[str], *, replace: bool = False) -> None:
        self._final = refuse_existing(home, name, replace=replace)
        self._home, self._replace = home, replace
        self._behaviors = tuple(checked_label(behavior, "behavior") for behavior in behaviors)
        self._modalities: list[str] = []
        self._num_users = self._num_items = 0
        self._graph: dict[str, Any] = {}
        self._next_user = 0
        self._hash = ContentHash()
        self._parquet: dict[str, Any] = {}

    def __enter__(self) -> Self:
        parent = self._final.parent
        try:
            parent.mkdir(parents=True, exist_ok=True)
            self._folder = Path(tempfile.mkdtemp(prefix=f".{self._final.name}.", suffix=".part", dir=parent))
        except OSError as error:
            raise DataError(
                f"{parent}: cannot be written ({error.strerror}); choose another --home"
            ) from error
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._close_tables()
        shutil.rmtree(self._folder, ignore_errors=True)

    def nodes(self, *, users: pd.DataFrame, items: pd.DataFrame) -> None:
        """Store what is known of users and items; row = dense id, column `original_id` required."""
        for name, frame in (("users", users), ("items", items)):
            if "original_id" not in frame.columns:
                raise DataError(f"table {name} lacks the column original_id; it has {list(frame.columns)}")
            frame = frame.reset_index(drop=True)
            for column in frame.columns:
                self._hash.add_strings(f"{name}.{column}", frame[column].astype(str))
            self._table(f"{name}.parquet", pa.Table.from_pandas(frame, preserve_index=False))
        self._num_users, self._num_items = len(users), len(items)

    def interactions(self, frame: pd.DataFrame) -> None:
        """Append rows: user, item, behavior, split, optionally timestamp and (planted data) the flag `noise`,
        which goes to `truth/edges.parquet` for the auxiliary behaviours and not to the interactions.
        Each call's users must lie above those of the calls before. Raises DataError for values out of range.
        """
        if frame.empty:
            return
        columns = self._coded(frame)
        keys = [
            columns[name] for name in ("timestamp", "split", "item", "behavior", "user") if name in columns
        ]
        order = np.lexsort(keys)
        columns = {name: values[order] for name, values in columns.items()}
        noise = columns.pop("noise", None)
        if columns["user"][0] < self._next_user:
            raise DataError("interactions must be written with ascending users; sort the pieces by user")
        self._next_user = int(columns["user"][-1]) + 1
        for name, values in columns.items():
            self._hash.add_array(f"interactions.{name}", values)
        arrays = {name: pa.array(values) for name, values in columns.items()}
        arrays["behavior"] = _dictionary(columns["behavior"], self._behaviors)
        arrays["split"] = _dictionary(columns["split"], SPLITS)
        table = pa.table(arrays)
        self._table("interactions.parquet", table)
        if noise is not None:
            auxiliary = columns["behavior"] != len(self._behaviors) - 1
            edges = table.select(["user", "item", "behavior"]).append_column("noise", pa.array(noise))
            self._table("truth/edges.parquet", edges.filter(pa.array(auxiliary)))

    def features(self, modality: str, matrix: NDArray[np.float32]) -> None:
        """Store one modality's [I, D] features. Raises DataError unless finite, float32 and one row per item."""
        checked_label(modality, "modality")
        if matrix.ndim != 2 or matrix.dtype != np.float32 or not np.isfinite(matrix).all():
            raise DataError(
                f"modality {modality}: expected a finite float32 matrix, got {matrix.dtype} {matrix.shape}"
            )
        if len(matrix) != self._num_items:
            raise DataError(f"modality {modality}: {len(matrix)} feature rows for {self._num_items} items")
        self._hash.add_array(f"features.{modality}", matrix)
        path = self._folder / "features" / f"{modality}.npy"
        path.parent.mkdir(exist_ok=True)
        np.save(path, matrix, allow_pickle=False)
        self._modalities.append(modality)

    def hetero(self, content: HeteroContent) -> None:
        """Store the heterogeneous view."""
        content.write(self._folder, self._hash)
        self._graph = {"nodes": dict(content.counts), "target_type": content.target_type}

    def truth(self, name: str, frame: pd.DataFrame) -> None:
        """Append to one table of the planted truth; outside the content hash."""
        checked_label(name, "truth table")
        self._table(f"truth/{name}.parquet", pa.Table.from_pandas(frame, preserve_index=False))

    def finish(self, provenance: Provenance) -> DatasetInfo:
        """Write `dataset.json` and give the folder its name; the description stored."""
        if self._behaviors and not self._next_user:
            raise DataError(
                f"data set {self._final.name!r} would have no interactions; check the source {provenance.source}"
            )
        self._close_tables()
        self._hash.add_strings("behaviors", self._behaviors)
        info = DatasetInfo(
            name=self._final.name,
            behaviors=self._behaviors,
            target=self._behaviors[-1] if self._behaviors else None,
            modalities=tuple(self._modalities),
            num_users=self._num_users,
            num_items=self._num_items,
            **self._graph,
            content_hash=self._hash.hexdigest(),
            created=datetime.now(UTC).isoformat(timespec="seconds"),
            **{name: getattr(provenance, name) for name in Provenance.__dataclass_fields__},
        )
        write_json(self._folder / "dataset.json", info.model_dump(mode="json"))
        self._folder.chmod(0o755)
        self._take_name()
        return info

    def _take_name(self) -> None:
        retired = Path(
            tempfile.mkdtemp(prefix=f".{self._final.name}.", suffix=".old", dir=self._final.parent)
        )
        try:
            with locked(_lock(self._home), wait=LOCK_WAIT) as mine:
                if not mine:
                    raise DataError(
                        f"data set {self._final.name!r}: another is being stored just now; try again in a moment"
                    )
                refuse_existing(self._home, self._final.name, replace=self._replace)
                try:
                    if self._final.exists():
                        self._final.rename(retired / "previous")
                    self._folder.rename(self._final)
                except BaseException:  # a signal may arrive between the two renames
                    _put_back(retired, self._final)
                    raise
        finally:
            if self._final.exists() or not (retired / "previous").exists():
                shutil.rmtree(retired, ignore_errors=True)

    def _coded(self, frame: pd.DataFrame) -> dict[str, NDArray[Any]]:
        """The columns as integers: behaviour and split as their position in funnel and split order."""
        columns: dict[str, NDArray[Any]] = {}
        for name, bound in (("user", self._num_users), ("item", self._num_items)):
            values = frame[name].to_numpy()
            if values.dtype.kind not in "iu" or values.min() < 0 or values.max() >= bound:
                raise DataError(
                    f"column {name}: expected integers within 0..{bound - 1}, got {values.dtype} "
                    f"within {values.min()}..{values.max()}; map the ids to dense ones first"
                )
            columns[name] = values.astype(np.int32)
        for name, categories in (("behavior", self._behaviors), ("split", SPLITS)):
            codes = _codes(frame[name], categories)
            if (codes < 0).any():
                strange = frame[name].iloc[int(np.argmax(codes < 0))]
                raise DataError(f"column {name}: {strange!r} is not one of {', '.join(categories)}")
            columns[name] = np.asarray(codes, dtype=np.int8)
        if "timestamp" in frame.columns:
            columns["timestamp"] = frame["timestamp"].to_numpy().astype(np.int64, casting="safe")
        if "noise" in frame.columns:
            columns["noise"] = frame["noise"].to_numpy().astype(np.bool_)
        return columns

    def _table(self, relative: str, table: Any) -> None:
        if relative not in self._parquet:
            path = self._folder / relative
            path.parent.mkdir(exist_ok=True)
            self._parquet[relative] = pq.ParquetWriter(path, table.schema)
        self._parquet[relative].write_table(table)

    def _close_tables(self) -> None:
        for writer in self._parquet.values():
            writer.close()
        self._parquet = {}


def _lock(home: Home) -> Path:
    """The lock under which names of data sets change hands."""
    return home.supervisor / "datasets.lock"


def _put_back(retired: Path, final: Path) -> bool:
    """Undo the first of the two renames of a replacement, if the second is missing; whether anything was undone."""
    if final.exists() or not (retired / "previous").exists():
        return False
    (retired / "previous").rename(final)
    return True


def _codes(column: "pd.Series[Any]", categories: Iterable[str]) -> NDArray[np.intp]:
    """Position of each value in `categories`, -1 for values that are not among them."""
    known = pd.Index(list(categories))
    values = pd.Categorical(column)
    positions: NDArray[np.intp] = np.append(known.get_indexer(values.categories), -1)
    found: NDArray[np.intp] = positions[values.codes]
    return found


def _dictionary(codes: NDArray[np.int8], categories: Iterable[str]) -> Any:
    return pa.DictionaryArray.from_arrays(pa.array(codes), pa.array(list(categories)))
