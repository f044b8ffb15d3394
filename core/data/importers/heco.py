"""Layout `heco`: the folders that HeCo and the code after it ship: relations as lists of numbers, features, labels, splits.

Read are the relations `pa.txt`, ... (two numbers per line, from 0), `<letter>_feat.npz` or `.npy`, `labels.npy` and
`{train,val,test}_{20,40,60}.npy`. Metapath graphs (`pap.npz`, ...) are built from the relations; where they are shipped too,
both must have the same entries. `pos.npz` and `nei_*.npy` follow from the rest (the latter are pickles) and are not read.
"""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from core.data.hetero import Features, HeteroContent, Relation
from core.data.importers.content import ImportOptions
from core.data.importers.graphs import checked_entries, distinct_edges, graph_content, lonely
from core.data.importers.heco_folder import (
    LABELS,
    Schema,
    feature_path,
    fitting_schemas,
    labels_path,
    schema_of,
)
from core.data.importers.label_settings import (
    SETTING,
    Part,
    Settings,
    checked_settings,
    drawn_settings,
    read_setting,
    refuse_rule,
    setting_files,
)
from core.data.importers.limits import MAX_NODES, Limits
from core.data.importers.node_features import read_node_features
from core.data.importers.node_labels import number_classes, read_labels
from core.data.importers.pair_lines import read_pairs, row_of
from core.data.importers.sparse_files import read_sparse
from core.data.importers.walks import resolved
from core.data.metapaths import metapath_graph
from core.data.writing import DatasetContent, Provenance
from core.errors import DataError

VERSION = 1


def detect(source: Path) -> bool:
    """Whether `source` looks like this layout: it holds the relation files of a published graph."""
    return bool(fitting_schemas(source))


def read(source: Path, options: ImportOptions) -> DatasetContent:
    """The content of one folder. Raises DataError with file, row and remedy."""
    schema = schema_of(source)
    target = schema.target
    _refuse_other_target(source, target, options.target_type)
    options.progress(0.0, "reading features")
    features, notes = _features(source, schema, options.limits)
    counts = {kind: int(matrix.shape[0]) for kind, matrix in features.items()}
    stored = read_labels(labels_path(source), target, counts.get(target), options.limits)
    labels, classes, relabelled = number_classes(stored)
    counts[target] = len(labels)
    settings = _settings(source, labels, target, options)
    options.progress(0.3, "reading relations")
    edges, repaired = _edges(source, schema, counts, options.limits)
    graph = HeteroContent(
        target_type=target,
        counts={kind: counts[kind] for kind in schema.types.values()},
        edges=edges,
        features=features,
        labels=labels,
        splits=settings.splits,
        metapaths=resolved(options.metapaths, edges, target) if options.metapaths else schema.walks,
        classes=classes,
    )
    options.progress(0.5, "joining metapaths")
    joined = _joined(source, graph, options.limits)
    read_files = [f"{name}.txt" for name in schema.relations] + [LABELS]
    told = (
        f"{schema.title}, read from {', '.join(read_files)}",
        *notes,
        *relabelled,
        *repaired,
        *lonely(graph),
        *settings.notes,
        *joined,
        *_unread(source, schema, graph),
    )
    provenance = Provenance(("hetero",), str(source), "heco", VERSION, settings.rule, told)
    return graph_content(graph, provenance)


def _refuse_other_target(source: Path, target: str, told: str | None) -> None:
    if told is not None and told != target:
        raise DataError(
            f"{source}: its labels belong to the type {target}, not {told!r}; leave out --target-type"
        )


def _features(source: Path, schema: Schema, limits: Limits) -> tuple[dict[str, Features], list[str]]:
    features: dict[str, Features] = {}
    notes = []
    for letter, kind in schema.types.items():
        path = feature_path(source, letter)
        if path is None:
            notes.append(f"{kind}: no file {letter}_feat.npz, so these nodes have no features")
            continue
        features[kind], told = read_node_features(path, kind, limits)
        notes += told
    return features, notes


def _settings(source: Path, labels: NDArray[np.int64], target: str, options: ImportOptions) -> Settings:
    """The label settings of the folder, or drawn ones where it has none or others are asked for."""
    files = setting_files(source, (".npy",))
    refuse_rule(source, options.split, has_files=bool(files))
    if not files:
        return drawn_settings(labels, options.seed, "no files of label settings")
    if options.split == "random":
        return drawn_settings(labels, options.seed, "the label settings that lie there were put aside")
    parts = {name: Part(path, read_setting(path, options.limits)) for name, path in files.items()}
    return checked_settings(parts, labels, target)


def _edges(
    source: Path, schema: Schema, counts: dict[str, int], limits: Limits
) -> tuple[dict[Relation, NDArray[np.int32]], list[str]]:
    """The distinct edges of every relation, and notes. Completes `counts` by the types that nothing else counts."""
    files, pairs = {}, {}
    for name in schema.relations:
        relation = schema.relation(name)
        files[relation] = source / f"{name}.txt"
        ends = (relation.source, relation.destination)
        pairs[relation] = read_pairs(
            files[relation], limits, ends=ends, otherwise="export the relation again, from 0"
        )
    notes = []
    for kind in schema.types.values():
        if kind not in counts:
            counts[kind] = 1 + max(
                int(found[:, place].max())
                for relation, found in pairs.items()
                for place, end in enumerate((relation.source, relation.destination))
                if end == kind
            )
            notes.append(f"{kind}: {counts[kind]:,} nodes, as the largest number in the relations says")
    edges = {}
    for relation, found in pairs.items():
        _refuse_out_of_range(files[relation], relation, found, counts)
        edges[relation], told = distinct_edges(relation, found)
        notes += told
    return edges, notes


def _refuse_out_of_range(
    path: Path, relation: Relation, pairs: NDArray[np.int64], counts: Mapping[str, int]
) -> None:
    for place, kind in enumerate((relation.source, relation.destination)):
        bound = min(counts[kind], MAX_NODES)
        wrong = pairs[:, place] >= bound
        if wrong.any():
            pair = int(np.argmax(wrong))
            why = "its features and labels tell" if counts[kind] <= MAX_NODES else "can be read"
            raise DataError(
                f"{path}: row {row_of(path, pair)}: {kind} {pairs[pair, place]} is out of range 0..{bound - 1}, as many as "
                f"{why}, in {int(wrong.sum()):,} rows; numbers begin at 0: correct the row, or bring the files that belong "
                "to these relations"
            )


def _joined(source: Path, graph: HeteroContent, limits: Limits) -> list[str]:
    """Notes on every metapath: how many pairs it joins, and that the graph shipped with it is the same.

    Raises DataError if a shipped one differs, or a metapath joins too many.
    """
    notes = []
    for name, walk in graph.metapaths.items():
        entries = checked_entries(graph, name, walk)
        path = source / f"{name.lower()}.npz"
        same = ""
        if path.is_file():
            _refuse_other_graph(path, name, metapath_graph(graph, walk), limits)
            same = f"; {name} equals the shipped {path.name}"
        notes.append(f"{name}: {entries:,} entries, self-loops included{same}")
    return notes


def _refuse_other_graph(path: Path, name: str, built: csr_array, limits: Limits) -> None:
    """Raises DataError unless the file stores the entries of `built`, whatever their values."""
    found = read_sparse(path, limits, axes=("row", "column"))
    stored = found.value != 0
    shipped = csr_array(
        (np.ones(int(stored.sum()), np.bool_), (found.row[stored], found.column[stored])), shape=found.shape
    )
    shipped.sum_duplicates()
    remedy = f"remove {path.name} to keep the one built from the relations, or bring the relations that it was built from"
    if shipped.shape != built.shape:
        raise DataError(
            f"{path}: joins {shipped.shape[0]:,} x {shipped.shape[1]:,} nodes, {name} has {built.shape[0]:,} on each side; "
            f"{remedy}"
        )
    # both hold ones alone, so their elementwise product stores just what both store
    pattern = csr_array((np.ones(built.nnz, np.bool_), built.indices, built.indptr), shape=built.shape)
    both = int(csr_array(shipped.multiply(pattern)).nnz)
    if not both == shipped.nnz == built.nnz:
        raise DataError(
            f"{path}: stores {shipped.nnz:,} entries, {name} as built from the relations {built.nnz:,}, and {both:,} are in "
            f"both; {remedy}"
        )


def _unread(source: Path, schema: Schema, graph: HeteroContent) -> list[str]:
    """A note on files of the folder that nothing was read from: those that follow from the others, and strangers."""
    used = {LABELS, *(f"{name}.txt" for name in schema.relations)}
    used |= {f"{name.lower()}.npz" for name in graph.metapaths}
    used |= {f"{letter}_feat.{ending}" for letter in schema.types for ending in ("npz", "npy")}
    left = [
        path.name
        for path in sorted(source.iterdir())
        if path.name not in used and not SETTING.fullmatch(path.stem) and not path.name.startswith(".")
    ]
    listed = ", ".join(name[:40] for name in left[:8]) + (
        f" and {len(left) - 8} more" if len(left) > 8 else ""
    )
    return [f"not read: {listed}"] if left else []
