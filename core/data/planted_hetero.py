"""The planted heterogeneous view: items with users, brands, tags and shelves; shelves are pure noise."""

import numpy as np
from numpy.typing import NDArray

from core.data.hetero import HeteroContent, Metapath, Relation
from core.data.label_splits import class_splits
from core.data.planted_items import NUM_LABELS, Items

BOUGHT_BY = Relation("item", "bought_by", "user")
MADE_BY = Relation("item", "made_by", "brand")
TAGGED = Relation("item", "tagged", "tag")
NOISE_RELATION = Relation("item", "placed_on", "shelf")
RELATIONS = (BOUGHT_BY, MADE_BY, TAGGED, NOISE_RELATION)
METAPATHS = {
    name: Metapath(("item", relation.destination, "item"), (relation.name, relation.name))
    for name, relation in zip(("IUI", "IBI", "ITI", "ISI"), RELATIONS, strict=True)
}
NUM_BRANDS, NUM_TAGS, NUM_SHELVES = 60, 40, 25
TAGS_PER_ITEM = 3
BRAND_FIDELITY, TAG_FIDELITY = 0.8, 0.7


def hetero_view(
    rng: np.random.Generator, items: Items, purchases: NDArray[np.int32], num_users: int
) -> HeteroContent:
    """The view over `purchases`, [P, 2] (item, user) training pairs. Item features are the text modality."""
    edges = {
        BOUGHT_BY: purchases,
        MADE_BY: _loyal_edges(rng, items.label, NUM_BRANDS, 1, BRAND_FIDELITY),
        TAGGED: _loyal_edges(rng, items.label, NUM_TAGS, TAGS_PER_ITEM, TAG_FIDELITY),
        NOISE_RELATION: _loyal_edges(rng, items.label, NUM_SHELVES, 1, 0.0),
    }
    counts = {
        "item": len(items.label),
        "user": num_users,
        "brand": NUM_BRANDS,
        "tag": NUM_TAGS,
        "shelf": NUM_SHELVES,
    }
    return HeteroContent(
        target_type="item",
        counts=counts,
        edges={relation: _sorted_distinct(pairs) for relation, pairs in edges.items()},
        features={"item": items.features["text"]},
        labels=items.label,
        splits=class_splits(rng, items.label, NUM_LABELS),
        metapaths=METAPATHS,
    )


def _loyal_edges(
    rng: np.random.Generator, labels: NDArray[np.int64], count: int, per_item: int, fidelity: float
) -> NDArray[np.int32]:
    """`per_item` edges per item: with probability `fidelity` to a node of the item's own label, else to any."""
    item = np.repeat(np.arange(len(labels)), per_item)
    own = labels[item] + NUM_LABELS * rng.integers(0, count // NUM_LABELS, len(item))
    other = rng.integers(0, count, len(item))
    node = np.where(rng.random(len(item)) < fidelity, own, other)
    return np.stack([item, node], axis=1).astype(np.int32)


def _sorted_distinct(pairs: NDArray[np.int32]) -> NDArray[np.int32]:
    distinct: NDArray[np.int32] = np.unique(pairs, axis=0)
    return distinct
