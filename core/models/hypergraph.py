"""What LGMRec and SRGFormer share: collaborative and modal graph embeddings, and hypergraphs over item features.

U users, I items, N = U + I nodes, F raw features, K hyperedges, B pairs in a batch, D dims.
Source: Guo et al., LGMRec, AAAI 2024, and the PyTorch code released with it and with SRGFormer.
"""

from abc import abstractmethod
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import permutations
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor, nn

from core.catalog.hypergraph import HypergraphConfig
from core.data.ranking import RankingData
from core.models.named import ByName
from core.models.pairwise import InnerProductRanker, PairBatch, ranked, rows_of, with_noise
from core.ops.dropout import kept
from core.ops.graphs import Sides, bipartite
from core.ops.losses import softmax_loss
from core.ops.square import in_sides, layer_mean, square, symmetric_normalized, user_item_matrix
from core.ops.unit import unit_rows

_TEXT = "text"
_COLDEST = (
    0.025  # below, e^(-2 / temperature), the least of an unlike cosine, is no number of single precision
)


class Hypergraph(NamedTuple):
    """One modality's hypergraph. membership: of users and items in hyperedges, [N, K]. hyperedges: their embeddings, [K, D].
    output: membership times hyperedges, [N, D]."""

    membership: Tensor
    hyperedges: Tensor
    output: Tensor


class HypergraphEncoding(NamedTuple):
    """collaborative: LightGCN over the behaviour graph, [N, D]. modal: item features over the same graph, rows of length one,
    [N, D] per modality. hypergraphs: one per modality; none where they are not used. final: what scores, [N, D]. attention: shares of a
    graph transformer per head and edge, [H, E]; branches: what was added up to `final`, by name, [N, D]."""

    collaborative: Tensor
    modal: tuple[Tensor, ...]
    hypergraphs: tuple[Hypergraph, ...]
    final: Tensor
    attention: Tensor | None
    branches: dict[str, Tensor]


@dataclass(frozen=True, eq=False)
class Noise:
    """What is random in a training step: Gumbel noise and dropout. None in evaluation: Departs from the released code,
    which draws Gumbel noise there, too, so that its scores differ from one evaluation to the next."""

    generator: torch.Generator

    def gumbel(self, like: Tensor) -> Tensor:
        uniform = torch.rand(like.shape, generator=self.generator, device=like.device, dtype=like.dtype)
        tiny = torch.finfo(like.dtype).tiny
        return -(-uniform.clamp(min=tiny).log()).clamp(min=tiny).log()

    def dropped(self, rows: Tensor, keep_rate: float) -> Tensor:
        return rows * kept(tuple(rows.shape), 1 - keep_rate, self.generator, rows) if keep_rate < 1 else rows


class HypergraphRanker(InnerProductRanker[HypergraphEncoding]):
    """score(u, i) = e_u . e_i with e = c + sum_m unit(g_m) + what a subclass adds.

    c: mean of layers 0..L of LightGCN. g_m: items F_m = X_m T_m, users R F_m / (degree + 1e-7), propagated, last layer.
    Hypergraph of modality m: logits of items X_m V_m, of users R X_m V_m; membership = softmax over hyperedges of
    (logits + Gumbel noise) / temperature, entries dropped in training; r = c of the items, `num_hyper_layers` times
    z = H_i^T r, r = H_i z, u = H_u z.
    Contrast: -ln softmax of cosines over temperature, the first modality asks the second, every node of that side competes,
    summed over the batch's users and its positive items; over all ordered pairs, averaged, with more than two modalities,
    none with one. Penalty: the norms of the batch's final users, positives and negatives, over their number.
    """

    config: HypergraphConfig

    def __init__(self, config: HypergraphConfig, data: RankingData, device: torch.device) -> None:
        super().__init__(config, data, device)
        pairs = data.train[data.target]
        self.modalities = ordered(tuple(data.features))
        self.graph = square(symmetric_normalized(user_item_matrix(pairs))).to(device)
        self._sums = bipartite(pairs, "none").to(device)
        degree_U = torch.from_numpy(np.diff(pairs.indptr)).float()
        self.register_buffer("_inverse_degree", 1 / (degree_U + 1e-7)[:, None], persistent=False)
        for m in self.modalities:
            raw = torch.from_numpy(np.array(data.features[m]))
            self.register_buffer(f"features_{m}", raw, persistent=False)
        self.maps = self._tables(config.dim)
        self.hyperedge_maps = (
            self._tables(config.num_hyperedges) if self.uses_hypergraphs else ByName[nn.Parameter]({})
        )
        self.to(device)

    @property
    @abstractmethod
    def uses_hypergraphs(self) -> bool:
        """Whether hypergraphs have a part in the score or in a loss."""

    @abstractmethod
    def combined(
        self, collaborative: Tensor, modal: tuple[Tensor, ...], hypergraphs: tuple[Hypergraph, ...]
    ) -> HypergraphEncoding:
        """The encoding of these parts."""

    def batches(self, generator: torch.Generator) -> Iterator[PairBatch]:
        return with_noise(super().batches(generator), generator)

    def encode(self) -> HypergraphEncoding:
        return self.encoded(None)

    def encoded(self, noise: Noise | None) -> HypergraphEncoding:
        """All nodes, under noise in training."""
        initial_ND = torch.cat([self.user_embedding, self.item_embedding])
        collaborative_ND = layer_mean(self.graph, initial_ND, self.config.num_layers)
        projected = [self.projected(m) for m in self.modalities]
        modal = tuple(unit_rows(self._modal(item_ID)) for item_ID, _ in projected)
        hypergraphs: tuple[Hypergraph, ...] = ()
        if self.uses_hypergraphs:
            start_ID = collaborative_ND[self.num_users :]
            logits = tuple(self.logits(item_IK) for _, item_IK in projected)
            hypergraphs = tuple(self._passed(h, start_ID, noise) for h in self.memberships(logits, noise))
        return self.combined(collaborative_ND, modal, hypergraphs)

    def output(self, encoding: HypergraphEncoding) -> Sides:
        return in_sides(encoding.final, self.num_users)

    def projected(self, modality: str) -> tuple[Tensor, Tensor]:
        """X_m T_m [I, D] and X_m V_m [I, K] in one product, which reads the features once; K is 0 without hypergraphs."""
        tables: list[Tensor] = [self.maps[modality]]
        if self.uses_hypergraphs:
            tables.append(self.hyperedge_maps[modality])
        both = self.raw(modality) @ torch.cat(tables, 1)
        return both[:, : self.config.dim], both[:, self.config.dim :]

    def memberships(self, logits: tuple[Sides, ...], noise: Noise | None) -> tuple[Sides, ...]:
        """H of every modality, users [U, K] and items [I, K]."""
        return tuple(Sides(*(self.chosen(side, noise) for side in sides)) for sides in logits)

    def logits(self, item_IK: Tensor) -> Sides:
        """Logits of users and items over hyperedges, from those of the items."""
        return Sides(self._sums.users_from(item_IK), item_IK)

    def chosen(self, logit_NK: Tensor, noise: Noise | None) -> Tensor:
        """Softmax over hyperedges."""
        noisy_NK = logit_NK if noise is None else logit_NK + noise.gumbel(logit_NK)
        return (noisy_NK / self.config.hyper_temperature).softmax(1)

    def losses(self, batch: PairBatch) -> dict[str, Tensor]:
        encoding = self.encoded(Noise(torch.Generator(self.device).manual_seed(batch.noise)))
        rows = rows_of(batch, self.output(encoding))
        norms = torch.stack([torch.linalg.vector_norm(part) for part in rows]).sum() / batch.users.numel()
        return {"bpr": ranked(rows), "l2": self.config.l2 * norms} | self.contrasts(batch, encoding)

    def contrasts(self, batch: PairBatch, encoding: HypergraphEncoding) -> dict[str, Tensor]:
        """The contrast between hypergraphs."""
        pairs = contrasted(len(encoding.hypergraphs))
        if not self.config.hcl_weight or not pairs:
            return {}
        found = [self._hyper_contrast(batch, *(encoding.hypergraphs[m] for m in pair)) for pair in pairs]
        return {"hcl": self.config.hcl_weight * torch.stack(found).mean()}

    def contrast(self, asking_ND: Tensor, asked_ND: Tensor, nodes_B: Tensor) -> Tensor:
        """Sum over the batch's nodes of -ln softmax of cosines over temperature; the products of rows are the cosines.

        A node that occurs several times is computed once and counted as often.
        """
        own_C, count_C = nodes_B.unique(return_counts=True)
        query_CD = asking_ND.index_select(0, own_C) / self.config.temperature
        weight_C = count_C.to(query_CD.dtype)
        bound = 1 / self.config.temperature if self.config.temperature >= _COLDEST else None
        return softmax_loss(query_CD, asked_ND, own_C, weight_C, bound) * len(own_C)

    def raw(self, modality: str) -> Tensor:
        """X_m, [I, F]."""
        return self.get_buffer(f"features_{modality}")

    def _hyper_contrast(self, batch: PairBatch, asking: Hypergraph, asked: Hypergraph) -> Tensor:
        """Outputs are H Z with K hyperedges: the cosines come from K coordinates instead of D, which is the same number.

        q . k = (h_q / |q|) Z_q Z_k^T (h_k / |k|)^T.
        """
        cross_KK = asking.hyperedges @ asked.hyperedges.t()
        query, key = (in_sides(_over(h.membership, h.output), self.num_users) for h in (asking, asked))
        nodes = Sides(batch.users, batch.positive)
        parts = [
            self.contrast(q_NK @ cross_KK, k_NK, nodes_B)
            for q_NK, k_NK, nodes_B in zip(query, key, nodes, strict=True)
        ]
        return parts[0] + parts[1]

    def _modal(self, item_ID: Tensor) -> Tensor:
        layer_ND = torch.cat([self._sums.users_from(item_ID) * self.get_buffer("_inverse_degree"), item_ID])
        for _ in range(self.config.num_modal_layers):
            layer_ND = self.graph.times(layer_ND)
        return layer_ND

    def _passed(self, membership: Sides, start_ID: Tensor, noise: Noise | None) -> Hypergraph:
        user_UK, item_IK = membership
        if noise is not None:
            item_IK = noise.dropped(item_IK, self.config.keep_rate)
            user_UK = noise.dropped(user_UK, self.config.keep_rate)
        item_ID = start_ID
        for _ in range(self.config.num_hyper_layers):
            hyperedge_KD = item_IK.t() @ item_ID
            item_ID = item_IK @ hyperedge_KD
        output_ND = torch.cat([user_UK @ hyperedge_KD, item_ID])
        return Hypergraph(torch.cat([user_UK, item_IK]), hyperedge_KD, output_ND)

    def _tables(self, width: int) -> ByName[nn.Parameter]:
        return ByName(
            {
                m: nn.Parameter(nn.init.xavier_uniform_(torch.empty(self.raw(m).shape[1], width)))
                for m in self.modalities
            }
        )


def ordered(modalities: tuple[str, ...]) -> tuple[str, ...]:
    """The order in which modalities ask and are asked: text last, as in the released code, where images ask texts."""
    return tuple(sorted(modalities, key=lambda m: (m == _TEXT, modalities.index(m))))


def contrasted(count: int) -> list[tuple[int, int]]:
    """Pairs of asking and asked modalities: none of one, the first asks the second of two, all ordered pairs of more."""
    return [(0, 1)] if count == 2 else list(permutations(range(count), 2))


def summed(tables: Sequence[Tensor]) -> Tensor:
    """Sum of the tables, [N, D]."""
    if len(tables) == 1:
        return tables[0]
    total_ND = tables[0] + tables[1]
    for table_ND in tables[2:]:
        total_ND.add_(table_ND)
    return total_ND


def _over(rows_NK: Tensor, long_ND: Tensor) -> Tensor:
    """`rows` over the lengths of `long`; zeros where those are zeros, as `unit_rows` has it."""
    length_N1 = torch.linalg.vector_norm(long_ND, dim=1, keepdim=True)
    return rows_NK / torch.where(length_N1 > 1e-12, length_N1, torch.inf)
