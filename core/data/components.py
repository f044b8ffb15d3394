"""Component graphs of a funnel: all behaviours as one, each behaviour, and how each auxiliary one meets the target.

Source: MuLe (CIKM 2024), Section 3; HGIB (RecSys 2025), Section 4.5.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from scipy.sparse import csr_array

from core.data.kept import Arrays, kept
from core.data.ranking import RankingData
from core.errors import DataError

ComponentKind = Literal["unified", "behavior", "intersection", "difference"]
EDGE_FLOOR = 1e-7  # what a pruned edge still weighs, so that no degree is zero
PRUNED_UP_TO = 2 * EDGE_FLOOR
_VERSION = 1


@dataclass(frozen=True, eq=False)
class Component:
    """One graph of the hierarchy. key: file-safe name. title: for people. parent: key of the graph it refines, empty for
    the first. behavior: the behaviour it comes from, empty for the union. pairs: training pairs, [U, I]."""

    key: str
    title: str
    kind: ComponentKind
    parent: str
    behavior: str
    pairs: csr_array


def components(data: RankingData) -> tuple[Component, ...]:
    """The union G_uni, every G_b (target included, last), then per auxiliary behaviour G_b-and-t and G_b-without-t.

    Graphs without any pair are left out, except the target's. Built once per content of the data: kept in `data.cache`
    and read from there. Raises DataError if a behaviour bears the name of another level.
    """
    auxiliary, target = data.behaviors[:-1], data.target
    plan: list[tuple[str, str, ComponentKind, str, str]] = [("unified", "all behaviours", "unified", "", "")]
    plan += [(b, b, "behavior", "unified", b) for b in data.behaviors]
    plan += [(f"{b}_and_{target}", f"{b} and {target}", "intersection", b, b) for b in auxiliary]
    plan += [(f"{b}_without_{target}", f"{b} without {target}", "difference", b, b) for b in auxiliary]
    check_names(data, [key for key, *_ in plan])
    matrices = _cached(data)
    made = [Component(*about, matrices[about[0]]) for about in plan]
    return tuple(c for c in made if c.pairs.nnz or c.key == target)


def check_names(data: RankingData, keys: Sequence[str]) -> None:
    """Raises DataError if a behaviour bears the name of another level; keys: the levels between the first and the last."""
    taken = [*keys, "initial", "final", "output"]
    if twice := sorted({key for key in taken if taken.count(key) > 1}):
        raise DataError(
            f"data set {data.name!r}: the behaviour name {twice[0]!r} is taken by a level of embeddings; "
            "import the data with other names for its behaviours"
        )


def without(graphs: tuple[Component, ...], *kinds: ComponentKind) -> tuple[Component, ...]:
    """`graphs` without those of the given kinds; what refined one of them refines its nearest ancestor that is left."""
    parents = {graph.key: graph.parent for graph in graphs}
    left = [graph for graph in graphs if graph.kind not in kinds]
    keys = {"", *(graph.key for graph in left)}

    def ancestor(key: str) -> str:
        return key if key in keys else ancestor(parents[key])

    return tuple(replace(graph, parent=ancestor(graph.parent)) for graph in left)


def _cached(data: RankingData) -> dict[str, csr_array]:
    if data.cache is None or data.auxiliary_noise:  # noise is drawn for a run or two: not worth a file
        return _built(data)
    path = data.cache / "graphs" / f"{data.key}-v{_VERSION}.npz"
    arrays = kept(path, "component graphs", lambda: _arrays(_built(data)))
    shape = (data.num_users, data.num_items)
    found = {}
    for key in [name.removesuffix("/indptr") for name in arrays if name.endswith("/indptr")]:
        indices, indptr = arrays[f"{key}/indices"], arrays[f"{key}/indptr"]
        found[key] = csr_array((np.ones(len(indices), np.float32), indices, indptr), shape=shape)
    return found


def _arrays(graphs: dict[str, csr_array]) -> Arrays:
    return {f"{key}/{part}": getattr(m, part) for key, m in graphs.items() for part in ("indptr", "indices")}


def _built(data: RankingData) -> dict[str, csr_array]:
    target = data.train[data.target]
    found = {"unified": data.union(), **data.train}
    for behavior in data.behaviors[:-1]:
        pairs = data.train[behavior]
        both = csr_array(pairs.multiply(target))
        found[f"{behavior}_and_{data.target}"] = _clean(both)
        found[f"{behavior}_without_{data.target}"] = _clean(csr_array(pairs - both))
    return found


def _clean(matrix: csr_array) -> csr_array:
    matrix.eliminate_zeros()
    matrix.sort_indices()
    return matrix
