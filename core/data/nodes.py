"""A heterogeneous graph as models of nodes see it: features of the target type, metapath graphs, labels and label settings.

Shapes: N nodes of the target type, F features.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from core.data.dataset import Dataset
from core.data.hetero import Features, HeteroContent, Metapath, read_hetero
from core.data.kept import Arrays, kept
from core.data.metapaths import metapath_graph
from core.errors import DataError

# From this share of all pairs on, bits are smaller than column numbers.
_BITS_FROM = 1 / 32


@dataclass(frozen=True)
class LabelSetting:
    """Nodes whose labels a classifier learns from, is chosen by and is tested on; disjoint, [n] int64 each."""

    train: NDArray[np.int64]
    valid: NDArray[np.int64]
    test: NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class NodeData:
    """features: [N, F] of the target type, rows normalised; None where the data set has none. graphs: metapath -> [N, N],
    ones where a walk joins two nodes, themselves included. labels: [N] int64, -1 without one. settings: labelled nodes per
    class -> LabelSetting, in rising order. view: everything else of the graph.
    """

    name: str
    content_hash: str
    features: "Features | None"
    graphs: Mapping[str, csr_array]
    labels: NDArray[np.int64]
    classes: tuple[str, ...]
    settings: Mapping[int, LabelSetting]
    view: HeteroContent
    cache: Path | None = field(default=None)

    @property
    def num_nodes(self) -> int:
        return len(self.labels)

    @property
    def target_type(self) -> str:
        return self.view.target_type

    @property
    def metapaths(self) -> tuple[str, ...]:
        return tuple(self.graphs)


def node_data(dataset: Dataset) -> NodeData:
    """The graph of `dataset`, its metapath products read from the cache or made and kept there.

    Raises DataError if the data set has no typed nodes, no metapath, or no label setting with training, validation and
    test nodes.
    """
    info = dataset.info
    if "hetero" not in info.kind:
        raise DataError(
            f"data set {info.name!r} has no typed nodes (kind: {', '.join(info.kind)}); import one with --layout heco or hetero"
        )
    view = read_hetero(dataset.folder)
    if not view.metapaths:
        raise DataError(
            f"data set {info.name!r} names no metapath; import it again with --metapaths 'PAP=paper,author,paper'"
        )
    cache = dataset.folder.parent.parent / "cache"
    graphs = {
        name: _graph(view, name, walk, cache / "metapaths" / f"{info.content_hash}-{name}.npz")
        for name, walk in view.metapaths.items()
    }
    features = view.features.get(view.target_type)
    return NodeData(
        name=info.name,
        content_hash=info.content_hash,
        features=None if features is None else row_normalized(features),
        graphs=graphs,
        labels=view.labels,
        classes=view.class_names,
        settings=label_settings(info.name, view.splits),
        view=view,
        cache=cache,
    )


def label_settings(name: str, splits: Mapping[str, NDArray[np.int64]]) -> dict[int, LabelSetting]:
    """The settings that splits called `train_20`, `val_20`, `test_20`, ... make up, by labelled nodes per class.

    Raises DataError if there is none, or one is not complete.
    """
    sizes = sorted({int(key.rpartition("_")[2]) for key in splits if key.rpartition("_")[2].isdecimal()})
    if not sizes:
        raise DataError(f"data set {name!r} has no label splits; import it again, which draws them")
    found = {}
    for size in sizes:
        parts = [splits.get(f"{part}_{size}", np.empty(0, np.int64)) for part in ("train", "val", "test")]
        if not all(len(part) for part in parts):
            raise DataError(
                f"data set {name!r}: setting {size} lacks training, validation or test nodes; import it again"
            )
        found[size] = LabelSetting(*(np.asarray(part, np.int64) for part in parts))
    return found


def row_normalized(features: Features) -> Features:
    """Every row over its sum, as HeCo's released code has it; over its length where some value is negative, so that no sum
    comes near 0. Rows of zeros stay."""
    if isinstance(features, csr_array):
        values, over = features.data, "sum" if features.data.min(initial=0) >= 0 else "length"
        total_N = np.asarray((features if over == "sum" else features.multiply(features)).sum(1)).ravel()
        scale_N = _inverse(total_N if over == "sum" else np.sqrt(total_N))
        scaled = values * np.repeat(scale_N, np.diff(features.indptr))
        return csr_array((scaled.astype(np.float32), features.indices, features.indptr), shape=features.shape)
    total_N = features.sum(1) if features.min(initial=0) >= 0 else np.linalg.norm(features, axis=1)
    return (features * _inverse(total_N)[:, None]).astype(np.float32)


def _inverse(total_N: NDArray[Any]) -> NDArray[np.float64]:
    inverse: NDArray[np.float64] = np.divide(1.0, total_N, out=np.zeros(len(total_N)), where=total_N > 0)
    return inverse


def _graph(view: HeteroContent, name: str, walk: Metapath, path: Path) -> csr_array:
    """Which nodes the walk joins, from the cache where it is; dense graphs are kept as bits."""

    def build() -> Arrays:
        graph = metapath_graph(view, walk)
        if graph.nnz < _BITS_FROM * graph.shape[0] * graph.shape[1]:
            return {"indptr": graph.indptr, "indices": graph.indices}
        return {"bits": np.packbits(graph.toarray() != 0, axis=1)}

    nodes = view.counts[view.target_type]
    arrays = kept(path, f"the metapath graphs {name}", build)
    if "bits" in arrays:
        joined = np.unpackbits(arrays["bits"], axis=1, count=nodes)
        indptr = np.concatenate([[0], joined.sum(1, dtype=np.int64).cumsum()]).astype(np.int32)
        indices = np.flatnonzero(joined.ravel()) % nodes
    else:
        indptr, indices = arrays["indptr"], arrays["indices"]
    ones = np.ones(len(indices), np.float32)
    return csr_array((ones, indices.astype(np.int32), indptr.astype(np.int32)), shape=(nodes, nodes))
