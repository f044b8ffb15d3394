"""NGCF (Wang et al., SIGIR 2019) on the target's graph, and NGCF_M on the graph of all behaviours."""

from typing import Literal

from core.catalog.base import System, Variant, setting
from core.catalog.pairwise import PairwiseConfig


class NGCFConfig(PairwiseConfig):
    """Settings of NGCF; `graph` decides which behaviours its edges come from."""

    num_layers: int = setting(3, "propagation layers L; the paper searches 1 to 4", unit="layers", ge=1, le=8)
    graph: Literal["target", "union"] = setting(
        "target", "edges: the target behaviour's, or all behaviours' as one graph"
    )
    leaky_slope: float = setting(
        0.2, "slope of LeakyReLU for negative inputs; TensorFlow's default in the released code", ge=0, le=1
    )
    message_dropout: float = setting(
        0.1, "share of each layer's output entries that training drops", group="Training", ge=0, lt=1
    )
    node_dropout: float = setting(
        0.0,
        "share of nodes whose outgoing messages training drops; the paper searches 0 to 0.8",
        group="Training",
        ge=0,
        lt=1,
    )
    normalize_layers: bool = setting(
        False, "scale every layer's output to unit length before concatenation, as the released code does"
    )
    l2: float = setting(
        1e-5,
        "weight of the squared norm of the batch's initial embeddings, per pair, and of the layers' weights",
        group="Training",
        ge=0,
    )
    batch_size: int = setting(1024, "pairs per step", unit="pairs", group="Sampling", ge=1)


_SMALL = {
    "epochs": 40,
    "dim": 32,
    "num_layers": 2,
    "learning_rate": 5e-3,
    "validate_every": 2,
    "snapshot_every": 5,
}
_PAPER = "Wang et al., Neural Graph Collaborative Filtering, SIGIR 2019"
_VARIANTS = {
    "normalized_layers": Variant("layers scaled to unit length", {"normalize_layers": True}, "released code"),
    "node_dropout": Variant(
        "a fifth of the nodes sends nothing",
        {"node_dropout": 0.2, "message_dropout": 0.0},
        "NGCF, Section 2.4.2",
    ),
    "without_dropout": Variant("without dropout", {"message_dropout": 0.0, "node_dropout": 0.0}, ""),
}

NGCF = System(
    key="ngcf",
    title="NGCF",
    paper=_PAPER,
    summary="Non-linear propagation over the target behaviour's graph, with products of neighbours; trained with BPR.",
    family="single behaviour",
    config=NGCFConfig,
    presets={"paper": {}, "small": _SMALL},
    variants=_VARIANTS,
)

NGCF_M = System(
    key="ngcf_m",
    title="NGCF_M",
    paper=_PAPER + "; on the multi-behaviour graph as in CIGF, Section 5.1.2",
    summary="NGCF on the union of all behaviours, still trained to rank the target.",
    family="multi-behaviour",
    config=NGCFConfig,
    presets={"paper": {"graph": "union"}, "small": {**_SMALL, "graph": "union"}},
    variants=_VARIANTS,
    needs_auxiliary=True,
)
