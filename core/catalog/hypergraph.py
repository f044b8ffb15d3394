"""LGMRec (Guo et al., AAAI 2024) and SRGFormer (2025), its descendant: configs, presets and ablations."""

from typing import Any

from pydantic import model_validator

from core.catalog.base import Patch, System, Variant, setting
from core.catalog.multimodal import SMALL, MultimodalConfig, penalty


class HypergraphConfig(MultimodalConfig):
    """Settings of rankers with learned hypergraphs over item features. Defaults are those for Amazon Baby."""

    num_layers: int = setting(2, "propagation layers on the behaviour graph", unit="layers", ge=0, le=8)
    num_modal_layers: int = setting(
        2, "propagation layers of item features over the behaviour graph", unit="layers", ge=0, le=8
    )
    num_hyper_layers: int = setting(1, "passes from items to hyperedges and back", unit="layers", ge=1, le=8)
    num_hyperedges: int = setting(4, "hyperedges per modality", unit="hyperedges", ge=2, le=1024)
    keep_rate: float = setting(
        0.5, "share of hyperedge memberships kept in training", group="Training", gt=0, le=1
    )
    hyper_temperature: float = setting(
        0.2, "temperature of the softmax over hyperedges, with Gumbel noise in training", gt=0
    )
    hcl_weight: float = setting(
        1e-4,
        "weight of the contrast between two modalities' hypergraph outputs, summed over the batch",
        group="Model",
        ge=0,
    )
    temperature: float = setting(0.2, "temperature of the contrastive losses", gt=0)
    l2: float = penalty("weight of the norms (not squared) of the batch's final embeddings, per pair", 1e-6)


class LGMRecConfig(HypergraphConfig):
    """Settings of LGMRec."""

    alpha: float = setting(0.3, "weight of the hypergraph embeddings in the final ones", ge=0)


class SRGFormerConfig(HypergraphConfig):
    """Settings of SRGFormer."""

    dim: int = setting(256, "embedding size", unit="dimensions", ge=1, le=1024)
    num_layers: int = setting(4, "propagation layers on the behaviour graph", unit="layers", ge=0, le=8)
    heads: int = setting(4, "heads of the graph transformer; must divide dim", unit="heads", ge=1, le=64)
    alpha: float = setting(0.1, "weight of the transformer's (global) embeddings in the final ones", ge=0)
    beta: float = setting(0.3, "weight of the hypergraphs' (local) embeddings in the final ones", ge=0)
    hcl_weight: float = setting(
        1e-3, "weight of the contrast between two modalities' hypergraph outputs, summed over the batch", ge=0
    )
    mcl_weight: float = setting(
        1e-6,
        "gamma: weight of the contrast between two modalities' graph embeddings, summed over the batch",
        ge=0,
    )
    ffn: bool = setting(False, "a feed-forward network after the attention, which the paper removes")
    as_released: bool = setting(
        False,
        "hyperedges of users as in the released code: the first modality's come from the text's logits, the text's stay "
        "without softmax; needs two modalities",
    )

    @model_validator(mode="after")
    def _heads_divide_the_embedding(self) -> "SRGFormerConfig":
        if self.dim % self.heads:
            raise ValueError(f"heads must divide dim, got {self.heads} heads and dim {self.dim}")
        return self


_SPORTS: Patch = {"keep_rate": 0.4, "alpha": 0.6}
_CLOTHING: Patch = {"num_hyper_layers": 2, "num_hyperedges": 64, "keep_rate": 0.2, "alpha": 0.2}
_SMALL: dict[str, Any] = {**SMALL, "num_layers": 2}

LGMREC = System(
    key="lgmrec",
    title="LGMRec",
    paper="Guo et al., LGMRec: Local and Global Graph Learning for Multimodal Recommendation, AAAI 2024",
    summary="Collaborative and modal graph embeddings, and hypergraphs that item features learn to define.",
    family="multimodal",
    config=LGMRecConfig,
    presets={
        "paper": {},
        "paper-baby": {},
        "paper-sports": _SPORTS,
        "paper-clothing": _CLOTHING,
        "small": _SMALL,
    },
    variants={
        "without_hypergraph": Variant(
            "without hypergraphs", {"alpha": 0.0, "hcl_weight": 0.0}, "LGMRec, ablation"
        ),
        "without_hcl": Variant("without the hypergraph contrast", {"hcl_weight": 0.0}, "LGMRec, ablation"),
    },
    default_protocol="mmrec",
    needs_features=True,
)

_ABLATION = "SRGFormer, ablation study"

SRGFORMER = System(
    key="srgformer",
    title="SRGFormer",
    paper="Structurally Refined Graph Transformer for Multimodal Recommendation, arXiv 2511.00584, 2025",
    summary="LightGCN and modal graph embeddings, refined by learned hypergraphs and a graph transformer.",
    family="multimodal",
    config=SRGFormerConfig,
    presets={
        "paper": {},
        "paper-baby": {},
        "paper-sports": {
            "num_modal_layers": 3,
            "num_hyper_layers": 3,
            "keep_rate": 0.4,
            "alpha": 0.6,
            "beta": 0.4,
            "hcl_weight": 1e-4,
        },
        "paper-clothing": {**_CLOTHING, "beta": 0.3, "hcl_weight": 1e-4},
        "small": {**_SMALL, "heads": 2},
    },
    variants={
        "without_global": Variant("without the graph transformer", {"alpha": 0.0}, _ABLATION),
        "without_local": Variant(
            "hypergraphs out of the final embeddings; their contrast stays", {"beta": 0.0}, _ABLATION
        ),
        "without_hcl": Variant("without the hypergraph contrast", {"hcl_weight": 0.0}, _ABLATION),
        "without_mcl": Variant("without the modal contrast", {"mcl_weight": 0.0}, _ABLATION),
        "with_ffn": Variant("with a feed-forward network after the attention", {"ffn": True}, _ABLATION),
        "width_64": Variant("64 dimensions", {"dim": 64}, "SRGFormer, width"),
        "as_released": Variant(
            "hyperedges of users swapped as in the released code", {"as_released": True}, "released code"
        ),
    },
    search={
        "num_hyperedges": (4, 16, 64),
        "mcl_weight": (1e-7, 1e-6, 1e-5),
        "alpha": (0.1, 0.2, 0.4, 0.6),
        "beta": (0.1, 0.3, 0.5),
    },
    default_protocol="mmrec",
    needs_features=True,
)
