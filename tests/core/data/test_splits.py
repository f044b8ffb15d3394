"""Split rules against slow loops over small random tables full of repeats and ties."""

import random

import numpy as np
import pandas as pd
import pytest

from core.data.splits import NO_TIME, greatest_per_user, repaired, split_rows
from core.errors import DataError

RANK = {"train": 0, "valid": 1, "test": 2}


def table(rows: list[tuple], *, timed: bool = True) -> pd.DataFrame:
    frame = pd.DataFrame(rows, columns=["user", "item", "behavior", "split", "timestamp"])
    return frame if timed else frame.drop(columns="timestamp")


def messy(seed: int) -> list[tuple]:
    """Random rows with repeated pairs within and across splits and few distinct times."""
    rng = random.Random(seed)
    rows = [
        (rng.randrange(7), rng.randrange(5), "view", "train", rng.randrange(4))
        for _ in range(rng.randrange(40))
    ]
    splits = ["train"] * 6 + ["valid", "test"]
    rows += [
        (rng.randrange(7), rng.randrange(11), "buy", rng.choice(splits), rng.randrange(4)) for _ in range(60)
    ]
    rng.shuffle(rows)
    return rows


def slow_repair(rows: list[tuple]) -> set[tuple]:
    kept = set()
    for user, item, behavior in {row[:3] for row in rows}:
        same = [row for row in rows if row[:3] == (user, item, behavior)]
        latest = max((row[3] for row in same), key=RANK.__getitem__)
        kept.add((user, item, behavior, latest, min(row[4] for row in same if row[3] == latest)))
    return kept


def slow_hold_out_last(rows: set[tuple], part: str) -> set[tuple]:
    result = set(rows)
    for user in {row[0] for row in rows}:
        own = [row for row in rows if row[0] == user and row[2] == "buy" and row[3] == "train"]
        if len(own) >= 2:
            last = max(own, key=lambda row: (row[4], row[1]))
            result.remove(last)
            result.add((*last[:3], part, last[4]))
    return result


def as_set(frame: pd.DataFrame) -> set[tuple]:
    rows = list(frame.itertuples(index=False, name=None))
    assert len(rows) == len(set(rows))
    return set(rows)


@pytest.mark.parametrize("seed", range(20))
def test_repair_keeps_the_latest_split_and_its_earliest_time(seed):
    rows = messy(seed)
    frame, notes = repaired(table(rows), "buy")
    assert as_set(frame) == slow_repair(rows)
    removed = sum(int(note.split(": ")[1].split()[0]) for note in notes)
    assert removed == len(rows) - len(frame)


@pytest.mark.parametrize("seed", range(20))
def test_last_holds_out_two_per_user_by_time_then_item(seed):
    rows = messy(seed)
    pooled = [(*row[:3], "train", row[4]) for row in rows]
    expected = slow_hold_out_last(slow_hold_out_last(slow_repair(pooled), "test"), "valid")
    result = split_rows(table(rows), "buy", "last")
    assert as_set(result.rows) == expected
    assert result.rule == "last by time"


@pytest.mark.parametrize("seed", range(10))
def test_by_default_missing_validation_is_held_out_by_time(seed):
    rows = [row for row in messy(seed) if row[3] != "valid"]
    result = split_rows(table(rows), "buy")
    assert as_set(result.rows) == slow_hold_out_last(slow_repair(rows), "valid")
    assert result.rule == "source's test pairs, validation last by time"


def test_by_default_a_complete_source_split_is_only_repaired():
    rows = messy(3)
    result = split_rows(table(rows), "buy")
    assert as_set(result.rows) == slow_repair(rows)
    assert result.rule == "source's test pairs"


def test_by_default_unsplit_data_is_split_by_time_or_without_times_at_random():
    rows = [row for row in messy(4) if row[3] == "train"]
    assert as_set(split_rows(table(rows), "buy").rows) == as_set(split_rows(table(rows), "buy", "last").rows)
    result = split_rows(table(rows, timed=False), "buy", seed=5)
    assert result.rule == "random, seed 5"
    assert as_set(result.rows) == as_set(split_rows(table(rows, timed=False), "buy", "random", 5).rows)


def test_unknown_times_count_as_no_times():
    rows = [(0, item, "buy", "train", NO_TIME) for item in range(4)]
    assert split_rows(table(rows), "buy").rule == "random, seed 0"
    with pytest.raises(DataError, match=r"'last' needs a time .* --split random"):
        split_rows(table(rows), "buy", "last")


@pytest.mark.parametrize("seed", range(10))
def test_random_holds_out_one_pair_per_user_whatever_the_row_order(seed):
    rows = messy(seed)
    result = split_rows(table(rows), "buy", "random", seed)
    again = split_rows(table(rows[::-1]), "buy", "random", seed)
    assert as_set(result.rows) == as_set(again.rows)
    buys = result.rows[result.rows["behavior"] == "buy"]
    for _, own in buys.groupby("user"):
        counts = own["split"].value_counts()
        assert counts.get("test", 0) == (len(own) >= 2)
        assert counts.get("valid", 0) == (len(own) >= 3)


def test_random_draws_uniformly_and_by_seed():
    rows = table([(user, item, "buy", "train", 0) for user in range(3000) for item in range(3)])
    held = split_rows(rows, "buy", "random", 1).rows.query("split == 'test'")
    share = np.bincount(held["item"]) / 3000
    assert np.abs(share - 1 / 3).max() < 0.04
    other = split_rows(rows, "buy", "random", 2).rows.query("split == 'test'")
    assert (held["item"].to_numpy() != other["item"].to_numpy()).mean() > 0.5


def test_as_given_touches_nothing():
    frame = table(messy(1))
    result = split_rows(frame, "buy", "as-given")
    pd.testing.assert_frame_equal(result.rows, frame)
    assert result.rule == "as-given"


@pytest.mark.parametrize("seed", range(10))
def test_what_as_given_leaves_unrepaired_is_told(seed):
    rows = messy(seed)
    told = set(split_rows(table(rows), "buy", "as-given").notes)
    expected = set()
    for name in ("view", "buy"):
        pairs = [row[:2] for row in rows if row[2] == name]
        if len(pairs) > len(set(pairs)):
            expected.add(f"{name}: {len(pairs) - len(set(pairs))} rows repeat a pair and were kept as given")
    for late, early in (("test", "train"), ("test", "valid"), ("valid", "train")):
        held, earlier = ({row[:2] for row in rows if row[2:4] == ("buy", part)} for part in (late, early))
        if held & earlier:
            expected.add(f"buy: {len(held & earlier)} {late} pairs are also {early} pairs")
    assert told == expected
    assert seed or len(told) > 1


def test_as_given_has_nothing_to_tell_of_a_clean_split():
    rows = [(0, 0, "buy", "train", 1), (0, 1, "buy", "test", 2), (1, 0, "view", "train", 1)]
    assert split_rows(table(rows), "buy", "as-given").notes == ()


def test_auxiliary_rows_are_never_held_out():
    result = split_rows(table(messy(2)), "buy", "last").rows
    assert set(result.loc[result["behavior"] == "view", "split"]) == {"train"}


def test_repairs_are_told_with_counts():
    rows = [
        (0, 0, "view", "train", 9),
        (0, 0, "view", "train", 3),
        (0, 1, "buy", "train", 1),
        (0, 1, "buy", "valid", 2),
        (0, 1, "buy", "test", 5),
        (0, 1, "buy", "test", 4),
        (0, 2, "buy", "train", 7),
    ]
    frame, notes = repaired(table(rows), "buy")
    assert as_set(frame) == {(0, 0, "view", "train", 3), (0, 1, "buy", "test", 4), (0, 2, "buy", "train", 7)}
    assert sorted(notes) == [
        "buy: 1 repeated pairs in test removed",
        "buy: 1 train pairs that are also test pairs kept in test only",
        "buy: 1 valid pairs that are also test pairs kept in test only",
        "view: 1 repeated pairs removed",
    ]


def test_a_split_that_leaves_nothing_is_refused():
    with pytest.raises(DataError, match="no training pair of the target 'buy' is left"):
        split_rows(table([(0, 0, "buy", "train", 1), (0, 0, "buy", "test", 2)]), "buy")
    with pytest.raises(DataError, match="no user has two 'buy' pairs"):
        split_rows(table([(0, 0, "buy", "train", 1), (1, 0, "buy", "train", 2)]), "buy")


@pytest.mark.parametrize("seed", range(10))
def test_the_greatest_of_each_user_with_two_is_found(seed):
    rng = random.Random(seed)
    users = sorted(rng.randrange(11) for _ in range(rng.randrange(23)))
    values = [rng.randrange(3) for _ in users]
    expected = []
    for user in sorted(set(users)):
        own = [place for place, other in enumerate(users) if other == user]
        if len(own) >= 2:
            expected.append(max(own, key=lambda place: (values[place], place)))
    found = greatest_per_user(np.array(users, np.int32), np.array(values, np.int64))
    assert found.tolist() == expected


def test_behaviors_may_come_as_categories_in_any_order():
    plain = table(messy(6))
    coded = plain.astype({"behavior": pd.CategoricalDtype(["view", "unused", "buy"]), "split": "category"})
    expected, result = split_rows(plain, "buy", "last"), split_rows(coded, "buy", "last")
    assert as_set(result.rows) == as_set(expected.rows)
    assert result.notes == expected.notes
