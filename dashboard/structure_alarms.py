"""What should worry the reader about a run's hyperedges and branches: what it means, the threshold, and what to try. Pure."""

from collections.abc import Mapping
from typing import Any

import pandas as pd

from dashboard import states, words
from dashboard.alarms import Alarm
from dashboard.relations import GROUP_TITLES
from dashboard.structure_words import listed, signed

# A hyperedge that holds more than this share of the users, or of the items, leaves nothing to the others.
HELD = 0.95
# Nodes whose largest share is below this multiple of an even one belong to no hyperedge in particular.
BARELY_ABOVE_EVEN = 1.2
# A branch whose part in the final embedding is below this hardly matters there.
IDLE = 0.01
_WEIGHTS = {
    ("srgformer", "transformer"): "alpha",
    ("srgformer", "hypergraph"): "beta",
    ("lgmrec", "hypergraph"): "alpha",
}


def collapsed(sizes: pd.DataFrame) -> Alarm | None:
    """One hyperedge of a modality holds nearly all users, or items. sizes: of `hyperedges.size_table`."""
    found = sizes[sizes["share"] > HELD]
    if found.empty:
        return None
    named = [
        f"hyperedge {edge} of *{states.plain(modality)}* holds {words.percent(share)} of the {GROUP_TITLES[side]}"
        for modality, edge, side, share in found[["modality", "hyperedge", "side", "share"]].itertuples(
            index=False
        )
    ]
    return Alarm(
        "Collapsed hypergraph",
        f"**{listed(named)}** (the alarm begins at {words.percent(HELD)}): it groups nothing, and the branch adds nearly the same "
        "vector to everybody. Try features standardised at import, a larger hyper_temperature, or another seed.",
    )


def undecided(sharpness: pd.DataFrame) -> Alarm | None:
    """Memberships are close to uniform. sharpness: of `hyperedges.sharpness_table`."""
    several = sharpness[sharpness["even"] < 1]  # a single hyperedge is told as collapsed
    found = several[several["largest"] < BARELY_ABOVE_EVEN * several["even"]]
    if found.empty:
        return None
    named = ", ".join(
        f"{GROUP_TITLES[side]} by *{states.plain(modality)}*: largest share {words.percent(largest)}"
        for modality, side, largest in found[["modality", "side", "largest"]].itertuples(index=False)
    )
    even = float(found["even"].iloc[0])
    return Alarm(
        "Uniform memberships",
        f"**{named}** on average, an even one is {words.percent(even)} (the alarm begins below {BARELY_ABOVE_EVEN:g} times that): they "
        "belong to all hyperedges alike, which groups nothing. Try a lower hyper_temperature or more epochs.",
    )


def idle_branches(table: pd.DataFrame, system: str, config: Mapping[str, Any]) -> Alarm | None:
    """Branches that contribute less than 1 % to a side. table: of `branches.branch_table`."""
    found = table[table["contribution"] < IDLE]
    if found.empty:
        return None
    named = ", ".join(
        f"*{states.plain(branch)}* adds {signed(part)} to {GROUP_TITLES[side]}"
        for branch, side, part in found[["branch", "side", "contribution"]].itertuples(index=False)
    )
    weights = {_WEIGHTS[system, branch] for branch in found["branch"] if (system, branch) in _WEIGHTS}
    told = " and ".join(f"{name} (now {config[name]:g})" for name in sorted(weights) if name in config)
    against = " Below zero it points against the rest." if (found["contribution"] < 0).any() else ""
    return Alarm(
        "Idle branch",
        f"**{named}** (the alarm begins below {words.percent(IDLE)} of the final embedding): ranking hardly hears it.{against} "
        f"{f'Try a larger {told}' if told else 'Try more epochs'}, or compare with the variant that leaves the branch out.",
    )
