"""HGIB (Zhang et al., RecSys 2025): config, presets, and the ablations of its experiments."""

from typing import Literal

from pydantic import model_validator

from core.catalog.base import Patch, System, TrainingConfig, Variant, setting


class HGIBConfig(TrainingConfig):
    """Settings of HGIB. Defaults are those of the paper and its released code."""

    epochs: int = setting(
        100,
        "passes over the target behaviour's training pairs",
        unit="epochs",
        group="Training",
        ge=1,
        le=100_000,
    )
    learning_rate: float = setting(5e-4, "step size of Adam", group="Training", gt=0, le=10)
    validate_every: int = setting(1, "epochs between two validations", unit="epochs", group="Training", ge=1)
    patience: int = setting(
        10,
        "validations without a better main metric before training stops, whatever the selection; 0 never stops early",
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
    dim: int = setting(64, "embedding size d", unit="dimensions", ge=1, le=1024)
    num_layers: int = setting(
        1, "propagation layers of every encoder but those of the difference graphs", unit="layers", ge=1, le=8
    )
    num_difference_layers: int = setting(
        3,
        "propagation layers on difference graphs: pairs of a behaviour that never reached the target",
        unit="layers",
        ge=1,
        le=8,
    )
    hierarchy: Literal["full", "without_component", "without_behavior", "flat"] = setting(
        "full",
        "levels of encoders: unified, behaviour and component (full), all but one of the latter, or the unified one alone",
    )
    alpha: float = setting(
        1.0,
        "weight of L_pres: every level must still tell the batch's users and items apart as the final output does",
        ge=0,
    )
    beta: float = setting(
        50.0, "weight of L_comp: dependence (HSIC) of each level on the one before it", ge=0
    )
    kernel: Literal["rbf", "linear", "polynomial"] = setting("rbf", "kernel of HSIC, on cosines")
    bandwidth: float = setting(1.0, "sigma of the rbf kernel exp((cos - 1) / sigma)", gt=0)
    output_penalty: float = setting(
        0.1, "weight of L_reg, the squared norm of the output over twice the number of items", ge=0
    )
    refinement: Literal["learned", "random", "none"] = setting(
        "learned",
        "edge weights: from the similarity of the ends (GRE); the same weights dealt to edges at random, which keeps their "
        "histogram and the number pruned; or none, every edge counts 1",
        group="Edges",
    )
    threshold: float = setting(
        0.05, "edges whose weight is not above it are pruned", group="Edges", gt=0, lt=1
    )
    thresholds: Literal["one", "per_graph", "learned"] = setting(
        "one",
        "one threshold for all graphs; in each graph the one that prunes `pruned_share` of its edges, noise included; or one "
        "learned per graph, starting at `threshold`",
        group="Edges",
    )
    pruned_share: float = setting(
        0.1, "share of each graph's edges to prune where thresholds are per graph", group="Edges", ge=0, lt=1
    )
    noise_temperature: float = setting(
        1.0, "tau_g of the Gumbel-sigmoid that draws edges in training", group="Edges", gt=0
    )
    as_released: bool = setting(
        False,
        "edges as in the released code: a draw for each direction, twice the gradient for kept edges, and noise in "
        "evaluation, too (the same at every evaluation, so that scores repeat); goes with refinement learned and one threshold",
        group="Edges",
    )
    dropout: float = setting(
        0.1,
        "share of entries dropped from the input of the second and third level",
        group="Training",
        ge=0,
        lt=1,
    )
    batch_size: int = setting(1024, "pairs per step", unit="pairs", group="Sampling", ge=2)
    softmax: Literal["full", "sampled"] = setting(
        "full",
        "items that L_rec's softmax runs over: all of them, or a sample for catalogues too large for that",
        group="Sampling",
    )
    num_negatives: int = setting(
        4096,
        "items drawn per step for the sampled softmax, shared by the batch",
        unit="items",
        group="Sampling",
        ge=1,
    )

    @model_validator(mode="after")
    def _released_edges_have_one_form(self) -> "HGIBConfig":
        if self.as_released and (self.refinement != "learned" or self.thresholds != "one"):
            raise ValueError(
                f"as_released goes with refinement learned and thresholds one, got {self.refinement} and {self.thresholds}"
            )
        return self


_SMALL: Patch = {
    "epochs": 12,
    "dim": 32,
    "learning_rate": 5e-3,
    "batch_size": 512,
    "validate_every": 2,
}


HGIB = System(
    key="hgib",
    title="HGIB",
    paper="Zhang et al., Hierarchical Graph Information Bottleneck for Multi-Behavior Recommendation, RecSys 2025",
    summary="Three levels of graph encoders that prune edges and keep only what tells of the target.",
    family="multi-behaviour",
    config=HGIBConfig,
    presets={"paper": {}, "paper-jdata": {"alpha": 0.5}, "small": _SMALL},
    variants={
        "without_pres": Variant("without L_pres", {"alpha": 0.0}, "HGIB, Section 5.4"),
        "without_comp": Variant("without L_comp", {"beta": 0.0}, "HGIB, Section 5.4"),
        "without_gre": Variant("without edge refinement", {"refinement": "none"}, "HGIB, Section 5.4"),
        "random_pruning": Variant(
            "edge weights dealt at random", {"refinement": "random"}, "control for HGIB, Eq. 10"
        ),
        "without_component_level": Variant(
            "without intersections and differences", {"hierarchy": "without_component"}, "HGIB, Section 4.5"
        ),
        "without_behavior_level": Variant(
            "components refine the unified graph", {"hierarchy": "without_behavior"}, "HGIB, Section 4.5"
        ),
        "flat": Variant("one level: the unified graph alone", {"hierarchy": "flat"}, "HGIB, Section 4.5"),
        "kernel_linear": Variant("HSIC with a linear kernel", {"kernel": "linear"}, "HGIB, Section 4.3"),
        "kernel_polynomial": Variant(
            "HSIC with a polynomial kernel", {"kernel": "polynomial"}, "HGIB, Section 4.3"
        ),
        "bandwidth_0_1": Variant("HSIC with sigma 0.1", {"bandwidth": 0.1}, "HGIB, Section 4.3"),
        "bandwidth_0_3": Variant("HSIC with sigma 0.3", {"bandwidth": 0.3}, "HGIB, Section 4.3"),
        "bandwidth_3": Variant("HSIC with sigma 3", {"bandwidth": 3.0}, "HGIB, Section 4.3"),
        "bandwidth_10": Variant("HSIC with sigma 10", {"bandwidth": 10.0}, "HGIB, Section 4.3"),
        "threshold_per_graph": Variant(
            "each graph prunes the same share", {"thresholds": "per_graph"}, "open question of HGIB"
        ),
        "threshold_learned": Variant(
            "one learned threshold per graph", {"thresholds": "learned"}, "open question of HGIB"
        ),
        "as_released": Variant("edges as in the released code", {"as_released": True}, "released code"),
    },
    search={"alpha": (0.1, 0.5, 1.0, 2.0), "beta": (1.0, 10.0, 50.0, 100.0)},
    needs_auxiliary=True,
)
