"""Baselines without training that a result is read against: they count, or solve in closed form."""

from typing import Literal

from core.catalog.base import System, SystemConfig, Variant, setting


class PopularityConfig(SystemConfig):
    """Popularity has nothing to set."""


class SeenBeforeConfig(SystemConfig):
    """SeenBefore has nothing to set."""


class EASEConfig(SystemConfig):
    """Settings of EASE."""

    l2: float = setting(250.0, "ridge penalty lambda on the item-item weights", gt=0)
    history: Literal["target", "all"] = setting("target", "behaviours whose pairs form the user-item matrix")
    max_items: int = setting(
        20_000,
        "refuse to fit beyond this many items with interactions: the dense inverse grows with their square",
        unit="items",
        ge=1,
    )


class ItemKNNConfig(SystemConfig):
    """Settings of ItemKNN."""

    neighbors: int = setting(
        50,
        "most similar items kept per item; the toolkit of Dacrema et al. searches 5 to 1,000",
        ge=1,
        le=5000,
    )
    shrinkage: float = setting(
        100.0, "added to the product of norms, so that few common users prove little; 0 to 1,000", ge=0
    )
    history: Literal["target", "all"] = setting("target", "behaviours whose pairs form the user-item matrix")


POPULARITY = System(
    key="popularity",
    title="Popularity",
    paper="none; the floor of every table",
    summary="Ranks items by their number of training pairs under the target behaviour.",
    family="counting",
    config=PopularityConfig,
    presets={"paper": {}, "small": {}},
)

SEEN_BEFORE = System(
    key="seen_before",
    title="SeenBefore",
    paper="none; counts what the user already touched",
    summary="Ranks items by how many auxiliary behaviours the user showed on them; popularity breaks ties.",
    family="counting",
    config=SeenBeforeConfig,
    presets={"paper": {}, "small": {}},
    needs_auxiliary=True,
)

EASE = System(
    key="ease",
    title="EASE",
    paper="Steck, Embarrassingly Shallow Autoencoders for Sparse Data, WWW 2019",
    summary="Closed-form linear item-item model with a zero diagonal.",
    family="single behaviour",
    config=EASEConfig,
    presets={"paper": {}, "small": {"l2": 20.0}},
    variants={"all_behaviors": Variant("pairs of every behaviour", {"history": "all"})},
)

ITEM_KNN = System(
    key="itemknn",
    title="ItemKNN",
    paper="Deshpande and Karypis, Item-Based Top-N Recommendation Algorithms, ACM TOIS 2004",
    summary="Sums the shrunk cosines between an item and its nearest neighbours in the user's history.",
    family="single behaviour",
    config=ItemKNNConfig,
    presets={"paper": {}, "small": {"neighbors": 100, "shrinkage": 10.0}},
    variants={"all_behaviors": Variant("pairs of every behaviour", {"history": "all"})},
)
