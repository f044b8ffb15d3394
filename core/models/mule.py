"""MuLe: graphs from coarse to fine grain, auxiliary pairs denoised by the target, and an aggregator of all grains.

U users, I items, N nodes of one side, S sources of an attention, D dims.
Source: Lee et al., MuLe: Multi-Grained Graph Learning for Multi-Behavior Recommendation, CIKM 2024, and the PyTorch code
released with it.
"""

from collections.abc import Iterator
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from core.catalog.mule import MuLeConfig
from core.data.components import Component, ComponentKind, components, without
from core.data.ranking import RankingData
from core.findings import Finding
from core.models.levels import fused_in_stages, fusion_attention, spectra
from core.models.mule_encoder import MultiGrained
from core.models.pairwise import InnerProductRanker
from core.ops.graphs import Sides


class MuLeEncoding(NamedTuple):
    """initial: E_0. levels: every graph's embeddings by its key. attention: per stage of the aggregator the shares of its
    sources, users [U, S] and items [I, S]. output: users [U, D] and items [I, D]."""

    initial: Sides
    levels: dict[str, Sides]
    attention: tuple[Sides, ...]
    output: Sides


class ConcatAttention(nn.Module):
    """One stage of the aggregator: softmax over sources s of w . [q; E_s] + b, then the weighted sum.

    The logit is linear, so the query's part and b are the same for every source and cancel in the softmax: that form has
    no parameters for them, which changes nothing. With a LeakyReLU before the softmax (`leaky`) they count.
    """

    def __init__(self, config: MuLeConfig) -> None:
        super().__init__()
        self.config = config
        weight = nn.init.xavier_uniform_(torch.empty(1, 2 * config.dim))[0]
        query, source = weight.tensor_split(2)
        is_leaky = config.aggregator == "leaky"
        self.source_weight = nn.Parameter(source.clone()) if config.aggregator != "mean" else None
        self.query_weight = nn.Parameter(query.clone()) if is_leaky else None
        self.bias = nn.Parameter(torch.zeros(())) if is_leaky else None

    def forward(self, query_ND: Tensor, sources: list[Tensor]) -> tuple[Tensor, Tensor]:
        """Weighted sum [N, D] and shares [N, S]."""
        share_NS = self._logits(query_ND, sources).softmax(1)
        fused_ND = torch.stack([share_NS[:, s : s + 1] * e_ND for s, e_ND in enumerate(sources)]).sum(0)
        return fused_ND, share_NS

    def _logits(self, query_ND: Tensor, sources: list[Tensor]) -> Tensor:
        if self.source_weight is None:
            return query_ND.new_zeros(len(query_ND), len(sources))
        logit_NS = torch.stack([source_ND @ self.source_weight for source_ND in sources], 1)
        if self.query_weight is None or self.bias is None:
            return logit_NS
        asked_N1 = (query_ND @ self.query_weight)[:, None] + self.bias
        return F.leaky_relu(asked_N1 + logit_NS, self.config.leaky_slope)


class MuLe(InnerProductRanker[MuLeEncoding]):
    """score(u, i) = O_u . O_i, trained with BPR over the target's training pairs.

    Aggregator (MGA): two stages of attention, E_t asking the behaviours, their sum asking the component graphs; O is the
    second stage's sum. The first stage reaches O as the query of the second alone. In the released form that query
    cancels (see `ConcatAttention`): the first stage has no effect and no gradient there, so it is not computed.

    Readings. The full paper was not at hand: the equations are those of the released code. An encoder's layers count 1/l
    in its output. TDA's softmax runs over the edges with the same source, its logit is E_t[source] . y[destination];
    gradients flow into E_t. The penalty covers the batch's initial embeddings: the released trainer takes a weight for it,
    but never applies it. A component graph without pairs is left out; a stage with one source passes it on. Without any
    component O is the first stage's sum; without the behaviour level components refine E_uni, which asks and guides.
    """

    config: MuLeConfig

    def __init__(self, config: MuLeConfig, data: RankingData, device: torch.device) -> None:
        super().__init__(config, data, device)
        self.target = data.target
        self.graphs = _grains(config, components(data))
        self.encoder = MultiGrained(config, self.graphs, data.target, device)
        self.stages = _stages(config, self.graphs)
        self.aggregator = nn.ModuleList(
            [ConcatAttention(config) if len(stage) > 1 else nn.Identity() for stage in self.stages.values()]
        )
        self.to(device)

    @property
    def initial(self) -> Sides:
        """E_0."""
        return Sides(self.user_embedding, self.item_embedding)

    def encode(self) -> MuLeEncoding:
        levels = self.encoder(self.initial)
        asking = levels[self.target] if self.target in levels else levels["unified"]
        stages = [[levels[graph.key] for graph in stage] for stage in self.stages.values()]
        output, attention = fused_in_stages(zip(stages, self.aggregator, strict=True), asking)
        return MuLeEncoding(self.initial, levels, attention, output)

    def output(self, encoding: MuLeEncoding) -> Sides:
        return encoding.output

    def findings(self) -> tuple[Finding, ...]:
        """What every level holds, and what the aggregator takes from each."""
        with self.evaluating():
            encoding = self.encoding()
            levels = [(graph.title, encoding.levels[graph.key]) for graph in self.graphs]
            tables = [("initial", encoding.initial), *levels, ("output", encoding.output)]
            return (
                *spectra(tables, "MuLe, graph encoders; the measure as in HGIB, Section 5.8"),
                *self._fusion(encoding),
            )

    def embed(self) -> dict[str, Tensor]:
        """E_0, every level and the output, users above items: each [U + I, D]."""
        with self.evaluating():
            encoding = self.encoding()
            levels = {"initial": encoding.initial, **encoding.levels, "final": encoding.output}
            return {key: torch.cat(sides).detach() for key, sides in levels.items()}

    def _fusion(self, encoding: MuLeEncoding) -> Iterator[Finding]:
        asked = {1: "behaviours", 2: "component graphs"}
        for (number, stage), shares in zip(self.stages.items(), encoding.attention, strict=True):
            if len(stage) > 1 and self.config.aggregator != "mean":
                titles = [graph.title for graph in stage]
                source = "MuLe, multi-grained aggregator"
                yield fusion_attention(number, asked[number], titles, shares, source)


def _stages(config: MuLeConfig, graphs: tuple[Component, ...]) -> dict[int, list[Component]]:
    """The sources of each stage of the aggregator that has a part in the output, by the stage's number."""
    behaviors = [graph for graph in graphs if graph.kind == "behavior"]
    parts = [graph for graph in graphs if graph.kind in ("intersection", "difference")]
    if not parts:
        return {1: behaviors} if behaviors else {}
    is_asked = config.aggregator == "leaky" and len(parts) > 1
    return {1: behaviors, 2: parts} if is_asked and behaviors else {2: parts}


def _grains(config: MuLeConfig, graphs: tuple[Component, ...]) -> tuple[Component, ...]:
    """The graphs of the levels that `config` keeps."""
    dropped: dict[str, tuple[ComponentKind, ...]] = {
        "full": (),
        "without_unified": ("unified",),
        "without_behavior": ("behavior",),
        "without_components": ("intersection", "difference"),
    }
    return without(graphs, *dropped[config.hierarchy])
