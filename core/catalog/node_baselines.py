"""Baselines of node embedding that nothing is trained for: the features themselves, and their means along metapaths."""

from typing import Literal

from core.catalog.base import System, SystemConfig, Variant, setting


class NodeFeaturesConfig(SystemConfig):
    """Settings of embeddings made of features alone."""

    scale: Literal["unit", "as_normalised", "standardised"] = setting(
        "unit",
        "how rows are scaled for the classifier: to length one, not further (rows of counts sum to 1), or columns to mean 0 and "
        "deviation 1",
    )
    code_dim: int = setting(
        512,
        "size of the random codes that stand for nodes without features",
        unit="dimensions",
        ge=1,
        le=8192,
    )


class MetapathMeanConfig(NodeFeaturesConfig):
    """Settings of means over metapath neighbours."""

    join: Literal["concatenate", "mean"] = setting(
        "concatenate", "how the metapaths are joined: side by side, or by their mean"
    )
    own_features: bool = setting(
        False, "whether a node's own features join as if they were one more metapath"
    )


NODE_FEATURES = System(
    key="node_features",
    title="Logistic regression",
    paper="none; the protocol's softmax classifier on the features",
    summary="The features themselves as embeddings: what a classifier knows without any graph.",
    family="heterogeneous",
    config=NodeFeaturesConfig,
    presets={"paper": {}, "small": {}},
    variants={
        "as_normalised": Variant("rows as other models read them", {"scale": "as_normalised"}),
        "standardised": Variant("columns of mean 0 and deviation 1", {"scale": "standardised"}),
    },
    default_protocol="heco",
    default_selection="last",
)

METAPATH_MEAN = System(
    key="metapath_mean",
    title="Metapath mean",
    paper="none; one step of averaging per metapath",
    summary="Features averaged over each metapath's neighbours; nothing is trained.",
    family="heterogeneous",
    config=MetapathMeanConfig,
    presets={"paper": {}, "small": {}},
    variants={
        "with_own_features": Variant("own features beside the metapaths", {"own_features": True}),
        "mean_of_metapaths": Variant("the mean over metapaths", {"join": "mean"}),
    },
    default_protocol="heco",
    default_selection="last",
)
