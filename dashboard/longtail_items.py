"""What is recommended by popularity of items, which items gained against another run, and an item's nearest ones. Pure.

I items, G groups, S seeds, K places.
"""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from core.evaluation.item_groups import ItemGroups, ItemScores
from core.evaluation.metrics import exposure_metrics
from core.findings import Array
from dashboard.longtail import item_titles

EXPOSURE = ("coverage", "gini", "popularity")
TESTED, TRAINED = "test pairs", "training pairs"


def exposure(
    stored: Sequence[Mapping[str, float]], lists: Sequence[Array], popularity_I: Array, k: int
) -> tuple[dict[str, float], bool] | None:
    """Coverage, Gini and mean popularity of the first `k` places, averaged over seeds, and whether they come from the results.

    stored: metrics of each seed's result. lists: recommended items [V, R] of each seed, for results without such metrics.
    None where neither reaches to `k`.
    """
    names = [f"{name}@{k}" for name in EXPOSURE]
    if stored and all(name in metrics for metrics in stored for name in names):
        found, is_stored = list(stored), True
    elif lists and all(items.shape[1] >= k for items in lists):
        found, is_stored = [exposure_metrics(items, popularity_I, [k]) for items in lists], False
    else:
        return None
    means = {name: float(np.mean([metrics[f"{name}@{k}"] for metrics in found])) for name in EXPOSURE}
    return means, is_stored


def place_shares(
    lists: Mapping[str, Sequence[Array]], items_P: Array, groups: ItemGroups, k: int
) -> pd.DataFrame:
    """Which share of the first `k` places each group of items takes, per run, beside its share of test and training pairs.

    Columns name, group, title, share, count (places, or pairs; the mean over seeds). lists: run -> recommended items [V, R] of
    each seed.
    """
    counted = {
        name: np.mean([_per_group(items[:, :k].ravel(), groups) for items in seeds], axis=0)
        for name, seeds in lists.items()
        if seeds
    }
    counted |= {TESTED: _per_group(items_P, groups), TRAINED: groups.trained_pairs().astype(float)}
    titles = item_titles(groups)
    rows = [
        (name, place, titles[place], number / max(float(numbers.sum()), 1.0), number)
        for name, numbers in counted.items()
        for place, number in enumerate(numbers.tolist())
    ]
    return pd.DataFrame(rows, columns=["name", "group", "title", "share", "count"])


def _per_group(items: Array, groups: ItemGroups) -> Array:
    return np.bincount(groups.group[items], minlength=groups.count).astype(float)


def item_table(
    one: ItemScores, other: ItemScores | None, groups: ItemGroups, titles: Sequence[str], group: int | None
) -> pd.DataFrame:
    """Items with a test pair, of one group or of all: columns item, title, trained, pairs, hits, reciprocal, and where there is
    another run other_hits, other_reciprocal, gained (hits). reciprocal: the mean over the item's test pairs.

    The first row gained most (or, alone, was found most); where hits agree, reciprocal ranks decide, then test pairs.
    """
    chosen = one.pairs > 0 if group is None else (one.pairs > 0) & (groups.group == group)
    items = np.flatnonzero(chosen)
    table = pd.DataFrame(
        {
            "item": items,
            "title": [titles[item] for item in items.tolist()],
            "trained": groups.popularity[items],
            "pairs": one.pairs[items],
            "hits": one.hits[items],
            "reciprocal": one.reciprocal[items] / one.pairs[items],
        }
    )
    order = [-table["pairs"], -table["reciprocal"], -table["hits"]]
    if other is not None:
        table["other_hits"] = other.hits[items]
        table["other_reciprocal"] = other.reciprocal[items] / one.pairs[items]
        table["gained"] = (table["hits"] - table["other_hits"]).round(9)
        order = [
            -table["pairs"],
            table["other_reciprocal"] - table["reciprocal"],
            -table["gained"],
        ]
    return table.iloc[np.lexsort(order)].reset_index(drop=True)


def gained_in_words(table: pd.DataFrame) -> tuple[int, int, int]:
    """How many items of a table with another run gained hits, lost some, and did neither."""
    moved = table["gained"]
    return int((moved > 0).sum()), int((moved < 0).sum()), int((moved == 0).sum())


def nearest(
    directions: Array, item: int, titles: Sequence[str], popularity_I: Array, most: int
) -> pd.DataFrame:
    """The `most` items with the largest cosine to `item`, which is left out: columns place, item, title, trained, cosine.

    directions: item embeddings at length 1 [I, D]; an embedding of zeros points nowhere and is near nothing.
    """
    cosine = directions @ directions[item]
    cosine[item] = -np.inf
    most = min(most, len(cosine) - 1)
    if most < 1 or not directions[item].any():
        return pd.DataFrame(columns=["place", "item", "title", "trained", "cosine"])
    found = np.argpartition(-cosine, most - 1)[:most]
    found = found[np.argsort(-cosine[found], kind="stable")]
    return pd.DataFrame(
        {
            "place": np.arange(1, most + 1),
            "item": found,
            "title": [titles[place] for place in found.tolist()],
            "trained": popularity_I[found],
            "cosine": cosine[found],
        }
    )
