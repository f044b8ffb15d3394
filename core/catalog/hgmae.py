"""HGMAE (Tian et al., AAAI 2023): config, presets and ablations."""

from pydantic import model_validator

from core.catalog.base import Patch, System, Variant, setting
from core.catalog.hetero import HANConfig


class HGMAEConfig(HANConfig):
    """Settings of HGMAE. Defaults are those that the released code uses on ACM."""

    epochs: int = setting(
        10_000, "steps over the whole graph", unit="epochs", group="Training", ge=1, le=100_000
    )
    learning_rate: float = setting(8e-4, "step size of Adam", group="Training", gt=0, le=10)
    lr_decay: float = setting(
        0.999,
        "factor on the learning rate at every stair; 1 keeps it constant",
        group="Training",
        gt=0,
        le=1,
    )
    lr_decay_steps: int = setting(
        1, "training steps per stair, one step per epoch", unit="steps", group="Training", ge=1
    )
    num_layers: int = setting(2, "HAN layers of the encoder", unit="layers", ge=1, le=8)
    attention_dropout: float = setting(0.5, "share of attention left out", ge=0, lt=1)
    attribute_weight: float = setting(
        1.0, "weight of restoring the features of masked nodes", group="Losses", ge=0
    )
    attribute_power: float = setting(
        1.0, "exponent of that error: how little easy nodes count", group="Losses", ge=0, le=10
    )
    mask_rate: float = setting(
        0.5, "share of nodes whose features are masked at first", group="Masking", ge=0, lt=1
    )
    mask_step: float = setting(
        0.005, "how much this share grows every epoch", unit="per epoch", group="Masking", ge=0, lt=1
    )
    mask_most: float = setting(0.8, "the share at which it stops growing", group="Masking", ge=0, lt=1)
    keep_rate: float = setting(
        0.3, "share of the masked nodes that keep their features", group="Masking", ge=0, lt=1
    )
    replace_rate: float = setting(
        0.2, "share of the masked nodes that take another node's features", group="Masking", ge=0, lt=1
    )
    edge_weight: float = setting(1.0, "weight of restoring metapath edges", group="Losses", ge=0)
    edge_power: float = setting(3.0, "exponent of that error", group="Losses", ge=0, le=10)
    edge_drop: float = setting(
        0.7, "share of each metapath's edges left out at first", group="Masking", ge=0, lt=1
    )
    edge_drop_step: float = setting(
        0.0, "how much this share grows every epoch", unit="per epoch", group="Masking", ge=0, lt=1
    )
    edge_drop_most: float = setting(0.8, "the share at which it stops growing", group="Masking", ge=0, lt=1)
    position_weight: float = setting(
        0.1, "weight of predicting positions by metapath2vec", group="Losses", ge=0
    )
    position_power: float = setting(2.0, "exponent of that error", group="Losses", ge=0, le=10)
    position_dropout: float = setting(
        0.2, "share left out within the network that predicts positions", group="Positions", ge=0, lt=1
    )
    position_dim: int = setting(64, "size of a position", unit="dimensions", group="Positions", ge=1, le=1024)
    position_epochs: int = setting(
        20, "passes of metapath2vec over newly drawn walks", unit="epochs", group="Positions", ge=1
    )
    position_rate: float = setting(
        5e-3, "step size of metapath2vec's Adam (released code: 1e-3 on ACM)", group="Positions", gt=0, le=10
    )
    walk_steps: int = setting(10, "steps of a walk", unit="steps", group="Positions", ge=1, le=1000)
    walks_per_node: int = setting(
        1,
        "walks from each node per metapath and pass (released code: 3 in all)",
        unit="walks",
        group="Positions",
        ge=1,
    )
    walk_window: int = setting(
        3, "nodes of a walk that are neighbours in it, the first included", group="Positions", ge=2, le=100
    )
    walk_negatives: int = setting(
        3, "negatives per pair of neighbours in a walk", group="Positions", ge=1, le=100
    )

    @model_validator(mode="after")
    def _fits(self) -> "HGMAEConfig":
        if self.hidden % self.heads:
            raise ValueError(f"{self.heads} heads do not divide hidden = {self.hidden}: choose a multiple")
        if self.keep_rate + self.replace_rate >= 1:
            raise ValueError(
                f"keep_rate {self.keep_rate} and replace_rate {self.replace_rate} leave nothing to mask: their sum must lie "
                "below 1"
            )
        if not (self.attribute_weight or self.edge_weight or self.position_weight):
            raise ValueError("all three losses have weight 0: give one of them a weight")
        return self


_DBLP: Patch = {
    "attribute_power": 3.0,
    "attention_dropout": 0.0,
    "feature_dropout": 0.4,
    "keep_rate": 0.1,
    "replace_rate": 0.3,
    "edge_drop": 0.5,
    "edge_weight": 0.5,
    "position_weight": 0.5,
    "walk_window": 5,
    "hidden": 256,
    "num_layers": 3,
    "learning_rate": 1e-3,
    "lr_decay": 0.99,
}
_SMALL: Patch = {
    "epochs": 60,
    "learning_rate": 3e-3,
    "hidden": 32,
    "heads": 2,
    "semantic_dim": 32,
    "patience": 0,
    "validate_every": 20,
    "snapshot_every": 10,
    "position_epochs": 5,
}
_ABLATION = "HGMAE, ablation study"

HGMAE = System(
    key="hgmae",
    title="HGMAE",
    paper="Tian et al., Heterogeneous Graph Masked Autoencoders, AAAI 2023, arXiv 2208.09957",
    summary="Restores masked features, metapath edges left out, and positions by metapath2vec; no labels, no contrast.",
    family="heterogeneous",
    config=HGMAEConfig,
    presets={"paper": {}, "paper-dblp": _DBLP, "small": _SMALL},
    variants={
        "without_edges": Variant("without restoring edges", {"edge_weight": 0.0}, f"{_ABLATION}, w/o MER"),
        "without_attributes": Variant(
            "without restoring features", {"attribute_weight": 0.0}, f"{_ABLATION}, w/o TAR"
        ),
        "without_positions": Variant(
            "without predicting positions", {"position_weight": 0.0}, f"{_ABLATION}, w/o PFP"
        ),
        "fixed_mask": Variant(
            "a constant mask rate", {"mask_step": 0.0}, f"{_ABLATION}, w/o dynamic mask rate"
        ),
        "growing_edge_drop": Variant(
            "a growing share of edges left out",
            {"edge_drop": 0.5, "edge_drop_step": 0.005},
            "released code, Freebase",
        ),
        "mean_of_metapaths": Variant("without attention over metapaths", {"semantic_dim": 0}, ""),
    },
    default_protocol="heco",
    default_selection="loss",
)
