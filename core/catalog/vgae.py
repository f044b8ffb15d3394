"""VGAE and GAE (Kipf and Welling, 2016) on one metapath's graph: config and presets."""

from core.catalog.base import Patch, System, Variant, setting
from core.catalog.hetero import FullGraphConfig


class VGAEConfig(FullGraphConfig):
    """Settings of the variational graph autoencoder. Defaults are the paper's."""

    epochs: int = setting(
        200, "steps over the whole graph", unit="epochs", group="Training", ge=1, le=100_000
    )
    learning_rate: float = setting(1e-2, "step size of Adam", group="Training", gt=0, le=10)
    validate_every: int = setting(10, "epochs between two validations", unit="epochs", group="Training", ge=1)
    patience: int = setting(
        0,
        "epochs without a lower training loss before training stops, if the loss chooses the epoch; validations without a "
        "better main metric otherwise; 0 never stops early, as published",
        group="Training",
        ge=0,
    )
    hidden: int = setting(32, "size of the hidden layer", unit="dimensions", ge=1, le=8192)
    dim: int = setting(16, "size of an embedding", unit="dimensions", ge=1, le=8192)
    metapath: str = setting(
        "",
        "the metapath whose graph is encoded and decoded; empty takes that with the fewest entries, since a graph in which most "
        "pairs are joined says little",
    )
    variational: bool = setting(
        True,
        "whether embeddings are drawn from learned normals in training (VGAE) or taken as they are (GAE)",
    )


_SMALL: Patch = {"epochs": 100}

VGAE = System(
    key="vgae",
    title="VGAE",
    paper="Kipf and Welling, Variational Graph Auto-Encoders, NeurIPS Workshop on Bayesian Deep Learning, 2016",
    summary="Learns to restore one metapath's graph from normals that two graph convolutions place; blind to the others.",
    family="heterogeneous",
    config=VGAEConfig,
    presets={"paper": {}, "small": _SMALL},
    variants={"gae": Variant("without normals (GAE)", {"variational": False}, "Kipf and Welling, Eq. 4")},
    default_protocol="heco",
    default_selection="last",
)
