"""The graphs that HeCo publishes: their types, relations and metapaths, and which files of a folder hold what."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from core.data.hetero import UNLABELLED, Metapath, Relation
from core.data.importers.walks import resolved
from core.errors import DataError

LABELS = "labels.npy"
_RELATION_FILE = re.compile(r"[a-z]{2}\.txt")


@dataclass(frozen=True)
class Schema:
    """One of the published graphs. types: letter -> node type. relations: file -> (source, destination), by letter.

    metapaths: as letters, each step over the one relation that joins its two types.
    """

    title: str
    types: Mapping[str, str]
    relations: tuple[str, ...]
    metapaths: tuple[str, ...]

    @property
    def target(self) -> str:
        """The type that carries the labels: every metapath begins there."""
        return self.types[self.metapaths[0][0]]

    def relation(self, name: str) -> Relation:
        return Relation(self.types[name[0]], name, self.types[name[1]])

    @property
    def walks(self) -> dict[str, Metapath]:
        steps = {
            name.upper(): (tuple(self.types[letter] for letter in name), (None,) * (len(name) - 1))
            for name in self.metapaths
        }
        return resolved(steps, map(self.relation, self.relations), self.target)


SCHEMAS = (
    Schema("ACM", {"p": "paper", "a": "author", "s": "subject"}, ("pa", "ps"), ("pap", "psp")),
    Schema(
        "DBLP",
        {"a": "author", "p": "paper", "c": "venue", "t": "term"},
        ("pa", "pc", "pt"),
        ("apa", "apcpa", "aptpa"),
    ),
    Schema("AMiner", {"p": "paper", "a": "author", "r": "reference"}, ("pa", "pr"), ("pap", "prp")),
    Schema(
        "Freebase",
        {"m": "movie", "a": "actor", "d": "director", "w": "writer"},
        ("ma", "md", "mw"),
        ("mam", "mdm", "mwm"),
    ),
)


def fitting_schemas(source: Path) -> list[Schema]:
    """The graphs whose relation files are just those of the folder; none if it is no folder."""
    if not source.is_dir():
        return []
    have = {name.removesuffix(".txt") for name in _relation_files(source)}
    return [schema for schema in SCHEMAS if set(schema.relations) == have]


def schema_of(source: Path) -> Schema:
    """Which graph the relation files of a folder make. Raises DataError unless it is just one."""
    if not source.is_dir():
        raise DataError(
            f"{source}: is not a folder; heco reads a folder with relation files such as pa.txt, and {LABELS}"
        )
    fitting = fitting_schemas(source)
    if len(fitting) != 1:
        have = ", ".join(_relation_files(source)) or "none"
        known = "; ".join(
            f"{', '.join(f'{name}.txt' for name in schema.relations)} ({schema.title})" for schema in SCHEMAS
        )
        came = "fit several graphs" if fitting else "make no published graph"
        raise DataError(
            f"{source}: its relation files ({have}) {came}; expected one of: {known}; leave just those in the folder, or "
            "bring another graph as tables in the layout hetero"
        )
    return fitting[0]


def feature_path(source: Path, letter: str) -> Path | None:
    """The feature file of a node type, if there is one. Raises DataError if there are two."""
    found = [path for ending in ("npz", "npy") if (path := source / f"{letter}_feat.{ending}").is_file()]
    if len(found) > 1:
        raise DataError(f"{found[0]}: lies beside {found[1].name}; keep one of the two")
    return found[0] if found else None


def labels_path(source: Path) -> Path:
    """The file of labels. Raises DataError if there is none."""
    path = source / LABELS
    if not path.is_file():
        raise DataError(
            f"{path}: is missing; it holds one label per node of the target type, {UNLABELLED} where there is none"
        )
    return path


def _relation_files(source: Path) -> list[str]:
    return sorted(path.name for path in source.iterdir() if _RELATION_FILE.fullmatch(path.name))
