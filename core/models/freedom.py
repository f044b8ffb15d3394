"""FREEDOM: a frozen item graph and a denoised behaviour graph. U users, I items, E pairs, F raw features, D dims."""

from collections.abc import Iterator

import numpy as np
import torch
from scipy.sparse import csr_array
from torch import Tensor, nn

from core.catalog.freedom import FREEDOMConfig
from core.data.ranking import RankingData
from core.findings import Finding
from core.models.item_graphs import binary, modal_neighbors
from core.models.modal_findings import link_finding
from core.models.named import ByName
from core.models.pairwise import PairBatch, PairwiseRanker, ranked, rows_of
from core.ops.graphs import Sides
from core.ops.losses import squared_norm
from core.ops.square import Square, in_sides, layer_mean, square, symmetric_normalized, user_item_matrix

_IMAGE = "image"


class FREEDOM(PairwiseRanker):
    """user = LightGCN, item = LightGCN + S^L id, S = sum_m a_m S_m; L = BPR + modal_weight sum_m BPR(user, W_m x_m + b_m).

    S_m: each item's nearest neighbours by raw cosine, itself included, unweighted, over sqrt(r_i r_j); frozen. Training
    thins the behaviour graph: every epoch keeps floor((1 - edge_dropout) E) pairs drawn without replacement by
    1 / sqrt(d_u d_i), normalised by the degrees that are left; evaluation uses all of them.

    Source: Zhou and Shen, MM 2023, Eqs. 1 to 13, as in the released code: raw features are trained, the graph is not. a_m:
    the paper has an image and a text, .1 and .9; here the rest is shared among all modalities but the image, and data
    without images weighs all alike. Without modal losses the maps W_m have no use and are left out.
    """

    config: FREEDOMConfig

    def __init__(self, config: FREEDOMConfig, data: RankingData, device: torch.device) -> None:
        super().__init__(config, data, device)
        self._pairs = data.train[data.target]
        self._whole = self._thinned = self._graph(self._pairs)
        self.neighbors = {
            m: modal_neighbors(data, m, config.neighbors, with_self=True) for m in data.features
        }
        self._item_graph = square(_weighed(self.neighbors, config.image_weight)).to(device)
        used = data.features if config.modal_weight else {}
        self.features = ByName({m: nn.Parameter(torch.from_numpy(np.array(used[m]))) for m in used})
        self.maps = ByName({m: nn.Linear(used[m].shape[1], config.dim) for m in used})
        self.to(device)

    def encode(self) -> Sides:
        return self._encoded(self._thinned if self.training else self._whole)

    def batches(self, generator: torch.Generator) -> Iterator[PairBatch]:
        if self.config.edge_dropout:
            self._thinned = self._graph(self.thinned(generator))
        return super().batches(generator)

    def thinned(self, generator: torch.Generator) -> csr_array:
        """The pairs of one epoch, [U, I].

        The largest of ln w - ln(-ln uniform) are a draw without replacement by w (Efraimidis and Spirakis 2006).
        """
        degree_U, degree_I = (
            np.diff(self._pairs.indptr),
            np.bincount(self._pairs.indices, minlength=self.num_items),
        )
        rows = np.repeat(np.arange(self.num_users), degree_U)
        weight_E = torch.from_numpy(-0.5 * np.log(degree_U[rows] * degree_I[self._pairs.indices]))
        uniform_E = torch.rand(
            len(rows), generator=generator, device=generator.device, dtype=torch.float64
        ).cpu()
        count = int(len(rows) * (1 - self.config.edge_dropout))
        chosen = (weight_E - (-uniform_E.log()).log()).topk(count).indices.sort().values.numpy()
        kept = (self._pairs.data[chosen], (rows[chosen], self._pairs.indices[chosen]))
        return csr_array(kept, shape=self._pairs.shape)

    def losses(self, batch: PairBatch) -> dict[str, Tensor]:
        encoding = self.encode()
        rows = rows_of(batch, encoding)
        initial = rows_of(batch, Sides(self.user_embedding, self.item_embedding))
        norm = squared_norm(initial) / (2 * batch.users.numel())
        found = {"bpr": ranked(rows), "l2": self.config.l2 * norm}
        for modality, transform in self.maps.items():
            view = Sides(encoding.user, transform(self.features[modality]))
            found[f"bpr_{modality}"] = self.config.modal_weight * ranked(rows_of(batch, view))
        return found

    def findings(self) -> tuple[Finding, ...]:
        """The item graph of every modality."""
        note = "The nearest items by the cosine of their raw features; the graph is frozen."
        return tuple(
            link_finding(
                f"raw_{m}", f"Items linked by their {m} features", links, "FREEDOM, Eqs. 1 to 4", note
            )
            for m, links in self.neighbors.items()
        )

    def _encoded(self, graph: Square) -> Sides:
        initial_ND = torch.cat([self.user_embedding, self.item_embedding])
        behavior = in_sides(layer_mean(graph, initial_ND, self.config.num_layers), self.num_users)
        item_ID: Tensor = self.item_embedding
        for _ in range(self.config.num_item_layers):
            item_ID = self._item_graph.times(item_ID)
        return Sides(behavior.user, behavior.item + item_ID)

    def _graph(self, pairs: csr_array) -> Square:
        return square(symmetric_normalized(user_item_matrix(pairs))).to(self.device)


def _weighed(neighbors: dict[str, csr_array], image_weight: float) -> csr_array:
    """S = sum of a_m S_m."""
    others = [m for m in neighbors if m != _IMAGE]
    shares = dict.fromkeys(neighbors, 1 / len(neighbors))
    if others and _IMAGE in neighbors:
        shares = dict.fromkeys(others, (1 - image_weight) / len(others)) | {_IMAGE: image_weight}
    total = csr_array(next(iter(neighbors.values())).shape, dtype=np.float64)
    for modality, share in shares.items():
        total = csr_array(total + share * symmetric_normalized(binary(neighbors[modality])))
    total.sort_indices()
    return total
