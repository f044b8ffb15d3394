"""MGCN: what users do purifies item features, and what they prefer decides how the modalities are fused.

U users, I items, N = U + I nodes, M modalities, D dims.
"""

from typing import NamedTuple

import torch
from torch import Tensor

from core.catalog.mgcn import MGCNConfig
from core.data.ranking import RankingData
from core.findings import Finding
from core.models.modal_findings import fusion_findings, modal_links
from core.models.modal_fusion import BehaviorAwareFuser, Fused, SemanticEncoder
from core.models.named import ByName
from core.models.pairwise import InnerProductRanker, PairBatch, ranked, rows_of
from core.ops.graphs import Sides, bipartite
from core.ops.losses import info_nce_of_nodes, squared_norm
from core.ops.square import in_sides, layer_mean, square, symmetric_normalized, user_item_matrix
from core.ops.unit import unit_rows


class MGCNEncoding(NamedTuple):
    """content: LightGCN over the behaviour graph, [N, D]. modal: every modality's nodes, [N, D]. fused: see `Fused`.
    final: content + side, [N, D]."""

    content: Tensor
    modal: tuple[Tensor, ...]
    fused: Fused
    final: Tensor


class MGCN(InnerProductRanker[MGCNEncoding]):
    """L = BPR + l2 |final|^2 / 2B + cl_weight [InfoNCE(side_i, content_i) + InfoNCE(side_u, content_u)], score =
    final_u . final_i; InfoNCE of cosines over temperature, side asks, the batch's other rows are the negatives.

    Source: Yu et al., MM 2023, Eqs. 1 to 18, as in the released code. A node that occurs twice in a batch is its own
    negative once, as there. Any number of modalities.
    """

    config: MGCNConfig

    def __init__(self, config: MGCNConfig, data: RankingData, device: torch.device) -> None:
        super().__init__(config, data, device)
        pairs = data.train[data.target]
        self._graph = square(symmetric_normalized(user_item_matrix(pairs))).to(device)
        self._behavior = bipartite(pairs, "symmetric").to(device)
        self.encoders = ByName(
            {modality: SemanticEncoder(config, data, modality, device) for modality in data.features}
        )
        self.fuser = BehaviorAwareFuser(config.dim, tuple(data.features))
        self.to(device)

    def encode(self) -> MGCNEncoding:
        initial_ND = torch.cat([self.user_embedding, self.item_embedding])
        content_ND = layer_mean(self._graph, initial_ND, self.config.num_layers)
        modal = tuple(encoder(self.item_embedding, self._behavior) for encoder in self.encoders.values())
        fused = self.fuser(modal, content_ND)
        return MGCNEncoding(content_ND, modal, fused, content_ND + fused.side)

    def output(self, encoding: MGCNEncoding) -> Sides:
        return in_sides(encoding.final, self.num_users)

    def losses(self, batch: PairBatch) -> dict[str, Tensor]:
        encoding, config = self.encode(), self.config
        rows = rows_of(batch, self.output(encoding))
        found = {"bpr": ranked(rows), "l2": config.l2 * squared_norm(rows) / (2 * batch.users.numel())}
        if config.cl_weight:
            tables = (unit_rows(encoding.fused.side), unit_rows(encoding.content))
            side, content = (in_sides(table, self.num_users) for table in tables)
            contrast = [
                info_nce_of_nodes(s, c, nodes, nodes, config.temperature)
                for s, c, nodes in zip(side, content, (batch.users, batch.positive), strict=True)
            ]
            found["contrast"] = config.cl_weight * (contrast[0] + contrast[1])
        return found

    def findings(self) -> tuple[Finding, ...]:
        """What the fusion takes from every modality, and each modality's item graph."""
        with self.evaluating():
            fused = self.encoding().fused
            source = "MGCN, behaviour-aware fuser"
            return (
                *fusion_findings(fused, self.encoders, self.num_users, source),
                *modal_links(self.encoders, "MGCN, item-item view"),
            )

    def embed(self) -> dict[str, Tensor]:
        """Behaviour (`content`), every modality, their fusion (`side`) and what scores (`final`), users above items."""
        with self.evaluating():
            encoding = self.encoding()
            levels = {f"modality_{m}": rows for m, rows in zip(self.encoders, encoding.modal, strict=True)}
            own = {"behavior": encoding.content, "side": encoding.fused.side, "final": encoding.final}
            return {key: rows.detach() for key, rows in (levels | own).items()}
