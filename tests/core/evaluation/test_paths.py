"""Instances of a path against loops over every item and user between the ends."""

from itertools import product

import numpy as np
import pytest

from core.errors import ConfigError
from core.evaluation.paths import path_instances
from tests.core.models import tiny
from tests.core.models.cigf_reference import Reference

USERS, ITEMS = 5, 7


@pytest.fixture(scope="module")
def data():
    return tiny.random_ranking(USERS, ITEMS, density=0.5, seed=8)


def attention_of(model):
    return next(f for f in model.findings() if f.key == "relation_attention")


def alpha(reference: Reference, node: int, start: int, order: int, behavior: int) -> float:
    return sum(reference.alpha(node, start, order, h)[behavior] for h in range(reference.config.num_heads))


def strength(reference: Reference, path: tuple[int, int, int], u: int, via: int, to: int, i: int) -> float:
    """u -b1-> via -b2-> to -b3-> i: adjacency of each hop as the propagation uses it, times the attentions."""
    b1, b2, b3 = path
    U, A = reference.users, reference.A
    hops = A[b1][u, U + via] * A[b2][U + via, to]
    if reference.config.num_layers == 2:  # the item reaches `to` by its own first order
        hops *= A[b3][U + i, to]
        start = b1 if reference.config.composition == "target" else b2
        return hops * alpha(reference, u, start, 2, b2 if reference.config.composition == "target" else b1)
    hops *= A[b3][to, U + i]
    if reference.config.composition == "target":
        return hops * alpha(reference, u, b1, 2, b2) * alpha(reference, u, b1, 3, b3)
    return hops * alpha(reference, u, b3, 3, b1) * alpha(reference, U + via, b3, 2, b2)


@pytest.mark.parametrize("normalization", ["left", "symmetric", "right", "none"])
@pytest.mark.parametrize("composition", ["recursive", "target"])
@pytest.mark.parametrize("layers", [2, 3, 4])
def test_instances_equal_the_loops(data, layers: int, composition: str, normalization: str):
    model = tiny.cigf(
        data, num_layers=layers, composition=composition, normalization=normalization, num_heads=2
    )
    reference, attention = Reference(model), attention_of(model)
    instances = 0
    for path in [(0, 1, 2), (2, 0, 1), (1, 1, 0)]:
        names = [data.behaviors[b] for b in path]
        for user, item in [(0, 1), (2, 6), (USERS - 1, 3), (1, 0)]:
            table = path_instances(data, attention, model.config, names, user, item, limit=100)
            expected = {}
            for via, to in product(range(ITEMS), range(USERS)):
                value = strength(reference, path, user, via, to, item)
                if value:
                    expected[via, to] = value
            rows = zip(table["hop 1"], table["hop 2"], table["strength"])
            assert {(a, b): s for a, b, s in rows} == pytest.approx(expected, rel=1e-6)
            assert (table["hop 3"] == item).all()
            assert table.attrs["instances"] == len(expected)
            assert table["strength"].abs().is_monotonic_decreasing
            if expected:
                total = sum(abs(value) for value in expected.values())
                assert table["share"].tolist() == pytest.approx((table["strength"].abs() / total).tolist())
            instances += len(expected)
    assert instances > 20


@pytest.mark.parametrize("composition", ["recursive", "target"])
def test_the_instances_of_all_paths_make_up_the_third_order(data, composition: str):
    """s^3_k(u) = sum over items, paths with start k, and instances, of strength times the item's embedding."""
    model = tiny.cigf(data, num_layers=3, composition=composition)
    reference, attention, user, start = Reference(model), attention_of(model), 1, 2
    total = np.zeros(2)
    for first, second in product(data.behaviors, repeat=2):
        path = (
            [first, second, data.behaviors[start]]
            if composition == "recursive"
            else [data.behaviors[start], first, second]
        )
        for item in range(ITEMS):
            table = path_instances(data, attention, model.config, path, user, item, limit=10_000)
            total += table["strength"].sum() * reference.x[USERS + item]
    np.testing.assert_allclose(total, reference.sums(user, start, (0, 0)), rtol=1e-6)


def test_limit_keeps_the_strongest_and_shares_count_all(data):
    model = tiny.cigf(data, num_layers=3)
    arguments = (data, attention_of(model), model.config, ["view", "cart", "buy"], 0, 1)
    every, few = path_instances(*arguments, limit=100), path_instances(*arguments, limit=2)
    assert len(every) > 2
    assert few.attrs["instances"] == len(every)
    assert few.equals(every.head(2))
    assert every["share"].sum() == pytest.approx(1)


@pytest.mark.parametrize(
    ("path", "user", "item", "layers", "message"),
    [
        (["view", "buy"], 0, 0, 2, "expected three"),
        (["view", "fly", "buy"], 0, 0, 2, "expected three"),
        (["view", "cart", "buy"], 0, 0, 1, "num_layers of 2 or more"),
        (["view", "cart", "buy"], USERS, 0, 2, "does not exist"),
        (["view", "cart", "buy"], 0, -1, 2, "does not exist"),
    ],
)
def test_what_cannot_be_explained_is_refused(data, path, user, item, layers, message):
    attention = attention_of(tiny.cigf(data))
    config = tiny.cigf(data, num_layers=layers).config
    with pytest.raises(ConfigError, match=message):
        path_instances(data, attention, config, path, user, item)
