"""Scoring a ranker under a protocol: one encode, batches of users, ranks of every test item.

V evaluated users, P test pairs in user order, B users in a batch, I items, C candidates.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.sparse import csr_array
from torch import Tensor

from core.data.ranking import RankingData
from core.errors import DataError, RunError
from core.evaluation.candidates import check_candidates, drawn_candidates
from core.evaluation.metrics import exposure_metrics, pair_metrics, ranking_metrics, sampled_metrics
from core.models.base import Ranker
from core.protocol import Protocol

_SCORES_AT_ONCE = 1 << 23
Split = Literal["valid", "test"]


@dataclass(frozen=True, eq=False)
class RankingResult:
    """How a ranker did on the users of one split.

    users: [V]. indptr: [V + 1], cuts items and ranks [P] into users. seen: [P], pairs the user touched under an
    auxiliary behaviour in training. per_user: metric -> [V]. exposure: metrics of what was shown; `full` only.
    """

    protocol: Protocol
    users: NDArray[np.int64]
    indptr: NDArray[np.int64]
    items: NDArray[np.int64]
    ranks: NDArray[np.int64]
    seen: NDArray[np.bool_]
    per_user: dict[str, NDArray[np.float64]]
    exposure: dict[str, float]

    def metrics(self) -> dict[str, float]:
        """Means over users, and the exposure metrics."""
        return {name: float(values.mean()) for name, values in self.per_user.items()} | self.exposure

    def metrics_of_pairs(self, seen: bool) -> dict[str, float]:
        """HR and NDCG over the test pairs that were (not) seen under an auxiliary behaviour, with their number."""
        chosen = self.ranks[self.seen == seen]
        means = (
            {k: float(v.mean()) for k, v in pair_metrics(chosen, self.protocol.ks).items()}
            if len(chosen)
            else {}
        )
        return {"pairs": len(chosen), **means}


def check_feasible(data: RankingData, protocol: Protocol) -> None:
    """Raise DataError before anything is trained if `protocol` cannot be carried out on `data`."""
    if protocol.name == "sampled99":
        users = np.flatnonzero(np.diff(data.test.indptr) + np.diff(data.valid.indptr)).astype(np.int64)
        check_candidates(users, _touched(data), protocol.num_negatives)
    for split, pairs in (("test", data.test), ("valid", data.valid)):
        if pairs.nnz and not len(_evaluated_users(data, protocol, pairs)):
            raise _nobody(data, protocol, split)


def _nobody(data: RankingData, protocol: Protocol, split: str) -> DataError:
    return DataError(
        f"{data.name}: no user with {split} pairs of {data.target!r} has a training pair, and {protocol.name} leaves such users "
        "out; evaluate under the protocol full, or import the data with another split"
    )


def evaluate(model: Ranker, data: RankingData, protocol: Protocol, split: Split = "test") -> RankingResult:
    """Score `model` on every user with pairs in `split`. The graph is encoded once.

    Ties are broken against the model: an item is ranked behind all others with the same score, so that a constant
    scorer gets 0. Raises DataError without pairs or users, RunError if a score is NaN.
    """
    pairs = data.test if split == "test" else data.valid
    if pairs.nnz == 0:
        raise DataError(
            f"{data.name} has no {split} pairs to evaluate; import it with a split rule that holds some out"
        )
    users = _evaluated_users(data, protocol, pairs)
    if not len(users):
        raise _nobody(data, protocol, split)
    chosen = pairs[users]
    indptr, items = chosen.indptr.astype(np.int64), chosen.indices.astype(np.int64)
    owner = np.repeat(np.arange(len(users)), np.diff(indptr))
    exposure: dict[str, float] = {}
    with model.evaluating():
        if protocol.name == "sampled99":
            ranks = _ranks_among_drawn(model, data, protocol, users[owner], items)
            per_user = sampled_metrics(ranks, indptr, protocol.ks)
        else:
            hidden = hidden_pairs(data, protocol, split)
            most = min(max(protocol.ks), _longest_list(hidden, users))
            ranks, top = _ranks_among_all(model, hidden, users, indptr, items, most)
            per_user = ranking_metrics(ranks, indptr, protocol.ks)
            exposure = exposure_metrics(top, data.popularity(), [k for k in protocol.ks if k <= top.shape[1]])
    seen = _seen(data, users[owner], items)
    return RankingResult(protocol, users, indptr, items, ranks, seen, per_user, exposure)


def _evaluated_users(data: RankingData, protocol: Protocol, pairs: csr_array) -> NDArray[np.int64]:
    """Users with `pairs`; under `mmrec` only those with training pairs of the target, too."""
    has_pairs = np.diff(pairs.indptr) > 0
    if protocol.drops_untrained_users:
        has_pairs &= np.diff(data.train[data.target].indptr) > 0
    return np.flatnonzero(has_pairs).astype(np.int64)


def hidden_pairs(data: RankingData, protocol: Protocol, split: Split) -> csr_array:
    """Pairs that are no candidates: the target's training pairs; under `full` valid pairs too when testing, if asked."""
    if split == "test" and protocol.hides_valid:
        return data.valid_pairs_masked()
    return data.train[data.target]


def recommend(
    model: Ranker, hidden: csr_array, users: NDArray[np.int64], count: int
) -> tuple[NDArray[Any], NDArray[Any]]:
    """The best `count` items per user without the hidden pairs, and their scores: [V, count] each, best first.

    Lists are shorter where some user has fewer items left, so that no hidden pair is ever recommended.
    """
    items, values = [], []
    count = min(count, _longest_list(hidden, users))
    with model.evaluating():
        for rows, scores in _scored(model, hidden, users):
            best = scores.topk(count)
            items.append(best.indices.cpu().numpy())
            values.append(best.values.cpu().numpy())
            del rows
    return np.concatenate(items), np.concatenate(values)


def _longest_list(hidden: csr_array, users: NDArray[np.int64]) -> int:
    """Items that even the user with the most hidden pairs has left."""
    return int(hidden.shape[1] - np.diff(hidden.indptr)[users].max(initial=0))


def _scored(model: Ranker, hidden: csr_array, users: NDArray[np.int64]) -> Iterator[tuple[slice, Tensor]]:
    """Batches of users (as a slice of `users`) with their scores [B, I], hidden pairs at -inf."""
    size = max(1, min(1024, _SCORES_AT_ONCE // hidden.shape[1]))
    device = model.device
    for start in range(0, len(users), size):
        rows = slice(start, min(start + size, len(users)))
        scores = model.score(torch.from_numpy(users[rows]).to(device)).float().clone()
        _refuse_nan(scores)
        masked = hidden[users[rows]].tocoo()
        scores[
            torch.from_numpy(masked.row).long().to(device), torch.from_numpy(masked.col).long().to(device)
        ] = -torch.inf
        yield rows, scores


def _ranks_among_all(
    model: Ranker,
    hidden: csr_array,
    users: NDArray[np.int64],
    indptr: NDArray[np.int64],
    items: NDArray[np.int64],
    most: int,
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Rank of every test item among all candidates [P], and the top lists [V, most]."""
    ranks, top = np.empty(len(items), dtype=np.int64), []
    for rows, scores in _scored(model, hidden, users):
        pairs = slice(indptr[rows.start], indptr[rows.stop])
        counts = np.diff(indptr[rows.start : rows.stop + 1])
        owner = np.repeat(np.arange(rows.stop - rows.start), counts)
        owner_P = torch.from_numpy(owner).to(scores.device)
        item_P = torch.from_numpy(items[pairs]).to(scores.device)
        top.append(scores.topk(most).indices.cpu().numpy())
        own_P = scores[owner_P, item_P]
        scores[owner_P, item_P] = -torch.inf
        ahead_P = _not_below(scores, owner_P, own_P).cpu().numpy()
        own = own_P.cpu().numpy()
        order = np.lexsort((-own, owner))
        place = np.empty(len(own), dtype=np.int64)
        place[order] = (
            np.arange(len(own)) - (indptr[rows.start : rows.stop] - indptr[rows.start])[owner[order]]
        )
        ranks[pairs] = ahead_P + place + 1
    return ranks, np.concatenate(top)


def _not_below(scores_BI: Tensor, owner_P: Tensor, own_P: Tensor) -> Tensor:
    """Candidates that score at least as much as each pair's own item, [P]."""
    chunk = max(1, _SCORES_AT_ONCE // scores_BI.shape[1])
    parts = [
        scores_BI.index_select(0, o).ge_(s[:, None]).sum(1)  # ones and zeros as floats: several times faster
        for o, s in zip(owner_P.split(chunk), own_P.split(chunk))
    ]
    return torch.cat(parts).long()  # exact below 2^24 items


def _refuse_nan(scores: Tensor) -> None:
    """Raises RunError for scores that are not numbers. One sum tells in most cases that there is none."""
    if bool(scores.sum().isnan()) and bool(scores.isnan().any()):
        raise RunError(
            "the model scores NaN: training diverged; lower learning_rate or score_scale and train again"
        )


def _ranks_among_drawn(
    model: Ranker,
    data: RankingData,
    protocol: Protocol,
    users_P: NDArray[np.int64],
    items_P: NDArray[np.int64],
) -> NDArray[np.int64]:
    drawn = drawn_candidates(users_P, _touched(data), protocol.num_negatives, protocol.candidate_seed)
    candidates = np.concatenate([items_P[:, None], drawn], 1)
    chunk = max(1, _SCORES_AT_ONCE // (8 * candidates.shape[1]))
    device, ranks = model.device, []
    for start in range(0, len(users_P), chunk):
        rows = slice(start, start + chunk)
        scores = model.score_items(
            torch.from_numpy(users_P[rows]).to(device), torch.from_numpy(candidates[rows]).to(device)
        )
        _refuse_nan(scores)
        ranks.append((scores[:, 1:] >= scores[:, :1]).sum(1).cpu().numpy() + 1)
    return np.concatenate(ranks)


def _touched(data: RankingData) -> csr_array:
    """Every pair of the target behaviour, whatever its split."""
    return csr_array(data.train[data.target] + data.valid + data.test)


def _seen(data: RankingData, users_P: NDArray[np.int64], items_P: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Pairs that the user touched under an auxiliary behaviour; random pairs that were added to it do not count."""
    seen = np.zeros(len(users_P), dtype=bool)
    for behavior in data.behaviors[:-1]:
        touched = np.asarray(data.train[behavior][users_P, items_P]).ravel() > 0
        if behavior in data.added:
            touched &= np.asarray(data.added[behavior][users_P, items_P]).ravel() == 0
        seen |= touched
    return seen
