"""MBGCN: behaviours weighed in the user's embedding, items related per behaviour, a user-based and an item-based score.

U users, I items, B users asked for, T behaviours, D dims, L layers, R rows of either, P pairs in a batch.
"""

import torch
from torch import Tensor, nn

from core.catalog.mbgcn import MBGCNConfig
from core.data.ranking import RankingData
from core.findings import Axis, Finding, Kind
from core.models.mbgcn_items import ItemScore, xavier
from core.models.pairwise import NoisyPairwiseRanker
from core.ops.dropout import kept, silenced
from core.ops.graphs import Sides, bipartite, picked
from core.ops.losses import squared_norm

_TINY = 1e-12  # for users without any pair, who gather nothing


class MBGCN(NoisyPairwiseRanker):
    """score(u, i) = lambda p*_u . q*_i + (1 - lambda) 1/T sum_t h_ut M_t s*_it, trained with BPR.

    Users:  p^(l+1)_u = W^l sum_t alpha_ut mean over i in N_t(u) of q^l_i, alpha_ut = w_t n_ut / sum_m w_m n_um, where
            n_ut = |N_t(u)| counts the items that u touched under behaviour t.
    Items:  q^(l+1)_i = W^l mean over u in N(i) of p^l_u, N(i) the users who touched i under any behaviour.
    Items per behaviour: s^(l+1)_it = W^l_t mean over j of s^l_jt, j among the items that users of i touched under t.
    Start:  p^0 and q^0 are the embedding tables, s^0_t = q^0. p*, q*, s* concatenate their layers 0..L.
    History: h_ut = mean over j in N_t(u) of s*_jt.
    Source: Jin et al., SIGIR 2020, Sections 3 and 4, and the PyTorch code released with it.

    Readings. w: the paper leaves its range open; alpha does not depend on its scale, so w is a softmax, equal at first.
    s: the paper's mean goes over the set of related items; that graph is dense (a third of all pairs for Taobao's views),
    so a related item counts once per user who touched both, itself excluded, and A^T A is never formed. 1/T: as released.
    Departs: embeddings start Xavier-distributed, not from a trained matrix factorisation. Node dropout silences nodes as
    senders, once per step (the released code drops edges); message dropout drops entries of p* and q*, as released.
    All scores are inner products: the parts of both scores are concatenated, with M_t on the user's side.
    """

    config: MBGCNConfig

    def __init__(self, config: MBGCNConfig, data: RankingData, device: torch.device) -> None:
        super().__init__(config, data, device)
        self.behaviors = data.behaviors
        self.importance_logit = (
            nn.Parameter(torch.zeros(len(data.behaviors))) if config.importance == "learned" else None
        )
        self.node_weight = xavier(config.num_layers, config.dim)
        self._graphs = [bipartite(data.train[b], "none").to(device) for b in data.behaviors]
        self.item_score = ItemScore(config, self._graphs) if config.user_share < 1 else None
        paper = config.item_form == "paper"
        pairs = data.union() if paper else data.train[data.target]
        self._to_items = bipartite(pairs, "left" if paper else "none").to(device)
        self._count_UT = torch.stack([graph.to_users.indptr.diff() for graph in self._graphs], 1)
        self.to(device)

    @property
    def importance(self) -> Tensor:
        """w, positive and summing to 1, [T]."""
        count = len(self.behaviors)
        if self.importance_logit is None:
            return self.node_weight.new_full((count,), 1 / count)
        return self.importance_logit.softmax(0)

    def contributions(self) -> Tensor:
        """alpha of every user, [U, T]; users who did nothing get w itself."""
        weighed_UT = self.importance * self._count_UT
        total_U1 = weighed_UT.sum(1, keepdim=True)
        return torch.where(total_U1 > 0, weighed_UT / total_U1.clamp(min=_TINY), self.importance)

    def encode(self) -> Sides:
        """What both scores concatenate: [p*, h_1 M_1, ..] of users and [q*, s*_1, ..] of items."""
        users, items = self._parts(None, None)
        return Sides(torch.cat(users, 1), torch.cat(items, 1))

    def noisy_rows(self, users_B: Tensor, items_C: Tensor, noise: torch.Generator) -> Sides:
        """What both scores concatenate, under dropout; users' last sums are computed for the given ones alone."""
        users, items = self._parts(users_B, noise)
        return Sides(torch.cat(users, 1), torch.cat([part.index_select(0, items_C) for part in items], 1))

    def weight_norm(self) -> Tensor:
        """Half the squared norm of every weight matrix."""
        items = self.item_score.matrices() if self.item_score is not None else []
        return squared_norm((self.node_weight, *items)) / 2

    def findings(self) -> tuple[Finding, ...]:
        """w, and the shares alpha that it and the users' counts give."""
        with torch.no_grad():
            importance, shares = self.importance.cpu().numpy(), self.contributions().cpu().numpy()
        behavior = Axis.labelled("behavior", self.behaviors)
        node = Axis("node", self.num_users, groups={"user": (0, self.num_users)})
        return (
            Finding(
                "behavior_importance",
                "Importance of the behaviours",
                "MBGCN, Section 3",
                Kind.SHARE,
                (behavior,),
                importance,
                self._count_UT.sum(0).cpu().numpy(),
                "Learned for all users alike, before their own counts weigh in; support counts training pairs.",
            ),
            Finding(
                "behavior_contribution",
                "Share of each behaviour in a user's embedding",
                "MBGCN, Section 3",
                Kind.SHARE,
                (node, behavior),
                shares,
                self._count_UT.cpu().numpy(),
                "Importance times the user's number of items, normalised; support is that number.",
            ),
        )

    def _parts(
        self, rows_B: Tensor | None, noise: torch.Generator | None
    ) -> tuple[list[Tensor], list[Tensor]]:
        """Parts of the users `rows_B` (None: all) and of all items, whose inner products add up to the score."""
        layers = [Sides(self.user_embedding, self.item_embedding)]
        first: tuple[Tensor, list[Tensor]] | None = None
        for weight in self.node_weight:
            sent = silenced(layers[-1], self.config.node_dropout, noise)
            sums = [graph.users_from(sent.item) for graph in self._graphs]
            first = first or (sent.item, sums)
            layers.append(Sides(self._gathered(sums) @ weight, self._to_items.items_from(sent.user) @ weight))
        final = [
            torch.cat([picked(layer.user, rows_B) for layer in layers], 1),
            torch.cat([layer.item for layer in layers], 1),
        ]
        if noise is not None and self.config.message_dropout:
            final = [side * kept(side.shape, self.config.message_dropout, noise, side) for side in final]
        users, items = [self.config.user_share * final[0]], [final[1]]
        if self.item_score is not None and first is not None:
            for matched, related in self.item_score(self.item_embedding, *first, rows_B):
                users.append((1 - self.config.user_share) * matched)
                items.append(related)
        return users, items

    def _gathered(self, sums: list[Tensor]) -> Tensor:
        """sum_t alpha_ut mean_ut = sum_t w_t sum_ut / sum_m w_m n_um, since n_ut cancels: [U, D]."""
        weighed = torch.stack([w * total for w, total in zip(self.importance, sums, strict=True)]).sum(0)
        return weighed / (self._count_UT * self.importance).sum(1).clamp(min=_TINY)[:, None]
