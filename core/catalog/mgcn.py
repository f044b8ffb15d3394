"""MGCN (Yu et al., MM 2023): config, presets and ablations; also what EGRA pretrains."""

from core.catalog.base import Patch, System, Variant, setting
from core.catalog.multimodal import SMALL, MultimodalConfig, penalty

SECTION = "MGCN, ablation study"


class FusionConfig(MultimodalConfig):
    """Settings of models that purify item features by behaviour and fuse them by preference (MGCN, EGRA).

    Defaults are those of MGCN's released code.
    """

    lr_decay: float = setting(
        0.96, "factor on the learning rate at every stair; 1 keeps it constant", group="Training", gt=0, le=1
    )
    lr_decay_epochs: int = setting(
        50,
        "epochs over which the learning rate falls evenly by its factor, instead of in stairs; 0: stairs",
        unit="epochs",
        group="Training",
        ge=0,
    )
    num_layers: int = setting(2, "propagation layers on the behaviour graph", unit="layers", ge=0, le=8)
    num_item_layers: int = setting(
        1, "propagation layers on the item graph of each modality", unit="layers", ge=1, le=8
    )
    neighbors: int = setting(
        10, "nearest items by cosine in each modality's graph, the item itself included", unit="items", ge=1
    )
    temperature: float = setting(0.2, "temperature of the contrastive losses", gt=0)
    l2: float = penalty("weight of the squared norm of the batch's final embeddings, half of it per pair")


class MGCNConfig(FusionConfig):
    """Settings of MGCN."""

    cl_weight: float = setting(
        0.01, "weight of the contrastive losses between side and content; the paper tries .001, .01, .1", ge=0
    )


SMALL_FUSION: Patch = {**SMALL, "lr_decay": 1.0}

MGCN = System(
    key="mgcn",
    title="MGCN",
    paper="Yu et al., Multi-View Graph Convolutional Network for Multimedia Recommendation, MM 2023",
    summary="Features purified by behaviour, item graphs per modality, and a fusion that asks each user's preference.",
    family="multimodal",
    config=MGCNConfig,
    presets={"paper": {}, "small": SMALL_FUSION},
    variants={
        "without_contrast": Variant("without the contrastive losses", {"cl_weight": 0.0}, SECTION),
    },
    search={"cl_weight": (0.001, 0.01, 0.1)},
    default_protocol="mmrec",
    needs_features=True,
)
