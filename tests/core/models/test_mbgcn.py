"""MBGCN against loops over users, items and behaviours, in float64, each dimension its own prime."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from core.findings import Kind
from core.models.mbgcn import MBGCN
from core.models.pairwise import PairwiseRanker
from tests.core.models import tiny

USERS, ITEMS, DIM = 5, 7, 3
QUIET = {"message_dropout": 0.0, "node_dropout": 0.0}
VARIANTS = [
    None,
    "equal_importance",
    "without_item_relations",
    "without_item_score",
    "items_as_released",
]


@pytest.fixture(scope="module")
def data():
    return tiny.random_ranking(USERS, ITEMS, density=0.5)


def double(data, variant=None, **overrides) -> MBGCN:
    settings = {"dim": DIM, "num_layers": 2, "l2": 0.3, "user_share": 0.3} | QUIET
    if variant == "without_item_score":
        del settings["user_share"]
    model = tiny.built("mbgcn", data, variant, **(settings | overrides))
    assert isinstance(model, MBGCN)
    generator = torch.Generator().manual_seed(5)
    model.double()
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.copy_(0.7 * torch.randn(parameter.shape, generator=generator, dtype=torch.float64))
    exact = tiny.double_graph(model._to_items)
    if exact.item_scale is not None:  # scales are stored in single precision
        degree = exact.to_items.indptr.diff().double()
        exact = replace(exact, item_scale=torch.where(degree > 0, 1 / degree, 0))
    model._to_items = exact
    return model


class Reference:
    """Everything the equations name, one node at a time."""

    def __init__(self, model: MBGCN, data) -> None:
        self.config, self.T = model.config, len(data.behaviors)
        self.state = {name: tiny.array(p) for name, p in model.named_parameters()}
        self.A = [data.train[b].toarray() > 0 for b in data.behaviors]
        self.buyers = self.A[-1]
        logit = self.state.get("importance_logit", np.zeros(self.T))
        self.w = np.exp(logit) / sum(np.exp(logit))
        self.p, self.q = self._nodes()

    def touched(self, u: int, t: int) -> list[int]:
        return [i for i in range(ITEMS) if self.A[t][u, i]]

    def alpha(self, u: int, t: int) -> float:
        total = sum(self.w[m] * len(self.touched(u, m)) for m in range(self.T))
        return self.w[t] * len(self.touched(u, t)) / total if total else self.w[t]

    def _nodes(self) -> tuple[list[np.ndarray], list[np.ndarray]]:
        p, q = [self.state["user_embedding"]], [self.state["item_embedding"]]
        for layer in range(self.config.num_layers):
            W = self.state["node_weight"][layer]
            users, items = np.zeros((USERS, DIM)), np.zeros((ITEMS, DIM))
            for u in range(USERS):
                for t in range(self.T):
                    if self.touched(u, t):
                        mean = sum(q[-1][i] for i in self.touched(u, t)) / len(self.touched(u, t))
                        users[u] += self.alpha(u, t) * mean
            for i in range(ITEMS):
                if self.config.item_form == "paper":
                    near = [u for u in range(USERS) if any(A[u, i] for A in self.A)]
                    items[i] = sum(p[-1][u] for u in near) / len(near) if near else 0
                else:
                    items[i] = sum(p[-1][u] for u in range(USERS) if self.buyers[u, i])
            p.append(users @ W)
            q.append(items @ W)
        return p, q

    def related(self, t: int) -> np.ndarray:
        """s* of behaviour t: [I, (L + 1) D]."""
        s = [self.state["item_embedding"]]
        for layer in range(self.config.num_layers if self.config.item_relations else 0):
            W = self.state["item_score.relation_weight"][t * self.config.num_layers + layer]
            following = np.zeros((ITEMS, DIM))
            for i in range(ITEMS):
                pairs = [
                    (u, j) for u in range(USERS) if self.A[t][u, i] for j in self.touched(u, t) if j != i
                ]
                following[i] = sum(s[-1][j] for _, j in pairs) / len(pairs) if pairs else 0
            s.append(following @ W)
        return np.concatenate(s, 1)

    def score(self, u: int, i: int) -> float:
        p = np.concatenate([layer[u] for layer in self.p])
        q = np.concatenate([layer[i] for layer in self.q])
        share = self.config.user_share
        total = share * (p @ q)
        if share == 1:
            return total
        for t in range(self.T):
            s, M = self.related(t), self.state["item_score.match_weight"][t]
            for j in self.touched(u, t):
                total += (1 - share) / self.T * (s[j] @ M @ s[i]) / len(self.touched(u, t))
        return total


@pytest.mark.parametrize("variant", VARIANTS)
@pytest.mark.parametrize("layers", [1, 2])
def test_scores_equal_the_loops(data, variant, layers: int):
    model = double(data, variant, num_layers=layers)
    reference = Reference(model, data)
    expected = [[reference.score(u, i) for i in range(ITEMS)] for u in range(USERS)]
    found = tiny.array(model.score(torch.arange(USERS)))
    np.testing.assert_allclose(found, expected, rtol=1e-9, atol=1e-12)
    encoding = model.encode()
    width = DIM * (layers + 1)
    matched = {"without_item_score": 0, "without_item_relations": 3 * DIM}.get(variant, 3 * width)
    assert encoding.user.shape == (USERS, width + matched)


@pytest.mark.parametrize("variant", VARIANTS)
@pytest.mark.parametrize("layers", [1, 2])
def test_losses_and_their_gradients_equal_those_of_the_whole_encoding(data, variant, layers: int):
    """Training computes the last sums for the batch's users alone."""
    model = double(data, variant, num_layers=layers)
    reference = Reference(model, data)
    batch = next(model.batches(torch.Generator().manual_seed(1)))
    losses, terms, norm = model.losses(batch), [], 0.0
    for user, better, worse in zip(*(t.tolist() for t in (batch.users, batch.positive, batch.negative))):
        assert data.train["buy"][user, better]
        assert not data.train["buy"][user, worse]
        terms.append(np.log1p(np.exp(reference.score(user, worse) - reference.score(user, better))))
        rows = (model.user_embedding[user], model.item_embedding[better], model.item_embedding[worse])
        norm += sum((tiny.array(row) ** 2).sum() for row in rows)
    weights = sum((reference.state[n] ** 2).sum() for n in reference.state if n.endswith("_weight"))
    assert float(losses["bpr"].detach()) == pytest.approx(np.mean(terms), rel=1e-9)
    assert float(losses["l2"].detach()) == pytest.approx(0.3 * (norm / len(terms) + weights) / 2, rel=1e-9)

    whole = PairwiseRanker.triples(model, batch)
    plain = torch.nn.functional.softplus((whole.user * (whole.negative - whole.positive)).sum(-1)).mean()
    parameters = list(model.parameters())
    ours = torch.autograd.grad(losses["bpr"], parameters)
    theirs = torch.autograd.grad(plain, parameters)
    for mine, other in zip(ours, theirs):
        torch.testing.assert_close(mine, other, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("variant", [None, "equal_importance"])
def test_findings_state_importance_and_contributions(data, variant):
    model = double(data, variant)
    reference = Reference(model, data)
    importance, contribution = model.findings()
    assert importance.kind is contribution.kind is Kind.SHARE
    assert importance.axis("behavior").labels == data.behaviors
    np.testing.assert_allclose(importance.values, reference.w)
    pairs = [data.train[b].nnz for b in data.behaviors]
    assert importance.support.tolist() == pairs
    expected = [[reference.alpha(u, t) for t in range(3)] for u in range(USERS)]
    np.testing.assert_allclose(contribution.values, expected)
    counts = [[len(reference.touched(u, t)) for t in range(3)] for u in range(USERS)]
    assert contribution.support.tolist() == counts
    assert contribution.axis("node").groups == {"user": (0, USERS)}
    assert sum(counts[-1]) == 0  # the last user did nothing and gets w itself


@pytest.mark.parametrize("noisy", [{"message_dropout": 0.4}, {"node_dropout": 0.4}])
def test_dropout_follows_the_batch_and_never_reaches_scores(data, noisy):
    model, quiet = double(data, **noisy), double(data)
    batch = next(model.batches(torch.Generator().manual_seed(1)))
    other = replace(batch, noise=batch.noise + 1)
    first, again, changed = (float(model.losses(b)["bpr"].detach()) for b in (batch, batch, other))
    assert first == again != changed
    assert first != float(quiet.losses(batch)["bpr"].detach())
    assert torch.equal(model.score(torch.arange(USERS)), quiet.score(torch.arange(USERS)))


def test_importance_starts_equal_and_is_learned(data):
    model = tiny.built("mbgcn", data, dim=DIM)
    assert isinstance(model, MBGCN)
    assert model.importance.tolist() == pytest.approx([1 / 3] * 3)
    losses = model.losses(next(model.batches(torch.Generator().manual_seed(1))))
    losses["bpr"].backward()
    assert model.importance_logit.grad.abs().max() > 0
    assert not any("importance" in name for name, _ in double(data, "equal_importance").named_parameters())
