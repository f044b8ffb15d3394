"""CRGCN (Yan et al., TOIS 2023): config, presets, and the ablations of its experiments."""

from typing import Literal

from core.catalog.base import Patch, System, TrainingConfig, Variant, setting


class CRGCNConfig(TrainingConfig):
    """Settings of CRGCN. Defaults are those of the released code."""

    epochs: int = setting(
        200,
        "passes over the users, each with `positives_per_user` pairs per behaviour",
        unit="epochs",
        group="Training",
        ge=1,
        le=100_000,
    )
    learning_rate: float = setting(1e-2, "step size of Adam", group="Training", gt=0, le=10)
    validate_every: int = setting(1, "epochs between two validations", unit="epochs", group="Training", ge=1)
    patience: int = setting(
        20,
        "validations without a better main metric before training stops, whatever the selection; 0 never stops early",
        group="Training",
        ge=0,
    )
    dim: int = setting(64, "embedding size", unit="dimensions", ge=1, le=1024)
    num_layers: int = setting(1, "propagation layers on every behaviour's graph", unit="layers", ge=1, le=8)
    layers_by_behavior: str = setting(
        "",
        "layers of each behaviour's graph in funnel order, such as 1,2,1; empty: `num_layers` for all",
        pattern=r"^([1-8](,[1-8])*)?$",
    )
    residual: bool = setting(True, "whether a behaviour adds to what the one before it passed on")
    order: Literal["funnel", "reversed"] = setting(
        "funnel", "order of the auxiliary behaviours in the cascade; the target stays last"
    )
    tasks: Literal["all", "target"] = setting(
        "all", "behaviours that the loss covers: every one (multi-task) or the target alone"
    )
    l2: float = setting(
        1e-3, "weight of the norms of both tables, over the number of items", group="Training", ge=0
    )
    negatives: Literal["untouched", "per_behavior"] = setting(
        "untouched",
        "items that a pair is ranked above: untouched under any behaviour (released code), or under the pair's own",
        group="Sampling",
    )
    batch_users: int = setting(1024, "users per step", unit="users", group="Sampling", ge=1)
    positives_per_user: int = setting(
        1, "most pairs drawn per user, behaviour and step (released code: 1)", group="Sampling", ge=1
    )


_SMALL: Patch = {
    "epochs": 40,
    "dim": 32,
    "batch_users": 256,
    "positives_per_user": 8,
    "validate_every": 2,
    "patience": 10,
    "snapshot_every": 5,
}

CRGCN = System(
    key="crgcn",
    title="CRGCN",
    paper="Yan et al., Cascading Residual Graph Convolutional Network for Multi-Behavior Recommendation, TOIS 2023",
    summary="Refines embeddings from behaviour to behaviour along the funnel and learns to predict each of them.",
    family="multi-behaviour",
    config=CRGCNConfig,
    presets={"paper": {}, "small": _SMALL},
    variants={
        "without_residual": Variant(
            "a behaviour replaces what came before it", {"residual": False}, "CRGCN, ablation study"
        ),
        "single_task": Variant("trained on the target alone", {"tasks": "target"}, "CRGCN, ablation study"),
        "reversed_order": Variant(
            "auxiliary behaviours in reverse", {"order": "reversed"}, "CRGCN, order of behaviours"
        ),
        "two_layers": Variant("two layers per behaviour", {"num_layers": 2}, "CRGCN, number of layers"),
        "negatives_per_behavior": Variant(
            "negatives untouched under the pair's own behaviour",
            {"negatives": "per_behavior"},
            "the other reading of the loss",
        ),
    },
    needs_auxiliary=True,
    is_multi_task=True,
)
