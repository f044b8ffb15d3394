"""Which relation path weighs most: by the vote of every node, ties told as ties, or by the mean. Pure."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from core.findings import Finding
from dashboard.relations import node_attention, path_label

Pair = tuple[str, str]
ANY = "any"
# Weights closer than this share of the larger one are equal: attention is stored in single precision.
TIE = 1e-6
# Below this ratio of deviation to size, attention acts as one weight for all nodes.
IMPERSONAL = 0.01
# What the attention of a variant does not depend on (CIGF, Table 4).
SHARED_OVER = {
    "global": "nodes, orders and start behaviours",
    "node": "orders and start behaviours",
    "node+layer": "start behaviours",
    "node+behavior": "orders",
}


@dataclass(frozen=True)
class Ballot:
    """Paths of order 2 that weigh the most together, and for which share of the nodes. Several paths tie."""

    label: str
    paths: tuple[str, ...]
    share: float


@dataclass(frozen=True)
class Vote:
    """How the nodes voted: the first ballot and, where there is one, the second."""

    first: Ballot
    second: Ballot | None
    nodes: int


def vote(finding: Finding, group: str, composition: str) -> Vote:
    """Count, over the nodes of `group`, which (start, relation) have the largest attention at the lowest order."""
    nodes = node_attention(finding, group)[:, 0]
    starts, relations = finding.axis("start").labels, finding.axis("relation").labels
    flat = np.moveaxis(nodes, 1, 0).reshape(nodes.shape[1], -1)
    best = flat.max(axis=1, keepdims=True)
    tied = np.packbits(flat >= best - TIE * np.abs(best), axis=1)
    sets, counts = np.unique(tied, axis=0, return_counts=True)
    ballots = []
    for place in np.argsort(-counts, kind="stable")[:2]:
        chosen = np.flatnonzero(np.unpackbits(sets[place], count=flat.shape[1]))
        pairs = [(starts[c // len(relations)], relations[c % len(relations)]) for c in chosen]
        paths = tuple(path_label(composition, start, relation) for start, relation in pairs)
        label = tied_label(pairs, starts, composition)
        ballots.append(Ballot(label, paths, float(counts[place]) / len(flat)))
    return Vote(ballots[0], ballots[1] if len(ballots) > 1 else None, len(flat))


def largest_mean(table: pd.DataFrame, composition: str) -> tuple[Ballot, float]:
    """The paths of the lowest order whose mean attention is largest, and that mean. table: as from `attention_table`."""
    lowest = table[table["order"] == table["order"].iloc[0]]
    best = float(lowest["attention"].max())
    top = lowest[lowest["attention"] >= best - TIE * abs(best)]
    pairs = list(zip(top["start"].tolist(), top["relation"].tolist()))
    paths = tuple(path_label(composition, start, relation) for start, relation in pairs)
    return Ballot(tied_label(pairs, list(dict.fromkeys(lowest["start"])), composition), paths, 1.0), best


def tied_label(pairs: Iterable[Pair], starts: Sequence[str], composition: str) -> str:
    """One path by its name; all starts of one relation as `view > any`; other ties as `a > b = b > b`."""
    pairs = list(pairs)
    relations = {relation for _, relation in pairs}
    if len(relations) == 1 and len(pairs) == len(starts) > 1:
        return path_label(composition, ANY, *relations)
    named = [path_label(composition, start, relation) for start, relation in pairs]
    return " = ".join(named[:3]) + (f" = {len(named) - 3} more" if len(named) > 3 else "")


def personal_ratio(finding: Finding, group: str) -> float:
    """How much attention differs between the nodes of `group`: standard deviation over nodes, averaged over starts,
    orders and relations, divided by the mean absolute attention. 0 where it is the same for all."""
    nodes = node_attention(finding, group).astype(np.float64)
    size = float(np.abs(nodes).mean())
    return float(nodes.std(axis=2).mean()) / size if size else 0.0


def is_one_for_all(attention: str) -> bool:
    """Whether a variant of the attention has the same weights for every node."""
    return "nodes" in SHARED_OVER.get(attention, "")


def by_design(attention: str) -> str:
    """What a variant of the attention leaves out, in a sentence; empty for the full attention."""
    if attention not in SHARED_OVER:
        return ""
    if is_one_for_all(attention):
        return (
            "One weight for all by design: with attention = global, nodes, orders and start behaviours share one "
            "vector of weights (CIGF, Table 4), so there is no vote to count."
        )
    return (
        f"By design, attention = {attention} is the same for all {SHARED_OVER[attention]} (CIGF, Table 4)"
        + ("; paths that differ in nothing else tie." if "behavior" not in attention else ".")
    )
