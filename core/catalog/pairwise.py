"""Settings that every ranker trained with BPR on the target's training pairs shares."""

from core.catalog.base import TrainingConfig, setting


class PairwiseConfig(TrainingConfig):
    """Embeddings, their penalty, and how many pairs make a step."""

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
    l2: float = setting(
        1e-4, "weight of the squared norm of the batch's initial embeddings, per pair", group="Training", ge=0
    )
    batch_size: int = setting(2048, "pairs per step", unit="pairs", group="Sampling", ge=1)
