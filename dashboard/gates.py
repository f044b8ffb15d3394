"""What expert gates say, as tables: who leads, how evenly, how personally, since when, and for which pairs. Pure.

K tasks, P held-out pairs, E experts.
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from core.errors import RunError
from core.findings import Array, Finding, History, Links

# A gate whose normalised entropy, of its mean over pairs, lies below this has collapsed: one expert takes it all (with
# four experts, about 98 % of it).
COLLAPSED = 0.1
# Gates whose normalised entropy, pair by pair and on average, lies above this are flat: nobody specialises (with four
# experts the first has at most about 36 %, an even share is 25 %).
FLAT = 0.98
# An expert with less than this part of an even share, over all tasks, is idle.
IDLE = 0.1
# Where a gate deviates over pairs by less than this, it is the same for all pairs.
SAME = 0.005
# Two experts whose mean gates differ by less lead together.
CLOSE = 0.01
STATISTICS = ("mean", "deviation", "q05", "q25", "median", "q75", "q95")


@dataclass(frozen=True, eq=False)
class Gates:
    """The gates of one model. users, items: [P] of the held-out pairs. values: [K, P, E], each row sums to 1."""

    tasks: tuple[str, ...]
    experts: tuple[str, ...]
    users: Array
    items: Array
    values: Array

    @property
    def pairs(self) -> int:
        return len(self.users)

    @property
    def even(self) -> float:
        """The share each expert would have if the gate told none apart."""
        return 1 / len(self.experts)

    def of(self, task: str) -> Array:
        """The gates of one task, [P, E]."""
        gates: Array = self.values[self.tasks.index(task)]
        return gates


def gates_of(finding: Finding) -> Gates:
    """The gates stated by `finding`. Raises RunError where its pairs are not labelled user:item."""
    if isinstance(finding.values, Links):
        raise RunError(f"{finding.key}: expected an array, got links; repeat the run to write it again")
    try:
        halves = (label.split(":") for label in finding.axis("pair").labels)
        pairs = [(int(user), int(item)) for user, item in halves]
        users, items = np.array(pairs, dtype=np.int64).reshape(-1, 2).T
    except ValueError as error:
        raise RunError(
            f"{finding.key}: its pairs are not labelled user:item ({error}); repeat the run to write it again"
        ) from error
    return Gates(
        finding.axis("task").labels, finding.axis("expert").labels, users, items, finding.values.astype(float)
    )


def gates_at(finding: Finding, history: History, epoch: int) -> Gates:
    """The gates of the snapshot at `epoch`, which must be one of the history's."""
    now = gates_of(finding)
    place = [int(known) for known in history.epochs].index(epoch)
    return Gates(now.tasks, now.experts, now.users, now.items, history.values[place].astype(float))


def fits(finding: Finding, history: History | None) -> bool:
    """Whether `history` holds at least one snapshot of the same tasks, pairs and experts as `finding`."""
    return history is not None and len(history.epochs) > 0 and history.axes == finding.axes


def entropy(share: Array) -> Array:
    """Entropy along the last axis as a share of its maximum: 0 one expert alone, 1 all alike. Needs two experts or more.

    -sum_e g(e) ln g(e) / ln E, with 0 ln 0 = 0.
    """
    logs = np.log(share, out=np.zeros_like(share, dtype=float), where=share > 0)
    normalised: Array = np.clip(-(share * logs).sum(axis=-1) / np.log(share.shape[-1]), 0.0, 1.0)
    return normalised


def gate_table(gates: Gates) -> pd.DataFrame:
    """One row per task and expert: mean, deviation and quantiles over pairs, `leads` (share of pairs where this expert
    has the largest gate; ties are shared), pairs."""
    rows = []
    for task in gates.tasks:
        values = gates.of(task)
        best = values >= values.max(axis=1, keepdims=True) - 1e-9
        leads = (best / best.sum(axis=1, keepdims=True)).mean(axis=0)
        quantiles = np.quantile(values, (0.05, 0.25, 0.5, 0.75, 0.95), axis=0)
        spread = np.vstack([values.mean(axis=0), values.std(axis=0), quantiles])
        for e, expert in enumerate(gates.experts):
            statistics = dict(zip(STATISTICS, spread[:, e].tolist()))
            rows.append(
                {"task": task, "expert": expert} | statistics | {"leads": leads[e], "pairs": gates.pairs}
            )
    return pd.DataFrame(rows)


@dataclass(frozen=True)
class TaskGate:
    """One task's gate in a few numbers.

    leaders: the experts with the largest mean, several where they differ by less than CLOSE. even_entropy: of the mean
    gate, how evenly the task spreads over experts; pair_entropy: mean over pairs, how undecided single gates are; it
    never exceeds the former. verdict: collapsed, flat, same, or mixed.
    """

    task: str
    leaders: tuple[str, ...]
    shares: tuple[float, ...]
    leads: float
    even_entropy: float
    pair_entropy: float
    verdict: str


def task_gate(gates: Gates, task: str) -> TaskGate:
    """How `task` uses its experts."""
    values = gates.of(task)
    mean = values.mean(axis=0)
    order = np.argsort(-mean, kind="stable")
    leading = [int(e) for e in order if mean[order[0]] - mean[e] < CLOSE]
    best = values[:, leading].max(axis=1) >= values.max(axis=1) - 1e-9
    even, pair = float(entropy(mean)), float(entropy(values).mean())
    if even < COLLAPSED:
        verdict = "collapsed"
    elif pair > FLAT:
        verdict = "flat"
    else:
        verdict = "same" if values.std(axis=0).max() < SAME else "mixed"
    names, shares = tuple(gates.experts[e] for e in leading), tuple(float(mean[e]) for e in leading)
    return TaskGate(task, names, shares, float(best.mean()), even, pair, verdict)


def load_table(gates: Gates) -> pd.DataFrame:
    """Load per expert: its mean gate over tasks and pairs. Columns expert, load, of_even (1 is an even share), idle."""
    load = gates.values.mean(axis=(0, 1))
    return pd.DataFrame(
        {
            "expert": gates.experts,
            "load": load,
            "of_even": load / gates.even,
            "idle": load < IDLE * gates.even,
        }
    )


def evolution_table(history: History, task: str) -> pd.DataFrame:
    """The gate of `task` over epochs: columns epoch, expert, mean, q25, q75 over pairs."""
    by_name = {axis.name: axis for axis in history.axes}
    values = history.values[:, by_name["task"].labels.index(task)].astype(float)
    mean, (q25, q75) = values.mean(axis=1), np.quantile(values, (0.25, 0.75), axis=1)
    rows = [
        (int(epoch), expert, float(mean[t, e]), float(q25[t, e]), float(q75[t, e]))
        for e, expert in enumerate(by_name["expert"].labels)
        for t, epoch in enumerate(history.epochs)
    ]
    return pd.DataFrame(rows, columns=["epoch", "expert", "mean", "q25", "q75"])


def entropy_table(history: History) -> pd.DataFrame:
    """Entropy over epochs: columns task, epoch, even_entropy (of the mean gate), pair_entropy (mean over pairs)."""
    tasks = next(axis for axis in history.axes if axis.name == "task").labels
    even, pair = entropy(history.values.mean(axis=2, dtype=float)), entropy(history.values).mean(axis=2)
    rows = [
        (task, int(epoch), float(even[t, k]), float(pair[t, k]))
        for k, task in enumerate(tasks)
        for t, epoch in enumerate(history.epochs)
    ]
    return pd.DataFrame(rows, columns=["task", "epoch", "even_entropy", "pair_entropy"])


def decided_pairs(gates: Gates, task: str, expert: str, titles: list[str], count: int) -> pd.DataFrame:
    """The `count` pairs whose gate of `task` leans most on `expert`: columns user, item, title, then one per expert."""
    values = gates.of(task)
    order = np.argsort(-values[:, gates.experts.index(expert)], kind="stable")[:count]
    items = gates.items[order]
    known = [titles[item] if item < len(titles) else f"item {item}" for item in items]
    table = pd.DataFrame({"user": gates.users[order], "item": items, "title": known})
    return table.assign(**{name: values[order, e] for e, name in enumerate(gates.experts)})
