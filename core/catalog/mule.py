"""MuLe (Lee et al., CIKM 2024): config, presets, and the ablations of its experiments."""

from typing import Literal

from core.catalog.base import Patch, System, Variant, setting
from core.catalog.pairwise import PairwiseConfig


class MuLeConfig(PairwiseConfig):
    """Settings of MuLe. Defaults are those of the released code for its Taobao data."""

    epochs: int = setting(
        100,
        "passes over the target behaviour's training pairs",
        unit="epochs",
        group="Training",
        ge=1,
        le=100_000,
    )
    learning_rate: float = setting(1e-4, "step size of Adam", group="Training", gt=0, le=10)
    validate_every: int = setting(1, "epochs between two validations", unit="epochs", group="Training", ge=1)
    snapshot_every: int = setting(
        5,
        "epochs between two snapshots of what the model learned; 0 keeps only the end",
        unit="epochs",
        group="Training",
        ge=0,
    )
    num_layers: int = setting(
        1, "propagation layers on every graph but the difference graphs", unit="layers", ge=1, le=8
    )
    num_difference_layers: int = setting(
        4,
        "propagation layers on difference graphs: pairs of a behaviour that never reached the target",
        unit="layers",
        ge=1,
        le=8,
    )
    hierarchy: Literal["full", "without_unified", "without_behavior", "without_components"] = setting(
        "full",
        "grains: the unified graph, the behaviours and their components (full), or all but one of these",
    )
    denoising: Literal["attention", "none"] = setting(
        "attention",
        "edges of difference graphs: weighed by attention that the target guides (TDA), or by degrees like all others",
    )
    attention_over: Literal["sent", "received"] = setting(
        "sent",
        "whose edges TDA's shares add up over: those a node sends along (released code), or those it receives",
    )
    aggregator: Literal["linear", "leaky", "mean"] = setting(
        "linear",
        "attention of the aggregator: linear in query and source (released code), where the query cancels in the softmax "
        "and with it the whole first stage; with a LeakyReLU, so that both stages count; or the plain mean",
    )
    leaky_slope: float = setting(
        0.2, "slope of the leaky aggregator's LeakyReLU for negative inputs", ge=0, lt=1
    )
    l2: float = setting(
        0.0, "weight of the squared norm of the batch's initial embeddings, per pair", group="Training", ge=0
    )
    batch_size: int = setting(1024, "pairs per step", unit="pairs", group="Sampling", ge=1)


_SMALL: Patch = {
    "epochs": 30,
    "dim": 32,
    "learning_rate": 1e-2,
    "num_difference_layers": 2,
    "validate_every": 2,
}
_SOURCE = "MuLe, ablation study"

MULE = System(
    key="mule",
    title="MuLe",
    paper="Lee et al., MuLe: Multi-Grained Graph Learning for Multi-Behavior Recommendation, CIKM 2024",
    summary="From the graph of all behaviours to each one and to its pairs with and without the target, then attention.",
    family="multi-behaviour",
    config=MuLeConfig,
    presets={
        "paper": {},
        "paper-tmall": {"learning_rate": 5e-4, "l2": 1e-5, "num_difference_layers": 5},
        "paper-jdata": {"learning_rate": 1e-3, "num_difference_layers": 5},
        "small": _SMALL,
    },
    variants={
        "without_tda": Variant(
            "difference graphs without attention, by degrees like all others",
            {"denoising": "none"},
            _SOURCE,
        ),
        "without_unified": Variant(
            "behaviours start at the initial embeddings", {"hierarchy": "without_unified"}, _SOURCE
        ),
        "without_behavior_level": Variant(
            "components refine the unified graph", {"hierarchy": "without_behavior"}, _SOURCE
        ),
        "without_components": Variant(
            "without intersections and differences", {"hierarchy": "without_components"}, _SOURCE
        ),
        "mean_aggregator": Variant("sources averaged, no attention", {"aggregator": "mean"}, _SOURCE),
        "leaky_aggregator": Variant(
            "LeakyReLU before the aggregator's softmax, so that its first stage counts",
            {"aggregator": "leaky"},
            "control: in the released code the query cancels",
        ),
        "attention_received": Variant(
            "TDA's shares add up over the edges a node receives",
            {"attention_over": "received"},
            "the other reading of TDA",
        ),
    },
    needs_auxiliary=True,
)
