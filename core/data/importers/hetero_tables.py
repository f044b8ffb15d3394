"""Layout `hetero`: any heterogeneous graph as tables, one of nodes per type and one of edges per relation.

`nodes/<type>.csv`: `id`, and where known `title`, `label` (of the target type; empty where there is none) and numeric columns
`f_*`; `<type>_feat.npy` or `.npz` may hold the features instead, row i of the table's row i. `edges/<source>-<relation>-
<destination>.csv`: `source` and `destination` hold ids. `splits/{train,val,test}_<n>.csv`: `id`, for n labels per class.
`hetero.json`: the target type and metapaths, `{"target": "paper", "metapaths": {"PAP": ["paper", "author", "paper"]}}`.
Tables may also be `.tsv` or `.parquet`. Without these folders the tables may lie side by side: their names tell them apart.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from core.data.hetero import Features, HeteroContent
from core.data.importers.content import ImportOptions
from core.data.importers.graphs import checked_entries, distinct_edges, graph_content, lonely
from core.data.importers.hetero_folder import Parts, looks_like, parts_of, read_settings, target_of, walks_of
from core.data.importers.label_settings import Part, Settings, checked_settings, drawn_settings, refuse_rule
from core.data.importers.limits import Limits
from core.data.importers.node_features import described, read_node_features
from core.data.importers.node_labels import text_classes
from core.data.importers.node_tables import LABEL, NodeTable, read_edges, read_members, read_nodes
from core.data.writing import DatasetContent, Provenance
from core.errors import DataError

VERSION = 1


def detect(source: Path) -> bool:
    """Whether `source` looks like this layout."""
    return looks_like(source)


def read(source: Path, options: ImportOptions) -> DatasetContent:
    """The content of one folder. Raises DataError with file, row and remedy."""
    parts, told, limits = parts_of(source), read_settings(source), options.limits
    target = target_of(parts, told, options.target_type, limits)
    walks, notes = walks_of(parts, told, options.metapaths, target)
    tables = {}
    for place, (kind, path) in enumerate(parts.nodes.items()):
        options.progress(0.3 * place / len(parts.nodes), f"reading {path.name}")
        tables[kind] = read_nodes(path, kind, limits)
        notes += _unread(tables[kind], target)
    labels, classes, relabelled = text_classes(tables[target].labels or [])
    features, featured = _features(parts, tables, limits)
    edges = {}
    for place, (relation, path) in enumerate(parts.edges.items()):
        options.progress(0.3 + 0.3 * place / len(parts.edges), f"reading {path.name}")
        pairs, unread = read_edges(path, relation, tables, limits)
        edges[relation], repaired = distinct_edges(relation, pairs)
        notes += [*_left(path, unread), *repaired]
    settings = _settings(parts, tables[target], labels, options)
    graph = HeteroContent(
        target_type=target,
        counts={kind: len(tables[kind].ids) for kind in sorted(tables, key=lambda kind: kind != target)},
        edges=edges,
        features=features,
        labels=labels,
        splits=settings.splits,
        metapaths=walks,
        classes=classes,
        nodes={kind: _names(table) for kind, table in tables.items()},
    )
    options.progress(0.7, "joining metapaths")
    joined = [
        f"{name}: {checked_entries(graph, name, walk):,} entries, self-loops included"
        for name, walk in walks.items()
    ]
    said = (*notes, *featured, *relabelled, *lonely(graph), *settings.notes, *joined)
    provenance = Provenance(("hetero",), str(source), "hetero", VERSION, settings.rule, said)
    return graph_content(graph, provenance)


def _unread(table: NodeTable, target: str) -> list[str]:
    """A note on the columns of a table of nodes that mean nothing here; labels are the target type's alone."""
    strange = [LABEL] if table.labels is not None and table.kind != target else []
    return _left(table.path, [*table.unread, *strange])


def _left(path: Path, left: Sequence[str]) -> list[str]:
    listed = ", ".join(name[:40] for name in left[:8]) + (
        f" and {len(left) - 8} more" if len(left) > 8 else ""
    )
    return [f"{path.name}: not read: {listed}"] if left else []


def _features(
    parts: Parts, tables: Mapping[str, NodeTable], limits: Limits
) -> tuple[dict[str, Features], list[str]]:
    features: dict[str, Features] = {}
    notes: list[str] = []
    for kind, table in tables.items():
        path = parts.features.get(kind)
        if path is None:
            if table.features is not None:
                features[kind] = table.features
                notes += described(kind, table.features)
            continue
        if table.features is not None:
            raise DataError(
                f"{path}: the table {table.path.name} has features too, in its columns f_*; keep one of the two"
            )
        features[kind], told = read_node_features(path, kind, limits)
        notes += told
        rows = features[kind].shape[0]
        if rows != len(table.ids):
            raise DataError(
                f"{path}: has {rows:,} rows for {len(table.ids):,} nodes in {table.path.name}; row i describes the node in row "
                "i of the table: export both for the same nodes"
            )
    without = [kind for kind in tables if kind not in features]
    return features, notes + ([f"without features: {', '.join(without)}"] if without else [])


def _settings(parts: Parts, nodes: NodeTable, labels: NDArray[np.int64], options: ImportOptions) -> Settings:
    """The label settings of the folder, or drawn ones where it has none or others are asked for."""
    refuse_rule(parts.source, options.split, has_files=bool(parts.settings))
    if not parts.settings:
        return drawn_settings(labels, options.seed, "no files of label settings")
    if options.split == "random":
        return drawn_settings(labels, options.seed, "the label settings that lie there were put aside")
    found = {name: _part(path, nodes, options.limits) for name, path in parts.settings.items()}
    return checked_settings(found, labels, nodes.kind)


def _part(path: Path, nodes: NodeTable, limits: Limits) -> Part:
    table, members = read_members(path, nodes, limits)
    return Part(
        path,
        members,
        place=lambda entry: f"row {table.row(entry)}",
        shown=lambda node: repr(nodes.ids[int(node)].as_py()[:40]),
    )


def _names(table: NodeTable) -> pd.DataFrame:
    columns = {"original_id": pd.Series(table.ids.to_pylist(), dtype="str")}
    if table.titles is not None:
        columns["title"] = pd.Series(table.titles, dtype="str")
    return pd.DataFrame(columns)
