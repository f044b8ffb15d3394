"""What SRGFormer's graph transformer attends to: shares of past interactions, per head, and how spread out they are.

U users, I items, E edges, H heads.
"""

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from core.findings import Axis, Finding, Kind, Links
from core.models.base import sampled

if TYPE_CHECKING:
    from core.models.srgformer import SRGFormer

_SAMPLE = 500  # users whose whole history is stored, per head
_TOP = 5  # interactions stored for every user


def attention_findings(model: "SRGFormer", source: str) -> tuple[Finding, ...]:
    """`history_attention`, the most attended interactions of all users; `history_attention_<head>`, all of a sample of users;
    `attention_entropy` per user. Nothing without the transformer."""
    share_HE = model.encoding().attention
    if share_HE is None:
        return ()
    history = _Histories(model, share_HE)
    entropy_U, length_U = history.entropy()
    users = Axis("node", model.num_users, groups={"user": (0, model.num_users)})
    return (
        history.top(source),
        *(history.of_head(head, source) for head in range(len(share_HE))),
        Finding(
            "attention_entropy",
            "How spread out a user's attention is",
            source,
            Kind.AMOUNT,
            (users,),
            entropy_U,
            length_U,
            "Entropy of the shares of a user's interactions, mean over heads, in nats; the number of interactions n stands "
            "behind it: ln n is attention to all alike, 0 to one alone.",
        ),
    )


class _Histories:
    """The shares of users' interactions: the first rows of the pattern, whose columns are items."""

    def __init__(self, model: "SRGFormer", share_HE: Tensor) -> None:
        pattern = model.graph.pattern
        self.num_users, self.num_items = model.num_users, model.num_items
        self.indptr = pattern.indptr[: self.num_users + 1].cpu().numpy().astype(np.int64)
        entries = int(self.indptr[-1])
        self.item = pattern.index[:entries].cpu().numpy() - self.num_users
        self.share = share_HE[:, :entries].cpu().numpy()
        self.user = np.repeat(np.arange(self.num_users), np.diff(self.indptr))

    def entropy(self) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
        """Mean over heads per user [U], and lengths of histories [U]."""
        safe = np.where(self.share > 0, self.share, 1.0)
        each_E = -(self.share * np.log(safe)).mean(0)
        return np.maximum(np.bincount(self.user, each_E, self.num_users), 0.0), np.diff(self.indptr)

    def top(self, source: str) -> Finding:
        mean_E = self.share.mean(0)
        order = np.lexsort((-mean_E, self.user))
        place = np.arange(len(order)) - self.indptr[self.user[order]]
        return self._links(
            "history_attention",
            f"The {_TOP} interactions each user attends to most",
            source,
            order[place < _TOP],
            mean_E,
            "Share of the attention of a user's row, mean over heads. Fewer for shorter histories.",
        )

    def of_head(self, head: int, source: str) -> Finding:
        active = np.flatnonzero(np.diff(self.indptr))
        chosen = active[sampled(len(active), _SAMPLE).numpy()]
        is_chosen = np.zeros(self.num_users, dtype=bool)
        is_chosen[chosen] = True
        return self._links(
            f"history_attention_{head + 1}",
            f"Attention of head {head + 1} over users' histories",
            source,
            np.flatnonzero(is_chosen[self.user]),
            self.share[head],
            f"Share of each interaction in the attention of one head, for a sample of {len(chosen):,} users.",
        )

    def _links(
        self,
        key: str,
        title: str,
        source: str,
        entries: NDArray[np.int64],
        share_E: NDArray[np.float32],
        note: str,
    ) -> Finding:
        counts = np.bincount(self.user[entries], minlength=self.num_users)
        links = Links(
            np.concatenate([[0], np.cumsum(counts)]),
            self.item[entries].astype(np.int32),
            share_E[entries].astype(np.float32),
        )
        axes = (Axis("user", self.num_users), Axis("item", self.num_items))
        return Finding(key, title, source, Kind.LINK, axes, links, None, note)
