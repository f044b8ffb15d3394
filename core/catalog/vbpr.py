"""VBPR (He and McAuley, AAAI 2016): config and presets."""

from core.catalog.base import System, Variant, setting
from core.catalog.multimodal import SMALL, MultimodalConfig, penalty


class VBPRConfig(MultimodalConfig):
    """Settings of VBPR."""

    modal_dim: int = setting(
        64, "size of the space that item features are mapped to", unit="dimensions", ge=1, le=1024
    )
    modal_bias: bool = setting(True, "add a bias that is linear in the item's features")
    l2: float = penalty(
        "weight of the squared norm of the batch's embeddings and item biases, half of it per pair", 1e-2
    )


VBPR = System(
    key="vbpr",
    title="VBPR",
    paper="He and McAuley, VBPR: Visual Bayesian Personalized Ranking from Implicit Feedback, AAAI 2016",
    summary="Matrix factorisation with a second set of user factors that meet a linear image of the item's features.",
    family="multimodal",
    config=VBPRConfig,
    presets={"paper": {}, "small": {**SMALL, "modal_dim": 32}},
    variants={
        "without_modal_bias": Variant("no bias from features", {"modal_bias": False}, "as in toolkits")
    },
    default_protocol="mmrec",
    needs_features=True,
)
