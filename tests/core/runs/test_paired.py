"""Who takes part in a paired test: users that every run evaluated, groups with the mean of their runs."""

import json

import numpy as np
import pandas as pd
import pytest

from core.errors import RunError
from core.evaluation.statistics import paired_test
from core.runs.folder import RunFolder
from core.runs.paired import answer, compared, node_values, shared_users, user_values

USERS = 211


def values(seed: int, shift: float = 0.0, users: int = USERS, first: int = 0):
    drawn = np.random.default_rng(seed).normal(0.3 + shift, 0.2, users)
    return np.arange(first, first + users), drawn


@pytest.fixture
def stored(tmp_path):
    """Writes results per user: under `full` those given, under `sampled99` others; the order of users is no order."""

    def write(name: str, users, drawn) -> RunFolder:
        run = RunFolder(tmp_path / name)
        run.path.mkdir()
        rows = pd.DataFrame({"protocol": "full", "user": users, "hr@10": drawn})
        other = rows.assign(protocol="sampled99", **{"hr@10": 9.0})
        mixed = pd.concat([rows, other]).sample(frac=1, random_state=0)
        mixed.astype({"user": "int32", "hr@10": "float32"}).to_parquet(run.path / "per_user.parquet")
        return run

    return write


def test_values_are_those_of_the_protocol_by_rising_user(stored) -> None:
    users, drawn = values(1)
    found_users, found = user_values(stored("a", users, drawn), "full", "hr@10")
    assert found_users.tolist() == users.tolist()
    assert found == pytest.approx(drawn, abs=1e-6)


def test_users_without_a_number_are_left_out(stored) -> None:
    users, drawn = values(1)
    drawn[5] = np.nan
    assert 5 not in user_values(stored("a", users, drawn), "full", "hr@10")[0]


@pytest.mark.parametrize(("protocol", "metric"), [("full", "hr@20"), ("full:mask_valid=false", "hr@10")])
def test_what_a_run_does_not_keep_is_said(protocol, metric, stored) -> None:
    run = stored("a", *values(1))
    with pytest.raises(RunError, match=r"keeps no .* score the run under"):
        user_values(run, protocol, metric)


def test_a_missing_and_a_damaged_file_are_told_apart(tmp_path, stored) -> None:
    with pytest.raises(RunError, match="keeps no"):
        user_values(RunFolder(tmp_path / "none"), "full", "hr@10")
    run = stored("a", *values(1))
    (run.path / "per_user.parquet").write_bytes(b"no parquet")
    with pytest.raises(RunError, match="cannot be read"):
        user_values(run, "full", "hr@10")


def test_only_users_that_every_run_evaluated_take_part() -> None:
    found, dropped = shared_users([[values(1), values(2, first=7)], [values(3, first=3)]])
    assert found.shape == (2, USERS - 7)
    assert dropped == 14


def test_a_group_counts_with_the_mean_of_its_runs() -> None:
    one, two, other = values(1), values(2, first=2), values(3, users=USERS + 5)
    found, _ = shared_users([[one, two], [other]])
    for place, user in enumerate(range(2, USERS)):
        assert found[0, place] == pytest.approx((one[1][user] + two[1][user - 2]) / 2)
        assert found[1, place] == other[1][user]


def test_runs_without_common_users_are_refused() -> None:
    with pytest.raises(RunError, match="share 0 evaluated users"):
        shared_users([[values(1)], [values(2, first=500)]])


def test_groups_are_tested_against_the_first(stored) -> None:
    runs = [
        stored(name, *values(seed, shift)) for name, seed, shift in (("a", 1, 0.1), ("b", 2, 0), ("c", 3, 0))
    ]
    tests, dropped = compared([[run] for run in runs], "full", "hr@10")
    read = [user_values(run, "full", "hr@10")[1] for run in runs]
    assert tests == [paired_test(read[0], read[1]), paired_test(read[0], read[2])]
    assert dropped == 0


def test_a_question_is_answered_in_json(stored) -> None:
    paths = [[str(stored(name, *values(seed)).path)] for name, seed in (("a", 1), ("b", 2))]
    said = json.loads(
        json.dumps(answer(json.dumps({"groups": paths, "protocol": "full", "metric": "hr@10"}).encode()))
    )
    assert said["tests"][0]["size"] == USERS
    refused = answer(json.dumps({"groups": paths, "protocol": "full", "metric": "hr@99"}).encode())
    assert "keeps no hr@99" in refused["refused"]


def test_nodes_are_tested_by_the_share_of_classifiers_that_are_right(tmp_path) -> None:
    def write(name: str, votes, nodes) -> RunFolder:
        run = RunFolder(tmp_path / name)
        run.path.mkdir()
        about = {
            "protocol": "heco",
            "labels_per_class": 20,
            "node": nodes,
            "label": [0, 1, 1],
            "votes": votes,
        }
        other = {**about, "labels_per_class": 40, "votes": [[9, 0]] * 3}
        pd.concat([pd.DataFrame(about), pd.DataFrame(other)]).to_parquet(run.path / "per_node.parquet")
        return run

    one = write("one", [[5, 0], [1, 4], [2, 3]], [7, 3, 11])
    nodes, right = node_values(one, "heco", 20)
    assert nodes.tolist() == [3, 7, 11]
    assert right == pytest.approx([0.8, 1.0, 0.6])
    other = write("other", [[4, 1], [1, 4], [5, 0]], [7, 3, 11])
    (test,), dropped = compared([[one], [other]], "heco", "micro_f1@20")
    assert (test.size, dropped) == (3, 0)
    assert test.difference == pytest.approx((0.2 + 0.0 + 0.6) / 3)
    with pytest.raises(RunError, match=r"no votes per node with 60 labels per class .* score the run"):
        node_values(one, "heco", 60)
    with pytest.raises(RunError, match=r"keeps no micro_f1 per user"):
        compared([[one], [other]], "heco", "micro_f1")
