"""Paired tests of groups: what the process answers, what the table says, and how it is put in words."""

import subprocess

import numpy as np
import pandas as pd
import pytest

from core.errors import RunError
from core.evaluation.statistics import against_first, holm, paired_test
from core.runs.folder import RunFolder
from core.runs.paired import compared
from dashboard import paired

USERS = 211


def series(seed: int, shift: float = 0.0) -> np.ndarray:
    return np.random.default_rng(seed).normal(0.3 + shift, 0.2, USERS)


def stored(tmp_path, name: str, values: np.ndarray) -> RunFolder:
    run = RunFolder(tmp_path / name)
    run.path.mkdir()
    about = {"protocol": "full", "user": np.arange(len(values)), "hr@10": values}
    pd.DataFrame(about).to_parquet(run.path / "per_user.parquet")
    return run


def test_the_process_tests_what_the_function_tests(tmp_path) -> None:
    groups = [[stored(tmp_path, "a", series(1, 0.1))], [stored(tmp_path, "b", series(2))]]
    assert paired.tested(groups, "full", "hr@10") == compared(groups, "full", "hr@10")


def test_values_handed_over_are_tested_in_a_process_too() -> None:
    pairs = [(series(1, 0.1), series(2)), (series(3)[:1], series(4)[:1])]
    assert paired.tested_values(pairs) == [paired_test(*pairs[0]), None]


def test_nothing_to_test_starts_no_process(monkeypatch) -> None:
    monkeypatch.setattr(subprocess, "run", None)
    assert paired.tested_values([(series(1)[:1], series(2)[:1])]) == [None]
    assert paired.tested_values([]) == []


def test_what_the_process_refuses_is_told_in_its_words(tmp_path) -> None:
    groups = [[stored(tmp_path, "a", series(1))], [RunFolder(tmp_path / "none")]]
    with pytest.raises(RunError, match=r"none keeps no hr@10 per user under full.*leave it out"):
        paired.tested(groups, "full", "hr@10")


@pytest.mark.parametrize("script", ["raise SystemExit('boom')", "print('no JSON')"])
def test_a_process_that_fails_is_an_error_with_a_remedy(script, monkeypatch) -> None:
    real = subprocess.run
    monkeypatch.setattr(subprocess, "run", lambda command, **how: real([command[0], "-c", script], **how))
    with pytest.raises(RunError, match=r"could not be computed .*reload the page"):
        paired.tested([], "full", "hr@10")


def test_a_process_that_takes_too_long_is_an_error(monkeypatch) -> None:
    def slow(*args, **kwargs):
        raise subprocess.TimeoutExpired("python", 300)

    monkeypatch.setattr(subprocess, "run", slow)
    with pytest.raises(RunError, match="compare fewer runs"):
        paired.tested([], "full", "hr@10")


def table(*others: np.ndarray) -> pd.DataFrame:
    keys = [f"g{place}" for place in range(len(others))]
    return paired.test_table(keys, against_first(np.stack([series(1), *others])))


def test_several_comparisons_are_corrected() -> None:
    others = [series(seed, shift) for seed, shift in ((2, -0.05), (3, -0.03), (4, 0.2))]
    raw = against_first(np.stack([series(1), *others]))
    found = table(*others)
    assert list(found["t_p"]) == pytest.approx(holm([test.t_p for test in raw]))
    assert list(found["wilcoxon_p"]) == pytest.approx(holm([test.wilcoxon_p for test in raw]))
    assert list(found["users"]) == [USERS] * 3


def test_verdicts() -> None:
    found = table(series(2, -0.3), series(3, 0.3), series(4))
    assert list(found["verdict"]) == ["ahead", "behind", "not shown"]


def test_one_test_alone_decides_nothing() -> None:
    """Means and ranks point apart: a few large losses outweigh many small gains."""
    other = series(1).copy()
    other[:150] -= 0.02
    other[150:] += 0.2
    (test,) = against_first(np.stack([series(1), other]))
    assert test.difference < 0 < test.rank_effect
    assert test.t_p < 0.05
    assert list(table(other)["verdict"]) == ["not shown"]


ROW = {"users": 15449, "difference": 0.0713, "low": 0.0664, "high": 0.0763, "verdict": "ahead"}


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({}, "**CIGF** is ahead of **LightGCN_M** by .0713 HR@10 (95 % .0664 to .0763) for 15,449 users."),
        (
            {"difference": -0.0713, "low": -0.0763, "high": -0.0664, "verdict": "behind"},
            "**CIGF** is behind **LightGCN_M** by .0713 HR@10 (95 % .0664 to .0763) for 15,449 users.",
        ),
        (
            {"difference": -0.001, "low": -0.003, "high": 0.002, "verdict": "not shown"},
            "**CIGF** and **LightGCN_M** cannot be told apart in HR@10 on 15,449 users: "
            "difference −.0010 (95 % −.0030 to +.0020).",
        ),
    ],
)
def test_the_answer_in_words(changes, said) -> None:
    assert paired.sentence(ROW | changes, "CIGF", "LightGCN_M", "hr@10") == said


def test_what_the_other_comparisons_say() -> None:
    rows = pd.DataFrame([ROW, ROW, ROW | {"verdict": "behind"}])
    assert paired.overall(rows, "CIGF") == " **CIGF** is ahead of 2 of the 3 others."
    assert paired.overall(rows[:2], "CIGF") == " **CIGF** is ahead of all 2 others."
    assert paired.overall(rows[:1], "CIGF") == ""


def test_small_p_values_have_a_bound() -> None:
    assert paired.p_text(0.01234) == ".0123"
    assert paired.p_text(1e-9) == "<\u00a0.0001"


@pytest.mark.parametrize(("effect", "text"), [(-0.1994, "−0.199"), (0.0508, "+0.051"), (0.0, "+0.000")])
def test_effect_sizes_carry_a_true_sign(effect, text) -> None:
    assert paired.effect_text(effect) == text
