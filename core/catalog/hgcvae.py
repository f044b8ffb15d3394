"""HGCVAE (arXiv 2310.11102, 2023; its code is released as HVGAE): config, presets, and the ablations of its experiments."""

from typing import Literal

from pydantic import model_validator

from core.catalog.base import Patch, System, Variant, setting
from core.catalog.hetero import HANConfig

MOST_MASKED = 0.95


class HGCVAEConfig(HANConfig):
    """Settings of HGCVAE. Defaults are those that the released code uses on DBLP, without its configuration file, which
    its entry point ignores."""

    epochs: int = setting(
        40,
        "steps over the whole graph; schedules of masks and negatives stretch with them",
        unit="epochs",
        group="Training",
        ge=1,
        le=100_000,
    )
    learning_rate: float = setting(4e-4, "step size of Adam", group="Training", gt=0, le=10)
    mask_rate: float = setting(
        0.3, "share of nodes whose features are masked at first", group="Masking", ge=0, le=MOST_MASKED
    )
    mask_schedule: Literal["linear", "fixed", "exponential", "stepwise"] = setting(
        "linear",
        "how the share grows to twice its start: evenly (as published), never, by a constant factor, or in four stairs",
        group="Masking",
    )
    keep_rate: float = setting(
        0.3, "share of the masked nodes that keep their features", group="Masking", ge=0, lt=1
    )
    replace_rate: float = setting(
        0.0, "share of the masked nodes that take another node's features", group="Masking", ge=0, lt=1
    )
    esce: Literal["released", "focal", "sce", "mse"] = setting(
        "released",
        "reconstruction error: enhanced scaled cosine as in the released code, as the paper's text suggests (focal), scaled "
        "cosine, or squared",
        group="Losses",
    )
    esce_power: float = setting(
        2.0, "exponent of the reconstruction error: how little easy nodes count", group="Losses", ge=0, le=10
    )
    esce_weight: float = setting(0.2, "weight of the reconstruction error", group="Losses", ge=0)
    kl_weight: float = setting(
        0.7, "weight of the KL divergence from the standard normal", group="Losses", ge=0
    )
    contrastive_weight: float = setting(0.8, "weight of InfoNCE", group="Losses", ge=0)
    temperature: float = setting(0.1, "temperature of InfoNCE", group="Losses", gt=0, le=10)
    negatives: Literal["progressive", "dropout", "variational"] = setting(
        "progressive",
        "where tables of negatives come from: dropout at first and more and more from the variational heads, or one alone",
        group="Negatives",
    )
    num_negatives: int = setting(
        20, "tables of negatives, one row per node each", unit="tables", group="Negatives", ge=1, le=1000
    )
    variational_from: float = setting(
        0.625,
        "share of the epochs after which all negatives are variational (released code: epoch 25 of 40)",
        group="Negatives",
        gt=0,
        le=1,
    )
    cap_negatives: bool = setting(
        True,
        "whether their number stays; off: it grows on with the share of variational ones, as released",
        group="Negatives",
    )
    negative_dropout: float = setting(
        0.1, "share of a node's embedding left out to make a negative", group="Negatives", ge=0, lt=1
    )
    deviation: float = setting(
        3.0, "factor on the latent means of variational negatives", group="Negatives", ge=0, le=100
    )
    exclude_own: bool = setting(
        True,
        "whether a node is no negative of itself (released code: it is, in every dropout table)",
        group="Negatives",
    )
    negative_nodes: int = setting(
        0, "rows drawn of every table of negatives; 0 takes all", unit="nodes", group="Negatives", ge=0
    )
    decoder_input: Literal["h2", "z"] = setting(
        "h2", "what is decoded: the second pass (released code) or the latent sample (paper)"
    )
    normalise_heads: bool = setting(
        True,
        "whether rows of latent means and log scales have length one (released code), which bounds the KL divergence",
    )

    @model_validator(mode="after")
    def _fits(self) -> "HGCVAEConfig":
        if self.hidden % self.heads:
            raise ValueError(f"{self.heads} heads do not divide hidden = {self.hidden}: choose a multiple")
        if self.keep_rate + self.replace_rate >= 1:
            raise ValueError(
                f"keep_rate {self.keep_rate} and replace_rate {self.replace_rate} leave nothing to mask: their sum must lie "
                "below 1"
            )
        if not (self.contrastive_weight or self.kl_weight or self.esce_weight):
            raise ValueError("all three losses have weight 0: give one of them a weight")
        return self


_SMALL: Patch = {
    "hidden": 64,
    "heads": 2,
    "num_layers": 2,
    "semantic_dim": 32,
    "learning_rate": 2e-3,
    "patience": 0,
    "snapshot_every": 4,
    "negative_nodes": 256,
}
_NO_CONTRAST: Patch = {"contrastive_weight": 0.0}

HGCVAE = System(
    key="hgcvae",
    title="HGCVAE",
    paper="Refining Latent Representations: A Generative SSL Approach for Heterogeneous Graph Learning, arXiv 2310.11102, 2023",
    summary="Learns node embeddings without labels: contrast with negatives from a variational encoder, and masked features restored.",
    family="heterogeneous",
    config=HGCVAEConfig,
    presets={"paper": {}, "small": _SMALL},
    variants={
        "without_contrastive": Variant("without InfoNCE", _NO_CONTRAST, "HGCVAE, ablation study"),
        "without_kl": Variant("without the KL divergence", {"kl_weight": 0.0}, "HGCVAE, ablation study"),
        "without_esce": Variant(
            "without restoring masked features", {"esce_weight": 0.0}, "HGCVAE, ablation study"
        ),
        "dropout_negatives": Variant(
            "negatives by dropout alone", {"negatives": "dropout"}, "HGCVAE, negative samples"
        ),
        "variational_negatives": Variant(
            "variational negatives alone", {"negatives": "variational"}, "HGCVAE, negative samples"
        ),
        "growing_negatives": Variant(
            "the number of negatives grows on, and a node is its own negative",
            {"cap_negatives": False, "exclude_own": False},
            "released code",
        ),
        "fixed_mask": Variant("a constant mask rate", {"mask_schedule": "fixed"}, "HGCVAE, mask strategy"),
        "exponential_mask": Variant(
            "a mask rate that grows by a factor", {"mask_schedule": "exponential"}, "HGCVAE, mask strategy"
        ),
        "stepwise_mask": Variant(
            "a mask rate that grows in four stairs", {"mask_schedule": "stepwise"}, "HGCVAE, mask strategy"
        ),
        "decode_latent": Variant(
            "the decoder reads the latent sample", {"decoder_input": "z"}, "the equations of the paper"
        ),
        "free_heads": Variant(
            "latent means and scales of any length, so that the KL divergence can collapse",
            {"normalise_heads": False},
            "",
        ),
        "focal_esce": Variant("the focal form of the error", {"esce": "focal"}, "text of the paper"),
        "sce": Variant("scaled cosine error", {"esce": "sce"}, "HGCVAE, criterion"),
        "mse": Variant("squared error", {"esce": "mse"}, "HGCVAE, criterion"),
        "one_layer": Variant("one HAN layer", {"num_layers": 1}, "HGCVAE, number of layers"),
        "mean_of_metapaths": Variant("without attention over metapaths", {"semantic_dim": 0}, ""),
    },
    search={"learning_rate": (2e-4, 4e-4, 1e-3, 2e-3)},
    default_protocol="heco",
    default_selection="loss",
)
