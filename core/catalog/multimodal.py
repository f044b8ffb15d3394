"""Settings that multimodal rankers share, and the defaults they are published with."""

from typing import Any

from core.catalog.base import Patch, setting
from core.catalog.pairwise import PairwiseConfig


class MultimodalConfig(PairwiseConfig):
    """Settings of rankers that use item features. Defaults are those of the toolkit they are published with: up to 1,000
    epochs, validated after each, stopped after twenty without gain."""

    epochs: int = setting(
        1000,
        "passes over the target behaviour's training pairs",
        unit="epochs",
        group="Training",
        ge=1,
        le=100_000,
    )
    validate_every: int = setting(1, "epochs between two validations", unit="epochs", group="Training", ge=1)
    patience: int = setting(
        20,
        "validations without a better main metric before training stops, whatever the selection; 0 never stops early",
        group="Training",
        ge=0,
    )
    snapshot_every: int = setting(
        20,
        "epochs between two snapshots of what the model learned; 0 keeps only the end",
        unit="epochs",
        group="Training",
        ge=0,
    )


def penalty(text: str, default: float = 1e-4) -> Any:
    """The setting `l2` where it weighs something else than the batch's initial embeddings."""
    return setting(default, text, group="Training", ge=0)


SMALL: Patch = {
    "epochs": 40,
    "dim": 32,
    "learning_rate": 1e-2,
    "batch_size": 1024,
    "validate_every": 2,
    "patience": 10,
    "snapshot_every": 5,
}
