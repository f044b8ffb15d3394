"""MB-GMN against loops over nodes, behaviours and pairs, in float64, each dimension its own prime."""

import math
from dataclasses import replace

import numpy as np
import pytest
import torch

from core.catalog.mbgmn import MBGMNConfig
from core.catalog.systems import system
from core.errors import ConfigError
from core.findings import Kind
from core.models.mbgmn import MBGMN, MBGMNBatch
from core.ops.graphs import Bipartite
from core.ops.losses import margin
from core.ops.samplers import TaskPairs
from tests.core.models import tiny
from tests.core.models.cigf_reference import adjacency, leaky

USERS, ITEMS, K, DIM, RANK = 5, 7, 3, 6, 2
N = USERS + ITEMS
VARIANTS = [None, "as_released", "without_specialization", "without_attention", "without_meta_prediction"]
SLOPE = 0.17


@pytest.fixture(scope="module")
def data():
    return tiny.random_ranking(USERS, ITEMS, density=0.5)


def double(data, variant=None, **overrides) -> MBGMN:
    settings = {"dim": DIM, "rank": RANK, "num_layers": 2, "num_heads": 3, "leaky_slope": SLOPE}
    model = tiny.built("mbgmn", data, variant, **(settings | {"score_scale": 1.3, "l2": 0.3} | overrides))
    assert isinstance(model, MBGMN)
    generator = torch.Generator().manual_seed(5)
    model.double()
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.copy_(0.3 * torch.randn(parameter.shape, generator=generator, dtype=torch.float64))
    model.graph.graphs = tuple(exact(graph) for graph in model.graph.graphs)
    return model


def exact(graph: Bipartite) -> Bipartite:
    """The symmetric weights in full precision: they are stored in single precision."""
    users, items = (pattern.indptr.diff().double() for pattern in (graph.to_users, graph.to_items))
    weight = (users[graph.to_users.row] * items[graph.to_users.index.long()]) ** -0.5
    return replace(graph, user_weight=weight, item_weight=weight[graph.to_users.transposed[1]])


class Reference:
    """Everything the equations name, one node and one pair at a time; nodes are users, then items."""

    def __init__(self, model: MBGMN, data) -> None:
        self.config = model.config
        self.released = model.config.form == "as_released"
        self.state = {name: tiny.array(p) for name, p in model.named_parameters()}
        self.A = [adjacency(data.train[b].toarray(), "symmetric") for b in data.behaviors]
        self.e = np.concatenate([self.state["user_embedding"], self.state["item_embedding"]])
        self.attention: dict[tuple[int, int, int], np.ndarray] = {}
        self.codes = self._encodings()

    def generated(self, name: str, x: np.ndarray) -> np.ndarray:
        base = self.state[f"{name}.base"]
        return (x @ self.state[f"{name}.weight"]).reshape(base.shape) + base

    def dense(self, name: str, x: np.ndarray) -> np.ndarray:
        return self.state[f"{name}.weight"] @ x + self.state[f"{name}.bias"]

    def start(self, v: int, s: int) -> np.ndarray:
        """Layer 0 of node v in encoding s (s = K: the shared one)."""
        if self.config.specialization == "none":
            return np.concatenate([self.e[v]] * (2 if self.released else 1))
        near = sum(self.A[k][v, w] * self.e[w] for k in (range(K) if s == K else [s]) for w in range(N))
        context = np.concatenate([self.state["graph.behavior_embedding"][s], self.e[v], near])
        if self.released:
            context = leaky(self.dense("graph.specializer.hidden", context), SLOPE)
        side = "user" if v < USERS else "item"
        first = self.generated(f"graph.specializer.makers.{side}_first", context)
        second = self.generated(f"graph.specializer.makers.{side}_second", context)
        assert first.shape == second.shape == (RANK, DIM)
        personal = second.T @ (first @ self.e[v])
        return np.concatenate([personal, self.e[v]]) if self.released else personal

    def _encodings(self) -> np.ndarray:
        layer = np.array([[self.start(v, s) for s in range(K + 1)] for v in range(N)])
        total = layer.copy()
        for number in range(self.config.num_layers):
            following = np.zeros_like(layer)
            for v in range(N):
                for k in range(K):
                    message = sum(self.A[k][v, w] * layer[w, k] for w in range(N))
                    following[v, k] = layer[v, k] + leaky(message, SLOPE)
                messages = [
                    leaky(sum(self.A[k][v, w] * layer[w, K] for w in range(N)), SLOPE) for k in range(K)
                ]
                following[v, K] = sum(self._attended(number, v, messages))
            layer = following
            total += layer
        return total

    def _attended(self, number: int, v: int, messages: list[np.ndarray]) -> list[np.ndarray]:
        if self.config.attention == "none":
            return messages
        weight = self.state[f"graph.attention.{2 * number + (0 if v < USERS else 1)}.weight"]
        query = [m @ weight[0] for m in messages]
        key = query if self.released else [m @ weight[1] for m in messages]
        value = messages if self.released else [m @ weight[2] for m in messages]
        size = len(messages[0]) // self.config.num_heads
        out = [m.copy() for m in messages]
        for head in range(self.config.num_heads):
            part = slice(head * size, (head + 1) * size)
            for k in range(K):
                logits = np.array([query[k][part] @ key[j][part] / math.sqrt(size) for j in range(K)])
                share = np.exp(logits) / np.exp(logits).sum()
                self.attention[k, number, head] = self.attention.get((k, number, head), np.zeros((N, K)))
                self.attention[k, number, head][v] = share
                out[k][part] += sum(share[j] * value[j][part] for j in range(K))
        return out

    def score(self, u: int, i: int, source: int, target: int) -> float:
        def features(a: np.ndarray, b: np.ndarray) -> np.ndarray:
            return np.concatenate([a * b, a, b])

        own = features(self.codes[u, source], self.codes[USERS + i, source])
        other = features(self.codes[u, target], self.codes[USERS + i, target])
        if self.config.prediction == "shared":
            hidden = leaky(self.dense("prediction.shared_first", own), SLOPE)
            return 1.3 * float(self.dense("prediction.shared_last", hidden)[0])
        g, h = (leaky(self.dense("prediction.pair", f), SLOPE) for f in (own, other))
        m = leaky(self.dense("prediction.meta", features(g, h)), SLOPE)
        first, last = self.generated("prediction.first", m), self.generated("prediction.last", m)
        hidden = leaky(own @ first + self.dense("prediction.offset", m), SLOPE)
        return 1.3 * float(hidden @ last[0])


@pytest.mark.parametrize("variant", VARIANTS)
def test_encodings_and_scores_equal_the_loops(data, variant):
    model = double(data, variant)
    reference = Reference(model, data)
    encoding = model.encode()
    assert encoding.user.shape == (USERS, K + 1, 2 * DIM if variant == "as_released" else DIM)
    np.testing.assert_allclose(tiny.array(torch.cat([*encoding])), reference.codes, rtol=1e-8, atol=1e-10)
    expected = np.array([[reference.score(u, i, K, K - 1) for i in range(ITEMS)] for u in range(USERS)])
    users = torch.tensor([3, 0, 4])
    np.testing.assert_allclose(tiny.array(model.score(users)), expected[[3, 0, 4]], rtol=1e-8, atol=1e-10)
    items = torch.tensor([[6, 0], [2, 2], [5, 1]])
    found = tiny.array(model.score_items(users, items))
    np.testing.assert_allclose(found, expected[[[3], [0], [4]], items.numpy()], rtol=1e-8, atol=1e-10)


@pytest.mark.parametrize("variant", [None, "as_released"])
def test_all_items_are_scored_alike_in_pieces(data, variant, monkeypatch):
    model = double(data, variant)
    whole = model.score(torch.arange(USERS))
    monkeypatch.setattr("core.models.mbgmn_prediction._FLOATS_AT_ONCE", 1)
    monkeypatch.setattr("core.models.mbgmn._PAIRS_AT_ONCE", 2)
    torch.testing.assert_close(model.score(torch.arange(USERS)), whole)
    everything = torch.arange(ITEMS).expand(USERS, -1)
    torch.testing.assert_close(model.score_items(torch.arange(USERS), everything), whole)


TRIPLES = {"view": [(3, 1, 2), (3, 4, 2), (0, 5, 1)], "cart": [], "buy": [(2, 5, 4), (0, 4, 2)]}


def batch() -> MBGMNBatch:
    """Users 3, 0, 2 with pairs of tasks 0 and 2; task 1 drew none."""
    place = {3: 0, 0: 1, 2: 2}
    tasks = [
        TaskPairs(*(torch.tensor(column, dtype=torch.long) for column in columns))
        for columns in (
            ([place[u] for u, _, _ in triples], [p for _, p, _ in triples], [n for _, _, n in triples])
            for triples in TRIPLES.values()
        )
    ]
    return MBGMNBatch(torch.tensor([3, 0, 2]), tuple(tasks))


@pytest.mark.parametrize("variant", VARIANTS)
def test_losses_equal_the_loops(data, variant):
    model = double(data, variant)
    reference = Reference(model, data)
    losses = model.losses(batch())
    assert list(losses) == ["margin_view", "margin_cart", "margin_buy", "l2"]
    violated = 0
    for target, (behavior, triples) in enumerate(TRIPLES.items()):
        total = 0.0
        for source in range(K + 1):
            for u, better, worse in triples:
                difference = reference.score(u, better, source, target)
                difference -= reference.score(u, worse, source, target)
                total += max(0.0, 1 - difference) / len(triples)
                violated += difference < 1
        assert float(losses[f"margin_{behavior}"].detach()) == pytest.approx(total, rel=1e-7, abs=1e-9)
    assert violated > 0
    plain = ("bias", "behavior_embedding")
    norm = sum((v**2).sum() for name, v in reference.state.items() if not name.endswith(plain))
    assert float(losses["l2"].detach()) == pytest.approx(0.3 * norm, rel=1e-9)


@pytest.mark.parametrize("variant", VARIANTS)
def test_gradients_equal_finite_differences(data, variant):
    model, drawn = double(data, variant), batch()

    def loss() -> torch.Tensor:
        return torch.stack(list(model.losses(drawn).values())).sum()

    loss().backward()
    step, generator = 1e-6, torch.Generator().manual_seed(1)
    for key, parameter in model.named_parameters():
        direction = torch.randn(parameter.shape, generator=generator, dtype=torch.float64)
        with torch.no_grad():
            parameter += step * direction
            above = loss()
            parameter -= 2 * step * direction
            measured = (above - loss()) / (2 * step)
            parameter += step * direction
        assert parameter.grad is not None, key
        torch.testing.assert_close((parameter.grad * direction).sum(), measured, rtol=1e-4, atol=1e-6)


def test_margin_is_a_hinge_and_nothing_without_pairs():
    positive, negative = torch.tensor([2.0, 0.5, -1.0]), torch.tensor([0.0, 0.0, 0.0])
    assert float(margin(positive, negative)) == pytest.approx((0 + 0.5 + 2) / 3)
    assert float(margin(positive[:0], negative[:0])) == 0


def test_batches_hold_true_positives_and_true_negatives_of_every_behaviour(data):
    model = double(data, users_per_epoch=4, batch_users=3, positives_per_user=2)
    batches = list(model.batches(torch.Generator().manual_seed(4)))
    assert [len(b.users) for b in batches] == [3, 1]
    for drawn in batches:
        for behavior, task in zip(data.behaviors, drawn.tasks, strict=True):
            touched = data.train[behavior].toarray()
            owners = drawn.users[task.owner]
            assert touched[owners, task.positive].all()
            assert not touched[owners, task.negative].any()
            expected = np.minimum(touched[drawn.users.numpy()].sum(1), 2)
            assert np.bincount(task.owner, minlength=len(drawn.users)).tolist() == expected.tolist()


@pytest.mark.parametrize("variant", [None, "as_released"])
def test_attention_is_found_for_every_node(data, variant):
    model = double(data, variant)
    (finding,) = model.findings()
    reference = Reference(model, data)
    assert finding.kind is Kind.SHARE
    assert finding.axis("node").groups == {"user": (0, USERS), "item": (USERS, N)}
    for (k, layer, head), shares in reference.attention.items():
        np.testing.assert_allclose(finding.values[k, layer, head], shares, rtol=1e-8)
    assert np.ptp(finding.values, axis=-1).max() > 0.01
    assert double(data, "without_attention").findings() == ()


def test_probes_tell_which_encoding_predicts_which_behaviour(data):
    model = double(data)
    transfer, conflict = model.probes(batch())
    assert transfer.axis("source").labels == ("view", "cart", "buy", "shared")
    losses = model.losses(batch())
    sums = [float(losses[f"margin_{b}"].detach()) for b in data.behaviors]
    np.testing.assert_allclose(transfer.values.sum(0), sums)
    assert transfer.support.tolist() == [[3, 0, 2]] * 4
    assert conflict.key == "gradient_conflict"
    assert conflict.source.startswith("MB-GMN, ")


def test_heads_must_divide_the_width():
    with pytest.raises(ConfigError, match="num_heads 3 must divide the width 16"):
        system("mbgmn").resolve("paper", None, {"num_heads": 3})
    assert MBGMNConfig(num_heads=3, attention="none").width == 16
    assert MBGMNConfig(form="as_released").width == 32
