"""MF-BPR (Rendle et al., UAI 2009): matrix factorisation trained with BPR."""

from core.catalog.base import System, Variant, setting
from core.catalog.pairwise import PairwiseConfig


class MFConfig(PairwiseConfig):
    """Settings of MF-BPR."""

    item_bias: bool = setting(False, "add a learned bias per item to the score")


MF = System(
    key="mf",
    title="MF-BPR",
    paper="Rendle et al., BPR: Bayesian Personalized Ranking from Implicit Feedback, UAI 2009",
    summary="Inner products of user and item embeddings, trained with BPR.",
    family="single behaviour",
    config=MFConfig,
    presets={
        "paper": {},
        "small": {
            "epochs": 60,
            "dim": 32,
            "learning_rate": 1e-2,
            "l2": 5e-2,
            "batch_size": 1024,
            "validate_every": 2,
            "snapshot_every": 5,
        },
    },
    variants={"item_bias": Variant("with item bias", {"item_bias": True})},
)
