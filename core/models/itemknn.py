"""ItemKNN: neighbourhoods of items by shrunk cosine. U users, I items, K neighbours, B users in a batch."""

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.sparse import csc_array, csr_array
from torch import Tensor

from core.catalog.baselines import ItemKNNConfig
from core.data.ranking import RankingData
from core.findings import Axis, Finding, Kind, Links
from core.models.base import Fitted

_ENTRIES_AT_ONCE = 1 << 23


class ItemKNN(Fitted):
    """score(u, i) = sum of s(i, j) over the items j of u's history among i's K nearest.

    s(i, j) = n_ij / (|x_i| |x_j| + shrinkage), n_ij users of both items, x_i the item's column of the binary target
    matrix, or with `history = all` of the binary union of every behaviour. Of equally near items the lower index is kept.
    Source: Deshpande and Karypis, TOIS 2004, cosine similarity; shrinkage and the orientation (neighbours of the
    candidate, not of the history) as in the toolkit of Ferrari Dacrema et al., RecSys 2019.
    """

    neighbor: Tensor
    similarity: Tensor
    common: Tensor

    def __init__(self, config: ItemKNNConfig, data: RankingData, device: torch.device) -> None:
        super().__init__()
        self.config, self.num_items, self.device = config, data.num_items, device
        self._history = data.union() if config.history == "all" else data.train[data.target]
        shape = (data.num_items, min(config.neighbors, data.num_items))
        self.register_buffer("neighbor", torch.zeros(shape, dtype=torch.int32, device=device))
        self.register_buffer("similarity", torch.zeros(shape, device=device))
        self.register_buffer("common", torch.zeros(shape, device=device))

    def fit(self, data: RankingData) -> None:
        """Neighbours of blocks of items, so that memory does not grow with the square of their number.

        Items with fewer than K neighbours keep zero similarities in the rest of their row.
        """
        by_item = csr_array(self._history.T)
        norm = np.sqrt(np.diff(by_item.indptr))
        kept = {name: np.zeros(buffer.shape, np.float64) for name, buffer in self.named_buffers()}
        rows = max(1, _ENTRIES_AT_ONCE // max(1, self.num_items))
        for start in range(0, self.num_items, rows):
            together = csr_array(by_item[start : start + rows] @ self._history)
            together.sort_indices()
            for item in range(start, min(start + rows, self.num_items)):
                entries = slice(together.indptr[item - start], together.indptr[item - start + 1])
                near = self._nearest(item, together.indices[entries], together.data[entries], norm)
                for name, values in near.items():
                    kept[name][item, : len(values)] = values
        for name, buffer in self.named_buffers():
            buffer.copy_(torch.from_numpy(kept[name]))

    def score(self, users_B: Tensor) -> Tensor:
        history = self._history[users_B.cpu().numpy()]
        return torch.from_numpy((history @ self._near()).toarray()).to(self.device)

    def findings(self) -> tuple[Finding, ...]:
        """The neighbours of every item, nearest first."""
        linked = self.similarity.cpu().numpy() > 0
        links = Links(
            indptr=np.concatenate([[0], linked.sum(1).cumsum()]).astype(np.int64),
            index=self.neighbor.cpu().numpy()[linked],
            value=self.similarity.cpu().numpy()[linked],
        )
        return (
            Finding(
                "item_neighbors",
                "Nearest items",
                "ItemKNN, cosine similarity",
                Kind.LINK,
                (Axis("item", self.num_items), Axis("neighbor", self.num_items)),
                links,
                self.common.cpu().numpy()[linked],
                "Shrunk cosine between an item and the items that most of its users share; support is the number of common users.",
            ),
        )

    def _nearest(
        self, item: int, others: NDArray[np.int32], common: NDArray[np.float32], norm: NDArray[np.float64]
    ) -> dict[str, NDArray[Any]]:
        """Values per buffer, nearest first. `others` are items in rising order that have `common` users with `item`."""
        different = others != item
        others, common = others[different], common[different]
        similarity = (common / (norm[item] * norm[others] + self.config.shrinkage)).astype(np.float32)
        best = nearest(similarity, self.neighbor.shape[1])
        return {"neighbor": others[best], "similarity": similarity[best], "common": common[best]}

    def _near(self) -> csc_array:
        """[I, I]; column i holds the similarities of i's neighbours."""
        count = self.neighbor.shape[1]
        indptr = np.arange(0, count * (self.num_items + 1), count)
        parts = (self.similarity.cpu().numpy().ravel(), self.neighbor.cpu().numpy().ravel(), indptr)
        return csc_array(parts, shape=(self.num_items, self.num_items))


def nearest(similarity_C: NDArray[np.float32], count: int) -> NDArray[np.int64]:
    """Positions of the `count` largest values, largest first; of equal values the earlier position."""
    size = len(similarity_C)
    if size > count:
        least = np.partition(similarity_C, size - count)[size - count]
        above, tied = np.flatnonzero(similarity_C > least), np.flatnonzero(similarity_C == least)
        chosen = np.concatenate([above, tied[: count - len(above)]])
    else:
        chosen = np.arange(size)
    return chosen[np.lexsort((chosen, -similarity_C[chosen]))]
