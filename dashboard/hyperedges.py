"""Who belongs to which hyperedge, as tables: how many, how clearly, since when, which items define one. Pure.

M modalities, N nodes, I items, K hyperedges.
"""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from core.errors import RunError
from core.findings import STATISTICS, Array, Finding
from dashboard import learned
from dashboard.information import SIDES, Stated

MOST_CATEGORIES = 20
NOWHERE = -1
_EVEN = 1e-5  # shares that differ by less are one share


def checked_sides(stated: Stated) -> Stated:
    """`stated`, if its nodes are told apart into users and items. Raises RunError."""
    groups = learned.groups_of(stated.finding)
    if set(SIDES) - set(groups):
        raise RunError(
            f"{stated.finding.key}: its nodes are not told apart into users and items; repeat the run to write it again"
        )
    return stated


def shares_of(stated: Stated, modality: str, side: str) -> Array:
    """Memberships of the scored model, [nodes of the side, K]."""
    start, stop = stated.finding.axis("node").groups[side]
    shares: Array = learned.dense(stated.finding)[stated.labels("modality").index(modality), start:stop]
    return shares


def chosen(stated: Stated, modality: str, side: str) -> Array:
    """The hyperedge that each node of a side belongs to most, NOWHERE for nodes that belong to all alike: users without a
    training pair and items without features, whom nothing sorts."""
    shares = shares_of(stated, modality, side)
    most: Array = np.where(np.ptp(shares, axis=1) > _EVEN, shares.argmax(axis=1), NOWHERE)
    return most


def size_table(stated: Stated, epoch: int | None) -> pd.DataFrame:
    """Columns modality, hyperedge, side, share (mean membership), nodes (of the side), belong (sum of memberships), mostly (nodes
    whose largest share it is; NaN at a snapshot, which keeps means alone)."""
    rows: list[tuple[object, ...]] = []
    names = stated.labels("hyperedge")
    for place, modality in enumerate(stated.labels("modality")):
        for side in SIDES:
            start, stop = stated.finding.axis("node").groups[side]
            nodes = stop - start
            mostly: Array = np.full(len(names), np.nan)
            if stated.follows(epoch):
                means = _snapshot(stated, epoch, side)[place]
            else:
                means = shares_of(stated, modality, side).mean(axis=0, dtype=float)
                most = chosen(stated, modality, side)
                mostly = np.bincount(most[most != NOWHERE], minlength=len(names)).astype(float)
            rows += [
                (modality, name, side, float(means[k]), nodes, float(means[k]) * nodes, float(mostly[k]))
                for k, name in enumerate(names)
            ]
    return pd.DataFrame(rows, columns=["modality", "hyperedge", "side", "share", "nodes", "belong", "mostly"])


def _snapshot(stated: Stated, epoch: int | None, side: str) -> Array:
    """Mean memberships [M, K] of one side at the snapshot of `epoch`."""
    values = stated.values(epoch)  # modality, hyperedge, node group, statistic
    groups = tuple(stated.finding.axis("node").groups)
    found: Array = values[:, :, groups.index(side), STATISTICS.index("mean")].astype(float)
    return found


def wide_table(sizes: pd.DataFrame) -> pd.DataFrame:
    """One row per modality and hyperedge: users and items that belong to it, and the share of both together."""
    wide = sizes.pivot(index=["modality", "hyperedge"], columns="side", values=["belong", "mostly"])
    order = pd.MultiIndex.from_frame(sizes[["modality", "hyperedge"]].drop_duplicates())
    wide = wide.loc[order]
    total = sizes.drop_duplicates("side")["nodes"].sum()
    return pd.DataFrame(
        {
            "modality": order.get_level_values(0),
            "hyperedge": order.get_level_values(1),
            "users": wide["belong", "user"].to_numpy(),
            "users_mostly": wide["mostly", "user"].to_numpy(),
            "items": wide["belong", "item"].to_numpy(),
            "items_mostly": wide["mostly", "item"].to_numpy(),
            "share": (wide["belong", "user"] + wide["belong", "item"]).to_numpy() / total,
        }
    )


def sharpness_table(stated: Stated) -> pd.DataFrame:
    """How clearly nodes of the scored model belong to one hyperedge: columns modality, side, largest (mean of each node's largest
    share), even (1 / K), nodes. Nodes that nothing sorts are left out, unless that is all of them."""
    even = 1 / stated.finding.axis("hyperedge").size
    rows = []
    for modality in stated.labels("modality"):
        for side in SIDES:
            largest, sorted_ = (
                shares_of(stated, modality, side).max(axis=1),
                chosen(stated, modality, side) != NOWHERE,
            )
            largest = largest[sorted_] if sorted_.any() else largest
            rows.append((modality, side, float(largest.mean(dtype=float)), even, len(largest)))
    return pd.DataFrame(rows, columns=["modality", "side", "largest", "even", "nodes"])


def over_epochs(stated: Stated, modality: str, hyperedge: str) -> pd.DataFrame:
    """Mean membership in one hyperedge at every snapshot: columns epoch, name (side), mean, low, high.

    No band (low and high are NaN): with memberships near 0 or 1 the middle half of the nodes spans everything.
    """
    rows: list[tuple[object, ...]] = []
    if stated.history is not None:
        m, k = stated.labels("modality").index(modality), stated.labels("hyperedge").index(hyperedge)
        for side in SIDES:
            means = {epoch: _snapshot(stated, epoch, side)[m, k] for epoch in stated.history.epochs.tolist()}
            rows += [(epoch, side, float(mean), np.nan, np.nan) for epoch, mean in means.items()]
    return pd.DataFrame(rows, columns=["epoch", "name", "mean", "low", "high"])


def defining_table(
    links: Finding,
    row: int,
    shares_I: Array | None,
    names: Sequence[str],
    trained_I: Array | None,
    categories: Sequence[str] | None,
) -> pd.DataFrame:
    """The items that define a hyperedge, most weight first: columns place, name, number, value (weight), share (their membership),
    trained (their training pairs) and category; what is not known is left out. row: its place among the rows of `links`."""
    table = learned.links_table(links, row, names).drop(columns="support")
    items = table["number"].to_numpy()
    if shares_I is not None:
        table["share"] = shares_I[items]
    if trained_I is not None:
        table["trained"] = trained_I[items]
    if categories is not None:
        table["category"] = [categories[item] for item in items.tolist()]
    return table


def codes(categories: Sequence[str]) -> tuple[list[str], Array]:
    """Names of the categories, the one with most items first, and each item's place among them; -1 where it has none."""
    column = pd.Series(categories, dtype="object")
    known = column[column != ""]
    names = [str(name) for name in known.value_counts(sort=True).index]
    place = {name: number for number, name in enumerate(names)}
    return names, np.array([place.get(label, -1) for label in column], dtype=np.int64)


def category_table(
    shares_IK: Array, names: Sequence[str], code_I: Array, edges: Sequence[str]
) -> pd.DataFrame:
    """Mean membership of each category's items: columns row (category), label (hyperedge), value, support (items).

    Categories that belong to the same hyperedge most stand together. code_I: as from `codes`; items without category are left out.
    """
    found = []
    for place, name in enumerate(names):
        own = shares_IK[code_I == place]
        means = own.mean(axis=0, dtype=float)
        found.append((int(means.argmax()), -float(means.max()), name, means, len(own)))
    rows = [
        (name, edge, float(means[k]), size)
        for _, _, name, means, size in sorted(found, key=lambda one: one[:3])
        for k, edge in enumerate(edges)
    ]
    return pd.DataFrame(rows, columns=["row", "label", "value", "support"])


def crossed_table(one_N: Array, other_N: Array, edges: Sequence[str]) -> pd.DataFrame:
    """Of the nodes that belong mostly to a hyperedge of one modality, the share that belongs mostly to each of another: columns row,
    label, value, support (nodes). Hyperedges that nobody belongs to mostly are left out."""
    count = len(edges)
    joint = np.bincount(one_N * count + other_N, minlength=count * count).reshape(count, count)
    rows = [
        (edges[r], edges[c], joint[r, c] / joint[r].sum(), int(joint[r, c]))
        for r in range(count)
        for c in range(count)
        if joint[r].any() and joint[:, c].any()
    ]
    return pd.DataFrame(rows, columns=["row", "label", "value", "support"])
