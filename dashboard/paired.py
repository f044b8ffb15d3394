"""Paired tests between groups of runs: asked of a process of its own, as a table and in words."""

import json
import subprocess
import sys
from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from core.errors import RunError
from core.evaluation.statistics import Floats, PairedTest, holm
from core.runs.folder import RunFolder
from core.runs.paired import labels_per_class
from core.runs.paired_values import question
from dashboard import words
from dashboard.navigation import ROOT
from dashboard.results import is_of_nodes, metric_title

SURE = 0.05
NOT_SHOWN = "not shown"
_PATIENCE = 300.0
COLUMNS = [
    *("group", "users", "mean_one", "mean_other", "difference", "low", "high"),
    *("t", "t_p", "wilcoxon", "wilcoxon_p", "effect", "rank_effect", "better", "worse", "verdict"),
]


def tested(groups: Sequence[Sequence[RunFolder]], protocol: str, metric: str) -> tuple[list[PairedTest], int]:
    """The first group against each other one on the users, or test nodes, they share, and how many others there are.

    Computed by core/runs/paired.py in a process of its own. Raises RunError with what it says, or where it fails.
    """
    asked = {"groups": [[str(run.path) for run in runs] for runs in groups]}
    said = _answer("core.runs.paired", json.dumps(asked | {"protocol": protocol, "metric": metric}).encode())
    return [PairedTest(**test) for test in said["tests"]], int(said["dropped"])


def tested_values(pairs: Sequence[tuple[Floats, Floats]]) -> list[PairedTest | None]:
    """First minus second for each pair of equally long values; None where a pair has fewer than two values.

    Computed by core/runs/paired_values.py in a process of its own. Raises RunError with what it says, or where it fails.
    """
    if not any(len(one) > 1 for one, _ in pairs):
        return [None] * len(pairs)
    said = _answer("core.runs.paired_values", question(pairs))
    return [None if test is None else PairedTest(**test) for test in said["tests"]]


def _answer(module: str, asked: bytes) -> dict[str, Any]:
    """What `module` answers as a process of its own. Raises RunError where it refuses, fails or takes too long."""
    command = [sys.executable, "-m", module]
    try:
        done = subprocess.run(
            command, input=asked, capture_output=True, cwd=ROOT, timeout=_PATIENCE, check=True
        )
        said: dict[str, Any] = json.loads(done.stdout)
    except subprocess.TimeoutExpired as error:
        raise RunError(f"the tests took longer than {_PATIENCE:.0f} s; compare fewer runs at once") from error
    except (subprocess.CalledProcessError, OSError, ValueError) as error:
        last = (getattr(error, "stderr", None) or b"").decode("utf-8", "replace").strip().rpartition("\n")[2]
        raise RunError(f"the tests could not be computed ({last or error}); reload the page") from error
    if "refused" in said:
        raise RunError(said["refused"])
    return said


def test_table(keys: Sequence[str], tests: Sequence[PairedTest]) -> pd.DataFrame:
    """One row per group that the first one is tested against: columns COLUMNS, p-values after Holm's correction.

    verdict: `ahead`, `behind`, or `not shown` where either test leaves it open at 5 %, or they point apart.
    """
    t_p, wilcoxon_p = (holm([getattr(test, name) for test in tests]) for name in ("t_p", "wilcoxon_p"))
    rows = [
        {
            **{name: getattr(test, name) for name in PairedTest.__dataclass_fields__ if name in COLUMNS},
            "group": key,
            "users": test.size,
            "t_p": p,
            "wilcoxon_p": q,
            "verdict": _verdict(test, max(p, q)),
        }
        for key, test, p, q in zip(keys, tests, t_p, wilcoxon_p)
    ]
    return pd.DataFrame(rows, columns=COLUMNS)


def _verdict(test: PairedTest, p: float) -> str:
    agree = test.difference * test.rank_effect > 0
    if p >= SURE or not agree or not (test.low > 0 or test.high < 0):
        return NOT_SHOWN
    return "ahead" if test.difference > 0 else "behind"


def unit(metric: str) -> str:
    """What `metric` has a value for each of, which a paired test needs: `user`, `test node`, or empty."""
    if not is_of_nodes(metric):
        return "user"
    return "" if labels_per_class(metric) is None else "test node"


def sentence(row: Mapping[str, Any], one: str, other: str, metric: str) -> str:
    """`**CIGF** is ahead of **LightGCN_M** by .0713 HR@10 (95 % .0664 to .0763) for 15,449 users.`"""
    size = words.count(int(row["users"]), unit(metric))
    title = metric_title(metric)
    if row["verdict"] == NOT_SHOWN:
        return (
            f"**{one}** and **{other}** cannot be told apart in {title} on {size}: "
            f"difference {words.signed(row['difference'])} (95 % {words.signed(row['low'])} to {words.signed(row['high'])})."
        )
    sign = 1 if row["verdict"] == "ahead" else -1
    ends = sorted((sign * row["low"], sign * row["high"]))
    return (
        f"**{one}** is {row['verdict']} {'of ' if sign > 0 else ''}**{other}** by {words.score(abs(row['difference']))} {title} "
        f"(95 % {words.score(ends[0])} to {words.score(ends[1])}) for {size}."
    )


def overall(table: pd.DataFrame, one: str) -> str:
    """What the other comparisons say, where there are several: ` **CIGF** is ahead of 4 of the 5 others.`"""
    if len(table) < 2:
        return ""
    ahead = int((table["verdict"] == "ahead").sum())
    which = f"all {len(table)}" if ahead == len(table) else f"{ahead} of the {len(table)}"
    return f" **{one}** is ahead of {which} others."


def effect_text(effect: float) -> str:
    """An effect size with its sign: `+0.051`, `−0.199`."""
    return f"{effect:+.3f}".replace("-", "−")


def p_text(p: float) -> str:
    """`.0123`, or `< .0001` on one line."""
    return "<\u00a0.0001" if p < 0.0001 else words.score(p)
