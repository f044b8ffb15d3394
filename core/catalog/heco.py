"""HeCo (Wang et al., KDD 2021): config, presets and ablations."""

from typing import Literal

from core.catalog.base import Patch, System, Variant, setting
from core.catalog.hetero import FullGraphConfig


class HeCoConfig(FullGraphConfig):
    """Settings of HeCo. Defaults are those that the released code uses on ACM."""

    epochs: int = setting(
        10_000, "steps over the whole graph", unit="epochs", group="Training", ge=1, le=100_000
    )
    learning_rate: float = setting(8e-4, "step size of Adam", group="Training", gt=0, le=10)
    validate_every: int = setting(50, "epochs between two validations", unit="epochs", group="Training", ge=1)
    patience: int = setting(
        5,
        "epochs without a lower training loss before training stops; where validation nodes choose the epoch, validations "
        "without a better main metric; 0 never stops early",
        group="Training",
        ge=0,
    )
    snapshot_every: int = setting(
        50,
        "epochs between two snapshots of what the model learned; 0 keeps only the end",
        unit="epochs",
        group="Training",
        ge=0,
    )
    hidden: int = setting(64, "size of an embedding", unit="dimensions", ge=1, le=8192)
    feature_dropout: float = setting(0.3, "share of projected features left out", ge=0, lt=1)
    attention_dropout: float = setting(0.5, "share of attention vectors left out", ge=0, lt=1)
    views: Literal["both", "metapaths", "schema"] = setting(
        "both", "which views are contrasted: with each other, or one with itself"
    )
    neighbors: int = setting(
        7, "neighbours drawn per node and type in every step of the network schema view", unit="nodes", ge=1
    )
    neighbor_features: bool = setting(
        False,
        "whether other types show their features where they have some; off: all have learned rows, as in the released code",
    )
    temperature: float = setting(0.8, "temperature of the contrast", group="Losses", gt=0, le=10)
    balance: float = setting(
        0.5,
        "weight lambda of the contrast that metapath rows ask for; the rest weighs the other way round",
        group="Losses",
        ge=0,
        le=1,
    )
    positives: int = setting(
        5, "positives per node, itself included (paper: T_pos)", unit="nodes", group="Losses", ge=1
    )
    positives_by: Literal["share", "count"] = setting(
        "share",
        "which joined nodes are positives first: those of the largest share of neighbours, summed over metapaths (released code), "
        "or those that most metapaths join (paper)",
        group="Losses",
    )


_SMALL: Patch = {
    "epochs": 80,
    "learning_rate": 3e-3,
    "hidden": 32,
    "positives": 30,
    "patience": 0,
    "validate_every": 20,
    "snapshot_every": 10,
}
_DBLP: Patch = {
    "temperature": 0.9,
    "feature_dropout": 0.4,
    "attention_dropout": 0.35,
    "neighbors": 6,
    "positives": 1000,
    "patience": 30,
}
_ABLATION = "HeCo, Sec. 5.5"

HECO = System(
    key="heco",
    title="HeCo",
    paper="Wang et al., Self-Supervised Heterogeneous Graph Neural Network with Co-Contrastive Learning, KDD 2021",
    summary="Contrasts what a node's neighbours say with what its metapaths say; several positives, no labels.",
    family="heterogeneous",
    config=HeCoConfig,
    presets={"paper": {}, "paper-dblp": _DBLP, "small": _SMALL},
    variants={
        "metapath_view": Variant(
            "the metapath view with itself", {"views": "metapaths"}, f"{_ABLATION}, HeCo_mp"
        ),
        "schema_view": Variant("the schema view with itself", {"views": "schema"}, f"{_ABLATION}, HeCo_sc"),
        "one_positive": Variant("no positive but the node itself", {"positives": 1}, "HeCo, Sec. 4.5"),
        "positives_by_count": Variant(
            "positives by the number of metapaths", {"positives_by": "count"}, "HeCo, Sec. 4.5"
        ),
        "with_neighbor_features": Variant("features of other types", {"neighbor_features": True}, ""),
    },
    default_protocol="heco",
    default_selection="loss",
)
