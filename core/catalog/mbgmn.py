"""MB-GMN (Xia et al., SIGIR 2021): config, presets and the ablations of its experiments."""

from typing import Literal

from pydantic import model_validator

from core.catalog.base import System, TrainingConfig, Variant, setting


class MBGMNConfig(TrainingConfig):
    """Settings of MB-GMN. Where paper and released code differ the help text says which one a choice follows."""

    dim: int = setting(16, "embedding size d", unit="dimensions", ge=1, le=256)
    rank: int = setting(
        4, "rank r of the personal transformations; the released script has 4 or 2", ge=1, le=64
    )
    num_layers: int = setting(2, "layers L of the meta graph network", unit="layers", ge=1, le=8)
    num_heads: int = setting(2, "attention heads across behaviours", ge=1, le=16)
    form: Literal["paper", "as_released"] = setting(
        "paper",
        "paper: parameters linear in the context, attention with query, key and value; as_released: a hidden layer "
        "before them, the transformed embedding beside the plain one (twice as wide), query and key tied, no value",
    )
    specialization: Literal["personal", "none"] = setting(
        "personal", "personal low-rank transformation of every embedding per behaviour, or none"
    )
    attention: Literal["heads", "none"] = setting(
        "heads", "attention across behaviours in the shared encoding, or their plain sum"
    )
    prediction: Literal["personal", "shared"] = setting(
        "personal", "parameters of the predicting layers: generated per pair, or shared by all"
    )
    leaky_slope: float = setting(
        0.2, "slope of LeakyReLU for negative inputs; TensorFlow's default in the released code", ge=0, le=1
    )
    score_scale: float = setting(100.0, "factor on the score, against the margin of 1 (released code)", gt=0)
    l2: float = setting(0.01, "weight of the squared norm of tables and weights", group="Training", ge=0)
    lr_decay: float = setting(
        0.96, "factor on the learning rate at every stair", group="Training", gt=0, le=1
    )
    lr_decay_steps: int = setting(39, "training steps per stair", unit="steps", group="Training", ge=1)
    users_per_epoch: int = setting(
        10_000, "random users that make one epoch", unit="users", group="Sampling", ge=1
    )
    batch_users: int = setting(256, "users per step", unit="users", group="Sampling", ge=1)
    positives_per_user: int = setting(
        40, "most positives drawn per user and behaviour, as many negatives with them", group="Sampling", ge=1
    )

    @property
    def width(self) -> int:
        """Size of the embeddings that travel over the graph."""
        return 2 * self.dim if self.form == "as_released" else self.dim

    @model_validator(mode="after")
    def _heads_divide_the_width(self) -> "MBGMNConfig":
        if self.attention == "heads" and self.width % self.num_heads:
            raise ValueError(
                f"num_heads {self.num_heads} must divide the width {self.width}; lower num_heads"
            )
        return self


# The predictor's cost grows with the cube of dim: 8 keeps small data under a minute on one core.
_SMALL = {
    "epochs": 40,
    "dim": 8,
    "learning_rate": 2e-2,
    "score_scale": 10.0,
    "l2": 1e-4,
    "users_per_epoch": 1500,
    "positives_per_user": 8,
    "lr_decay_steps": 60,
    "validate_every": 4,
    "snapshot_every": 5,
}

MBGMN = System(
    key="mbgmn",
    title="MB-GMN",
    paper="Xia et al., Graph Meta Network for Multi-Behavior Recommendation, SIGIR 2021",
    summary="Meta networks give every user and item transformations of its own, and every pair its own predictor.",
    family="multi-behaviour",
    config=MBGMNConfig,
    presets={"paper": {}, "small": _SMALL},
    variants={
        "as_released": Variant("as the released code computes it", {"form": "as_released"}, "released code"),
        "without_specialization": Variant(
            "without personal transformations", {"specialization": "none"}, "MB-GMN, Section 4"
        ),
        "without_attention": Variant(
            "behaviours summed without attention", {"attention": "none"}, "MB-GMN, Section 4"
        ),
        "without_meta_prediction": Variant(
            "one predictor for all pairs", {"prediction": "shared"}, "MB-GMN, Section 4"
        ),
    },
    default_protocol="sampled99",
    needs_auxiliary=True,
    is_multi_task=True,
)
