"""What MGCN and EGRA share: features purified by behaviour, propagated per modality, and fused by preference.

U users, I items, N = U + I nodes, M modalities, F raw features, D dims.
Source: Yu et al., Multi-View Graph Convolutional Network for Multimedia Recommendation, MM 2023, and the PyTorch code
released with it.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor, nn

from core.catalog.mgcn import FusionConfig
from core.data.ranking import RankingData
from core.models.item_graphs import modal_neighbors, without_negatives
from core.models.named import ByName
from core.ops.graphs import Bipartite
from core.ops.square import square, symmetric_normalized


class Fused(NamedTuple):
    """side: [N, D]. share: of every modality in what they have in common, [N, M]. preference: mean over D of the gate
    that weighs a modality's own part, [N, M]."""

    side: Tensor
    share: Tensor
    preference: Tensor


class SemanticEncoder(nn.Module):
    """One modality: i = id * sigmoid(W' (W x + b) + b'), propagated over its item graph; users are R~ times the items.

    The raw features x are trained, as in the released code; the graph is built once from their initial values. It is
    directed: each item's `neighbors` nearest by cosine, itself included, weighted by cosine over sqrt(r_i r_j) with row
    sums r. Negative cosines count as 0, which the released code does not need on its data.
    """

    def __init__(self, config: FusionConfig, data: RankingData, modality: str, device: torch.device) -> None:
        super().__init__()
        raw = torch.from_numpy(np.array(data.features[modality]))
        self.features = nn.Parameter(raw)
        self.transform = nn.Linear(raw.shape[1], config.dim)
        self.gate = nn.Linear(config.dim, config.dim)
        self.links = modal_neighbors(data, modality, config.neighbors, with_self=True)
        self.graph = square(symmetric_normalized(without_negatives(self.links))).to(device)
        self.num_layers = config.num_item_layers

    def forward(
        self, identity_ID: Tensor, behavior: Bipartite, correction_ID: Tensor | None = None
    ) -> Tensor:
        """Users above items, [N, D]. correction_ID: added to the items after each propagation."""
        item_ID = identity_ID * self.gate(self.transform(self.features)).sigmoid()
        for _ in range(self.num_layers):
            item_ID = self.graph.times(item_ID)
            if correction_ID is not None:
                item_ID = item_ID + correction_ID
        return torch.cat([behavior.users_from(item_ID), item_ID])


class BehaviorAwareFuser(nn.Module):
    """common = sum_m share_m e_m with share = softmax over m of w2 . tanh(W1 e_m + b); own_m = (e_m - common) *
    sigmoid(W_m content + b_m); side = (sum_m own_m + common) / (M + 1).

    With a single modality its share is 1 and nothing is its own: side = e / 2.
    """

    def __init__(self, dim: int, modalities: Sequence[str]) -> None:
        super().__init__()
        self.query = nn.Sequential(nn.Linear(dim, dim), nn.Tanh(), nn.Linear(dim, 1, bias=False))
        self.preference = ByName({modality: nn.Linear(dim, dim) for modality in modalities})

    def forward(self, modal: Sequence[Tensor], content_ND: Tensor) -> Fused:
        share_NM = torch.cat([self.query(e_ND) for e_ND in modal], 1).softmax(1)
        common_ND = torch.stack([share_NM[:, m, None] * e_ND for m, e_ND in enumerate(modal)]).sum(0)
        side_ND, preference = common_ND, []
        for e_ND, gate in zip(modal, self.preference.values(), strict=True):
            preference_ND = gate(content_ND).sigmoid()
            side_ND = side_ND + preference_ND * (e_ND - common_ND)
            preference.append(preference_ND.mean(1))
        return Fused(side_ND / (len(modal) + 1), share_NM, torch.stack(preference, 1))
