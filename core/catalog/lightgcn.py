"""LightGCN (He et al., SIGIR 2020) on the target's graph, and LightGCN_M on the graph of all behaviours."""

from typing import Literal

from core.catalog.base import System, Variant, setting
from core.catalog.pairwise import PairwiseConfig


class LightGCNConfig(PairwiseConfig):
    """Settings of LightGCN; `graph` decides which behaviours its edges come from."""

    num_layers: int = setting(3, "propagation layers", unit="layers", ge=0, le=8)
    graph: Literal["target", "union", "per_behavior"] = setting(
        "target",
        "edges: the target behaviour's; all behaviours' as one graph; or one graph per behaviour, results averaged",
    )
    normalization: Literal["left", "right", "symmetric", "none"] = setting(
        "symmetric", "scaling of the adjacency"
    )


_SMALL = {
    "epochs": 40,
    "dim": 32,
    "num_layers": 2,
    "learning_rate": 1e-2,
    "batch_size": 1024,
    "validate_every": 2,
    "snapshot_every": 5,
}
_PAPER = (
    "He et al., LightGCN: Simplifying and Powering Graph Convolution Network for Recommendation, SIGIR 2020"
)

LIGHTGCN = System(
    key="lightgcn",
    title="LightGCN",
    paper=_PAPER,
    summary="Linear propagation over the target behaviour's graph, trained with BPR.",
    family="single behaviour",
    config=LightGCNConfig,
    presets={"paper": {}, "small": _SMALL},
)

LIGHTGCN_M = System(
    key="lightgcn_m",
    title="LightGCN_M",
    paper=_PAPER + "; on the multi-behaviour graph as in CIGF, Section 5.1.2",
    summary="LightGCN on the union of all behaviours, still trained to rank the target.",
    family="multi-behaviour",
    config=LightGCNConfig,
    presets={"paper": {"graph": "union"}, "small": {**_SMALL, "graph": "union"}},
    variants={
        "per_behavior": Variant("one graph per behaviour, results averaged", {"graph": "per_behavior"})
    },
    needs_auxiliary=True,
)
