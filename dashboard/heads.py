"""MESI beside MMOE and PLE: which stored runs stand for which head, what else differs, and how to train what is missing. Pure.

Source: CIGF, Section 5.4.3 (Figure 9) and Table 5.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from core.recipe import Recipe, varied
from core.runs.summary import RunSummary
from dashboard.gates import Gates, gate_table, task_gate

HEADS = {"mesi": "MESI", "mmoe": "MMOE", "ple": "PLE"}
VARIANTS = {"mesi": None, "mmoe": "head_mmoe", "ple": "head_ple"}
_OF_THE_HEAD = ("head", "head_form", "ple_experts")
_RELEASED = " as released"


@dataclass(frozen=True)
class Stand:
    """The run that stands for a head. differing: what else tells it from the run looked at, in words."""

    title: str
    run: RunSummary
    differing: tuple[str, ...] = ()


def setting(run: RunSummary, name: str, default: Any) -> Any:
    """A setting of a CIGF run whose presets leave it at `default`."""
    return run.changes.get(name, (None, default))[1]


def head_title(run: RunSummary) -> str:
    """`MESI`, `MMOE`, `PLE as released`; empty for heads without gates."""
    head = setting(run, "head", "mesi")
    if run.system != "cigf" or head not in HEADS:
        return ""
    released = head != "mesi" and setting(run, "head_form", "paper") == "as_released"
    return HEADS[head] + (_RELEASED if released else "")


def differing(own: RunSummary, other: RunSummary) -> tuple[str, ...]:
    """What tells two CIGF runs apart besides their heads, in words; a variant is nothing but its settings."""
    told = [
        f"{name} {getattr(other, name)} instead of {getattr(own, name)}"
        for name in ("preset", "fit_on", "selection", "auxiliary_noise", "seed")
        if getattr(own, name) != getattr(other, name)
    ]
    if own.preset != other.preset:
        return tuple(told)
    for name in sorted({*own.changes, *other.changes} - set(_OF_THE_HEAD)):
        before = own.changes.get(name) or (other.changes[name][0],) * 2
        after = other.changes.get(name) or (own.changes[name][0],) * 2
        if before[1] != after[1]:
            told.append(f"{name} {after[1]} instead of {before[1]}")
    return tuple(told)


def stands(own: RunSummary, others: Sequence[RunSummary]) -> list[Stand]:
    """One run per head, the one looked at and for each other head the run that differs least from it, then the latest.

    others: runs with stored gates, `own` among them if it has some. Only finished runs on the same data count. MESI, MMOE and PLE in this order.
    """
    found: dict[str, Stand] = {}
    if head_title(own) and any(run.run_id == own.run_id for run in others):
        found[head_title(own)] = Stand(head_title(own), own)
    fitting = [
        (differing(own, run), run)
        for run in others
        if run.state == "done" and run.dataset_hash == own.dataset_hash and head_title(run)
    ]
    for told, run in sorted(fitting, key=lambda pair: (len(pair[0]), -pair[1].created)):
        title = head_title(run)
        if title not in found:
            found[title] = Stand(title, run, told)
    names = list(HEADS.values())
    order = {title: (names.index(title.removesuffix(_RELEASED)), title) for title in found}
    return [found[title] for title in sorted(found, key=order.__getitem__)]


def missing(standing: Sequence[Stand]) -> list[str]:
    """Heads without a run in either form."""
    have = {stand.title.removesuffix(_RELEASED) for stand in standing}
    return [head for head, title in HEADS.items() if title not in have]


def recipe_with(recipe: Recipe, head: str) -> Recipe:
    """`recipe` with another head and nothing else changed. Raises ConfigError where its preset has left the catalog."""
    return varied(recipe, VARIANTS[head], _OF_THE_HEAD)


def gates_side_by_side(gates: Mapping[str, Gates], task: str) -> pd.DataFrame:
    """The gate of `task` per head and expert: columns head, expert, mean, deviation, quantiles, leads, pairs."""
    parts = [
        gate_table(of).query("task == @task").assign(head=title)
        for title, of in gates.items()
        if task in of.tasks
    ]
    return pd.concat(parts, ignore_index=True) if parts else pd.DataFrame()


def entropies(gates: Mapping[str, Gates], task: str) -> pd.DataFrame:
    """How each head uses its experts for `task`: columns head, leads, share, even_entropy, pair_entropy, verdict."""
    rows = []
    for title, of in gates.items():
        if task in of.tasks:
            about = task_gate(of, task)
            rows.append(
                (
                    title,
                    " and ".join(about.leaders),
                    about.shares[0],
                    about.even_entropy,
                    about.pair_entropy,
                    about.verdict,
                )
            )
    return pd.DataFrame(rows, columns=["head", "leads", "share", "even_entropy", "pair_entropy", "verdict"])
