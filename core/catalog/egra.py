"""EGRA (Zhang et al., 2025): config, presets, variants, and the run it is pretrained by.

The paper was at hand as a summary alone and no code is released: its equations here are our reconstruction.
"""

from typing import Literal

from pydantic import model_validator

from core.catalog.base import Parent, System, Variant, setting
from core.catalog.mgcn import SMALL_FUSION, FusionConfig


class EGRAConfig(FusionConfig):
    """Settings of EGRA. Those of the encoders are MGCN's; the others are our choice, the paper's are not known to us."""

    behavior_links: Literal["pretrained", "random", "raw_features", "none"] = setting(
        "pretrained",
        "item links in the behaviour graph: nearest by a pretrained model's embeddings, by random embeddings, by the raw "
        "features of all modalities together, or none",
        group="Graph",
    )
    backbone: Literal["mgcn", "freedom", "lightgcn"] = setting(
        "mgcn", "the system that pretrains the item embeddings, in a run of its own", group="Graph"
    )
    pretrain_epochs: int = setting(
        1000, "most epochs of the pretraining run", unit="epochs", group="Graph", ge=1, le=100_000
    )
    link_neighbors: int = setting(
        10, "links per item, K; each is kept in both directions", unit="items", group="Graph", ge=1
    )
    link_weights: Literal["cosine", "binary"] = setting(
        "cosine", "weight of an item link beside that of an interaction, which is 1", group="Graph"
    )
    eta: float = setting(
        0.1,
        "corrective signal: share of an item's behaviour embedding added after each propagation over a modality's graph",
        ge=0,
    )
    lambda_min: float = setting(
        1e-3,
        "weight that the alignment grows from: in epoch t it is t / P of the way up",
        group="Alignment",
        ge=0,
    )
    lambda_max: float = setting(
        3e-2,
        "weight of the alignment once it has grown, and throughout where it is fixed; of .01, .03 and .1 the best on "
        "validation pairs of Amazon Scientific",
        group="Alignment",
        ge=0,
    )
    growth_epochs: int = setting(
        20, "epochs over which the alignment's weight grows, P", unit="epochs", group="Alignment", ge=1
    )
    schedule: Literal["growing", "fixed"] = setting(
        "growing", "whether the alignment's weight grows with the epochs", group="Alignment"
    )
    entity_weights: Literal["misaligned", "aligned", "off"] = setting(
        "misaligned",
        "users and items that count more in the alignment: those whose behaviour and modalities agree least, most, or none",
        group="Alignment",
    )
    entity_temperature: float = setting(
        0.5, "tau_1: the smaller, the more the weights of entities differ", group="Alignment", gt=0
    )
    user_temperature: float = setting(0.2, "tau_2, of the users' alignment", group="Alignment", gt=0)
    item_temperature: float = setting(0.2, "tau_3, of the items' alignment", group="Alignment", gt=0)

    @model_validator(mode="after")
    def _lambda_does_not_fall(self) -> "EGRAConfig":
        if self.lambda_min > self.lambda_max:
            raise ValueError(
                f"lambda_min must not exceed lambda_max, got {self.lambda_min} and {self.lambda_max}"
            )
        return self


def _parent(config: EGRAConfig) -> Parent | None:
    """The run whose item embeddings make the links; none where they come from elsewhere."""
    if config.behavior_links != "pretrained":
        return None
    return Parent(config.backbone, {"epochs": config.pretrain_epochs})


_ABLATION = "EGRA, ablation study"
_CHECK = "proposed check for EGRA"
_OURS = "our control"

EGRA = System(
    key="egra",
    title="EGRA",
    paper="Zhang et al., EGRA: Toward Enhanced Behavior Graphs and Representation Alignment for Multimodal "
    "Recommendation, arXiv 2508.16170, 2025; reconstructed from its summary",
    summary="A behaviour graph enhanced by item links from pretrained embeddings, and modalities aligned with behaviour "
    "by weights per entity and epoch. A reconstruction: the paper's equations are not public to us.",
    family="multimodal",
    config=EGRAConfig,
    presets={"paper": {}, "small": {**SMALL_FUSION, "pretrain_epochs": 10, "growth_epochs": 10}},
    variants={
        "without_ebg": Variant("the plain behaviour graph", {"behavior_links": "none"}, _ABLATION),
        "random_ebg": Variant(
            "links by random embeddings: what pretraining is worth", {"behavior_links": "random"}, _CHECK
        ),
        "raw_feature_ebg": Variant("links by raw features", {"behavior_links": "raw_features"}, _CHECK),
        "backbone_freedom": Variant(
            "pretrained by FREEDOM", {"backbone": "freedom"}, "open question of EGRA"
        ),
        "backbone_lightgcn": Variant(
            "pretrained by LightGCN", {"backbone": "lightgcn"}, "open question of EGRA"
        ),
        "pretrain_5": Variant("at most 5 epochs of pretraining", {"pretrain_epochs": 5}, _CHECK),
        "pretrain_20": Variant("at most 20 epochs of pretraining", {"pretrain_epochs": 20}, _CHECK),
        "pretrain_50": Variant("at most 50 epochs of pretraining", {"pretrain_epochs": 50}, _CHECK),
        "binary_links": Variant(
            "item links weigh as much as interactions", {"link_weights": "binary"}, _OURS
        ),
        "entity_only": Variant("weights per entity, a fixed lambda", {"schedule": "fixed"}, _CHECK),
        "epoch_only": Variant("a growing lambda, all entities alike", {"entity_weights": "off"}, _CHECK),
        "fixed_lambda": Variant(
            "no dynamic weights at all", {"schedule": "fixed", "entity_weights": "off"}, _CHECK
        ),
        "aligned_first": Variant(
            "well aligned entities weigh more", {"entity_weights": "aligned"}, "the other reading of EGRA"
        ),
        "without_alignment": Variant("no alignment loss", {"lambda_min": 0.0, "lambda_max": 0.0}, _ABLATION),
        "without_corrective": Variant("no corrective signal", {"eta": 0.0}, "EGRA, Eq. 7"),
    },
    search={"lambda_max": (0.01, 0.03, 0.1), "link_neighbors": (3, 10)},
    default_protocol="mmrec",
    needs_features=True,
    parent=_parent,
)
