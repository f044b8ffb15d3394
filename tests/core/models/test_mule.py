"""MuLe against loops over users, items and pairs, in float64, each dimension its own prime."""

import numpy as np
import pytest
import torch

from core.findings import Kind
from core.models.mule import MuLe
from core.models.mule_encoder import denoising_attention
from core.ops.graphs import Sides
from core.ops.sparse import pattern_of
from core.ops.weighted import both_ways
from tests.core.models import tiny

USERS, ITEMS, DIM = 5, 11, 3
VARIANTS = [
    None,
    "without_tda",
    "without_unified",
    "without_behavior_level",
    "without_components",
    "mean_aggregator",
    "leaky_aggregator",
    "attention_received",
]
STRICT = {"rtol": 1e-6, "atol": 1e-7}
Tables = tuple[np.ndarray, np.ndarray]


@pytest.fixture(scope="module")
def data():
    return tiny.random_ranking(USERS, ITEMS, density=0.5)


def double(data, variant=None, **overrides) -> MuLe:
    """A MuLe in float64 with parameters of order 1 and exact edge weights."""
    settings = {"dim": DIM, "num_layers": 2, "num_difference_layers": 3, "l2": 0.3}
    model = tiny.built("mule", data, variant, **(settings | overrides))
    assert isinstance(model, MuLe)
    generator = torch.Generator().manual_seed(5)
    model.double()
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.copy_(0.9 * torch.randn(parameter.shape, generator=generator, dtype=torch.float64))
    light = model.encoder._light
    model.encoder._light = {key: tiny.exactly_symmetric(graph) for key, graph in light.items()}
    return model


class Reference:
    """Everything the equations name, one node and one pair at a time."""

    def __init__(self, model: MuLe, data) -> None:
        self.config, self.data, self.model = model.config, data, model
        self.initial = (tiny.array(model.user_embedding), tiny.array(model.item_embedding))
        self.levels: dict[str, Tables] = {}
        hierarchy = self.config.hierarchy
        A = {b: data.train[b].toarray() > 0 for b in data.behaviors}
        target, start = A[data.target], self.initial
        if hierarchy != "without_unified":
            start = self.levels["unified"] = self.light(np.any(list(A.values()), 0), self.initial, 2)
        if hierarchy != "without_behavior":
            for b in [b for b in data.behaviors if A[b].any()]:
                self.levels[b] = self.light(A[b], start, 2)
        self.asked = self.levels.get(data.target, start)
        self.parts = []
        for kind in ("and", "without") if hierarchy != "without_components" else ():
            for b in data.behaviors[:-1]:
                pairs = A[b] & target if kind == "and" else A[b] & ~target
                if not pairs.any():
                    continue
                parent, key = self.levels.get(b, start), f"{b}_{kind}_{data.target}"
                self.parts.append(key)
                if kind == "and":
                    self.levels[key] = self.light(pairs, parent, 2)
                elif self.config.denoising == "none":
                    self.levels[key] = self.light(pairs, parent, 3)
                else:
                    self.levels[key] = self.denoised(pairs, parent, 3)

    def light(self, A: np.ndarray, start: Tables, layers: int) -> Tables:
        def step(x: np.ndarray, y: np.ndarray) -> Tables:
            users, items = np.zeros_like(x), np.zeros_like(y)
            for u, i in zip(*A.nonzero()):
                weight = 1 / np.sqrt(A[u].sum() * A[:, i].sum())
                users[u] += weight * y[i]
                items[i] += weight * x[u]
            return users, items

        return self.summed(step, start, layers)

    def denoised(self, A: np.ndarray, start: Tables, layers: int) -> Tables:
        """One directed edge after the other, source to destination, as the released code's edge list."""
        users = len(A)
        edges = [(u, users + i) for u, i in zip(*A.nonzero())]
        edges += [(destination, source) for source, destination in edges]
        guide = np.concatenate(self.asked)

        def step(x: np.ndarray, y: np.ndarray) -> Tables:
            values, result = np.concatenate([x, y]), np.zeros((len(x) + len(y), DIM))
            for source, destination in edges:
                if self.config.attention_over == "sent":
                    rivals = [d for s, d in edges if s == source]
                    logits = {d: guide[source] @ values[d] for d in rivals}
                    share = np.exp(logits[destination]) / sum(np.exp(v) for v in logits.values())
                else:
                    rivals = [s for s, d in edges if d == destination]
                    logits = {s: guide[destination] @ values[s] for s in rivals}
                    share = np.exp(logits[source]) / sum(np.exp(v) for v in logits.values())
                result[destination] += share * values[source]
            return result[:users], result[users:]

        return self.summed(step, start, layers)

    @staticmethod
    def summed(step, start: Tables, layers: int) -> Tables:
        x, y = start
        total_x, total_y = start
        for number in range(1, layers + 1):
            x, y = step(x, y)
            x, y = (np.array([r / np.linalg.norm(r) if r.any() else r for r in side]) for side in (x, y))
            total_x, total_y = total_x + x / number, total_y + y / number
        return total_x, total_y

    def output(self) -> tuple[np.ndarray, dict[int, np.ndarray]]:
        """O of all nodes and the shares of both stages, the first one whether or not it has an effect."""
        query, shares = np.concatenate(self.asked), {}
        behaviors = [b for b in self.data.behaviors if b in self.levels]
        for number, stage in ((1, behaviors), (2, self.parts)):
            if not stage:
                continue
            sources = [np.concatenate(self.levels[key]) for key in stage]
            weights = self.weights(number, len(stage))
            following, table = np.zeros_like(query), np.zeros((len(query), len(stage)))
            for node in range(len(query)):
                table[node] = self.attended(weights, query[node], [source[node] for source in sources])
                following[node] = sum(share * source[node] for share, source in zip(table[node], sources))
            query, shares[number] = following, table
        return query, shares

    def weights(self, number: int, sources: int) -> dict[str, np.ndarray]:
        """Parameters of a stage; random ones for a stage that the model leaves out since it has no effect."""
        if number in self.model.stages and sources > 1:
            stage = self.model.aggregator[list(self.model.stages).index(number)]
            return {name: tiny.array(p) for name, p in stage.named_parameters()}
        rng = np.random.default_rng(number)
        return {"source_weight": rng.normal(size=DIM)}

    def attended(self, weights, query: np.ndarray, sources: list[np.ndarray]) -> np.ndarray:
        """Softmax of w . [q; e] + b over the sources; parts the model has none of are drawn: they cancel."""
        if self.config.aggregator == "mean":
            return np.full(len(sources), 1 / len(sources))
        rng = np.random.default_rng(7)
        asks = weights.get("query_weight", rng.normal(size=DIM))
        w, b = np.concatenate([asks, weights["source_weight"]]), weights.get("bias", rng.normal())
        logits = [w @ np.concatenate([query, e]) + b for e in sources]
        if self.config.aggregator == "leaky":
            logits = [v if v > 0 else 0.2 * v for v in logits]
        powers = np.exp(logits)
        return powers / powers.sum()


@pytest.mark.parametrize("variant", VARIANTS)
def test_levels_attention_and_scores_equal_the_loops(data, variant):
    model = double(data, variant)
    reference, encoding = Reference(model, data), model.encode()
    assert encoding.levels.keys() == reference.levels.keys()
    for key, sides in reference.levels.items():
        for ours, theirs in zip(encoding.levels[key], sides):
            np.testing.assert_allclose(tiny.array(ours), theirs, rtol=1e-9, atol=1e-12)
    output, shares = reference.output()
    np.testing.assert_allclose(tiny.array(torch.cat(encoding.output)), output, rtol=1e-9, atol=1e-12)
    for number, sides in zip(model.stages, encoding.attention):
        np.testing.assert_allclose(tiny.array(torch.cat(sides)), shares[number], rtol=1e-9)
    expected = output[:USERS] @ output[USERS:].T
    np.testing.assert_allclose(tiny.array(model.score(torch.arange(USERS))), expected, rtol=1e-8, atol=1e-11)


def test_both_stages_count_where_the_query_does(data):
    assert list(double(data).stages) == [2]  # linear: the first stage would only be a query that cancels
    assert list(double(data, "without_components").stages) == [1]
    leaky = double(data, "leaky_aggregator")
    assert list(leaky.stages) == [1, 2]
    before = leaky.encode().output.user
    with torch.no_grad():
        leaky.aggregator[0].source_weight.mul_(-1)
    assert not torch.allclose(before, leaky.encode().output.user)


@pytest.mark.parametrize("over", ["sent", "received"])
def test_denoising_attention_and_its_gradients(data, over: str):
    pattern = pattern_of(data.train["view"])
    generator = torch.Generator().manual_seed(2)
    tables = [torch.randn(n, DIM, dtype=torch.float64, generator=generator) for n in (USERS, ITEMS) * 2]
    guide, layer = Sides(*tables[:2]), Sides(*tables[2:])
    weights = denoising_attention(pattern, guide, layer, over=over)
    A = data.train["view"].toarray() > 0
    by_user, by_item = np.zeros(A.shape), np.zeros(A.shape)
    for u, i in zip(*A.nonzero()):
        rivals = np.flatnonzero(A[u])
        powers = {j: np.exp(float(guide.user[u] @ layer.item[j])) for j in rivals}
        by_user[u, i] = powers[i] / sum(powers.values())
        rivals = np.flatnonzero(A[:, i])
        powers = {v: np.exp(float(guide.item[i] @ layer.user[v])) for v in rivals}
        by_item[u, i] = powers[u] / sum(powers.values())
    to_user, to_item = (by_item, by_user) if over == "sent" else (by_user, by_item)
    np.testing.assert_allclose(weights.to_user.numpy(), to_user[A], rtol=1e-10)
    assert weights.to_item is not None
    np.testing.assert_allclose(weights.to_item.numpy(), to_item[A], rtol=1e-10)

    def gathered(*sides):
        guide, layer = Sides(*sides[:2]), Sides(*sides[2:])
        return tuple(both_ways(pattern, denoising_attention(pattern, guide, layer, over=over), layer))

    inputs = [table.requires_grad_() for table in tables]
    assert torch.autograd.gradcheck(gathered, inputs, **STRICT)


@pytest.mark.parametrize("variant", VARIANTS)
def test_losses_equal_the_loops(data, variant):
    model = double(data, variant)
    output, _ = Reference(model, data).output()
    users, items = output[:USERS], output[USERS:]
    batch = next(model.batches(torch.Generator().manual_seed(1)))
    terms, norm = [], 0.0
    for user, better, worse in zip(*(t.tolist() for t in (batch.users, batch.positive, batch.negative))):
        assert data.train["buy"][user, better]
        assert not data.train["buy"][user, worse]
        terms.append(np.log1p(np.exp(users[user] @ (items[worse] - items[better]))))
        rows = (model.user_embedding[user], model.item_embedding[better], model.item_embedding[worse])
        norm += sum((tiny.array(row) ** 2).sum() for row in rows)
    losses = {name: float(value.detach()) for name, value in model.losses(batch).items()}
    assert losses == pytest.approx({"bpr": np.mean(terms), "l2": 0.3 * norm / len(terms) / 2}, rel=1e-8)


@pytest.mark.parametrize("variant", [None, "leaky_aggregator", "attention_received", "without_tda"])
def test_gradients_equal_finite_differences(variant):
    data = tiny.random_ranking(USERS, 7, density=0.5)
    model = double(data, variant, dim=2)
    batch = next(model.batches(torch.Generator().manual_seed(1)))
    assert tiny.loss_has_true_gradients(model, batch)


def test_one_auxiliary_behaviour_is_enough():
    data = tiny.random_ranking(USERS, ITEMS, ("view", "buy"), density=0.5)
    for variant in VARIANTS:
        model = double(data, variant)
        output, _ = Reference(model, data).output()
        np.testing.assert_allclose(tiny.array(torch.cat(model.encode().output)), output, rtol=1e-8)


@pytest.mark.parametrize("variant", VARIANTS)
@pytest.mark.parametrize("case", ["no intersection", "no difference", "no auxiliary pair"])
def test_an_empty_component_graph_contributes_nothing(variant, case: str):
    rng = np.random.default_rng(1)
    buy = rng.random((USERS, ITEMS)) < 0.4
    buy[:, 0], buy[:, 1] = False, True  # somebody bought; nobody touched the first item
    other = rng.random((USERS, ITEMS)) < 0.6
    other[:, 0] = False
    view = {"no intersection": other & ~buy, "no difference": other & buy}.get(case, other & False)
    data = tiny.ranking_from({"view": view, "buy": buy})
    model = double(data, variant)
    parts = [graph.key for graph in model.graphs if "_buy" in graph.key]
    expected = {"no intersection": ["view_without_buy"], "no difference": ["view_and_buy"]}
    assert parts == ([] if variant == "without_components" else expected.get(case, []))
    encoding, (output, _) = model.encode(), Reference(model, data).output()
    np.testing.assert_allclose(tiny.array(torch.cat(encoding.output)), output, rtol=1e-8, atol=1e-12)
    losses = model.losses(next(model.batches(torch.Generator().manual_seed(1))))
    torch.stack(list(losses.values())).sum().backward()
    for name, parameter in model.named_parameters():
        assert parameter.grad is not None, name
        assert parameter.grad.isfinite().all()
        assert parameter.grad.any(), name
    assert model.findings()


def test_a_node_without_edges_keeps_its_own_embedding(data):
    """The last user did nothing: every level hands on E_0, and so does the aggregator's weighted sum of equals."""
    model = double(data)
    encoding = model.encode()
    start = model.user_embedding[-1]
    for level in (*encoding.levels.values(), encoding.output):
        torch.testing.assert_close(level.user[-1], start)


def test_large_embeddings_stay_finite(data):
    """Logits of order 1000 and more."""
    model = tiny.built("mule", data, dim=DIM)
    for parameter in (model.user_embedding, model.item_embedding):
        parameter.data.mul_(2e3)
    losses = model.losses(next(model.batches(torch.Generator().manual_seed(1))))
    losses["bpr"].backward()
    assert model.score(torch.arange(USERS)).isfinite().all()
    assert all(p.grad is not None and p.grad.isfinite().all() for p in model.parameters())


def test_findings_state_spectra_and_attention(data):
    found = {finding.key: finding for finding in double(data, "leaky_aggregator").findings()}
    assert list(found) == [
        "information_abundance",
        "singular_values",
        "fusion_attention_1",
        "fusion_attention_2",
    ]
    titles = ("all behaviours", "view", "cart", "buy", "view and buy", "cart and buy")
    titles += ("view without buy", "cart without buy")
    assert found["information_abundance"].axis("level").labels == ("initial", *titles, "output")
    for number, labels in ((1, titles[1:4]), (2, titles[4:])):
        finding = found[f"fusion_attention_{number}"]
        assert finding.kind is Kind.SHARE
        assert finding.axis("source").labels == labels
        assert finding.axis("node").groups == {"user": (0, USERS), "item": (USERS, USERS + ITEMS)}
    model = double(data, "leaky_aggregator")
    _, shares = Reference(model, data).output()
    for number, expected in shares.items():
        np.testing.assert_allclose(found[f"fusion_attention_{number}"].values, expected, rtol=1e-9)
    assert "fusion_attention_1" not in {finding.key for finding in double(data).findings()}
    assert len(double(data, "mean_aggregator").findings()) == 2
    assert list(model.embed()) == ["initial", *model.encode().levels, "final"]


def test_training_ranks_what_users_bought_first():
    """Random data, so that nothing but training can tell which items they are."""
    data = tiny.random_ranking(USERS, ITEMS, ("view", "buy"), density=0.5)
    model = tiny.built("mule", data, dim=DIM)
    optimizer, generator = torch.optim.Adam(model.parameters(), lr=5e-2), torch.Generator().manual_seed(1)
    before = tiny.ordered_share(model, data)
    for _ in range(60):
        for batch in model.batches(generator):
            optimizer.zero_grad()
            torch.stack(list(model.losses(batch).values())).sum().backward()
            optimizer.step()
    assert before < 0.9 < tiny.ordered_share(model, data)
