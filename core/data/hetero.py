"""The heterogeneous view of a data set as it is stored: typed nodes, relations, labels, splits and metapaths."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from core.data.content_hash import ContentHash
from core.data.info import checked_label
from core.errors import DataError
from core.files import DAMAGED_ARCHIVE, read_json, write_json

if TYPE_CHECKING:  # loaded with the first sparse matrix: the server does without scipy
    from scipy.sparse import csr_array

UNLABELLED = -1
Features: TypeAlias = "NDArray[np.float32] | csr_array"


@dataclass(frozen=True)
class Relation:
    """A typed relation; stored as `edges/<source>-<name>-<destination>.parquet`."""

    source: str
    name: str
    destination: str

    def __post_init__(self) -> None:
        for label in (self.source, self.name, self.destination):
            checked_label(label, "node type or relation")

    @property
    def key(self) -> str:
        return f"{self.source}-{self.name}-{self.destination}"


@dataclass(frozen=True)
class Metapath:
    """A walk from the target type back to it: step k goes along `relations[k]` (either way) from `types[k]`."""

    types: tuple[str, ...]
    relations: tuple[str, ...]


@dataclass(frozen=True, eq=False)
class HeteroContent:
    """A heterogeneous graph with node classification on its target type.

    counts: nodes per type. edges: relation -> [E, 2] int32 (source, destination). features: type -> [N, D] float32, dense
    or sparse; a type without gets an embedding table. labels: [N of the target type] int64, UNLABELLED where there is none.
    splits: `train_20`, `val_20`, `test_20`, ... -> node indices, the number being labelled nodes per class. metapaths:
    name -> walk. classes: names of the labels 0, 1, ...; numbers where the source has none. nodes: type -> one row per node
    with `original_id` and optionally `title`; types whose nodes are known by their number alone are left out.
    """

    target_type: str
    counts: Mapping[str, int]
    edges: Mapping[Relation, NDArray[np.int32]]
    features: Mapping[str, Features]
    labels: NDArray[np.int64]
    splits: Mapping[str, NDArray[np.int64]]
    metapaths: Mapping[str, Metapath]
    classes: tuple[str, ...] = ()
    nodes: Mapping[str, pd.DataFrame] = field(default_factory=dict)

    def __post_init__(self) -> None:
        names = [relation.name for relation in self.edges]
        if len(set(names)) < len(names):
            raise DataError(f"relation names must differ, got {', '.join(names)}; rename one")
        for relation, pairs in self.edges.items():
            self._check_edges(relation, pairs)
        for kind, matrix in self.features.items():
            if matrix.shape[0] != self.counts[kind]:
                raise DataError(
                    f"node type {kind}: {matrix.shape[0]} feature rows for {self.counts[kind]} nodes"
                )
        for kind, frame in self.nodes.items():
            if len(frame) != self.counts[kind]:
                raise DataError(f"node type {kind}: {len(frame)} names for {self.counts[kind]} nodes")
        num_targets = self.counts[self.target_type]
        if len(self.labels) != num_targets:
            raise DataError(
                f"{len(self.labels)} labels for {num_targets} nodes of the target type {self.target_type}"
            )
        if self.classes and len(self.classes) <= self.labels.max(initial=UNLABELLED):
            raise DataError(f"{len(self.classes)} names of classes for the label {self.labels.max()}")
        for name, nodes in self.splits.items():
            if len(nodes) and not 0 <= nodes.min() <= nodes.max() < num_targets:
                raise DataError(f"split {name}: node out of range 0..{num_targets - 1}")

    @property
    def class_names(self) -> tuple[str, ...]:
        """A name for every label."""
        return self.classes or tuple(map(str, range(int(self.labels.max(initial=UNLABELLED)) + 1)))

    def _check_edges(self, relation: Relation, pairs: NDArray[np.int32]) -> None:
        for column, kind in enumerate((relation.source, relation.destination)):
            ends = pairs[:, column]
            if len(ends) and not 0 <= ends.min() <= ends.max() < self.counts[kind]:
                raise DataError(f"relation {relation.key}: {kind} out of range 0..{self.counts[kind] - 1}")

    def write(self, folder: Path, digest: ContentHash) -> None:
        """Store all parts below `folder` and count what a model can see into the content hash."""
        nodes: dict[str, Any] = {"types": dict(self.counts), "target": self.target_type}
        walks = {
            name: {"types": walk.types, "relations": walk.relations} for name, walk in self.metapaths.items()
        }
        digest.add_strings("nodes", [f"{nodes!r}", f"{walks!r}"])
        write_json(folder / "nodes.json", nodes | ({"classes": self.classes} if self.classes else {}))
        write_json(folder / "metapaths.json", walks)
        for name in ("edges", "node_features", "splits", "nodes"):
            (folder / name).mkdir()
        for relation, pairs in self.edges.items():
            digest.add_array(f"edges.{relation.key}", pairs)
            table = pa.table({"source": pairs[:, 0], "destination": pairs[:, 1]})
            pq.write_table(table, folder / "edges" / f"{relation.key}.parquet")
        arrays: dict[str, NDArray[Any]] = {"labels": self.labels}
        for kind, matrix in self.features.items():
            if not isinstance(matrix, np.ndarray):
                _write_sparse(
                    folder / "node_features" / f"{kind}.npz", f"node_features/{kind}", matrix, digest
                )
            else:
                arrays[f"node_features/{kind}"] = matrix
        arrays |= {f"splits/{name}": members for name, members in self.splits.items()}
        for name, array in arrays.items():
            digest.add_array(name, array)
            np.save(folder / f"{name}.npy", array, allow_pickle=False)
        for kind, frame in self.nodes.items():
            frame.to_parquet(folder / "nodes" / f"{kind}.parquet", index=False)


def read_hetero(folder: Path) -> HeteroContent:
    """The heterogeneous view stored in a data set's folder. Raises DataError if a file is missing or damaged."""
    try:
        nodes, walks = read_json(folder / "nodes.json"), read_json(folder / "metapaths.json")
        return HeteroContent(
            target_type=nodes["target"],
            counts=nodes["types"],
            edges={_relation(path): _edges(path) for path in sorted((folder / "edges").glob("*.parquet"))},
            features=_arrays(folder / "node_features") | _sparse(folder / "node_features"),
            labels=np.load(folder / "labels.npy", allow_pickle=False),
            splits=_arrays(folder / "splits"),
            metapaths={
                name: Metapath(tuple(walk["types"]), tuple(walk["relations"])) for name, walk in walks.items()
            },
            classes=tuple(nodes.get("classes", ())),
            nodes={path.stem: pd.read_parquet(path) for path in sorted((folder / "nodes").glob("*.parquet"))},
        )
    except (*DAMAGED_ARCHIVE, TypeError, AttributeError, pa.ArrowException) as error:
        raise DataError(
            f"{folder}: the heterogeneous view is damaged ({error}); import the data set again with --replace"
        ) from error


def _write_sparse(path: Path, part: str, matrix: "csr_array", digest: ContentHash) -> None:
    for name in ("data", "indices", "indptr"):
        digest.add_array(f"{part}.{name}", getattr(matrix, name))
    digest.add_strings(f"{part}.shape", [str(matrix.shape)])
    from scipy.sparse import save_npz

    save_npz(path, matrix)


def _sparse(folder: Path) -> dict[str, Features]:
    paths = sorted(folder.glob("*.npz"))
    if not paths:
        return {}
    from scipy.sparse import csr_array, load_npz

    return {path.stem: csr_array(load_npz(path)) for path in paths}


def _relation(path: Path) -> Relation:
    source, name, destination = path.stem.split("-")
    return Relation(source, name, destination)


def _edges(path: Path) -> NDArray[np.int32]:
    table = pq.read_table(path)
    columns = [table[name].to_numpy() for name in ("source", "destination")]
    return np.stack(columns, axis=1).astype(np.int32)


def _arrays(folder: Path) -> dict[str, Any]:
    return {path.stem: np.load(path, allow_pickle=False) for path in sorted(folder.glob("*.npy"))}
