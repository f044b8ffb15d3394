"""What each branch adds to the final embedding, as tables. Pure. Sources: SRGFormer, Eq. 15; LGMRec, Eq. 12.

R branches.
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from dashboard.information import SIDES, Stated, extreme

# What a branch is, for readers; which of them a paper calls global and which local differs.
MEANING = {
    "collaborative": "LightGCN over the interactions",
    "modal": "features of the items, passed along the interactions",
    "transformer": "attention over each user's history and each item's users",
    "hypergraph": "passes through hyperedges that features define",
}
_ROLES = {
    ("srgformer", "transformer"): "global",
    ("srgformer", "hypergraph"): "local",
    ("lgmrec", "hypergraph"): "global",
}


def branch_title(branch: str, system: str) -> str:
    """`transformer (global)`: the branch with what the system's paper calls it."""
    role = _ROLES.get((system, branch))
    return f"{branch} ({role})" if role else branch


def branch_table(contribution: Stated, norm: Stated | None, epoch: int | None) -> pd.DataFrame:
    """Columns branch, side, contribution (the parts of a side add up to 1), norm (mean length; NaN where not known), nodes."""
    labels = contribution.labels("branch")
    part = contribution.values(epoch).astype(float)
    length = np.full(part.shape, np.nan)
    if norm is not None and norm.labels("branch") == labels:
        length = norm.values(epoch).astype(float)
    support = contribution.finding.support
    nodes = np.full(part.shape, np.nan) if support is None else support
    rows = [
        (branch, side, part[r, s], length[r, s], nodes[r, s])
        for r, branch in enumerate(labels)
        for s, side in enumerate(SIDES)
    ]
    return pd.DataFrame(rows, columns=["branch", "side", "contribution", "norm", "nodes"])


def over_epochs(contribution: Stated, side: str) -> pd.DataFrame:
    """The contribution of each branch at every snapshot: columns epoch, name (branch), mean, low, high (NaN: a mean alone is kept)."""
    columns = ["epoch", "name", "mean", "low", "high"]
    if contribution.history is None:
        return pd.DataFrame(columns=columns)
    values = contribution.history.values[:, :, SIDES.index(side)].astype(float)
    rows = [
        (int(epoch), branch, float(values[e, r]), np.nan, np.nan)
        for r, branch in enumerate(contribution.labels("branch"))
        for e, epoch in enumerate(contribution.history.epochs)
    ]
    return pd.DataFrame(rows, columns=columns)


@dataclass(frozen=True)
class Ends:
    """The branches that contribute most and least to one side."""

    side: str
    most: str
    most_share: float
    least: str
    least_share: float


def ends(table: pd.DataFrame, side: str) -> Ends:
    """table: as from `branch_table`."""
    own = table[table["side"] == side]
    most, least = extreme(own, "contribution"), extreme(own, "contribution", least=True)
    return Ends(
        side, most["branch"], float(most["contribution"]), least["branch"], float(least["contribution"])
    )


def wide_table(table: pd.DataFrame) -> pd.DataFrame:
    """One row per branch: columns branch, contribution_user, contribution_item, norm_user, norm_item."""
    wide = pd.DataFrame({"branch": table["branch"].drop_duplicates()})
    for value in ("contribution", "norm"):
        for side in SIDES:
            wide[f"{value}_{side}"] = table.loc[table["side"] == side, value].to_numpy()
    return wide.reset_index(drop=True)
