"""Graphs between items: nearest neighbours by cosine, of a modality's features or of embeddings learned elsewhere.

I items, D dims.
"""

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from core.data.kept import kept
from core.data.ranking import RankingData
from core.ops.neighbors import nearest

_VERSION = 1


def modal_neighbors(data: RankingData, modality: str, count: int, *, with_self: bool) -> csr_array:
    """`nearest` of a modality's raw features, [I, I]; kept in the data's cache."""
    name = f"{data.content_hash}-{modality}-k{count}{'-self' if with_self else ''}-v{_VERSION}.npz"
    path = None if data.cache is None else data.cache / "neighbors" / name

    def build() -> dict[str, NDArray[np.generic]]:
        found = nearest(data.features[modality], count, with_self=with_self)
        return {"indptr": found.indptr, "indices": found.indices, "cosine": found.data}

    arrays = kept(path, "nearest neighbours", build)
    size = (data.num_items, data.num_items)
    return csr_array((arrays["cosine"], arrays["indices"], arrays["indptr"]), shape=size)


def without_negatives(links: csr_array) -> csr_array:
    """`links` whose weight is positive: the others are no links, not even binary ones."""
    found = csr_array((np.maximum(links.data, 0), links.indices, links.indptr), shape=links.shape, copy=True)
    found.eliminate_zeros()
    return found


def binary(links: csr_array) -> csr_array:
    """`links` with weight 1 each."""
    return csr_array((np.ones_like(links.data), links.indices, links.indptr), shape=links.shape)


def mutual(links: csr_array) -> csr_array:
    """Each pair with the larger of its two directions' weights: a symmetric graph."""
    both = csr_array(links.maximum(links.T))
    both.sort_indices()
    return both
