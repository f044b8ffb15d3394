"""CascadingRank: personalised ranking along the chain of behaviours, without training.

U users, I items, B query users at once.
"""

import math
from typing import NamedTuple

import torch
from scipy.sparse import csr_array
from torch import Tensor
from torch.nn import functional as F

from core.catalog.baselines import CascadingRankConfig
from core.data.ranking import RankingData
from core.models.base import Fitted
from core.ops.graphs import bipartite

_SCORES_AT_ONCE = 1 << 22


class Ranks(NamedTuple):
    """Ranking scores of all users [U, B] and items [I, B], one column per query user."""

    user: Tensor
    item: Tensor


class CascadingRank(Fitted):
    """Per behaviour b, from the first to the target, the fixed point of

        r_u = gamma A_b r_i + alpha q_u + beta c_u,   r_i = gamma A_b^T r_u + alpha q_i + beta c_i

    with A_b = D_u^-1/2 Y_b D_i^-1/2 (smoothness), q_u the query user and q_i his items of b with sum 1 (query fitting), c the
    fixed point of the behaviour before (cascading alignment; for the first, its own q) and gamma = 1 - alpha - beta.
    Items are ranked by the target's r_i.
    Source: Ko, Jeon and Jung, Personalized Ranking on Cascading Behavior Graphs for Accurate Multi-Behavior
    Recommendation, arXiv 2502.11335; the normalisations and the first c follow the released code.
    Departs: items are updated from the users' new scores, so that an update shrinks the error by gamma^2 instead of
    gamma; and their number follows from that bound, `tolerance` being the largest share of the initial error that may
    remain, so that a user's scores do not depend on who else is in the batch. The fixed point is the same.
    """

    def __init__(self, config: CascadingRankConfig, data: RankingData, device: torch.device) -> None:
        super().__init__()
        self.config, self.num_users, self.num_items, self.device = (
            config,
            data.num_users,
            data.num_items,
            device,
        )
        self._pairs = [data.train[b] for b in data.behaviors]
        self._graphs = [bipartite(pairs, "symmetric").to(device) for pairs in self._pairs]

    def fit(self, data: RankingData) -> None:
        """Nothing to fit: the graphs are all there is, and every query is solved when it is asked."""

    def score(self, users_B: Tensor) -> Tensor:
        size = max(1, _SCORES_AT_ONCE // (self.num_users + self.num_items))
        return torch.cat([self._ranked(users).item.t() for users in users_B.split(size)])

    @property
    def smoothing(self) -> float:
        """gamma."""
        return 1.0 - self.config.alpha - self.config.beta

    @property
    def num_updates(self) -> int:
        """The smallest k with gamma^(2 k) <= tolerance: A_b has no singular value above 1."""
        if self.smoothing <= 0:
            return 1
        return max(1, math.ceil(math.log(self.config.tolerance) / (2 * math.log(self.smoothing))))

    def _ranked(self, users_B: Tensor) -> Ranks:
        alpha, beta, gamma = self.config.alpha, self.config.beta, self.smoothing
        before: Ranks | None = None
        for pairs, graph in zip(self._pairs, self._graphs):
            query = self._query(pairs, users_B)
            aligned = query if before is None else before
            user_fixed = alpha * query.user + beta * aligned.user
            item_fixed = alpha * query.item + beta * aligned.item
            item = query.item
            for _ in range(self.num_updates):
                user = user_fixed.add(graph.users_from(item), alpha=gamma)
                item = item_fixed.add(graph.items_from(user), alpha=gamma)
            before = Ranks(user, item)
        assert before is not None
        return before

    def _query(self, pairs: csr_array, users_B: Tensor) -> Ranks:
        """q of one behaviour: 1 at the query user, 1 / degree at each of his items."""
        user = F.one_hot(users_B, self.num_users).t().float()
        items = torch.from_numpy(pairs[users_B.cpu().numpy()].toarray()).to(self.device)
        return Ranks(user.contiguous(), F.normalize(items, p=1, dim=1).t().contiguous())
