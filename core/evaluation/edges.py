"""Edge weights held against known noise: does a model that weighs edges weigh the accidental ones less? (no torch).

E edges of a graph. Source: HGIB (RecSys 2025), Eq. 10, weighs and prunes edges; the audit is ours. Models never see what
is noise here.
"""

import logging
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from core.data.components import PRUNED_UP_TO, Component
from core.data.dataset import Dataset
from core.data.noise import flat_pairs
from core.data.ranking import RankingData, pair_matrix
from core.errors import DataError
from core.findings import Axis, Finding, Kind

PERMUTATIONS, _SEED = 20, 0
SCORERS = ("edge weight", "dealt at random", "users of the item")
MEASURES = ("noise among pruned", "noise among all", "noise that is pruned")
_SOURCE = "HGIB, Eq. 10; our audit"
Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]
log = logging.getLogger("relscope")


@runtime_checkable
class WeighsEdges(Protocol):
    """A model that can say what each pair of its graphs weighs when it scores."""

    def edge_weights(self) -> Iterable[tuple[Component, csr_array]]:
        """Every graph whose edges have weights, with the weights of its pairs, [U, I]."""
        ...


@dataclass(frozen=True)
class EdgeAudit:
    """One graph's edges against what is known to be noise.

    by_weight, at_random, by_users: areas under the ROC curve (`area_under_curve`) of the edges' weights, of the same
    weights dealt to edges at random, and of the number of users that the edge's item has in this graph.
    """

    graph: str
    edges: int
    noise: int
    pruned: int
    pruned_noise: int
    by_weight: float
    at_random: float
    by_users: float


def known_noise(dataset: Dataset, data: RankingData) -> dict[str, csr_array] | None:
    """Training pairs that are known to be noise, per auxiliary behaviour: planted ones and those that were added.

    None where nothing is known. A truth that cannot be read counts as unknown: it must not cost a trained run its end.
    """
    shape = (data.num_users, data.num_items)
    found = dict(data.added)
    try:
        truth = dataset.truth("edges") if dataset.info.planted else None
    except DataError as error:
        log.warning("planted noise is not known: %s", error)
        truth = None
    if truth is not None:
        planted = truth[truth["noise"].to_numpy(dtype=bool)]
        for behavior in data.behaviors[:-1]:
            pairs = pair_matrix(planted[planted["behavior"] == behavior], shape)
            found[behavior] = csr_array(found[behavior] + pairs) if behavior in found else pairs
    return found or None


def noise_among(
    graph: Component, pairs: csr_array, data: RankingData, noise: Mapping[str, csr_array]
) -> Flags:
    """Which of `pairs`, edges of `graph`, are noise, [E]: no behaviour that the graph draws from has the pair genuinely.

    So a pair of the union is noise if it is noise under every behaviour that has it, and an intersection with the target
    has none: whoever bought the item was interested, however the view before came about.
    """
    sources = {
        "unified": data.behaviors,
        "intersection": (graph.behavior, data.target),
    }.get(graph.kind, (graph.behavior,))
    flat_E = flat_pairs(pairs)
    is_genuine_E = np.zeros(len(flat_E), dtype=bool)
    for behavior in sources:
        held_E = np.isin(flat_E, flat_pairs(data.train[behavior]))
        if behavior in noise:
            held_E &= ~np.isin(flat_E, flat_pairs(noise[behavior]))
        is_genuine_E |= held_E
    return ~is_genuine_E


def area_under_curve(value_E: Floats, is_noise_E: Flags) -> float:
    """Chance that a random genuine edge has a larger value than a random noise edge; ties count half.

    By ranks (Mann-Whitney), so O(E log E). Needs edges of both kinds.
    """
    return _area(_ranks(value_E), ~is_noise_E)


def area_at_random(value_E: Floats, is_noise_E: Flags) -> float:
    """`area_under_curve` of the same values dealt to edges at random: the mean over 20 permutations, always the same.

    The control for pruning: it prunes as many edges, only others.
    """
    rng, rank_E = np.random.default_rng(_SEED), _ranks(value_E)
    return float(np.mean([_area(rng.permutation(rank_E), ~is_noise_E) for _ in range(PERMUTATIONS)]))


def audit(graph: str, weights: csr_array, is_noise_E: Flags) -> EdgeAudit | None:
    """The audit of one graph, `is_noise_E` in the order of `weights`; None without both noise and genuine edges."""
    if is_noise_E.all() or not is_noise_E.any():
        return None
    weight_E = np.asarray(weights.data, dtype=np.float64)
    is_pruned_E = weight_E <= PRUNED_UP_TO
    users_E = np.bincount(weights.indices, minlength=weights.shape[1])[weights.indices].astype(np.float64)
    return EdgeAudit(
        graph,
        edges=len(weight_E),
        noise=int(is_noise_E.sum()),
        pruned=int(is_pruned_E.sum()),
        pruned_noise=int((is_pruned_E & is_noise_E).sum()),
        by_weight=area_under_curve(weight_E, is_noise_E),
        at_random=area_at_random(weight_E, is_noise_E),
        by_users=area_under_curve(users_E, is_noise_E),
    )


def edge_findings(
    graphs: Iterable[tuple[Component, csr_array]], data: RankingData, noise: Mapping[str, csr_array]
) -> tuple[Finding, ...]:
    """`noise_detection` and `pruning_precision` of every graph that has both noise and genuine edges; none without any."""
    made = (audit(graph.title, pairs, noise_among(graph, pairs, data, noise)) for graph, pairs in graphs)
    audits = [one for one in made if one is not None]
    return (_detection(audits), _pruning(audits)) if audits else ()


def _detection(audits: Sequence[EdgeAudit]) -> Finding:
    values = np.array([(one.by_weight, one.at_random, one.by_users) for one in audits])
    support = np.array([[one.noise] * len(SCORERS) for one in audits])
    return Finding(
        "noise_detection",
        "Noise told from genuine edges",
        _SOURCE,
        Kind.RATE,
        (_graphs(audits), Axis.labelled("scorer", SCORERS)),
        np.clip(values, 0, 1),
        support,
        "Area under the ROC curve: the chance that a genuine edge scores higher than a noise edge, ties half; 50 % is "
        "guessing, 100 % tells all apart. The edge weight is worth something only where it beats the same weights dealt at "
        "random and the mere number of users of the item. Support: edges known to be noise.",
    )


def _pruning(audits: Sequence[EdgeAudit]) -> Finding:
    values = [
        (one.pruned_noise / max(one.pruned, 1), one.noise / one.edges, one.pruned_noise / one.noise)
        for one in audits
    ]
    support = np.array([(one.pruned, one.edges, one.noise) for one in audits])
    return Finding(
        "pruning_precision",
        "Noise among the pruned edges",
        _SOURCE,
        Kind.RATE,
        (_graphs(audits), Axis.labelled("measure", MEASURES)),
        np.array(values),
        support,
        "Pruning finds noise where its share among the pruned edges exceeds that among all; the last measure is the share of "
        "all noise that was pruned. A graph without a pruned edge has 0 with support 0. Support: the pruned edges, all edges, "
        "all noise edges.",
    )


def _graphs(audits: Sequence[EdgeAudit]) -> Axis:
    return Axis.labelled("graph", [one.graph for one in audits])


def _ranks(value_E: Floats) -> Floats:
    """Ranks from 1 up; equal values share the middle of theirs."""
    _, place_E, count = np.unique(value_E, return_inverse=True, return_counts=True)
    last = np.cumsum(count)
    middle: Floats = (last - (count - 1) / 2)[place_E]
    return middle


def _area(rank_E: Floats, is_genuine_E: Flags) -> float:
    genuine = int(is_genuine_E.sum())
    noise = len(rank_E) - genuine
    return float((rank_E[is_genuine_E].sum() - genuine * (genuine + 1) / 2) / (genuine * noise))
