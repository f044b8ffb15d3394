"""What models that make embeddings level by level say about them: how much every level holds, and what a fusion takes.

U users, I items, S sources of an attention, D dims.
"""

from collections.abc import Callable, Iterable, Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from core.findings import Axis, Finding, Kind
from core.ops.graphs import Sides
from core.ops.spectrum import information_abundance, singular_values

SIDES = ("user", "item")
Attend = Callable[[Tensor, list[Tensor]], tuple[Tensor, Tensor]]


def spectra(
    tables: Sequence[tuple[str, Sides]], source: str, expected: str = "", prefix: str = ""
) -> list[Finding]:
    """Information abundance and singular values of levels, given as title and table.

    expected: what a paper says of them. prefix: of the keys, where the tables are no hierarchy that ends in an output.
    """
    values = [[singular_values(side) for side in table] for _, table in tables]
    axes = (Axis.labelled("level", [title for title, _ in tables]), Axis.labelled("side", SIDES))
    abundance = np.array([[information_abundance(s) for s in sides] for sides in values])
    ranks = max(len(s) for sides in values for s in sides)
    shapes = np.array([[_shape(s, ranks) for s in sides] for sides in values])
    rank = Axis.labelled("rank", [str(number + 1) for number in range(ranks)])
    note = (
        "Sum of a table's singular values over the largest: near 1 all rows lie on one line, the number of "
        "dimensions is the most."
    )
    return [
        Finding(
            f"{prefix}information_abundance",
            "Information abundance of every level",
            source,
            Kind.AMOUNT,
            axes,
            abundance,
            None,
            f"{note} {expected}".strip(),
        ),
        Finding(
            f"{prefix}singular_values",
            "Singular values of every level",
            source,
            Kind.AMOUNT,
            (*axes, rank),
            shapes,
            None,
            "Each table's singular values over its largest, from the largest down.",
        ),
    ]


def fusion_attention(stage: int, asked: str, titles: Sequence[str], shares: Sides, source: str) -> Finding:
    """Shares of the sources that a stage of a fusion takes into every node, users [U, S] above items [I, S].

    stage: its number. asked: what the sources are. titles: of the sources.
    """
    users, nodes = len(shares.user), len(shares.user) + len(shares.item)
    node = Axis("node", nodes, groups={"user": (0, users), "item": (users, nodes)})
    return Finding(
        f"fusion_attention_{stage}",
        f"Attention of the fusion over {asked}",
        source,
        Kind.SHARE,
        (node, Axis.labelled("source", titles)),
        torch.cat([shares.user, shares.item]).cpu().numpy(),
        None,
        "How much of each source goes into a node's output.",
    )


def fused_in_stages(
    stages: Iterable[tuple[Sequence[Sides], Attend]], asking: Sides
) -> tuple[Sides, tuple[Sides, ...]]:
    """The output of attention in stages, each asked by the sum of the one before, and each stage's shares [N, S] by side.

    stages: the sources of a stage, and what turns a query [N, D] and sources into their sum and its shares. A stage with
    one source passes it on.
    """
    user, item, attention = asking.user, asking.item, []
    for sources, attend in stages:
        if len(sources) == 1:
            user, item = sources[0]
            shares = Sides(user.new_ones(len(user), 1), item.new_ones(len(item), 1))
        else:
            user, user_share = attend(user, [source.user for source in sources])
            item, item_share = attend(item, [source.item for source in sources])
            shares = Sides(user_share, item_share)
        attention.append(shares)
    return Sides(user, item), tuple(attention)


def _shape(values: NDArray[np.float64], ranks: int) -> NDArray[np.float64]:
    """`values` over the largest, padded with zeros."""
    top = values[0] if len(values) and values[0] > 0 else 1.0
    return np.pad(values / top, (0, ranks - len(values)))
