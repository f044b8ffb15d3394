"""metapath2vec: where target nodes lie, learned from random walks along the metapaths and kept in the cache.

N target nodes, V nodes of all types, D dims, P pairs.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import accumulate

import numpy as np
import torch
from torch import Tensor

from core.data.kept import Arrays, kept
from core.data.nodes import NodeData
from core.data.walks import ENDED, Walker
from core.ops.skip_gram import SkipGram, window_pairs

_VERSION = 1
_SEED = 0
_PAIRS_AT_ONCE = 16384


@dataclass(frozen=True)
class WalkShape:
    """dim: of an embedding. steps: of a walk. window: places apart up to which nodes of a walk are pairs, less one. per_node:
    walks from each target node per metapath and epoch. negatives: per pair. rate: of Adam."""

    dim: int
    steps: int
    window: int
    per_node: int
    negatives: int
    epochs: int
    rate: float

    @property
    def key(self) -> str:
        return f"d{self.dim}-s{self.steps}-w{self.window}-n{self.per_node}-k{self.negatives}-e{self.epochs}-r{self.rate:g}"


def positions(data: NodeData, shape: WalkShape) -> Tensor:
    """metapath2vec embeddings of the target nodes, [N, D]; the same for every model and seed, whether kept or made.

    Source: Dong et al., metapath2vec, KDD 2017: skip-gram over walks that follow metapaths, negatives of the context's own type
    (metapath2vec++). Departs from HGMAE's code: its walks alternate between the one-hop neighbours of all types, ours follow the
    data set's metapaths; it has one table, ours two; its embeddings follow the seed.
    """
    name = f"{data.content_hash}-{shape.key}-v{_VERSION}.npz"
    path = None if data.cache is None else data.cache / "positions" / name

    def build() -> Arrays:
        return {"positions": walked(data, shape).numpy()}

    return torch.from_numpy(kept(path, "positions by metapath2vec", build)["positions"])


def walked(data: NodeData, shape: WalkShape) -> Tensor:
    """`positions`, made anew."""
    view, rng, noise = data.view, np.random.default_rng(_SEED), torch.Generator().manual_seed(_SEED)
    first = dict(zip(view.counts, accumulate(view.counts.values(), initial=0), strict=False))
    walker = Walker(view)
    model = SkipGram(sum(view.counts.values()), shape.dim, shape.rate, noise)
    for _ in range(shape.epochs):
        pairs, bounds = [], []
        for walks in walker.drawn(shape.per_node, shape.steps, rng):
            offset_S = np.array([first[kind] for kind in walks.types])
            nodes_WS = np.where(walks.nodes == ENDED, ENDED, walks.nodes + offset_S)
            pairs.append(window_pairs(torch.from_numpy(nodes_WS), shape.window))
            bounds.append(_ranges(pairs[-1][:, 1], first, view.counts))
        model.learn(torch.cat(pairs), torch.cat(bounds), shape.negatives, _PAIRS_AT_ONCE)
    start = first[view.target_type]
    return model.source.detach()[start : start + data.num_nodes].clone()


def _ranges(node_P: Tensor, first: Mapping[str, int], counts: Mapping[str, int]) -> Tensor:
    """The numbers of all nodes that have each node's type, first and one past the last, [P, 2]."""
    starts_T = torch.tensor(sorted(first.values()))
    ends_T = torch.cat([starts_T[1:], torch.tensor([sum(counts.values())])])
    place_P = torch.searchsorted(starts_T, node_P.contiguous(), right=True) - 1
    return torch.stack([starts_T[place_P], ends_T[place_P]], 1)
