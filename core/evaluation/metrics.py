"""Ranking metrics from the ranks of test items, one value per user (numpy only).

V users with test items, P test pairs in user order; `indptr` [V + 1] cuts the pairs into users. Ranks count from 1.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.integer[Any]]
Floats = NDArray[np.float64]


def ranking_metrics(ranks_P: Ints, indptr: Ints, ks: Sequence[int]) -> dict[str, Floats]:
    """HR, recall, NDCG, precision, MRR and MAP at every K, [V] each, when a user's test items share one ranking.

    HR@K: any test item within K. NDCG@K: binary gains, ideal list of min(tests, K). MAP@K divides by min(tests, K).
    Every user needs at least one test item.
    """
    count_V = np.diff(indptr)
    owner_P = np.repeat(np.arange(len(count_V)), count_V)
    ranks_P = ranks_P[np.lexsort((ranks_P, owner_P))]
    place_P = np.arange(len(ranks_P)) - indptr[:-1][owner_P]
    best_V = ranks_P[indptr[:-1]]
    discount = np.concatenate([[0.0], np.cumsum(1 / np.log2(np.arange(2, max(ks) + 2)))])
    metrics: dict[str, Floats] = {}
    for k in ks:
        hit_P = ranks_P <= k
        hits_V = _sum(hit_P, indptr)
        ideal_V = np.minimum(count_V, k)
        metrics[f"hr@{k}"] = (hits_V > 0).astype(np.float64)
        metrics[f"recall@{k}"] = hits_V / count_V
        metrics[f"ndcg@{k}"] = _sum(hit_P / np.log2(ranks_P + 1), indptr) / discount[ideal_V]
        metrics[f"precision@{k}"] = hits_V / k
        metrics[f"mrr@{k}"] = np.where(best_V <= k, 1 / best_V, 0.0)
        metrics[f"map@{k}"] = _sum(hit_P * (place_P + 1) / ranks_P, indptr) / ideal_V
    return metrics


def sampled_metrics(ranks_P: Ints, indptr: Ints, ks: Sequence[int]) -> dict[str, Floats]:
    """HR and NDCG at every K, [V] each, when every test item has candidates of its own: the mean over a user's items."""
    metrics: dict[str, Floats] = {}
    for name, values_P in pair_metrics(ranks_P, ks).items():
        metrics[name] = _sum(values_P, indptr) / np.diff(indptr)
    return metrics


def pair_metrics(ranks_P: Ints, ks: Sequence[int]) -> dict[str, Floats]:
    """HR and NDCG at every K of each test pair by itself, [P]."""
    metrics: dict[str, Floats] = {}
    for k in ks:
        hit_P = ranks_P <= k
        metrics[f"hr@{k}"] = hit_P.astype(np.float64)
        metrics[f"ndcg@{k}"] = hit_P / np.log2(ranks_P + 1)
    return metrics


def exposure_metrics(top_VK: Ints, popularity_I: Ints, ks: Sequence[int]) -> dict[str, float]:
    """What is recommended, from the top lists [V, max K]: coverage (share of items shown to anyone), Gini of how often
    items are shown (0 even, 1 all on one item), and the mean popularity of shown items (training pairs)."""
    metrics = {}
    for k in ks:
        shown_I = np.bincount(top_VK[:, :k].ravel(), minlength=len(popularity_I))
        metrics[f"coverage@{k}"] = float((shown_I > 0).mean())
        metrics[f"gini@{k}"] = _gini(shown_I)
        metrics[f"popularity@{k}"] = float(popularity_I[top_VK[:, :k]].mean())
    return metrics


def _gini(counts_I: Ints) -> float:
    rising = np.sort(counts_I).astype(np.float64)
    size, total = len(rising), rising.sum()
    return float((2 * np.arange(1, size + 1) - size - 1) @ rising / (size * total)) if total else 0.0


def _sum(values_P: NDArray[Any], indptr: Ints) -> Floats:
    return np.add.reduceat(values_P.astype(np.float64), indptr[:-1])
