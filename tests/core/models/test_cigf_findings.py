"""What CIGF says about itself, recomputed by loops and by enumerating paths."""

import math
from itertools import product

import numpy as np
import pytest
import torch

from core.findings import Kind
from core.models.cigf_findings import path_support
from core.models.conflict import gradient_conflict
from tests.core.models import tiny
from tests.core.models.cigf_reference import Reference

USERS, ITEMS, K = 5, 7, 3


@pytest.fixture(scope="module")
def data():
    return tiny.random_ranking(USERS, ITEMS)


def found(model):
    return {finding.key: finding for finding in model.findings()}


@pytest.mark.parametrize(
    "attention", ["global", "node", "node+layer", "node+behavior", "node+behavior+layer"]
)
def test_relation_attention_is_eq_9_for_users_then_items(data, attention: str):
    model = tiny.cigf(data, num_layers=4, num_heads=2, attention=attention)
    finding, reference = found(model)["relation_attention"], Reference(model)
    assert [(axis.name, axis.size) for axis in finding.axes] == [
        ("start", K),
        ("order", 3),
        ("head", 2),
        ("node", USERS + ITEMS),
        ("relation", K),
    ]
    assert finding.kind is Kind.SIGNED
    assert finding.source == "CIGF, Eq. 9"
    assert finding.axis("start").labels == finding.axis("relation").labels == data.behaviors
    assert finding.axis("order").labels == ("2", "3", "4")
    assert finding.axis("node").groups == {"user": (0, USERS), "item": (USERS, USERS + ITEMS)}
    for start, order, head, node in product(range(K), (2, 3, 4), range(2), range(USERS + ITEMS)):
        expected = reference.alpha(node, start, order, head)
        np.testing.assert_allclose(finding.values[start, order - 2, head, node], expected)


def mean_attention(reference: Reference, nodes: range, start: int, order: int, behavior: int) -> float:
    heads = range(reference.config.num_heads)
    values = [sum(reference.alpha(v, start, order, h)[behavior] for h in heads) for v in nodes]
    return sum(values) / len(values)


def reachable(pairs: list[np.ndarray], side: str, path: tuple[int, ...]) -> int:
    """(target, endpoint) pairs joined by at least one walk along `path`, walked node by node."""
    count = 0
    for target in range(USERS if side == "user" else ITEMS):
        at, on = {target}, side
        for behavior in path:
            Y = pairs[behavior] if on == "user" else pairs[behavior].T
            at = {int(w) for v in at for w in np.flatnonzero(Y[v])}
            on = "item" if on == "user" else "user"
        count += len(at)
    return count


@pytest.mark.parametrize("composition", ["recursive", "target"])
def test_relation_paths_multiply_mean_attentions_and_count_endpoints(data, composition: str):
    model = tiny.cigf(data, num_layers=4, num_heads=2, composition=composition)
    findings, reference = found(model), Reference(model)
    nodes = {"user": range(USERS), "item": range(USERS, USERS + ITEMS)}
    other = {"user": "item", "item": "user"}
    pairs = [data.train[b].toarray() > 0 for b in data.behaviors]
    for length in (2, 3, 4):
        finding = findings[f"relation_paths_{length}"]
        assert [axis.name for axis in finding.axes] == ["target", "path"]
        for side, (position, label) in product(("user", "item"), enumerate(finding.axis("path").labels)):
            path = tuple(data.behaviors.index(b) for b in label.split(" > "))
            assert len(path) == length
            expected, at = 1.0, side
            if composition == "recursive":
                for hop, order in enumerate(range(length, 1, -1)):  # the target applies the highest order
                    expected *= mean_attention(reference, nodes[at], path[-1], order, path[hop])
                    at = other[at]
            else:
                for order in range(2, length + 1):
                    expected *= mean_attention(reference, nodes[side], path[0], order, path[order - 1])
            row = finding.axis("target").labels.index(side)
            assert finding.values[row, position] == pytest.approx(expected, rel=1e-9), (side, label)
            assert finding.support[row, position] == reachable(pairs, side, path), (side, label)
    assert len(findings["relation_paths_4"].axis("path").labels) == 81
    assert ("last" if composition == "recursive" else "first") in findings["relation_paths_2"].note


def test_support_of_a_sample_is_scaled_up():
    rng = np.random.default_rng(1)
    dense = [rng.random((11, 7)) < 0.3 for _ in range(2)]
    matrices = [tiny.matrix(m) for m in dense]
    back = [tiny.matrix(m.T) for m in dense]
    counts = path_support(matrices, back, 2, sample=3)
    for first, second in product(range(2), repeat=2):
        joined = (dense[first].astype(int) @ dense[second].T.astype(int)) > 0
        assert counts[first, second] == pytest.approx(joined[[0, 5, 10]].sum() * 11 / 3)


def test_expert_gates_are_those_of_held_out_pairs(data):
    model = tiny.cigf(data)
    finding, reference = found(model)["expert_gates"], Reference(model)
    e = reference.representations()
    assert finding.kind is Kind.SHARE
    assert [axis.name for axis in finding.axes] == ["task", "pair", "expert"]
    labels = finding.axis("pair").labels
    assert sorted(labels) == sorted(f"{u}:{i}" for u, i in zip(*data.test.nonzero()))
    for pair, label in enumerate(labels):
        user, item = map(int, label.split(":"))
        for task in range(K):
            expected = reference.gate(task, e[user], e[USERS + item])
            np.testing.assert_allclose(finding.values[task, pair], expected, rtol=1e-6)


@pytest.mark.parametrize("form", ["paper", "as_released"])
@pytest.mark.parametrize(
    ("head", "paper", "released", "source"),
    [
        (
            "mmoe",
            ("expert 1", "expert 2", "expert 3"),
            ("expert 1", "expert 2", "expert 3"),
            "Ma et al. 2018",
        ),
        ("ple", ("own 1", "shared 1", "shared 2"), ("own 1", "shared 1"), "Tang et al. 2020"),
    ],
)
def test_experts_of_same_input_heads_are_named_in_both_readings(data, form, head, paper, released, source):
    model = tiny.cigf(data, head=head, head_form=form)
    finding, reference = found(model)["expert_gates"], Reference(model)
    assert finding.axis("expert").labels == (paper if form == "paper" else released)
    assert source in finding.source
    assert ("two experts" in finding.note) == (head == "ple")
    e = reference.representations()
    for pair, label in enumerate(finding.axis("pair").labels):
        user, item = map(int, label.split(":"))
        for task in range(K):
            expected = reference.gate(task, e[user], e[USERS + item])
            np.testing.assert_allclose(finding.values[task, pair], expected, rtol=1e-6)


def test_a_model_without_attention_or_gates_states_nothing_about_them(data):
    assert set(found(tiny.cigf(data, encoder="per_behavior", head="bilinear"))) == set()
    assert set(found(tiny.cigf(data, num_layers=1))) == {"expert_gates"}
    assert set(found(tiny.cigf(data, num_layers=2, head="bilinear"))) == {
        "relation_attention",
        "relation_paths_2",
    }


def test_findings_leave_no_gradient_and_no_mode_behind(data):
    model = tiny.cigf(data)
    model.train()
    model.findings()
    assert model.training
    assert all(p.grad is None for p in model.parameters())
    assert model._encoding is None


def test_gradient_conflict_is_the_cosine_of_each_pair_of_task_gradients(data):
    model = tiny.cigf(data)
    batch = next(model.batches(torch.Generator().manual_seed(2)))
    (finding,) = model.probes(batch)
    gradients = []
    for behavior in data.behaviors:
        model.zero_grad()
        model.task_losses(batch)[f"bpr_{behavior}"].backward()
        parts = [model.user_embedding.grad, model.item_embedding.grad]
        gradients.append([float(g) for part in parts for g in part.flatten()])
    for a, b in product(range(K), repeat=2):
        dot = sum(x * y for x, y in zip(gradients[a], gradients[b]))
        norms = math.sqrt(sum(x * x for x in gradients[a]) * sum(x * x for x in gradients[b]))
        assert finding.values[a, b] == pytest.approx(dot / norms, abs=1e-9)
    assert finding.key == "gradient_conflict"
    assert [axis.name for axis in finding.axes] == ["task", "other_task"]
    assert (np.abs(finding.values[0, 1]) < 1).all()


def test_gradient_conflict_of_opposed_and_vanishing_gradients():
    shared = torch.tensor([1.0, 2.0], requires_grad=True)
    unused = torch.zeros(3, requires_grad=True)
    losses = {"a": shared.sum(), "b": -2 * shared.sum(), "c": 0 * shared.sum()}
    values = gradient_conflict(losses, (shared, unused), ("a", "b", "c"), "a paper").values
    np.testing.assert_allclose(values, [[1, -1, 0], [-1, 1, 0], [0, 0, 0]], atol=1e-12)
