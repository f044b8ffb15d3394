"""What could make a result look better than it is: pairs on both sides of the split, and training from the future."""

from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from core.data.info import SPLITS
from core.data.profile_pairs import Keys, Pairs, shared
from core.data.splits import NO_TIME


def audit(rows: pd.DataFrame, train: Pairs, held: dict[str, Keys]) -> dict[str, Any]:
    """Counts for every question of the leakage audit; `dashboard` puts them into words.

    rows: all interactions. train: the training pairs. held: `valid` and `test` -> the target's distinct pairs there.
    """
    target = train.behaviors[-1]
    told: dict[str, Any] = {part: _held_out(train, keys) for part, keys in held.items()}
    told["test_inside_valid"] = int(shared(held["test"], held["valid"]).sum())
    told["repeated"] = _repeated(rows)
    told["rows"] = len(rows)
    tested = np.unique(held["test"] // max(1, train.num_items))
    of_target = train.degrees(target, "user")
    of_any = sum((train.degrees(b, "user") for b in train.behaviors), start=np.zeros(train.num_users, int))
    told["test_users_without_train_target"] = int((of_target[tested] == 0).sum())
    told["test_users_without_train"] = int((of_any[tested] == 0).sum())
    item_pairs = sum(
        (train.degrees(b, "item") for b in train.behaviors), start=np.zeros(train.num_items, int)
    )
    told["items_without_train_target"] = int((train.degrees(target, "item") == 0).sum())
    told["items_without_train"] = int((item_pairs == 0).sum())
    told["future"] = future(rows, target)
    return told


def _held_out(train: Pairs, keys: Keys) -> dict[str, Any]:
    """How held-out pairs of the target relate to what trains."""
    target, auxiliary = train.behaviors[-1], train.behaviors[:-1]
    items = keys % max(1, train.num_items)
    under = {behavior: shared(keys, train.keys[behavior]) for behavior in auxiliary}
    anywhere = np.zeros(len(keys), np.bool_)
    for found in under.values():
        anywhere |= found
    cold = train.degrees(target, "item")[items] == 0
    colder = cold & (
        sum((train.degrees(b, "item")[items] for b in auxiliary), start=np.zeros(len(keys), int)) == 0
    )
    return {
        "pairs": len(keys),
        "users": len(np.unique(keys // max(1, train.num_items))),
        "seen_under_auxiliary": int(anywhere.sum()),
        "seen_under": {behavior: int(found.sum()) for behavior, found in under.items()},
        "inside_train_target": int(shared(keys, train.keys[target]).sum()),
        "pairs_absent_from_train_target": int(cold.sum()),
        "items_absent_from_train_target": len(np.unique(items[cold])),
        "pairs_absent_from_all_train": int(colder.sum()),
    }


def _repeated(rows: pd.DataFrame) -> int:
    """Rows that repeat user, item, behaviour and split of another row."""
    columns = [rows["user"].to_numpy(), rows["item"].to_numpy()]
    columns += [rows[name].cat.codes.to_numpy() for name in ("behavior", "split")]
    order = np.lexsort(columns)
    same = np.ones(max(0, len(rows) - 1), np.bool_)
    for column in columns:
        ordered = column[order]
        same &= ordered[1:] == ordered[:-1]
    return int(same.sum())


def future(rows: pd.DataFrame, target: str) -> dict[str, Any] | None:
    """Training events that happened after what is tested; None where training or test events have no times.

    after_own_test: training events later than the earliest test event of the same user, by behaviour; users: who has
    such events. of: training events of users whose test time is known. after_first_test: training events later than
    the earliest test event of anybody; of_all: all training events with a time.
    """
    if "timestamp" not in rows:
        return None
    times = rows["timestamp"].to_numpy()
    known = times != NO_TIME
    is_train = (rows["split"] == "train").to_numpy() & known
    is_test = ((rows["split"] == "test") & (rows["behavior"] == target)).to_numpy() & known
    if not is_train.any() or not is_test.any():
        return None
    users = rows["user"].to_numpy()
    never = np.iinfo(np.int64).max
    tested_at: NDArray[np.int64] = np.full(int(users.max()) + 1, never)
    np.minimum.at(tested_at, users[is_test], times[is_test])
    later = is_train & (times > tested_at[users])
    comparable = is_train & (tested_at[users] < never)
    behaviors = rows["behavior"]
    return {
        "after_own_test": int(later.sum()),
        "by_behavior": {
            str(name): int(count) for name, count in behaviors[later].value_counts(sort=False).items()
        },
        "users": len(np.unique(users[later])),
        "of": int(comparable.sum()),
        "after_first_test": int((is_train & (times > times[is_test].min())).sum()),
        "of_all": int(is_train.sum()),
    }


def split_table(rows: pd.DataFrame, target: str) -> dict[str, dict[str, int | None]]:
    """Per split of the target behaviour: pairs, users, items, and the first and last known time."""
    of_target = (rows["behavior"] == target).to_numpy()
    told: dict[str, dict[str, int | None]] = {}
    for split in SPLITS:
        chosen = rows[of_target & (rows["split"] == split).to_numpy()]
        if chosen.empty:
            continue
        known = chosen["timestamp"][chosen["timestamp"] != NO_TIME] if "timestamp" in chosen else None
        has_time = known is not None and len(known) > 0
        told[split] = {
            "pairs": len(chosen),
            "users": int(chosen["user"].nunique()),
            "items": int(chosen["item"].nunique()),
            "first": int(known.min()) if has_time and known is not None else None,
            "last": int(known.max()) if has_time and known is not None else None,
        }
    return told
