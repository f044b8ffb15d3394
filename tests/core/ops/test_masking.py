"""Masks of features, their schedules, and the errors of restoring them, against loops."""

import math

import pytest
import torch

from core.ops.masking import mask_rate_at, masked, restoration_error

NODES, FEATURES = 11, 7


def rows(seed: int) -> torch.Tensor:
    return torch.randn(NODES, FEATURES, generator=torch.Generator().manual_seed(seed), dtype=torch.double)


@pytest.mark.parametrize(
    ("schedule", "rates"),
    [
        ("fixed", [0.3, 0.3, 0.3]),
        ("linear", [0.3, 0.4125, 0.5925]),
        ("exponential", [0.3, 0.3 * 2**0.375, 0.3 * 2**0.975]),
        ("stepwise", [0.3, 0.375, 0.525]),
    ],
)
def test_schedules_start_alike_and_double_at_most(schedule, rates):
    found = [mask_rate_at(0.3, schedule, epoch / 40, 0.95) for epoch in (0, 15, 39)]
    assert found == pytest.approx(rates)
    assert mask_rate_at(0.6, schedule, 1.0, 0.95) <= 0.95


def test_a_masked_node_shows_the_token_itself_or_another():
    features, token = (
        torch.arange(1.0, NODES + 1)[:, None].expand(-1, FEATURES),
        torch.full((1, FEATURES), 99.0),
    )
    made = masked(features, token, 0.8, 0.25, 0.5, torch.Generator().manual_seed(0))
    assert (len(made.nodes), made.tokens, made.kept, made.replaced) == (8, 2, 2, 4)
    assert len(set(made.nodes.tolist())) == 8
    shown = made.rows[:, 0]
    assert int((shown == 99).sum()) == 2
    untouched = [n for n in range(NODES) if n not in made.nodes.tolist()]
    assert all(shown[n] == n + 1 for n in untouched)
    assert (shown[made.nodes[6:]] == made.nodes[6:] + 1).all()
    replaced = shown[made.nodes[2:6]]
    assert set(replaced.tolist()) <= set(range(1, NODES + 1))
    again = masked(features, token, 0.8, 0.25, 0.5, torch.Generator().manual_seed(0))
    assert torch.equal(again.rows, made.rows)


def test_the_token_learns_from_the_nodes_that_show_it_alone():
    token = torch.zeros(1, FEATURES, requires_grad=True)
    made = masked(rows(1).float(), token, 0.5, 0.2, 0.0, torch.Generator().manual_seed(0))
    made.rows.sum().backward()
    assert torch.equal(token.grad, torch.full((1, FEATURES), float(made.tokens)))


def slow_error(made, true, criterion: str, power: float) -> float:
    def unit(row):
        return row / row.norm()

    if criterion == "mse":
        return float(sum((made[n, f] - true[n, f]) ** 2 for n in range(NODES) for f in range(FEATURES))) / (
            NODES * FEATURES
        )
    if criterion == "released":
        s = [[float(unit(made[n])[f] * unit(true[n])[f]) for f in range(FEATURES)] for n in range(NODES)]
        s = [[x if x > 0 else 1e-6 for x in row] for row in s]
        log_share = [[x - math.log(sum(math.exp(y) for y in row)) for x in row] for row in s]
        c = [sum(log_share[n][f] for n in range(NODES)) / NODES for f in range(FEATURES)]
        terms = [-((1 - s[n][f]) ** power) * c[f] for n in range(NODES) for f in range(FEATURES)]
        return sum(terms) / len(terms)
    cosines = [float(unit(made[n]) @ unit(true[n])) for n in range(NODES)]
    if criterion == "sce":
        return sum((1 - c) ** power for c in cosines) / NODES
    return sum(-((1 - c) ** power) * math.log(max(c, 1e-6)) for c in cosines) / NODES


@pytest.mark.parametrize("criterion", ["released", "focal", "sce", "mse"])
@pytest.mark.parametrize("power", [1.0, 2.0, 3.0])
def test_errors_are_those_of_their_equations(criterion, power):
    made, true = rows(1), rows(2)
    assert float(restoration_error(made, true, criterion, power)) == pytest.approx(
        slow_error(made, true, criterion, power)
    )


@pytest.mark.parametrize("criterion", ["focal", "sce", "mse"])
def test_perfect_features_have_no_error_and_a_finite_gradient(criterion):
    true = rows(1)
    made = true.clone().requires_grad_()
    error = restoration_error(made, true, criterion, 2.0)
    assert float(error.detach()) == pytest.approx(0.0, abs=1e-12)
    error.backward()
    assert bool(made.grad.isfinite().all())


def test_nothing_masked_costs_nothing():
    nothing = torch.zeros(0, FEATURES, requires_grad=True)
    assert float(restoration_error(nothing, nothing, "released", 2.0).detach()) == 0.0
