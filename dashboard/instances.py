"""From a path of relations to the nodes on it: whom to look at, which paths reach an item, instances in words. Pure."""

from collections.abc import Sequence
from itertools import product

import numpy as np
import pandas as pd

from core.findings import Array

ARROW = " —{}→ "


def hit_users(users: Array, items: Array, results: pd.DataFrame) -> dict[int, set[int]]:
    """user -> the recommended items that are the user's test items, for users with at least one.

    users [V] and items [V, R] are the stored recommendations; results: rows of per_user (one protocol).
    """
    tested = results[["user", "items"]].explode("items").dropna()
    recommended = pd.DataFrame({"user": np.repeat(users, items.shape[1]), "items": items.ravel()})
    hits = recommended.merge(tested.astype("int64"), on=["user", "items"])
    found: dict[int, set[int]] = {}
    for user, item in zip(hits["user"].tolist(), hits["items"].tolist()):
        found.setdefault(user, set()).add(item)
    return found


def reaching_paths(behaviors: Sequence[str], num_layers: int, composition: str) -> list[tuple[str, ...]]:
    """Paths of three relations from a user to an item that the model can use.

    From L = 3 on the user's representation reaches the item by itself. With L = 2 its order 2 meets the item's order 1
    in the second user, and both carry the start behaviour k of one expert: b > k > k under recursive composition,
    k > b > k under target composition.
    """
    if num_layers < 2:
        return []
    if num_layers > 2:
        return list(product(behaviors, repeat=3))
    pairs = product(behaviors, behaviors)
    return [(b, k, k) if composition == "recursive" else (k, b, k) for k, b in pairs]


def strongest_first(paths: Sequence[tuple[str, ...]], strongest: Sequence[str]) -> list[tuple[str, ...]]:
    """`paths` in the order of `strongest` (labels of stored paths) that they equal or go on from; the others last."""
    rank = {label: place for place, label in enumerate(strongest)}

    def place(path: tuple[str, ...]) -> int:
        beginnings = (" > ".join(path[:length]) for length in range(len(path), 0, -1))
        return next((rank[label] for label in beginnings if label in rank), len(rank))

    return sorted(paths, key=place)


def in_words(instance: Sequence[int], path: Sequence[str], user: int, titles: Sequence[str]) -> str:
    """`user 12 —favorite→ Trail lamp 07 —buy→ user 88 —buy→ Kettle 03`. instance: the node after each hop."""
    text = f"user {user}"
    for hop, (behavior, node) in enumerate(zip(path, instance)):
        text += ARROW.format(behavior) + (titles[node] if hop % 2 == 0 else f"user {node}")
    return text


def walk_notes(instances: pd.DataFrame, user: int, item: int) -> list[str]:
    """What to know about each walk: whether it returns to its user, or passes the recommended item on its way."""
    returns, passes = instances["hop 2"] == user, instances["hop 1"] == item
    said = (("returns to the user", returns), ("passes the item itself", passes))
    return [
        ", ".join(note for note, applies in said if applies.iloc[place]) for place in range(len(instances))
    ]


def why_three_hops(num_layers: int, composition: str) -> str:
    """Why a path from a user to an item has three hops, and why some of its behaviours repeat."""
    if num_layers > 2:
        return (
            "Three hops: the shortest way over another user; the user's own representation reaches that far."
        )
    same = "last two behaviours" if composition == "recursive" else "first and the last behaviour"
    return (
        "Three hops: the user's path of two hops meets the item's path of one hop in another user. Both share the "
        f"start behaviour, so the {same} are the same."
    )


def readable(
    instances: pd.DataFrame, path: Sequence[str], user: int, item: int, titles: Sequence[str]
) -> pd.DataFrame:
    """`instances` (strength, share, `hop 1`, ...) in words: columns instance, strength, share, note."""
    hops = instances[[f"hop {place}" for place in range(1, len(path) + 1)]].to_numpy()
    walks = [in_words([int(node) for node in row], path, user, titles) for row in hops]
    notes = walk_notes(instances, user, item)
    return pd.DataFrame(
        {"instance": walks, "strength": instances["strength"], "share": instances["share"], "note": notes}
    )
