"""MuLe's graph encoders: from the union of all behaviours to each behaviour to its pairs with and without the target.

U users, I items, E pairs of a graph, D dims, L layers.
"""

import torch

from core.catalog.mule import MuLeConfig
from core.data.components import Component
from core.ops.graphs import Sides, bipartite
from core.ops.segments import column_softmax, row_softmax
from core.ops.sparse import Pattern, dots, pattern_of
from core.ops.unit import unit_rows
from core.ops.weighted import EdgeWeights, both_ways


class MultiGrained:
    """E_0 -> E_uni -> E_b -> E_b-and-t and E_b-without-t; which of them exist depends on the data and the config.

    Each encoder: y^l = rowL2(W y^(l-1)), y^0 the embeddings of the graph's parent, output y^0 + sum_l y^l / l.
    W = D^-1/2 A D^-1/2, and on difference graphs TDA, recomputed in every layer from y^(l-1) and the target's E_t.
    It has no parameters.
    """

    def __init__(
        self, config: MuLeConfig, graphs: tuple[Component, ...], target: str, device: torch.device
    ) -> None:
        self.config, self.graphs, self._target = config, graphs, target
        attends = [graph for graph in graphs if self._attends(graph)]
        self._patterns = {graph.key: pattern_of(graph.pairs).to(device) for graph in attends}
        self._light = {
            graph.key: bipartite(graph.pairs, "symmetric").to(device)
            for graph in graphs
            if graph.key not in self._patterns
        }

    def __call__(self, initial: Sides) -> dict[str, Sides]:
        """Every graph's embeddings by its key, users [U, D] and items [I, D]."""
        found: dict[str, Sides] = {}
        for graph in self.graphs:
            layer = total = found[graph.parent] if graph.parent else initial
            for number in range(1, self._num_layers(graph) + 1):
                sums = self._gathered(graph, layer, found)
                layer = Sides(unit_rows(sums.user), unit_rows(sums.item))
                total = Sides(total.user + layer.user / number, total.item + layer.item / number)
            found[graph.key] = total
        return found

    def _attends(self, graph: Component) -> bool:
        return graph.kind == "difference" and self.config.denoising == "attention"

    def _num_layers(self, graph: Component) -> int:
        is_difference = graph.kind == "difference"
        return self.config.num_difference_layers if is_difference else self.config.num_layers

    def _gathered(self, graph: Component, layer: Sides, found: dict[str, Sides]) -> Sides:
        if graph.key in self._light:
            light = self._light[graph.key]
            return Sides(light.users_from(layer.item), light.items_from(layer.user))
        guide = found[self._target if self._target in found else "unified"]
        pattern = self._patterns[graph.key]
        weights = denoising_attention(pattern, guide, layer, over=self.config.attention_over)
        return both_ways(pattern, weights, layer)


def denoising_attention(pattern: Pattern, guide: Sides, layer: Sides, *, over: str = "sent") -> EdgeWeights:
    """Target-guided denoising attention (TDA): shares of a node's pairs by guide[node] . layer[other end], [E] each way.

    Every node has one softmax over its pairs. Under `sent` it divides what the node sends to the other ends (released
    code: the softmax runs over edges with the same source); under `received` it weighs what the node receives.
    """
    user_share_E = row_softmax(pattern, dots(pattern, guide.user, layer.item))
    item_share_E = column_softmax(pattern, dots(pattern, layer.user, guide.item))
    if over == "sent":
        return EdgeWeights(to_user=item_share_E, to_item=user_share_E)
    return EdgeWeights(to_user=user_share_E, to_item=item_share_E)
