"""Test pairs as a run stores them: read under one protocol, and laid beside those of other runs."""

import numpy as np
import pandas as pd
import pytest

from core.errors import RunError
from core.runs.folder import RunFolder
from core.runs.ranked_pairs import RankedPairs, ranked_pairs, shared_pairs


def stored(tmp_path, rows: list[tuple[str, int, list[int], list[int]]]) -> RunFolder:
    run = RunFolder(tmp_path / "run")
    run.path.mkdir(exist_ok=True)
    pd.DataFrame(rows, columns=["protocol", "user", "items", "ranks"]).to_parquet(
        run.path / "per_user.parquet"
    )
    return run


def triples(pairs: RankedPairs | None) -> list[tuple[int, int, int]]:
    assert pairs is not None
    return list(zip(pairs.users.tolist(), pairs.items.tolist(), pairs.ranks.tolist()))


def test_pairs_are_read_by_user_and_item_under_one_protocol(tmp_path) -> None:
    rows = [("full", 5, [3, 1], [70, 2]), ("sampled99", 2, [9], [8]), ("full", 2, [9], [40])]
    run = stored(tmp_path, rows)
    assert triples(ranked_pairs(run, "full")) == [(2, 9, 40), (5, 1, 2), (5, 3, 70)]
    assert triples(ranked_pairs(run, "sampled99")) == [(2, 9, 8)]
    assert ranked_pairs(run, "mmrec") is None


def test_a_run_without_results_has_no_pairs(tmp_path) -> None:
    assert ranked_pairs(RunFolder(tmp_path), "full") is None


def test_damage_is_told_with_a_remedy(tmp_path) -> None:
    run = stored(tmp_path, [("full", 1, [3, 4], [2])])
    with pytest.raises(RunError, match=r"items and ranks do not match.*repeat the run"):
        ranked_pairs(run, "full")
    (run.path / "per_user.parquet").write_bytes(b"nothing")
    with pytest.raises(RunError, match=r"per_user.parquet: cannot be read"):
        ranked_pairs(run, "full")
    pd.DataFrame({"protocol": ["full"], "user": [1]}).to_parquet(run.path / "per_user.parquet")
    with pytest.raises(RunError, match="cannot be read"):
        ranked_pairs(run, "full")


def made(*rows: tuple[int, int, int]) -> RankedPairs:
    users, items, ranks = (np.array(column) for column in zip(*rows))
    return RankedPairs(users, items, ranks)


def test_runs_share_the_pairs_that_each_of_them_has() -> None:
    one = made((1, 4, 10), (1, 6, 11), (2, 4, 12), (7, 0, 13))
    other = made((1, 6, 20), (2, 4, 21), (2, 9, 22), (7, 0, 23))
    users, items, ranks, dropped = shared_pairs([one, other])
    assert list(zip(users.tolist(), items.tolist())) == [(1, 6), (2, 4), (7, 0)]
    assert [run.tolist() for run in ranks] == [[11, 12, 13], [20, 21, 23]]
    assert dropped == 2


def test_runs_of_the_same_pairs_drop_none() -> None:
    one = made((1, 4, 10), (3, 2, 11))
    users, _, (first, second), dropped = shared_pairs([one, made((1, 4, 5), (3, 2, 6))])
    assert (users.tolist(), first.tolist(), second.tolist(), dropped) == ([1, 3], [10, 11], [5, 6], 0)
