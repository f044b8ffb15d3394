"""The first look at a graph: which file holds what, what can be learned, and which metapaths an import would take."""

from dataclasses import dataclass
from pathlib import Path

from core.data.hetero import Relation
from core.data.importers.heco_folder import LABELS, feature_path, labels_path, schema_of
from core.data.importers.hetero_folder import (
    SETTINGS,
    Parts,
    labelled_types,
    parts_of,
    read_settings,
    target_of,
    walks_of,
)
from core.data.importers.label_settings import setting_files
from core.data.importers.limits import Limits, checked_size, megabytes
from core.data.importers.node_tables import open_graph_table
from core.data.importers.npy_files import MAGIC, read_npy_header
from core.data.importers.walks import parse_walks, resolved, written
from core.errors import DataError

COLUMNS = ("file", "holds", "columns or shape", "size")
Rows = tuple[tuple[str, ...], ...]


@dataclass(frozen=True)
class GraphLook:
    """What is known of a graph by its files' names and headers.

    targets: types with classes to learn. target: the one that would be learned, None where it is to be chosen. relations:
    as `paper-written_by-author`. metapaths: as they would be typed, empty without a target.
    """

    types: tuple[str, ...]
    targets: tuple[str, ...]
    target: str | None
    relations: tuple[str, ...]
    metapaths: str

    def complaint(self, target: str, typed: str) -> str:
        """Why the metapaths typed are none between nodes of type `target`; empty if they are."""
        try:
            resolved(parse_walks(typed), [Relation(*key.split("-")) for key in self.relations], target)
        except DataError as error:
            return str(error)
        return ""


def look_at_heco(source: Path, limits: Limits) -> tuple[Rows, GraphLook, tuple[str, ...]]:
    """The files, the graph, and notes on a folder as HeCo publishes them. Raises DataError."""
    schema = schema_of(source)
    rows = []
    for name in schema.relations:
        relation, path = schema.relation(name), source / f"{name}.txt"
        rows.append(
            (path.name, f"edges: {relation.source} – {relation.destination}", "", _size(path, limits))
        )
    for letter, kind in schema.types.items():
        if (found := feature_path(source, letter)) is not None:
            rows.append((found.name, f"features of {kind}", _shape(found, limits), _size(found, limits)))
    labels = labels_path(source)
    rows.append((LABELS, f"classes of {schema.target}", _shape(labels, limits), _size(labels, limits)))
    for name, path in setting_files(source, (".npy",)).items():
        rows.append((path.name, _setting(name), _shape(path, limits), _size(path, limits)))
    relations = [schema.relation(name) for name in schema.relations]
    look = GraphLook(
        tuple(schema.types.values()),
        (schema.target,),
        schema.target,
        tuple(relation.key for relation in relations),
        written(schema.walks, relations),
    )
    return tuple(rows), look, (f"{schema.title}, as HeCo publishes it: classes of {schema.target}",)


def look_at_tables(
    source: Path, limits: Limits, target_type: str | None
) -> tuple[Rows, GraphLook, tuple[str, ...]]:
    """The files, the graph, and notes on a folder of tables. target_type: told already. Raises DataError."""
    parts, told = parts_of(source), read_settings(source)
    labelled = labelled_types(parts, limits)
    if not labelled:
        target_of(parts, told, target_type, limits)  # says what is missing
    target = target_type or told.target or (labelled[0] if len(labelled) == 1 else None)
    metapaths = ""
    notes: list[str] = []
    if target is not None:
        target_of(parts, told, target, limits)  # says what is wrong with one that has no classes
        walks, notes = walks_of(parts, told, None, target)
        metapaths = written(walks, parts.edges)
        notes = ["metapaths: there and back over every relation of the target type"] if notes else []
    look = GraphLook(
        tuple(parts.nodes), tuple(labelled), target, tuple(one.key for one in parts.edges), metapaths
    )
    if not parts.settings:
        notes.append("no files of label settings: they will be drawn")
    return tuple(_table_rows(parts, limits)), look, tuple(notes)


def _table_rows(parts: Parts, limits: Limits) -> list[tuple[str, ...]]:
    tables = [(path, f"nodes: {kind}") for kind, path in parts.nodes.items()]
    tables += [(path, f"edges: {one.source} – {one.destination}") for one, path in parts.edges.items()]
    tables += [(path, _setting(name)) for name, path in parts.settings.items()]
    rows: list[tuple[str, ...]] = [
        (path.name, holds, _cut(", ".join(open_graph_table(path, limits).columns)), _size(path, limits))
        for path, holds in tables
    ]
    for kind, path in parts.features.items():
        rows.append((path.name, f"features of {kind}", _shape(path, limits), _size(path, limits)))
    settings = parts.source / SETTINGS
    if settings.is_file():
        rows.append((SETTINGS, "target type and metapaths", "", _size(settings, limits)))
    return rows


def _setting(name: str) -> str:
    part, _, number = name.partition("_")
    words = {"train": "training", "val": "validation", "test": "test"}
    return f"{number} labels per class: {words[part]} nodes"


def _shape(path: Path, limits: Limits) -> str:
    """The shape that the header of a NumPy file promises; of anything else, that it is sparse or unreadable."""
    with path.open("rb") as raw:
        magic = raw.read(len(MAGIC))
    if magic != MAGIC:
        return "sparse" if magic.startswith(b"PK") else "not readable"
    try:
        return read_npy_header(path, limits).shown
    except DataError:
        return "not readable"


def _size(path: Path, limits: Limits) -> str:
    return megabytes(checked_size(path, limits))


def _cut(text: str) -> str:
    return text if len(text) <= 80 else text[:79] + "…"
