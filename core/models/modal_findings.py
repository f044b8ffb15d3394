"""What models of several modalities say about themselves: what a fusion takes from each, and which items are linked.

U users, I items, N = U + I nodes, M modalities.
"""

from collections.abc import Iterable

import numpy as np
from scipy.sparse import csr_array

from core.findings import Axis, Finding, Kind, Links
from core.models.modal_fusion import Fused, SemanticEncoder
from core.models.named import ByName


def node_axis(num_users: int, nodes: int) -> Axis:
    """All nodes, users above items."""
    return Axis("node", nodes, groups={"user": (0, num_users), "item": (num_users, nodes)})


def fusion_findings(
    fused: Fused, modalities: Iterable[str], num_users: int, source: str
) -> tuple[Finding, ...]:
    """`modality_attention` and `preference_gate`, [N, M] each."""
    modality = Axis.labelled("modality", list(modalities))
    axes = (node_axis(num_users, len(fused.share)), modality)
    return (
        Finding(
            "modality_attention",
            "Attention of the fusion over modalities",
            source,
            Kind.SHARE,
            axes,
            fused.share.cpu().numpy(),
            None,
            "How much of each modality goes into what the modalities have in common.",
        ),
        Finding(
            "preference_gate",
            "How much of each modality's own part passes",
            source,
            Kind.RATE,
            axes,
            fused.preference.cpu().numpy(),
            None,
            "Mean over dimensions of the gate that a node's behaviour opens to what only this modality says.",
        ),
    )


def link_finding(name: str, title: str, links: csr_array, source: str, note: str) -> Finding:
    """`item_links_<name>`: each item's neighbours with the cosine, itself left out, [I, I]."""
    rows = np.repeat(np.arange(links.shape[0]), np.diff(links.indptr))
    is_other = rows != links.indices
    indptr = np.concatenate([[0], np.cumsum(np.bincount(rows[is_other], minlength=links.shape[0]))])
    item = Axis("item", links.shape[0])
    return Finding(
        f"item_links_{name}",
        title,
        source,
        Kind.LINK,
        (item, item),
        Links(
            indptr.astype(np.int64),
            links.indices[is_other].astype(np.int32),
            links.data[is_other].astype(np.float32),
        ),
        None,
        note,
    )


def modal_links(encoders: ByName[SemanticEncoder], source: str) -> list[Finding]:
    """The item graph of every modality, from a `SemanticEncoder` each."""
    note = "The nearest items by the cosine of their raw features, before any training."
    return [
        link_finding(f"raw_{m}", f"Items linked by their {m} features", encoder.links, source, note)
        for m, encoder in encoders.items()
    ]
