"""What should worry the reader about a run that embeds nodes: what it means, the threshold, and what to try. Pure."""

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from dashboard import states, words
from dashboard.alarms import Alarm

# Nats per node below which latent normals say nothing about their node.
COLLAPSED = 0.1
# A metapath with more than this share in every layer leaves nothing to the others.
ALONE = 0.99
# Clusters that explain less than this of the classes are at chance.
CHANCE = 0.05
# A class that classifiers hardly ever find.
LOST = 0.05


def kl_collapse(divergence: float, dims: int) -> Alarm | None:
    """The latent normals equal the prior."""
    if divergence >= COLLAPSED:
        return None
    return Alarm(
        "KL collapse",
        f"**KL divergence {divergence:.3f} nats per node over {dims} dims** (the alarm begins below {COLLAPSED:g}): the latent normals are "
        "the same for all nodes, so variational negatives are noise. Try a smaller kl_weight, or normalise_heads, which keeps "
        "it above 1.",
    )


def one_metapath(shares: pd.DataFrame) -> Alarm | None:
    """One metapath takes nearly all attention in every layer. shares: of `node_learning.metapath_shares`."""
    if shares.empty or shares["label"].nunique() < 2:
        return None
    least = shares.groupby("label", sort=False)["value"].min()
    if least.max() <= ALONE:
        return None
    name = states.plain(str(least.idxmax()))
    return Alarm(
        "One metapath alone",
        f"**{name} has at least {words.percent(float(least.max()))} of the attention in every layer** (the alarm begins above "
        f"{words.percent(ALONE)}): the other metapaths are not heard. Compare with the variant mean_of_metapaths, or train without "
        f"{name}.",
    )


def clusters_at_chance(metrics: Mapping[str, Any]) -> Alarm | None:
    """k-means finds nothing of the classes."""
    found = metrics.get("nmi")
    if found is None or found >= CHANCE:
        return None
    return Alarm(
        "Clusters say nothing of classes",
        f"**NMI {words.score(float(found))}** (the alarm begins below {words.score(CHANCE)}): embeddings do not fall into the classes by "
        "themselves, whatever a classifier finds in them. Embeddings that are all alike look like this, too: see the map.",
    )


def lost_classes(table: pd.DataFrame) -> Alarm | None:
    """Classes that classifiers hardly ever find. table: of `nodes.class_table`."""
    lost = table[table["recall"] < LOST]
    if lost.empty:
        return None
    named: Sequence[str] = [states.plain(str(name)) for name in lost["class"]]
    return Alarm(
        "A class is not found",
        f"**{', '.join(named)}**: recall below {words.percent(LOST)}. Micro-F1 hides this where the class is small; look at Macro-F1.",
    )


def negatives_too_easy(hardness: Mapping[str, float]) -> Alarm | None:
    """Variational negatives lie no nearer to their anchor than chance. hardness: kind -> mean of the nearest cosine."""
    if "variational" not in hardness or "dropout" not in hardness:
        return None
    if hardness["variational"] >= 0.5 * hardness["dropout"] or hardness["dropout"] <= 0:
        return None
    return Alarm(
        "Variational negatives are easy",
        f"**Their nearest cosine to an anchor is {hardness['variational']:.2f}, that of dropout negatives {hardness['dropout']:.2f}** (the alarm "
        "begins below half): they were meant to be the hard ones, and the contrast learns little from them. Compare with the "
        "variant dropout_negatives.",
    )
