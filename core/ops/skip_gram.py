"""Skip-gram with negative sampling. V nodes, D dims, P pairs, K negatives."""

import torch
from torch import Tensor
from torch.nn import functional as F


def skip_gram_loss(source_PD: Tensor, context_PD: Tensor, negative_PKD: Tensor) -> Tensor:
    """Mean of -ln sigmoid(s . c) - mean over K of ln sigmoid(-s . n), in nats. Source: Mikolov et al., NeurIPS 2013, Eq. 4."""
    near_P = (source_PD * context_PD).sum(1)
    far_PK = (source_PD[:, None] * negative_PKD).sum(2)  # far faster than products of tiny matrices
    return F.softplus(-near_P).mean() + F.softplus(far_PK).mean()


def window_pairs(nodes_WS: Tensor, window: int) -> Tensor:
    """(earlier, later) nodes of walks that lie fewer than `window` places apart, [P, 2]; places of -1 are left out."""
    parts = [
        torch.stack([nodes_WS[:, :-gap].reshape(-1), nodes_WS[:, gap:].reshape(-1)], 1)
        for gap in range(1, min(window, nodes_WS.shape[1]))
    ]
    pairs_P2 = torch.cat(parts) if parts else nodes_WS.new_empty(0, 2)
    return pairs_P2[(pairs_P2 >= 0).all(1)]


class SkipGram:
    """Two tables of embeddings, of nodes as sources and as contexts, and Adam over both; all noise from one generator."""

    def __init__(self, count: int, dim: int, learning_rate: float, noise: torch.Generator) -> None:
        start_VD = (torch.rand(count, dim, generator=noise) - 0.5) / dim
        self.source = start_VD.requires_grad_()
        self.context = torch.zeros(count, dim, requires_grad=True)
        self.noise = noise
        self._optimizer = torch.optim.Adam([self.source, self.context], lr=learning_rate)

    def learn(self, pairs_P2: Tensor, bounds_P2: Tensor, negatives: int, batch: int) -> float:
        """One pass over the pairs in random order; the mean loss, 0 without pairs. bounds_P2: the range, first and one past the last, that the
        negatives of each pair come from."""
        if not len(pairs_P2):
            return 0.0
        order_P = torch.randperm(len(pairs_P2), generator=self.noise)
        total = 0.0
        for chosen_B in order_P.split(batch):
            (source_B, context_B), (low_B, high_B) = pairs_P2[chosen_B].t(), bounds_P2[chosen_B].t()
            share_BK = torch.rand(len(chosen_B), negatives, generator=self.noise, dtype=torch.float64)
            negative_BK = low_B[:, None] + (share_BK * (high_B - low_B)[:, None]).long()
            loss = skip_gram_loss(
                F.embedding(source_B, self.source),
                F.embedding(context_B, self.context),
                F.embedding(negative_BK, self.context),
            )
            self._optimizer.zero_grad(set_to_none=True)
            loss.backward()
            self._optimizer.step()
            total += float(loss.detach()) * len(chosen_B)
        return total / len(pairs_P2)
