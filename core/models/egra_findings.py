"""What an EGRA model says about itself: how well behaviour and modalities agree, what the alignment weighs, item links.

U users, I items, Q quantiles.
"""

from typing import TYPE_CHECKING

import numpy as np
import torch

from core.findings import Axis, Finding, Kind
from core.models.levels import SIDES
from core.models.modal_findings import fusion_findings, link_finding, modal_links, node_axis

if TYPE_CHECKING:
    from core.models.egra import EGRA

RECONSTRUCTION = "EGRA (reconstruction)"
_QUANTILES = ("0.05", "0.25", "0.5", "0.75", "0.95")


def egra_findings(model: "EGRA") -> tuple[Finding, ...]:
    """`alignment_degree`, `alignment_weight` and its quantiles, `lambda`, the fusion's findings, and item links."""
    encoding = model.encoding()
    aligned = model.degrees_of_alignment(encoding)
    weights = [model.entity_weights(side) for side in aligned]
    node = node_axis(model.num_users, model.num_users + model.num_items)
    side, quantile = Axis.labelled("side", SIDES), Axis.labelled("quantile", _QUANTILES)
    levels = torch.tensor([float(q) for q in _QUANTILES], dtype=weights[0].dtype, device=weights[0].device)
    found = [
        Finding(
            "alignment_degree",
            "Agreement of behaviour and modalities",
            f"{RECONSTRUCTION}, bi-level weights",
            Kind.SIGNED,
            (node,),
            torch.cat(aligned).cpu().numpy(),
            None,
            "Cosine of a node's behaviour representation and its modality representation: 1 agree, 0 have nothing in common.",
        ),
        Finding(
            "alignment_weight",
            "Weight of every user and item in the alignment",
            f"{RECONSTRUCTION}, entity-wise weights",
            Kind.AMOUNT,
            (node,),
            torch.cat(weights).cpu().numpy(),
            None,
            "Relative to the mean over all users, or all items; in training it is relative to the mean over a batch.",
        ),
        Finding(
            "alignment_weight_quantiles",
            "Spread of the weights in the alignment",
            f"{RECONSTRUCTION}, entity-wise weights",
            Kind.AMOUNT,
            (side, quantile),
            np.stack([torch.quantile(weight, levels).cpu().numpy() for weight in weights]),
            np.array([[len(weight)] * len(_QUANTILES) for weight in weights]),
            "Quantiles over users and over items; 1 is the mean.",
        ),
        Finding(
            "lambda",
            "Weight of the alignment loss",
            f"{RECONSTRUCTION}, epoch-wise weights",
            Kind.AMOUNT,
            (Axis.labelled("loss", ("alignment",)),),
            np.array([float(model.alignment)]),
            None,
            "The factor of both alignment losses in this epoch.",
        ),
        *fusion_findings(
            encoding.fused, model.encoders, model.num_users, f"{RECONSTRUCTION}, fusion as in MGCN"
        ),
    ]
    if model.links is not None:
        origin = {
            "pretrained": f"the embeddings that {model.config.backbone} learned in the parent run",
            "random": "random embeddings",
            "raw_features": "their raw features, all modalities together",
        }[model.config.behavior_links]
        found.append(
            link_finding(
                "behavior",
                "Items linked in the enhanced behaviour graph",
                model.links,
                f"{RECONSTRUCTION}, enhanced behaviour graph",
                f"The nearest items by {origin}; both directions are kept.",
            )
        )
    return (*found, *modal_links(model.encoders, f"{RECONSTRUCTION}, semantic graphs"))
