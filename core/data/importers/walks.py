"""Metapaths as they are written, `PAP=paper,author,paper`, and what they mean among the relations of a graph.

A comma leaves the relation between two types open, which is clear where just one joins them; `paper:cites:paper` names it.
"""

import re
from collections.abc import Iterable, Mapping, Sequence

from core.data.hetero import Metapath, Relation
from core.errors import DataError

MOST_WALKS, MOST_STEPS = 20, 8
EXAMPLE = "PAP=paper,author,paper; PVP=paper,venue,paper"
_NAME = re.compile(r"[A-Za-z0-9_]{1,30}")

# a walk as written: names of types, with the relation that joins a type to the next, or None where it is left open
Steps = tuple[tuple[str, ...], tuple[str | None, ...]]


def parse_walks(typed: str) -> dict[str, Steps]:
    """Metapaths typed as `NAME=type,type,type`, with `;` between them. Raises DataError naming what is wrong."""
    found: dict[str, Steps] = {}
    for part in filter(None, (text.strip() for text in typed.split(";"))):
        name, sign, walk = (text.strip() for text in part.partition("="))
        if not sign or not walk:
            raise DataError(
                f"metapaths {typed[:80]!r}: cannot read {part[:40]!r}; expected {EXAMPLE!r}: correct it in --metapaths"
            )
        if name in found:
            raise DataError(
                f"metapaths {typed[:80]!r}: names {name} twice; rename one of them in --metapaths"
            )
        found[name] = parse_walk(name, walk.split(","))
    if not found:
        raise DataError(
            f"metapaths {typed[:80]!r}: names none; expected {EXAMPLE!r}: correct it in --metapaths"
        )
    return checked_names(found)


def parse_walk(name: str, pieces: Sequence[str]) -> Steps:
    """One walk from the pieces between its commas, each a type or `type:relation:type...`. Raises DataError."""
    types: list[str] = []
    relations: list[str | None] = []
    for piece in pieces:
        words = [word.strip() for word in piece.split(":")]
        if len(words) % 2 == 0 or not all(words):
            raise DataError(
                f"metapath {name}: cannot read {piece[:60]!r}; expected a type, or type:relation:type: "
                "correct it in --metapaths"
            )
        if types:
            relations.append(None)
        types += words[::2]
        relations += words[1::2]
    return tuple(types), tuple(relations)


def checked_names(walks: Mapping[str, Steps]) -> dict[str, Steps]:
    """`walks` unchanged. Raises DataError for a name that cannot be shown, a walk that is too long, or too many."""
    for name, (types, _) in walks.items():
        if not _NAME.fullmatch(name):
            raise DataError(
                f"metapath {name[:40]!r} is not allowed as a name: expected 1 to 30 letters, digits and '_'; "
                "rename it in --metapaths"
            )
        if not 2 <= len(types) <= MOST_STEPS + 1:
            raise DataError(
                f"metapath {name}: goes over {len(types)} types, expected 2 to {MOST_STEPS + 1}; correct it in --metapaths"
            )
    if len(walks) > MOST_WALKS:
        raise DataError(
            f"{len(walks)} metapaths are more than the {MOST_WALKS} allowed; leave some out in --metapaths"
        )
    return dict(walks)


def resolved(walks: Mapping[str, Steps], relations: Iterable[Relation], target: str) -> dict[str, Metapath]:
    """The metapaths among `relations`, with every relation named.

    Raises DataError, with the relations there are, for a step that no relation or more than one takes, or a walk that does
    not begin and end at the target type.
    """
    known = list(relations)
    return {name: _resolved(name, steps, known, target) for name, steps in walks.items()}


def default_walks(relations: Iterable[Relation], target: str) -> dict[str, Metapath]:
    """There and back over every relation of the target type, called by the types' initials, or by the relation where those
    clash."""
    walks = []
    for relation in relations:
        ends = (relation.source, relation.destination)
        if target not in ends:
            continue
        if ends == (target, target):
            walks.append((relation.name, Metapath((target, target), (relation.name,))))
            continue
        other = ends[ends[0] == target]
        walks.append((relation.name, Metapath((target, other, target), (relation.name, relation.name))))
    initials = ["".join(kind[0] for kind in walk.types).upper() for _, walk in walks]
    names = [
        name if initials.count(name) == 1 else relation
        for name, (relation, _) in zip(initials, walks, strict=True)
    ]
    return {name: walk for name, (_, walk) in zip(names, walks, strict=True)}


def written(walks: Mapping[str, Metapath], relations: Iterable[Relation]) -> str:
    """The walks as they would be typed: by their types, and by the relation where several join two types."""
    joining = [{one.source, one.destination} for one in relations]
    told = []
    for name, walk in walks.items():
        text = walk.types[0]
        for source, relation, destination in zip(walk.types, walk.relations, walk.types[1:], strict=False):
            alone = joining.count({source, destination}) == 1
            text += f",{destination}" if alone else f":{relation}:{destination}"
        told.append(f"{name}={text}")
    return "; ".join(told)


def _resolved(name: str, steps: Steps, known: list[Relation], target: str) -> Metapath:
    types, relations = steps
    if types[0] != target or types[-1] != target:
        raise DataError(
            f"metapath {name}: goes from {types[0]} to {types[-1]}, expected from {target} back to {target}, the target type; "
            "correct it in --metapaths, or name another --target-type"
        )
    chosen = []
    for source, relation, destination in zip(types, relations, types[1:], strict=False):
        joining = [one.name for one in known if {one.source, one.destination} == {source, destination}]
        if relation is not None and relation in joining:
            joining = [relation]
        elif relation is not None or not joining:
            called = f"called {relation!r} " if relation is not None else ""
            raise DataError(
                f"metapath {name}: no relation {called}joins {source} and {destination}; the relations are: "
                f"{', '.join(one.key for one in known)}: correct it in --metapaths"
            )
        if len(joining) > 1:
            raise DataError(
                f"metapath {name}: {' and '.join(joining)} both join {source} and {destination}; "
                f"say which in --metapaths, as in {source}:{joining[0]}:{destination}"
            )
        chosen.append(joining[0])
    return Metapath(types, tuple(chosen))
