"""What should worry the reader about a run's levels and edges: what it means, the threshold, and what to try. Pure."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from dashboard import states, words
from dashboard.information import depth
from dashboard.refinement import BETTER, TRAINING, WEIGHT, WORSE

# A level whose abundance is below either has collapsed: its rows lie close to a line or a plane, whatever its size.
COLLAPSED, COLLAPSED_SHARE = 2.0, 0.1
# Where every graph keeps at least this share of its edges in training, nothing is pruned.
ALL_KEPT = 0.999
# A level that costs at least this part of guessing no longer tells whose output is whose.
GUESSING = 0.9
MOST_NAMED = 3


@dataclass(frozen=True)
class Alarm:
    """One alarm: its name for a badge, and in Markdown what is seen and means, and what to try."""

    name: str
    text: str


def collapse_below(dims: int) -> float:
    """The abundance below which a level of `dims` dimensions counts as collapsed."""
    return max(COLLAPSED, COLLAPSED_SHARE * dims)


def collapsed(table: pd.DataFrame, dims: int, side: str, *, has_beta: bool = True) -> Alarm | None:
    """Levels whose information abundance lies below 2 or below a tenth of their dimensions. table: of `abundance_table`. has_beta: whether
    the system has a loss that presses levels together."""
    below = table[table["value"] < collapse_below(dims)]
    if below.empty:
        return None
    first = below.sort_values("depth", kind="stable").iloc[0]
    few = "a line" if first["value"] < COLLAPSED else "few directions"
    tried = "a smaller beta, which presses levels together, " if has_beta else ""
    return Alarm(
        "Collapse",
        f"**{_named(below['level'])}**: abundance of {side}s {first['value']:.1f} in *{states.plain(first['level'])}*, below "
        f"{collapse_below(dims):g} of {dims} dimensions (the alarm begins at 2, or a tenth of the dimensions): its rows lie "
        f"close to {few}, so the level tells few apart and deeper ones inherit it. Try {tried}a lower learning_rate, or "
        "another seed.",
    )


def nothing_pruned(keep: pd.DataFrame, threshold: float | None, temperature: float = 1.0) -> Alarm | None:
    """Every graph keeps at least 99.9 % of its edges in training. keep: of `keep_table`. threshold, temperature: of the
    Gumbel-sigmoid, where there is one threshold for all."""
    rates = keep.loc[keep["edges"] != 0, TRAINING]
    if rates.empty or rates.min() < ALL_KEPT:
        return None
    idle = ""
    if threshold is not None:
        logit = temperature * np.log(threshold / (1 - threshold))
        idle = f" Without noise an edge is dropped only where the dot product of its ends is at most {minus(logit)}."
    dropped = keep["dropped"].sum()
    about = f"about {dropped:,.0f}" if dropped >= 0.5 else "less than one"
    count = f", and all together drop {about} of {keep['edges'].sum():,.0f}" if np.isfinite(dropped) else ""
    return Alarm(
        "Nothing is pruned",
        f"In training every graph keeps {words.percent(ALL_KEPT)} of its edges or more{count}.{idle} What the refinement does, its "
        "soft weights do. Try a larger threshold, or the variant threshold_per_graph, which prunes the same share of every graph.",
    )


def lost_output(table: pd.DataFrame) -> Alarm | None:
    """Levels from which the output can hardly be told better than by guessing. table: of `preservation_table`."""
    lost = table[table["lost"] >= GUESSING]
    if lost.empty:
        return None
    worst = lost.sort_values("lost", ascending=False, kind="stable").iloc[0]
    return Alarm(
        "A level lost the output",
        f"**{_named(lost['level'])}**: telling whose output is whose from *{states.plain(worst['level'])}* costs {worst['value']:.1f} nats, "
        f"guessing {worst['guessing']:.1f} (the alarm begins at {words.percent(GUESSING)} of guessing): what helps to recommend does not "
        "pass through this level. Try a larger alpha, a smaller beta, or more epochs.",
    )


def blind_weights(detection: pd.DataFrame) -> Alarm | None:
    """In no graph do weights tell planted noise from other edges better than chance. detection: of `detection_table`."""
    own = detection[detection["scorer"] == WEIGHT]
    if own.empty or (own["verdict"] == BETTER).any():
        return None
    worse = own[own["verdict"] == WORSE]["graph"]
    backwards = f" In {_named(worse)} noise even gets the larger weights." if len(worse) else ""
    areas = f"{own['area'].min():.3f} to {own['area'].max():.3f}"
    return Alarm(
        "Weights do not find the noise",
        f"The area under the ROC curve of edge weights against planted noise is {areas}, and in none of "
        f"{words.count(len(own), 'graph')} its 95 % interval lies above 0.5, which is chance.{backwards} Pruning then drops real "
        "edges as readily as noise. Try more epochs, a smaller noise_temperature, or compare with the variant random_pruning.",
    )


def _named(levels: pd.Series) -> str:
    """`view, cart and 3 more`, the first levels first."""
    names = sorted(map(str, levels), key=depth)
    shown, more = names[:MOST_NAMED], len(names) - MOST_NAMED
    return states.plain(", ".join(shown)) + (f" and {more} more" if more > 0 else "")


def minus(value: float) -> str:
    """Two decimals with a true minus sign."""
    return f"{value:.2f}".replace("-", "−")
