"""Whether the tasks of a model that trains several at once pull its shared parameters apart.

K tasks, one per behaviour.
"""

import torch
from torch import Tensor

from core.findings import Axis, Finding, Kind


def gradient_conflict(
    losses: dict[str, Tensor], shared: tuple[Tensor, ...], behaviors: tuple[str, ...], source: str
) -> Finding:
    """Cosine between the tasks' gradients with respect to the shared embeddings, [K, K]; 0 where a gradient vanishes.

    source: paper and section of the losses. Source: CIGF, Section 3.3 and Appendix A.2 (the coupled gradient issue).
    """
    rows = []
    for name in losses:
        parts = torch.autograd.grad(losses[name], shared, retain_graph=True, allow_unused=True)
        rows.append(
            torch.cat([(torch.zeros_like(s) if g is None else g).flatten() for s, g in zip(shared, parts)])
        )
    gradients = torch.stack(rows).double()
    norms = gradients.norm(dim=1).clamp(min=1e-30)
    cosine = (gradients @ gradients.t()) / (norms[:, None] * norms[None, :])
    axes = (Axis.labelled("task", behaviors), Axis.labelled("other_task", behaviors))
    note = "Cosine between the tasks' gradients on the shared embeddings, one batch; below 0 the tasks pull apart."
    values = cosine.clamp(-1, 1).cpu().numpy()
    return Finding(
        "gradient_conflict",
        "Gradient conflict between tasks",
        source,
        Kind.SIGNED,
        axes,
        values,
        None,
        note,
    )
