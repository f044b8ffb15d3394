"""EGRA: item links from pretrained embeddings in the behaviour graph, and modalities aligned with behaviour.

U users, I items, N = U + I nodes, M modalities, B pairs in a batch, D dims.
Source: Zhang et al., arXiv 2508.16170, 2025, through a summary of the paper; there is no released code. What is marked
*reconstruction* is ours.
"""

from typing import NamedTuple

import numpy as np
import torch
from scipy.sparse import csr_array
from torch import Tensor

from core.catalog.egra import EGRAConfig
from core.data.ranking import RankingData
from core.errors import RunError
from core.findings import Finding
from core.models.egra_findings import egra_findings
from core.models.item_graphs import binary, mutual, without_negatives
from core.models.modal_fusion import BehaviorAwareFuser, Fused, SemanticEncoder
from core.models.named import ByName
from core.models.pairwise import InnerProductRanker, PairBatch, ranked, rows_of
from core.ops.graphs import Sides, bipartite
from core.ops.losses import info_nce_of_nodes, squared_norm
from core.ops.neighbors import nearest
from core.ops.square import in_sides, layer_mean, square, symmetric_normalized, user_item_matrix
from core.ops.unit import unit_rows

_RANDOM_DIM, _RANDOM_SEED = 64, 20250816  # the same links in every run: seeds vary the training alone


class EGRAEncoding(NamedTuple):
    """behavior: LightGCN over the enhanced behaviour graph, [N, D]. modal: every modality's nodes, [N, D]. fused: its side
    is the modality representation. final: behaviour + side, [N, D]."""

    behavior: Tensor
    modal: tuple[Tensor, ...]
    fused: Fused
    final: Tensor


class EGRA(InnerProductRanker[EGRAEncoding]):
    """L = BPR + lambda(t) [align_users + align_items] + l2 |final|^2 / 2B, score = final_u . final_i.

    Stated by the paper: item links S_pt of the K nearest by a frozen, pretrained model are injected into the behaviour
    graph, which a LightGCN encodes; LightGCN-like encoders run on item graphs from raw features; an attention-based fusion
    separates what modalities share from what is specific, weighed by preference; behaviour and modality representations are
    aligned by contrast with interacted items as anchors, weighed per entity by the degree of alignment and per epoch from
    lambda_min to lambda_max over P epochs.

    *Reconstruction*:
    - G_e = D^-1/2 [[0, R], [R^T, S_pt]] D^-1/2; S_pt without diagonal, each pair with the larger of its two cosines,
      negatives at 0. What users receive is D^-1/2 R D^-1/2 of the plain graph in the semantic encoders, as in MGCN.
    - Semantic encoders and fusion are MGCN's; after each propagation an item gets eta times its behaviour representation
      (the paper's corrective signal, Eq. 7, whose form we do not know).
    - align_users = mean of w_u InfoNCE(mod_u -> beh_i, tau_2), align_items = mean of w_i InfoNCE(mod_i -> beh_i, tau_3)
      over the pairs (u, i) of the batch, cosines, in-batch negatives. A mean and no sum, so that lambda does not depend on
      the batch size.
    - w_v = exp((1 - a_v) / tau_1) over its mean in the batch, a_v = cos(beh_v, mod_v), without gradient.
    - Random embeddings for the control `random_ebg` are normal, of 64 dimensions, the same in every run.
    - lambda(t) = lambda_min + (lambda_max - lambda_min) min(t / P, 1), t the epoch from 1; fixed: lambda_max.
      lambda_max is .03: of .01, .03 and .1 the best on validation pairs of Amazon Scientific, where .1 is too much.
    """

    config: EGRAConfig

    def __init__(self, config: EGRAConfig, data: RankingData, device: torch.device) -> None:
        super().__init__(config, data, device)
        pairs = data.train[data.target]
        self.links = behavior_links(config, data)
        weights = (
            binary(self.links) if self.links is not None and config.link_weights == "binary" else self.links
        )
        self._graph = square(symmetric_normalized(user_item_matrix(pairs, weights))).to(device)
        self._behavior = bipartite(pairs, "symmetric").to(device)
        self.encoders = ByName({m: SemanticEncoder(config, data, m, device) for m in data.features})
        self.fuser = BehaviorAwareFuser(config.dim, tuple(data.features))
        self.alignment: Tensor
        self.register_buffer("alignment", torch.tensor(self._lambda(1)))
        self.to(device)

    def begin_epoch(self, epoch: int, epochs: int) -> None:
        """lambda of this epoch."""
        self.alignment.fill_(self._lambda(epoch))

    def encode(self) -> EGRAEncoding:
        initial_ND = torch.cat([self.user_embedding, self.item_embedding])
        behavior_ND = layer_mean(self._graph, initial_ND, self.config.num_layers)
        correction_ID = self.config.eta * behavior_ND[self.num_users :] if self.config.eta else None
        modal = tuple(
            encoder(self.item_embedding, self._behavior, correction_ID) for encoder in self.encoders.values()
        )
        fused = self.fuser(modal, behavior_ND)
        return EGRAEncoding(behavior_ND, modal, fused, behavior_ND + fused.side)

    def output(self, encoding: EGRAEncoding) -> Sides:
        return in_sides(encoding.final, self.num_users)

    def losses(self, batch: PairBatch) -> dict[str, Tensor]:
        encoding, config = self.encode(), self.config
        rows = rows_of(batch, self.output(encoding))
        found = {"bpr": ranked(rows), "l2": config.l2 * squared_norm(rows) / (2 * batch.users.numel())}
        if config.lambda_max:
            users, items = self._alignment_losses(batch, encoding)
            found |= {"align_users": self.alignment * users, "align_items": self.alignment * items}
        return found

    def findings(self) -> tuple[Finding, ...]:
        """See `egra_findings`."""
        with self.evaluating():
            return egra_findings(self)

    def embed(self) -> dict[str, Tensor]:
        """Behaviour, every modality, their fusion (`side`) and what scores (`final`), users above items."""
        with self.evaluating():
            encoding = self.encoding()
            levels = {f"modality_{m}": rows for m, rows in zip(self.encoders, encoding.modal, strict=True)}
            own = {"behavior": encoding.behavior, "side": encoding.fused.side, "final": encoding.final}
            return {key: rows.detach() for key, rows in (levels | own).items()}

    def entity_weights(self, aligned_B: Tensor) -> Tensor:
        """w_v from a_v, [B], with mean 1 over them."""
        if self.config.entity_weights == "off":
            return torch.ones_like(aligned_B)
        sign = 1 if self.config.entity_weights == "misaligned" else -1
        weight_B = (sign * (1 - aligned_B) / self.config.entity_temperature).softmax(0)
        return weight_B * len(weight_B)

    def degrees_of_alignment(self, encoding: EGRAEncoding) -> Sides:
        """a_v = cos(beh_v, mod_v) of users [U] and items [I]."""
        cosine_N = (unit_rows(encoding.behavior) * unit_rows(encoding.fused.side)).sum(1)
        return Sides(cosine_N[: self.num_users], cosine_N[self.num_users :])

    def _alignment_losses(self, batch: PairBatch, encoding: EGRAEncoding) -> tuple[Tensor, Tensor]:
        tables = (unit_rows(encoding.behavior), unit_rows(encoding.fused.side))
        behavior, modal = (in_sides(table, self.num_users) for table in tables)
        with torch.no_grad():
            aligned = self.degrees_of_alignment(encoding)
            user_weight_B = self.entity_weights(aligned.user[batch.users])
            item_weight_B = self.entity_weights(aligned.item[batch.positive])
        users = info_nce_of_nodes(
            modal.user,
            behavior.item,
            batch.users,
            batch.positive,
            self.config.user_temperature,
            user_weight_B,
        )
        items = info_nce_of_nodes(
            modal.item,
            behavior.item,
            batch.positive,
            batch.positive,
            self.config.item_temperature,
            item_weight_B,
        )
        return users, items

    def _lambda(self, epoch: int) -> float:
        config = self.config
        grown = min(epoch / config.growth_epochs, 1.0) if config.schedule == "growing" else 1.0
        return config.lambda_min + (config.lambda_max - config.lambda_min) * grown


def behavior_links(config: EGRAConfig, data: RankingData) -> csr_array | None:
    """S_pt: item links of the enhanced behaviour graph with their cosines, symmetric, [I, I]; None for the plain graph.

    Raises RunError where embeddings are needed and `data` has none of a parent run.
    """
    if config.behavior_links == "none":
        return None
    table_ID = _link_table(config, data)
    return mutual(without_negatives(nearest(table_ID, config.link_neighbors, with_self=False)))


def _link_table(config: EGRAConfig, data: RankingData) -> np.ndarray:
    if config.behavior_links == "random":
        drawn = np.random.Generator(np.random.PCG64(_RANDOM_SEED)).standard_normal(
            (data.num_items, _RANDOM_DIM)
        )
        return drawn.astype(np.float32)
    if config.behavior_links == "raw_features":
        units = [unit_rows(torch.from_numpy(np.array(data.features[m]))).numpy() for m in data.features]
        return np.concatenate(
            units, axis=1
        )  # the cosine of the whole: the mean over modalities where none is all zeros
    if data.pretrained is None:
        raise RunError(
            f"EGRA on {data.name} needs the item embeddings of a {config.backbone} run and was given none; train it with "
            "`python -m core train egra`, which pretrains first, or choose behavior_links=none"
        )
    return data.pretrained
