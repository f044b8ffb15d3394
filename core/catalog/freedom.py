"""FREEDOM (Zhou and Shen, MM 2023): config, presets and ablations."""

from core.catalog.base import System, Variant, setting
from core.catalog.multimodal import SMALL, MultimodalConfig


class FREEDOMConfig(MultimodalConfig):
    """Settings of FREEDOM. Defaults are those of the paper and its released code."""

    num_layers: int = setting(2, "propagation layers on the behaviour graph", unit="layers", ge=0, le=8)
    num_item_layers: int = setting(1, "propagation layers on the item graph", unit="layers", ge=1, le=8)
    neighbors: int = setting(
        10, "nearest items by cosine in each modality's graph, the item itself included", unit="items", ge=1
    )
    image_weight: float = setting(
        0.1,
        "weight of the image features' graph beside the others, which share the rest; without images all count alike",
        ge=0,
        le=1,
    )
    edge_dropout: float = setting(
        0.8,
        "share of the behaviour graph's pairs left out in each epoch, those between busy nodes more often",
        group="Training",
        ge=0,
        lt=1,
    )
    modal_weight: float = setting(
        1e-3, "weight of the BPR losses that rank items by each modality's features alone", ge=0
    )
    l2: float = setting(
        0.0, "weight of the squared norm of the batch's initial embeddings, per pair", group="Training", ge=0
    )


_SECTION = "FREEDOM, Section 4.4"

FREEDOM = System(
    key="freedom",
    title="FREEDOM",
    paper="Zhou and Shen, A Tale of Two Graphs: Freezing and Denoising Graph Structures for Multimodal "
    "Recommendation, MM 2023",
    summary="One frozen item graph from raw features, and a behaviour graph that is thinned anew in each epoch.",
    family="multimodal",
    config=FREEDOMConfig,
    presets={"paper": {}, "small": {**SMALL, "edge_dropout": 0.5}},
    variants={
        "without_denoising": Variant("the whole behaviour graph", {"edge_dropout": 0.0}, _SECTION),
        "without_modal_losses": Variant(
            "no ranking by features alone", {"modal_weight": 0.0}, "a setting of the released code"
        ),
    },
    search={"edge_dropout": (0.8, 0.9), "modal_weight": (0.0, 1e-5, 1e-4, 1e-3)},
    default_protocol="mmrec",
    needs_features=True,
)
