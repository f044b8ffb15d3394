"""Baselines without training that a result is read against: they count, or solve in closed form."""

from typing import Literal

from pydantic import model_validator

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


class CascadingRankConfig(SystemConfig):
    """Settings of CascadingRank. What alpha and beta leave of 1 is gamma, the weight of smoothness over the graph."""

    alpha: float = setting(0.0, "weight of query fitting: the user's own node and items", ge=0, le=1)
    beta: float = setting(
        0.9, "weight of cascading alignment: the scores of the behaviour before", ge=0, le=1
    )
    tolerance: float = setting(
        1e-4, "share of the initial error that may remain when iterating ends", gt=0, lt=1
    )

    @model_validator(mode="after")
    def _weights_leave_a_fixed_point(self) -> "CascadingRankConfig":
        if not 0 < self.alpha + self.beta <= 1:
            raise ValueError(
                f"alpha + beta must lie above 0 and not above 1, got {self.alpha} + {self.beta}: gamma is the rest"
            )
        return self


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
    presets={"paper": {}, "small": {"neighbors": 100, "shrinkage": 50.0}},
    variants={"all_behaviors": Variant("pairs of every behaviour", {"history": "all"})},
)

CASCADING_RANK = System(
    key="cascading_rank",
    title="CascadingRank",
    paper="Ko et al., Personalized Ranking on Cascading Behavior Graphs for Accurate Multi-Behavior Recommendation, "
    "arXiv 2502.11335",
    summary="Spreads scores from the user over each behaviour's graph in turn; nothing is trained.",
    family="multi-behaviour",
    config=CascadingRankConfig,
    presets={
        "paper": {},
        "paper-taobao": {"alpha": 0.0, "beta": 0.9},
        "paper-tmall": {"alpha": 0.7, "beta": 0.2},
        "paper-tenrec": {"alpha": 0.3, "beta": 0.6},
        "small": {"alpha": 0.0, "beta": 0.5},
    },
    variants={
        "without_cascade": Variant("the target's graph alone", {"alpha": 0.5, "beta": 0.0}),
    },
    needs_auxiliary=True,
)
