"""HAN (Wang et al., WWW 2019), trained on labels: config, presets and ablations."""

from pydantic import model_validator

from core.catalog.base import Patch, System, Variant, setting
from core.catalog.hetero import HANConfig


class SupervisedHANConfig(HANConfig):
    """Settings of HAN with a classifier. Defaults are the paper's, Sec. 5.3."""

    epochs: int = setting(
        200, "steps over the whole graph", unit="epochs", group="Training", ge=1, le=100_000
    )
    learning_rate: float = setting(5e-3, "step size of Adam", group="Training", gt=0, le=10)
    patience: int = setting(
        20,
        "validations without a better main metric before training stops (paper: 100 epochs); 0 never stops early",
        group="Training",
        ge=0,
    )
    hidden: int = setting(64, "size of an embedding, all heads together", unit="dimensions", ge=1, le=8192)
    heads: int = setting(8, "attention heads per metapath; they divide `hidden`", unit="heads", ge=1, le=64)
    num_layers: int = setting(1, "HAN layers", unit="layers", ge=1, le=8)
    feature_dropout: float = setting(0.6, "share of inputs left out before every layer", ge=0, lt=1)
    attention_dropout: float = setting(0.6, "share of attention left out", ge=0, lt=1)
    l2: float = setting(
        1e-3, "weight of the squared norm of all parameters, half of it", group="Losses", ge=0
    )

    @model_validator(mode="after")
    def _heads_divide(self) -> "SupervisedHANConfig":
        if self.hidden % self.heads:
            raise ValueError(f"{self.heads} heads do not divide hidden = {self.hidden}: choose a multiple")
        return self


_SMALL: Patch = {"hidden": 32, "heads": 2, "epochs": 60, "validate_every": 10, "patience": 0}

HAN = System(
    key="han",
    title="HAN",
    paper="Wang et al., Heterogeneous Graph Attention Network, WWW 2019",
    summary="Attention over the neighbours of every metapath and over metapaths, trained on labels, one encoder per setting.",
    family="heterogeneous",
    config=SupervisedHANConfig,
    presets={"paper": {}, "small": _SMALL},
    variants={
        "mean_of_metapaths": Variant(
            "without attention over metapaths", {"semantic_dim": 0}, "HAN_sem, HAN, Table 3"
        ),
    },
    search={"l2": (1e-4, 1e-3, 1e-2)},
    default_protocol="heco",
    default_selection="valid",
)
