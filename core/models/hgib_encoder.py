"""HGIB's encoders: a hierarchy of graphs, each refined by the level before it and then convolved.

U users, I items, N nodes of either side, E pairs of a graph, D dims, L layers.
"""

from typing import NamedTuple

import torch
from torch import Tensor, nn

from core.catalog.hgib import HGIBConfig
from core.data.components import Component
from core.ops.dropout import kept
from core.ops.graphs import Sides
from core.ops.refine import gumbel, pruning_chance, refined
from core.ops.sparse import Pattern, dots, pattern_of
from core.ops.unit import unit_rows
from core.ops.weighted import EdgeWeights, both_ways, degrees

_DRAWN_IN_EVALUATION = (
    20_250_721  # first seed of what evaluation draws: weights dealt at random, noise as released
)


class Levels(NamedTuple):
    """Embeddings of every level: E_0, then by the key of the graph that made them."""

    initial: Sides
    graphs: dict[str, Sides]


class EdgeWeighing(nn.Module):
    """GRE, Eq. 10: the weights of one graph's pairs from the embeddings of the level before it."""

    def __init__(self, config: HGIBConfig, number: int) -> None:
        super().__init__()
        self.config, self._number = config, number
        learned = config.thresholds == "learned" and config.refinement == "learned"
        self.threshold_logit = nn.Parameter(torch.logit(torch.tensor(config.threshold))) if learned else None

    def forward(self, pattern: Pattern, previous: Sides, noise: torch.Generator | None) -> EdgeWeights | None:
        """Weights [E], once per pair; None where every edge counts 1. noise: draws of training, None in evaluation."""
        config = self.config
        if config.refinement == "none":
            return None
        logit_E = dots(pattern, previous.user, previous.item)
        if config.as_released:
            drawn = noise or self._repeated(logit_E.device)
            return EdgeWeights(self._weights(logit_E, drawn), self._weights(logit_E, drawn))
        weight_E = self._weights(logit_E, noise)
        if config.refinement == "random":
            drawn = noise or self._repeated(logit_E.device)
            order = torch.randperm(logit_E.numel(), generator=drawn, device=logit_E.device)
            weight_E = weight_E.detach()[order]
        return EdgeWeights(weight_E)

    def training_keep_rate(self, pattern: Pattern, previous: Sides) -> float:
        """Share of the pairs that survive the noise of training, in expectation."""
        config, count = self.config, pattern.num_entries
        if config.thresholds == "per_graph":
            return 1 - round(config.pruned_share * count) / max(1, count)
        logit_E = dots(pattern, previous.user, previous.item)
        learned = self.threshold_logit
        threshold = config.threshold if learned is None else float(learned.detach().double().sigmoid())
        return 1 - float(pruning_chance(logit_E, threshold, config.noise_temperature).double().mean())

    def _weights(self, logit_E: Tensor, noise: torch.Generator | None) -> Tensor:
        config = self.config
        learned = self.threshold_logit
        return refined(
            logit_E,
            None if noise is None else gumbel(logit_E, noise),
            threshold=config.threshold if learned is None else learned.sigmoid(),
            pruned_share=config.pruned_share if config.thresholds == "per_graph" else None,
            temperature=config.noise_temperature,
            doubled=config.as_released,
        )

    def _repeated(self, device: torch.device) -> torch.Generator:
        """What evaluation draws: for each graph its own, and the same every time."""
        return torch.Generator(device).manual_seed(_DRAWN_IN_EVALUATION + self._number)


class Hierarchy(nn.Module):
    """E_0 -> E_uni -> E_b -> E_b-and-t and E_b-without-t (Eqs. 11 to 13); which of them exist depends on the data.

    Each encoder: x^l = rowL2(D^-1/2 W D^-1/2 x^(l-1)), output x^0 + sum_l x^l, with W from `EdgeWeighing` on the
    embeddings of the level before it, without dropout; x^0 is those embeddings under dropout (as released). The left
    D^-1/2 scales whole rows and so vanishes in rowL2: it is not computed.
    """

    def __init__(self, config: HGIBConfig, graphs: tuple[Component, ...], device: torch.device) -> None:
        super().__init__()
        self.config, self.graphs = config, graphs
        self.patterns = {graph.key: pattern_of(graph.pairs).to(device) for graph in graphs}
        self._weighing = nn.ModuleList([EdgeWeighing(config, number) for number in range(len(graphs))])
        self._count = {key: degrees(pattern, None) for key, pattern in self.patterns.items()}

    def forward(self, initial: Sides, noise: torch.Generator | None = None) -> Levels:
        """Every level's embeddings, users [U, D] and items [I, D]. noise: draws of edges and dropout in training."""
        found: dict[str, Sides] = {}
        for graph in self.graphs:
            previous = self.previous(graph, initial, found)
            weights = self.weighing(graph)(self.patterns[graph.key], previous, noise)
            start = previous if graph.kind == "unified" else self._dropped(previous, noise)
            found[graph.key] = self._convolved(graph, weights, start)
        return Levels(initial, found)

    def weighing(self, graph: Component) -> EdgeWeighing:
        """What refines the edges of `graph`."""
        found = self._weighing[self.graphs.index(graph)]
        assert isinstance(found, EdgeWeighing)
        return found

    @staticmethod
    def previous(graph: Component, initial: Sides, found: dict[str, Sides]) -> Sides:
        """Embeddings of the level that `graph` refines."""
        return found[graph.parent] if graph.parent else initial

    def _dropped(self, values: Sides, noise: torch.Generator | None) -> Sides:
        if noise is None or self.config.dropout == 0:
            return values
        return Sides(*(side * kept(side.shape, self.config.dropout, noise, side) for side in values))

    def _convolved(self, graph: Component, weights: EdgeWeights | None, start: Sides) -> Sides:
        pattern = self.patterns[graph.key]
        degree = self._count[graph.key] if weights is None else degrees(pattern, weights)
        scale = Sides(*(_inverse_root(side)[:, None] for side in degree))
        is_difference = graph.kind == "difference"
        layer, total = start, start
        for _ in range(self.config.num_difference_layers if is_difference else self.config.num_layers):
            sent = Sides(layer.user * scale.user, layer.item * scale.item)
            sums = both_ways(pattern, weights, sent)
            layer = Sides(unit_rows(sums.user), unit_rows(sums.item))
            total = Sides(total.user + layer.user, total.item + layer.item)
        return total


def _inverse_root(degree: Tensor) -> Tensor:
    """d^-1/2, 0 for nodes without edges."""
    return torch.where(degree > 0, degree.clamp(min=1e-30).rsqrt(), torch.zeros_like(degree))
