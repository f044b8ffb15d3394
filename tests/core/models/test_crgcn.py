"""CRGCN against loops over users, items and behaviours, in float64, each dimension its own prime."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from core.errors import ConfigError
from core.models.crgcn import CRGCN, CRGCNEncoding
from core.ops.graphs import Sides
from tests.core.models import tiny

USERS, ITEMS, DIM = 5, 7, 3
VARIANTS = [None, "without_residual", "single_task", "reversed_order", "two_layers", "negatives_per_behavior"]


@pytest.fixture(scope="module")
def data():
    return tiny.random_ranking(USERS, ITEMS, density=0.5)


def double(data, variant=None, **overrides) -> CRGCN:
    """A CRGCN in float64 with parameters of order 1 and exact edge weights."""
    model = tiny.built("crgcn", data, variant, **({"dim": DIM, "l2": 0.3} | overrides))
    assert isinstance(model, CRGCN)
    generator = torch.Generator().manual_seed(5)
    model.double()
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.copy_(0.7 * torch.randn(parameter.shape, generator=generator, dtype=torch.float64))
    model._graphs = {name: tiny.exactly_symmetric(graph) for name, graph in model._graphs.items()}
    return model


def reference(model: CRGCN, data, layers: dict[str, int], order: list[str]) -> dict[str, list[np.ndarray]]:
    """Users' and items' embeddings after each behaviour, one node at a time."""
    users, items = tiny.array(model.user_embedding), tiny.array(model.item_embedding)
    found = {}
    for behavior in order:
        A = data.train[behavior].toarray() > 0
        x, y = users, items
        for _ in range(layers[behavior]):
            to_users, to_items = np.zeros((len(A), DIM)), np.zeros((A.shape[1], DIM))
            for u, i in zip(*A.nonzero()):
                weight = 1 / np.sqrt(A[u].sum() * A[:, i].sum())
                to_users[u] += weight * y[i]
                to_items[i] += weight * x[u]
            x, y = to_users, to_items
        x, y = ([row / np.linalg.norm(row) if row.any() else row for row in side] for side in (x, y))
        residual = model.config.residual
        users = np.array([x[u] + (users[u] if residual else 0) for u in range(len(x))])
        items = np.array([y[i] + (items[i] if residual else 0) for i in range(len(y))])
        found[behavior] = [users, items]
    return found


def same(encoding: CRGCNEncoding, expected: dict[str, list[np.ndarray]]) -> None:
    assert list(encoding.behaviors) == list(expected)
    for behavior, sides in expected.items():
        for ours, theirs in zip(encoding.behaviors[behavior], sides):
            np.testing.assert_allclose(tiny.array(ours), theirs, rtol=1e-10, atol=1e-13)


@pytest.mark.parametrize("variant", VARIANTS)
def test_embeddings_and_scores_equal_the_loops(data, variant):
    model = double(data, variant)
    order = ["cart", "view", "buy"] if variant == "reversed_order" else ["view", "cart", "buy"]
    depth = 2 if variant == "two_layers" else 1
    expected = reference(model, data, dict.fromkeys(order, depth), order)
    same(model.encode(), expected)
    users, items = expected["buy"]
    np.testing.assert_allclose(tiny.array(model.score(torch.arange(USERS))), users @ items.T, rtol=1e-9)
    idle = users[-1] if variant == "without_residual" else users[-1] - tiny.array(model.user_embedding)[-1]
    assert not idle.any()  # the last user has no edge under any behaviour


def test_every_behaviour_may_have_its_own_number_of_layers(data):
    model = double(data, layers_by_behavior="1,3,2")
    layers = {"view": 1, "cart": 3, "buy": 2}
    same(model.encode(), reference(model, data, layers, list(layers)))
    with pytest.raises(ConfigError, match=r"names 2 behaviours.*has 3 \(view, cart, buy\)"):
        double(data, layers_by_behavior="1,2")
    with pytest.raises(ConfigError, match="layers_by_behavior"):
        tiny.resolved("crgcn", layers_by_behavior="1,0")


@pytest.mark.parametrize("variant", VARIANTS)
def test_losses_equal_the_loops(data, variant):
    model = double(data, variant, positives_per_user=2)
    batch = next(model.batches(torch.Generator().manual_seed(1)))
    losses, levels = model.losses(batch), model.encode().behaviors
    touched = data.union().toarray()
    expected = {}
    for behavior, task in zip(data.behaviors, batch.tasks):
        users, items = (tiny.array(side) for side in levels[behavior])
        total, pairs = 0.0, data.train[behavior].toarray()
        assert task.owner.numel()
        for owner, better, worse in zip(*(t.tolist() for t in (task.owner, task.positive, task.negative))):
            user = int(batch.users[owner])
            assert pairs[user, better]
            assert not (pairs if variant == "negatives_per_behavior" else touched)[user, worse]
            total += np.log1p(np.exp(users[user] @ items[worse] - users[user] @ items[better]))
        expected[f"bpr_{behavior}"] = total / (len(batch.users) * 2)
    assert {name: float(v.detach()) for name, v in model.task_losses(batch).items()} == pytest.approx(
        expected
    )
    if variant == "single_task":
        expected = {"bpr_buy": expected["bpr_buy"]}
    tables = [tiny.array(table) for table in model.initial]
    norm = sum(np.sqrt((table**2).sum()) for table in tables)
    found = {name: float(value.detach()) for name, value in losses.items()}
    assert found == pytest.approx(expected | {"l2": 0.3 * norm / ITEMS})


def test_negatives_per_behaviour_may_be_items_touched_otherwise(data):
    """Without this case the two readings could not be told apart."""

    def seen_otherwise(variant) -> int:
        model, touched, count = double(data, variant, positives_per_user=8), data.union().toarray(), 0
        for seed in range(5):
            for batch in model.batches(torch.Generator().manual_seed(seed)):
                task = batch.tasks[-1]
                count += int(touched[batch.users[task.owner], task.negative].sum())
        return count

    assert seen_otherwise(None) == 0 < seen_otherwise("negatives_per_behavior")


def test_an_epoch_visits_every_user_who_has_a_pair_and_a_negative_once():
    view, buy = np.zeros((USERS, ITEMS)), np.zeros((USERS, ITEMS))
    view[:3, 1], view[3], buy[0, 2] = 1, 1, 1  # user 3 touched everything, user 4 nothing
    data = tiny.ranking_from({"view": view, "buy": buy})
    for variant, expected in ((None, [0, 1, 2]), ("negatives_per_behavior", [0, 1, 2, 3])):
        model = double(data, variant, batch_users=2)
        batches = list(model.batches(torch.Generator().manual_seed(1)))
        assert sorted(torch.cat([b.users for b in batches]).tolist()) == expected
        assert all(value.isfinite() for batch in batches for value in model.losses(batch).values())


@pytest.mark.parametrize("variant", [None, "without_residual", "two_layers"])
def test_gradients_equal_finite_differences(data, variant):
    model = double(data, variant)
    batch = next(model.batches(torch.Generator().manual_seed(1)))
    assert tiny.loss_has_true_gradients(model, batch)


def test_one_auxiliary_behaviour_and_an_empty_one_are_enough():
    one = tiny.random_ranking(USERS, ITEMS, ("view", "buy"), density=0.5)
    model = double(one)
    same(model.encode(), reference(model, one, {"view": 1, "buy": 1}, ["view", "buy"]))
    empty = replace(one, train=one.train | {"view": tiny.matrix(np.zeros((USERS, ITEMS)))})
    model = double(empty)
    encoding = model.encode()
    torch.testing.assert_close(encoding.behaviors["view"], model.initial)
    losses = model.losses(next(model.batches(torch.Generator().manual_seed(1))))
    assert float(losses["bpr_view"].detach()) == 0
    torch.stack(list(losses.values())).sum().backward()
    assert all(table.grad.isfinite().all() for table in model.initial)


@pytest.mark.parametrize("variant", [None, "single_task"])
def test_the_probe_states_the_cosine_of_the_tasks_gradients(data, variant):
    model = double(data, variant)
    batch = next(model.batches(torch.Generator().manual_seed(1)))
    (finding,) = model.probes(batch)
    assert finding.key == "gradient_conflict"
    rows = []
    for loss in model.task_losses(batch).values():
        parts = torch.autograd.grad(loss, list(model.initial), retain_graph=True)
        rows.append(np.concatenate([tiny.array(part).ravel() for part in parts]))
    expected = [[a @ b / np.linalg.norm(a) / np.linalg.norm(b) for b in rows] for a in rows]
    np.testing.assert_allclose(finding.values, expected, rtol=1e-9)


def test_levels_are_embedded_and_described_in_the_order_of_the_cascade(data):
    model = double(data, "reversed_order")
    abundance, singular = model.findings()
    assert (abundance.key, singular.key) == ("cascade_information_abundance", "cascade_singular_values")
    assert abundance.axis("level").labels == ("initial", "cart", "view", "buy")
    levels = model.embed()
    assert list(levels) == ["initial", "cart", "view", "buy"]
    final: Sides = model.encode().behaviors["buy"]
    torch.testing.assert_close(levels["buy"], torch.cat(final))
    torch.testing.assert_close(levels["initial"], torch.cat(model.initial))


@pytest.mark.parametrize("variant", [None, "without_residual", "single_task"])
def test_training_ranks_what_users_bought_first(variant):
    """Random data, so that nothing but training can tell which items they are."""
    data = tiny.random_ranking(USERS, ITEMS, ("view", "buy"), density=0.5)
    settings = {"positives_per_user": 8, "l2": 0.0, "negatives": "per_behavior"}
    model = tiny.built("crgcn", data, variant, dim=DIM, **settings)
    optimizer, generator = torch.optim.Adam(model.parameters(), lr=5e-2), torch.Generator().manual_seed(1)
    before = tiny.ordered_share(model, data)
    for _ in range(150):
        for batch in model.batches(generator):
            optimizer.zero_grad()
            torch.stack(list(model.losses(batch).values())).sum().backward()
            optimizer.step()
    assert before < 0.9 < tiny.ordered_share(model, data)
