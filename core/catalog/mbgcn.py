"""MBGCN (Jin et al., SIGIR 2020): config, presets and the ablations of its experiments."""

from typing import Literal

from core.catalog.base import System, Variant, setting
from core.catalog.pairwise import PairwiseConfig


class MBGCNConfig(PairwiseConfig):
    """Settings of MBGCN. Where paper and released code differ the help text says which one a choice follows."""

    epochs: int = setting(
        400,
        "passes over the target behaviour's training pairs",
        unit="epochs",
        group="Training",
        ge=1,
        le=100_000,
    )
    learning_rate: float = setting(
        3e-4, "step size of Adam; as in the released script", group="Training", gt=0, le=10
    )
    num_layers: int = setting(
        1,
        "propagation layers L; the released code has one, the paper tries several",
        unit="layers",
        ge=1,
        le=8,
    )
    importance: Literal["learned", "equal"] = setting(
        "learned", "importance w of the behaviours in a user's embedding: learned, or the same for all"
    )
    item_form: Literal["paper", "as_released"] = setting(
        "paper",
        "an item's embedding gathers from its users: their mean under any behaviour (paper), "
        "or their sum under the target alone (released code)",
    )
    item_relations: bool = setting(
        True, "whether items gather from items that the same users touched, per behaviour"
    )
    user_share: float = setting(
        0.5,
        "lambda: share of the user-based score; the rest is the item-based one, absent at 1",
        ge=0,
        le=1,
    )
    message_dropout: float = setting(
        0.2, "share of the final embeddings' entries that training drops", group="Training", ge=0, lt=1
    )
    node_dropout: float = setting(
        0.2, "share of nodes whose outgoing messages training drops", group="Training", ge=0, lt=1
    )
    l2: float = setting(
        1e-4,
        "weight of the squared norm of the batch's initial embeddings, per pair, and of the weight matrices",
        group="Training",
        ge=0,
    )


_SMALL = {
    "epochs": 60,
    "dim": 32,
    "learning_rate": 1e-2,
    "batch_size": 1024,
    "validate_every": 2,
    "snapshot_every": 5,
}

MBGCN = System(
    key="mbgcn",
    title="MBGCN",
    paper="Jin et al., Multi-behavior Recommendation with Graph Convolutional Networks, SIGIR 2020",
    summary="Weighs behaviours by a learned importance and how often a user showed them; adds an item-based score.",
    family="multi-behaviour",
    config=MBGCNConfig,
    presets={"paper": {}, "small": _SMALL},
    variants={
        "equal_importance": Variant(
            "every behaviour equally important", {"importance": "equal"}, "MBGCN, Section 5"
        ),
        "without_item_relations": Variant(
            "items gather from users alone", {"item_relations": False}, "MBGCN, Section 5"
        ),
        "without_item_score": Variant("user-based score alone", {"user_share": 1.0}, "MBGCN, Section 5"),
        "items_as_released": Variant(
            "items sum their buyers, as the released code does",
            {"item_form": "as_released"},
            "released code",
        ),
    },
    needs_auxiliary=True,
)
