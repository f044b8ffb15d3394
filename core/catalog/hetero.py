"""What systems that embed the nodes of heterogeneous graphs share: settings of training without labels, and of HAN's layers."""

from core.catalog.base import TrainingConfig, setting


class FullGraphConfig(TrainingConfig):
    """Settings of models that take one step per epoch, over the whole graph."""

    validate_every: int = setting(5, "epochs between two validations", unit="epochs", group="Training", ge=1)
    patience: int = setting(
        10,
        "epochs without a lower training loss before training stops; where validation nodes choose the epoch, validations "
        "without a better main metric; 0 never stops early",
        group="Training",
        ge=0,
    )
    snapshot_every: int = setting(
        5,
        "epochs between two snapshots of what the model learned; 0 keeps only the end",
        unit="epochs",
        group="Training",
        ge=0,
    )
    code_dim: int = setting(
        512,
        "size of the random codes that stand for nodes without features",
        unit="dimensions",
        ge=1,
        le=8192,
    )


class HANConfig(FullGraphConfig):
    """Settings of HAN's layers."""

    hidden: int = setting(1024, "size of an embedding, all heads together", unit="dimensions", ge=1, le=8192)
    heads: int = setting(4, "attention heads per metapath; they divide `hidden`", unit="heads", ge=1, le=64)
    num_layers: int = setting(3, "HAN layers of the encoder", unit="layers", ge=1, le=8)
    semantic_dim: int = setting(
        128,
        "size of the attention over metapaths; 0 takes their mean instead",
        unit="dimensions",
        ge=0,
        le=4096,
    )
    slope: float = setting(0.2, "slope of LeakyReLU below 0, in attention logits", ge=0, le=1)
    feature_dropout: float = setting(0.2, "share of inputs left out before every layer", ge=0, lt=1)
    attention_dropout: float = setting(0.3, "share of attention left out", ge=0, lt=1)
