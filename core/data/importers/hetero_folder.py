"""The folder of a graph as tables: which file holds what, what `hetero.json` says, and what is to be learned.

See `core.data.importers.hetero_tables` for the layout. Of the tables only names and headers are looked at here.
"""

import itertools
import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from core.data.hetero import Metapath, Relation
from core.data.importers.label_settings import SETTING, setting_files
from core.data.importers.limits import MEGABYTE, Limits, checked_size
from core.data.importers.node_tables import LABEL, SUFFIXES, open_graph_table
from core.data.importers.walks import Steps, checked_names, default_walks, parse_walk, resolved, written
from core.data.info import checked_label
from core.errors import DataError

SETTINGS = "hetero.json"


@dataclass(frozen=True)
class Parts:
    """The files of one graph. nodes: type -> table; edges: relation -> table."""

    source: Path
    nodes: Mapping[str, Path]
    edges: Mapping[Relation, Path]
    features: Mapping[str, Path]
    settings: Mapping[str, Path]


@dataclass(frozen=True)
class Told:
    """What `hetero.json` says; empty without one."""

    target: str | None = None
    metapaths: Mapping[str, Steps] | None = None


def looks_like(source: Path) -> bool:
    """Whether the names of the files make a graph: tables of nodes and edges in folders, or edges beside their nodes."""
    if not source.is_dir():
        return False
    if (source / "nodes").is_dir() and (source / "edges").is_dir():
        return True
    names = {path.stem for path in _tables(source, "nodes")}
    edges = (path.stem.split("-") for path in _tables(source, "edges"))
    return any(len(words) == 3 and {words[0], words[2]} <= names for words in edges)


def parts_of(source: Path) -> Parts:
    """The files of a folder by what they hold, of which only the names are looked at. Raises DataError."""
    if not source.is_dir():
        raise DataError(
            f"{source}: is not a folder; hetero reads a folder with nodes/<type>.csv and "
            "edges/<source>-<relation>-<destination>.csv"
        )
    nodes = {
        checked_label(path.stem, f"{path}: node type"): path
        for path in _distinct(_tables(source, "nodes"))
        if (source / "nodes").is_dir() or not ("-" in path.stem or SETTING.fullmatch(path.stem))
    }
    edges = {}
    for path in _distinct(_tables(source, "edges")):
        words = path.stem.split("-")
        if len(words) == 3:
            edges[Relation(*(checked_label(word, f"{path}: node type or relation") for word in words))] = path
        elif (source / "edges").is_dir() or len(words) > 1:
            raise DataError(
                f"{path}: is called like no relation; expected <source>-<relation>-<destination>, such as "
                "paper-written_by-author: rename it"
            )
    if not nodes or not edges:
        lacking = "edges/<source>-<relation>-<destination>.csv" if nodes else "nodes/<type>.csv"
        raise DataError(f"{source}: has no table {lacking}; bring one per {'relation' if nodes else 'type'}")
    _refuse_unknown_types(source, nodes, edges)
    folder = source / "splits" if (source / "splits").is_dir() else source
    return Parts(source, nodes, edges, _feature_files(source, nodes), setting_files(folder, SUFFIXES))


def read_settings(source: Path) -> Told:
    """What `hetero.json` says. Raises DataError for anything it does not know."""
    path = source / SETTINGS
    if not path.is_file():
        return Told()
    checked_size(path, Limits(MEGABYTE))
    expected = '{"target": "paper", "metapaths": {"PAP": ["paper", "author", "paper"]}}'
    try:
        said = json.loads(path.read_bytes())
    except (OSError, ValueError, RecursionError) as error:
        raise DataError(f"{path}: is no JSON ({error}); expected {expected}: correct it") from error
    if not isinstance(said, dict) or not set(said) <= {"target", "metapaths"}:
        raise DataError(f"{path}: expected {expected} and nothing else; correct it")
    target, walks = said.get("target"), said.get("metapaths")
    if not (target is None or isinstance(target, str)) or not (walks is None or _are_walks(walks)):
        raise DataError(f"{path}: expected texts as in {expected}; correct it")
    with _in_settings(source):
        steps = {name: parse_walk(name, walk) for name, walk in walks.items()} if walks else None
        return Told(target, checked_names(steps) if steps else None)


def labelled_types(parts: Parts, limits: Limits) -> list[str]:
    """The types whose tables have a column of labels. Raises DataError for a table that cannot be read."""
    return [kind for kind, path in parts.nodes.items() if LABEL in open_graph_table(path, limits).columns]


def target_of(parts: Parts, told: Told, asked: str | None, limits: Limits) -> str:
    """The target type: as asked, as `hetero.json` says, or the one type whose table has labels. Raises DataError."""
    labelled = labelled_types(parts, limits)
    target = asked or told.target
    if target is None:
        if len(labelled) == 1:
            return labelled[0]
        came = f"several tables of nodes have a column {LABEL!r} ({', '.join(labelled)})"
        if not labelled:
            came = f"no table of nodes has a column {LABEL!r}, so there are no classes to learn"
        remedy = (
            "name the one to learn with --target-type" if labelled else "add it to the target type's table"
        )
        raise DataError(f"{parts.source}: {came}; {remedy}")
    if target not in parts.nodes:
        raise DataError(
            f"{parts.source}: there is no node type {target!r}; the types are: {', '.join(parts.nodes)}: correct --target-type"
        )
    if target not in labelled:
        raise DataError(
            f"{parts.nodes[target]}: has no column {LABEL!r}, so there are no classes to learn; add it, or name another type "
            "with --target-type"
        )
    return target


def walks_of(
    parts: Parts, told: Told, asked: Mapping[str, Steps] | None, target: str
) -> tuple[dict[str, Metapath], list[str]]:
    """The metapaths as asked, as `hetero.json` says, or there and back over every relation of the target, and notes."""
    if asked:
        return resolved(asked, parts.edges, target), []
    if told.metapaths:
        with _in_settings(parts.source):
            return resolved(told.metapaths, parts.edges, target), []
    walks = default_walks(parts.edges, target)
    if not walks:
        raise DataError(
            f"{parts.source}: no relation joins the target type {target} to anything; bring one, or "
            "name another --target-type"
        )
    typed = written(walks, parts.edges)
    return walks, [f"no metapaths were told, so every relation of {target} is walked there and back: {typed}"]


def _tables(source: Path, part: str) -> list[Path]:
    """The tables in a folder of the source, or in the source itself where it has no such folder."""
    folder = source / part if (source / part).is_dir() else source
    return sorted(path for path in folder.iterdir() if path.suffix in SUFFIXES and path.is_file())


def _distinct(paths: list[Path]) -> list[Path]:
    """`paths` unchanged. Raises DataError if two differ in their ending alone."""
    for first, second in itertools.pairwise(paths):
        if first.stem == second.stem:
            raise DataError(f"{second}: lies beside {first.name}; keep one of the two")
    return paths


def _refuse_unknown_types(source: Path, nodes: Mapping[str, Path], edges: Mapping[Relation, Path]) -> None:
    names: dict[str, Path] = {}
    for relation, path in edges.items():
        for kind in (relation.source, relation.destination):
            if kind not in nodes:
                raise DataError(
                    f"{path}: joins nodes of type {kind!r}, of which there is no table; the types are: {', '.join(nodes)}: "
                    f"bring nodes/{kind}.csv, or rename the file"
                )
        if relation.name in names:
            raise DataError(
                f"{path}: the relation {relation.name} is in {names[relation.name].name} too; give each its own name"
            )
        names[relation.name] = path


def _feature_files(source: Path, nodes: Mapping[str, Path]) -> dict[str, Path]:
    found: dict[str, Path] = {}
    for kind in nodes:
        paths = [
            path
            for folder in (source, source / "nodes")
            for ending in ("npy", "npz")
            if (path := folder / f"{kind}_feat.{ending}").is_file()
        ]
        if len(paths) > 1:
            raise DataError(f"{paths[1]}: there is {paths[0].name} too; keep one of the two")
        if paths:
            found[kind] = paths[0]
    return found


def _are_walks(value: Any) -> bool:
    return isinstance(value, dict) and all(
        isinstance(walk, list) and walk and all(isinstance(step, str) for step in walk)
        for walk in value.values()
    )


@contextmanager
def _in_settings(source: Path) -> Iterator[None]:
    """Tells of a wrong metapath with the file that says so."""
    try:
        yield
    except DataError as error:
        said = str(error).replace("in --metapaths", "there, or override it with --metapaths")
        raise DataError(f"{source / SETTINGS}: {said}") from error
