"""Expert gates as tables, against loops over single pairs."""

import math

import numpy as np
import pytest

from core.errors import RunError
from core.findings import Axis, Finding, History, Kind
from dashboard import gates

TASKS, EXPERTS = ("view", "cart", "buy"), ("own 1", "shared 1", "shared 2", "shared 3", "shared 4")
PAIRS = 7


def finding(values, tasks=TASKS, experts=EXPERTS, labels=None) -> Finding:
    labels = labels or [f"{10 + p}:{p}" for p in range(values.shape[1])]
    axes = (
        Axis.labelled("task", tasks),
        Axis.labelled("pair", labels),
        Axis.labelled("expert", experts),
    )
    return Finding("expert_gates", "Gates", "CIGF, Eq. 15", Kind.SHARE, axes, values)


def shares(seed: int, *shape: int):
    return np.random.default_rng(seed).dirichlet(np.full(shape[-1], 0.7), shape[:-1])


@pytest.fixture
def stated() -> Finding:
    return finding(shares(1, 3, PAIRS, 5))


@pytest.fixture
def history(stated) -> History:
    return History(
        stated.key,
        stated.kind,
        stated.axes,
        np.array([1, 4, 9]),
        shares(2, 3, 3, PAIRS, 5).astype(np.float32),
    )


def slow_entropy(share) -> float:
    total = 0.0
    for part in share:
        if part > 0:
            total -= part * math.log(part)
    return total / math.log(len(share))


def test_entropy_is_the_loop_s_and_runs_from_0_to_1() -> None:
    values = shares(3, 11, 13)
    np.testing.assert_allclose(gates.entropy(values), [slow_entropy(row) for row in values], rtol=1e-12)
    assert gates.entropy(np.array([0.0, 1.0, 0.0])) == 0
    assert gates.entropy(np.full(7, 1 / 7)) == pytest.approx(1)


def test_pairs_are_read_from_their_labels(stated) -> None:
    now = gates.gates_of(stated)
    assert now.users.tolist() == [10 + p for p in range(PAIRS)]
    assert now.items.tolist() == list(range(PAIRS))
    assert (now.pairs, now.even) == (PAIRS, 0.2)


@pytest.mark.parametrize("label", ["ten:1", "3", "1:2:3"])
def test_pairs_with_other_labels_are_refused(label) -> None:
    values = shares(1, 3, 2, 5)
    with pytest.raises(RunError, match="repeat the run"):
        gates.gates_of(finding(values, labels=[label, label]))


def test_gates_at_an_epoch_are_those_of_its_snapshot(stated, history) -> None:
    then = gates.gates_at(stated, history, 4)
    np.testing.assert_allclose(then.values, history.values[1])
    assert then.users.tolist() == gates.gates_of(stated).users.tolist()


def test_a_history_of_other_pairs_does_not_fit(stated, history) -> None:
    other = finding(shares(1, 3, PAIRS, 5), labels=[f"{p}:{p}" for p in range(PAIRS)])
    assert gates.fits(stated, history)
    assert not gates.fits(other, history)
    assert not gates.fits(stated, None)


def test_gate_table_is_the_loop_over_pairs(stated) -> None:
    table = gates.gate_table(gates.gates_of(stated))
    assert len(table) == 15
    for row in table.to_dict("records"):
        k, e = TASKS.index(row["task"]), EXPERTS.index(row["expert"])
        own = [float(stated.values[k, p, e]) for p in range(PAIRS)]
        first = [p for p in range(PAIRS) if max(stated.values[k, p]) == stated.values[k, p, e]]
        mean = sum(own) / PAIRS
        assert row["mean"] == pytest.approx(mean)
        assert row["deviation"] == pytest.approx(math.sqrt(sum((v - mean) ** 2 for v in own) / PAIRS))
        assert row["median"] == pytest.approx(sorted(own)[PAIRS // 2])
        assert row["leads"] == pytest.approx(len(first) / PAIRS)
        assert row["pairs"] == PAIRS
    np.testing.assert_allclose(table.groupby("task")[["mean", "leads"]].sum(), 1)


def one_task(values) -> gates.TaskGate:
    values = np.asarray(values, dtype=float)[None]
    experts = tuple("abcd"[: values.shape[-1]])
    return gates.task_gate(gates.gates_of(finding(values, ("buy",), experts)), "buy")


def test_even_averages_may_hide_decided_gates() -> None:
    about = one_task(np.eye(4)[[0, 1, 2, 3] * 2])
    assert about.even_entropy == pytest.approx(1)
    assert about.pair_entropy == 0
    assert about.verdict == "mixed"
    assert about.leaders == ("a", "b", "c", "d")
    assert about.leads == 1


def test_pair_entropy_never_exceeds_that_of_the_mean() -> None:
    for seed in range(23):
        about = one_task(shares(seed, PAIRS, 4))
        assert about.pair_entropy <= about.even_entropy + 1e-12


@pytest.mark.parametrize(
    ("share", "verdict"),
    [
        ([0.98, 0.01, 0.005, 0.005], "collapsed"),
        ([0.97, 0.01, 0.01, 0.01], "same"),
        ([0.34, 0.22, 0.22, 0.22], "flat"),
        ([0.37, 0.21, 0.21, 0.21], "same"),
    ],
)
def test_verdicts_begin_at_the_stated_thresholds(share, verdict) -> None:
    about = one_task([share] * 3)
    assert about.verdict == verdict
    assert (slow_entropy(share) < gates.COLLAPSED) == (verdict == "collapsed")
    assert (slow_entropy(share) > gates.FLAT) == (verdict == "flat")
    assert about.leaders == ("a",)
    assert about.shares == pytest.approx((share[0],))


def test_gates_that_differ_between_pairs_are_mixed() -> None:
    about = one_task([[0.7, 0.1, 0.1, 0.1], [0.1, 0.5, 0.2, 0.2]])
    assert about.verdict == "mixed"
    assert about.leaders == ("a",)
    assert about.leads == 0.5


def test_load_is_the_mean_over_tasks_and_pairs_and_idle_experts_are_told() -> None:
    values = np.tile([0.015, 0.485, 0.5], (3, PAIRS, 1))
    values[0] = [0.03, 0.47, 0.5]
    table = gates.load_table(gates.gates_of(finding(values, experts=("a", "b", "c"))))
    np.testing.assert_allclose(table["load"], [0.02, 0.48, 0.5])
    np.testing.assert_allclose(table["of_even"], [0.06, 1.44, 1.5])
    assert table["idle"].tolist() == [True, False, False]


def test_evolution_follows_one_task(history) -> None:
    table = gates.evolution_table(history, "cart")
    row = table[(table["epoch"] == 9) & (table["expert"] == "shared 2")].iloc[0]
    own = history.values[2, 1, :, 2].astype(float)
    assert row["mean"] == pytest.approx(own.mean())
    assert (row["q25"], row["q75"]) == pytest.approx(tuple(np.quantile(own, (0.25, 0.75))))
    assert len(table) == 3 * 5


def test_entropy_over_epochs_is_that_of_each_snapshot(stated, history) -> None:
    table = gates.entropy_table(history)
    for row in table.to_dict("records"):
        about = gates.task_gate(gates.gates_at(stated, history, row["epoch"]), row["task"])
        assert row["even_entropy"] == pytest.approx(about.even_entropy, abs=1e-6)
        assert row["pair_entropy"] == pytest.approx(about.pair_entropy, abs=1e-6)
    assert len(table) == 9


def test_decided_pairs_lean_most_on_the_expert_first(stated) -> None:
    now = gates.gates_of(stated)
    table = gates.decided_pairs(now, "buy", "shared 3", ["a", "b", "c"], 4)
    assert table["shared 3"].tolist() == sorted(stated.values[2, :, 3], reverse=True)[:4]
    for row in table.to_dict("records"):
        assert row["user"] == row["item"] + 10
        assert row["title"] == ("abc"[row["item"]] if row["item"] < 3 else f"item {row['item']}")
        assert row["own 1"] == stated.values[2, row["item"], 0]
