"""Baselines that a result is read against: counting, closed form, and LightGCN on one or all behaviours."""

from typing import Literal

from core.catalog.base import System, SystemConfig, TrainingConfig, Variant, setting


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


class LightGCNConfig(TrainingConfig):
    """Settings of LightGCN; `graph` decides which behaviours its edges come from."""

    epochs: int = setting(
        200,
        "passes over the target behaviour's training pairs",
        unit="epochs",
        group="Training",
        ge=1,
        le=100_000,
    )
    patience: int = setting(
        10,
        "validations without a better main metric before training stops, whatever the selection; 0 never stops early",
        group="Training",
        ge=0,
    )
    dim: int = setting(64, "embedding size", unit="dimensions", ge=1, le=1024)
    num_layers: int = setting(3, "propagation layers", unit="layers", ge=0, le=8)
    graph: Literal["target", "union", "per_behavior"] = setting(
        "target",
        "edges: the target behaviour's; all behaviours' as one graph; or one graph per behaviour, results averaged",
    )
    normalization: Literal["left", "right", "symmetric", "none"] = setting(
        "symmetric", "scaling of the adjacency"
    )
    l2: float = setting(
        1e-4, "weight of the squared norm of the batch's initial embeddings, per pair", group="Training", ge=0
    )
    batch_size: int = setting(2048, "pairs per step", unit="pairs", group="Sampling", ge=1)


_SMALL_LIGHTGCN = {
    "epochs": 40,
    "dim": 32,
    "num_layers": 2,
    "learning_rate": 1e-2,
    "batch_size": 1024,
    "validate_every": 2,
    "snapshot_every": 5,
}
_LIGHTGCN_PAPER = (
    "He et al., LightGCN: Simplifying and Powering Graph Convolution Network for Recommendation, SIGIR 2020"
)

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

LIGHTGCN = System(
    key="lightgcn",
    title="LightGCN",
    paper=_LIGHTGCN_PAPER,
    summary="Linear propagation over the target behaviour's graph, trained with BPR.",
    family="single behaviour",
    config=LightGCNConfig,
    presets={"paper": {}, "small": _SMALL_LIGHTGCN},
)

LIGHTGCN_M = System(
    key="lightgcn_m",
    title="LightGCN_M",
    paper=_LIGHTGCN_PAPER + "; on the multi-behaviour graph as in CIGF, Section 5.1.2",
    summary="LightGCN on the union of all behaviours, still trained to rank the target.",
    family="multi-behaviour",
    config=LightGCNConfig,
    presets={"paper": {"graph": "union"}, "small": {**_SMALL_LIGHTGCN, "graph": "union"}},
    variants={
        "per_behavior": Variant("one graph per behaviour, results averaged", {"graph": "per_behavior"})
    },
    needs_auxiliary=True,
)
