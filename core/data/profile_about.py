"""What a profile tells without counting: its version, and what the description of the data set says."""

from typing import Any

from core.data.info import DatasetInfo

# Raise it when what a profile counts or how it is stored changes: stored ones are then computed again.
VERSION = 2


def described(info: DatasetInfo) -> dict[str, Any]:
    """What the description alone tells: name, origin, rule and repairs, which the content hash does not cover."""
    told: dict[str, Any] = {
        "name": info.name,
        "kind": list(info.kind),
        "content_hash": info.content_hash,
        "split_rule": info.split_rule,
        "planted": info.planted,
        "notes": list(info.notes),
    }
    if info.behaviors:
        told |= {"users": info.num_users, "items": info.num_items, "target": info.target}
    return told
