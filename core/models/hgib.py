"""HGIB: a hierarchy of graph encoders under an information bottleneck, fused by attention to the target behaviour.

U users, I items, B pairs in a batch, N nodes of one side, S sources of an attention, D dims.
Source: Zhang et al., Hierarchical Graph Information Bottleneck for Multi-Behavior Recommendation, RecSys 2025, and the
PyTorch code released with it.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

import torch
from scipy.sparse import csr_array
from torch import Tensor, nn
from torch.nn import functional as F

from core.catalog.hgib import HGIBConfig
from core.data.components import Component, ComponentKind, components, without
from core.data.ranking import RankingData
from core.findings import Finding
from core.models.base import GraphRanker, Trainable
from core.models.hgib_encoder import Hierarchy, Levels
from core.models.hgib_findings import HGIBFindings
from core.models.levels import fused_in_stages
from core.ops.attention import attended
from core.ops.graphs import Sides
from core.ops.hsic import hsic_of_pairs
from core.ops.losses import info_nce, softmax_loss, squared_norm
from core.ops.samplers import shuffled_batches


class HGIBEncoding(NamedTuple):
    """levels: E_0 and every graph's embeddings. attention: per stage of the fusion the shares of its sources, users
    [U, S] and items [I, S]. output: O, users [U, D] and items [I, D]."""

    levels: Levels
    attention: tuple[Sides, ...]
    output: Sides


@dataclass(frozen=True, eq=False)
class HGIBBatch:
    """Users with one item they reached the target with, [B] each. noise: seed of the step's draws. negatives: items of
    the sampled softmax, [K]; None for the full one."""

    users: Tensor
    items: Tensor
    noise: int
    negatives: Tensor | None


class TargetAttention(nn.Module):
    """One stage of the fusion: softmax over sources s of (W q + b) . E_s / sqrt(d), then the weighted sum."""

    def __init__(self, dim: int) -> None:
        super().__init__()
        self.query = nn.Linear(dim, dim)
        nn.init.xavier_uniform_(self.query.weight)

    def forward(self, query_ND: Tensor, sources: list[Tensor]) -> tuple[Tensor, Tensor]:
        """Weighted sum [N, D] and shares [N, S]."""
        return attended(self.query(query_ND), sources)


class HGIB(GraphRanker[HGIBEncoding], Trainable[HGIBBatch]):
    """L = L_rec + alpha L_pres + beta L_comp + 0.1 L_reg, score = O_u . O_i.

    L_rec:  cross-entropy of the positive item among all items.
    L_pres: InfoNCE(O, E) for E in E_uni and every E_b, over the batch's users and over its items, summed.
    L_comp: HSIC of every level and the one before it, over the batch's users and over its items, summed.
    L_reg:  (||O_U||^2 + ||O_I||^2) / (2 (|I| + 1)).
    Fusion: two stages of attention, E_t asking the behaviours, their sum asking the component graphs.
    Sampled softmax: K uniform items shared by the batch, their logits raised by ln(I / K); a draw that is the pair's own
    item does not count.

    Readings. A component graph without pairs is left out; a stage with one source has no attention to learn and passes it
    on. Without the component level O is the first stage's sum; without the behaviour level components refine E_uni, which
    asks; flat, O is E_uni and has no L_pres, since it would compare a level with itself.
    Departs from the released code, unless `as_released`: no noise in evaluation, so that scores are deterministic (the
    released `predict` draws edges anew); one draw per undirected pair, so that weights stay symmetric; a kept edge's
    gradient counts once. L_pres is computed by log-softmax: the released exp/log form overflows.
    """

    def __init__(self, config: HGIBConfig, data: RankingData, device: torch.device) -> None:
        super().__init__()
        self.config, self.device = config, device
        self.num_users, self.num_items = data.num_users, data.num_items
        self.target, self.behaviors = data.target, data.behaviors
        self.user_embedding = nn.Parameter(torch.empty(data.num_users, config.dim))
        self.item_embedding = nn.Parameter(torch.empty(data.num_items, config.dim))
        for table in (self.user_embedding, self.item_embedding):
            nn.init.xavier_uniform_(table)
        self.graphs = _hierarchy(config, components(data))
        self.encoder = Hierarchy(config, self.graphs, device)
        self.stages = [[g.key for g in self.graphs if g.kind == "behavior"]]
        self.stages.append([g.key for g in self.graphs if g.kind in ("intersection", "difference")])
        self.stages = [stage for stage in self.stages if stage]
        self.fusion = nn.ModuleList(
            [TargetAttention(config.dim) if len(s) > 1 else nn.Identity() for s in self.stages]
        )
        pairs = data.train[data.target].tocoo()
        self._users = torch.from_numpy(pairs.row).long().to(device)
        self._items = torch.from_numpy(pairs.col).long().to(device)
        self._stories = HGIBFindings(config, data, self.graphs)
        self.to(device)

    @property
    def initial(self) -> Sides:
        """E_0."""
        return Sides(self.user_embedding, self.item_embedding)

    def encode(self) -> HGIBEncoding:
        return self.encoded(None)

    def encoded(self, noise: torch.Generator | None) -> HGIBEncoding:
        """Every intermediate, under the draws of training or (None) without noise."""
        levels = self.encoder(self.initial, noise)
        asking = levels.graphs.get(self.target, levels.graphs["unified"])
        stages = [[levels.graphs[key] for key in stage] for stage in self.stages]
        output, attention = fused_in_stages(zip(stages, self.fusion, strict=True), asking)
        return HGIBEncoding(levels, attention, output)

    def score(self, users_B: Tensor) -> Tensor:
        output = self.encoding().output
        return output.user[users_B] @ output.item.t()

    def score_items(self, users_B: Tensor, items_BC: Tensor) -> Tensor:
        output = self.encoding().output
        return torch.einsum("bd,bcd->bc", output.user[users_B], output.item[items_BC])

    def batches(self, generator: torch.Generator) -> Iterator[HGIBBatch]:
        """Every training pair of the target once, in random order."""
        for pairs in shuffled_batches(self._users.numel(), self.config.batch_size, generator, self.device):
            noise = torch.randint(2**62, (), generator=generator, device=self.device)
            negatives = None
            if self.config.softmax == "sampled":
                count = self.config.num_negatives
                negatives = torch.randint(self.num_items, (count,), generator=generator, device=self.device)
            yield HGIBBatch(self._users[pairs], self._items[pairs], int(noise), negatives)

    def losses(self, batch: HGIBBatch) -> dict[str, Tensor]:
        noise = torch.Generator(self.device).manual_seed(batch.noise)
        encoding = self.encoded(noise)
        found = {"rec": self._recommended(encoding.output, batch)}
        if self.config.alpha and self.preserved:
            preserved = self.preservation(encoding, batch.users, batch.items)
            found["pres"] = self.config.alpha * torch.stack(list(preserved.values())).sum()
        if self.config.beta:
            shared = self.compression(encoding.levels, batch.users, batch.items)
            found["comp"] = self.config.beta * torch.stack(list(shared.values())).sum()
        norm = squared_norm(encoding.output) / (2 * (self.num_items + 1))
        return found | {"reg": self.config.output_penalty * norm}

    @property
    def preserved(self) -> list[str]:
        """Levels that L_pres compares with the output: E_uni and every E_b; none where the output is E_uni."""
        if not self.stages:
            return []
        return [graph.key for graph in self.graphs if graph.kind in ("unified", "behavior")]

    def preservation(self, encoding: HGIBEncoding, users_B: Tensor, items_B: Tensor) -> dict[str, Tensor]:
        """InfoNCE(O, E) of every preserved level, users plus items, in nats."""
        asked = _rows(encoding.output, users_B, items_B)
        found = {}
        for key in self.preserved:
            level = _rows(encoding.levels.graphs[key], users_B, items_B)
            found[key] = info_nce(asked.user, level.user) + info_nce(asked.item, level.item)
        return found

    def compression(self, levels: Levels, users_B: Tensor, items_B: Tensor) -> dict[tuple[str, str], Tensor]:
        """HSIC of every graph's level with the level before it, by (graph, side)."""
        places = {"": 0} | {graph.key: number for number, graph in enumerate(self.graphs, 1)}
        pairs = [(places[graph.key], places[graph.parent]) for graph in self.graphs]
        tables = [levels.initial, *levels.graphs.values()]
        found: dict[tuple[str, str], Tensor] = {}
        for side, rows_B in (("user", users_B), ("item", items_B)):
            sets = [getattr(table, side).index_select(0, rows_B) for table in tables]
            values = hsic_of_pairs(sets, pairs, self.config.kernel, self.config.bandwidth)
            found |= {(graph.key, side): value for graph, value in zip(self.graphs, values)}
        return found

    def findings(self) -> tuple[Finding, ...]:
        with self.evaluating():
            return self._stories.of(self)

    def embed(self) -> dict[str, Tensor]:
        """E_0, every level and the output, users above items: each [U + I, D]."""
        with self.evaluating():
            encoding = self.encoding()
            levels = {"initial": encoding.levels.initial, **encoding.levels.graphs, "final": encoding.output}
            return {key: torch.cat(sides).detach() for key, sides in levels.items()}

    def edge_weights(self) -> list[tuple[Component, csr_array]]:
        """Every graph whose edges are refined, with the weights of its pairs as they score, [U, I]."""
        with self.evaluating():
            return self._stories.weights(self)

    def _recommended(self, output: Sides, batch: HGIBBatch) -> Tensor:
        user_BD = output.user.index_select(0, batch.users)
        if batch.negatives is None:
            return softmax_loss(user_BD, output.item, batch.items)
        own_B = (user_BD * output.item.index_select(0, batch.items)).sum(1)
        drawn_BK = user_BD @ output.item.index_select(0, batch.negatives).t()
        drawn_BK = drawn_BK + math.log(self.num_items / batch.negatives.numel())
        drawn_BK = drawn_BK.masked_fill(batch.negatives == batch.items[:, None], -torch.inf)
        return F.cross_entropy(torch.cat([own_B[:, None], drawn_BK], 1), torch.zeros_like(batch.items))


def _rows(level: Sides, users_B: Tensor, items_B: Tensor) -> Sides:
    return Sides(level.user.index_select(0, users_B), level.item.index_select(0, items_B))


def _hierarchy(config: HGIBConfig, graphs: tuple[Component, ...]) -> tuple[Component, ...]:
    """The graphs of the levels that `config` keeps."""
    dropped: dict[str, tuple[ComponentKind, ...]] = {
        "full": (),
        "without_component": ("intersection", "difference"),
        "without_behavior": ("behavior",),
        "flat": ("behavior", "intersection", "difference"),
    }
    return without(graphs, *dropped[config.hierarchy])
