"""Tiny ranking data and models: every dimension its own prime, parameters that hide nothing behind zeros."""

from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import torch
from scipy.sparse import csr_array

from core.catalog.base import System, SystemConfig
from core.catalog.systems import system
from core.data.info import DatasetInfo
from core.data.ranking import RankingData
from core.data.writing import DatasetContent, Provenance, write_dataset
from core.home import Home
from core.models.base import Ranker
from core.models.cigf import CIGF
from core.models.registry import build
from core.ops.graphs import Bipartite
from core.ops.sparse import Pattern

torch.set_num_threads(1)  # on matrices this small, threads that wait for each other cost fifty times the work

CPU = torch.device("cpu")
BEHAVIORS = ("view", "cart", "buy")


def matrix(dense: Any) -> csr_array:
    """A [U, I] matrix of ones where `dense` is not zero."""
    return csr_array((np.asarray(dense) != 0).astype(np.float32))


def ranking_from(
    train: dict[str, Any],
    valid: Any = None,
    test: Any = None,
    name: str = "tiny",
    features: dict[str, np.ndarray] | None = None,
) -> RankingData:
    """Ranking data of dense matrices; the last behaviour of `train` is the target. A table of pretrained item embeddings
    comes along, which only systems with a parent look at."""
    shape = next(iter(train.values())).shape
    nothing = np.zeros(shape)
    return RankingData(
        name=name,
        content_hash="0" * 64,
        behaviors=tuple(train),
        train={b: matrix(m) for b, m in train.items()},
        valid=matrix(nothing if valid is None else valid),
        test=matrix(nothing if test is None else test),
        fit_on="train",
        features=features or {},
        pretrained=np.random.default_rng(31).standard_normal((shape[1], 6)).astype(np.float32),
    )


def random_features(items: int, colour_weight: float = 0.0) -> dict[str, np.ndarray]:
    """Two modalities of random features, 5 and 3 wide; `colour_weight`: how much even and odd items differ."""
    rng = np.random.default_rng(17)
    colour = np.where(np.arange(items) % 2, 1.0, -1.0)[:, None]
    found = {m: rng.standard_normal((items, d)) for m, d in (("image", 5), ("text", 3))}
    return {m: (values + colour_weight * colour).astype(np.float32) for m, values in found.items()}


def random_ranking(
    users: int = 5,
    items: int = 7,
    behaviors: tuple[str, ...] = BEHAVIORS,
    density: float = 0.35,
    seed: int = 3,
) -> RankingData:
    """Random pairs per behaviour; the last user did nothing and nobody touched the first item; one test pair a user."""
    rng = np.random.default_rng(seed)
    train = {}
    for behavior in behaviors:
        pairs = rng.random((users, items)) < density
        pairs[-1], pairs[:, 0] = False, False
        train[behavior] = pairs
    test = np.zeros((users, items))
    for user in range(users):
        free = np.flatnonzero(~train[behaviors[-1]][user])
        test[user, rng.choice(free)] = 1
    return ranking_from(train, test=test, features=random_features(items))


def checkerboard(users: int = 22, items: int = 14) -> RankingData:
    """Users buy every item of their own colour but two: (u mod half)-th and the next, held out to test and validate.

    All other items of their colour are training items, so the withheld one is the only sensible recommendation under
    `full`. They viewed the withheld items too, and put most of their colour into the cart.
    """
    half = items // 2
    view, cart, buy, valid, test = (np.zeros((users, items)) for _ in range(5))
    for user in range(users):
        own = np.arange(user % 2, items, 2)
        view[user, own] = 1
        withheld, validated = own[(user // 2) % half], own[(user // 2 + 1) % half]
        cart[user, own] = buy[user, own] = 1
        cart[user, withheld] = 0
        cart[user, own[(user // 2 + 3) % half]] = 0
        buy[user, [withheld, validated]] = 0
        test[user, withheld] = valid[user, validated] = 1
    train = {"view": view, "cart": cart, "buy": buy}
    return ranking_from(train, valid, test, "checkerboard", random_features(items, colour_weight=0.3))


def stored(home: Home, data: RankingData, name: str = "board", *, replace: bool = False) -> DatasetInfo:
    """`data` written as a data set of `home`."""
    parts = [(data.train[b], b, "train") for b in data.behaviors]
    parts += [(data.valid, data.target, "valid"), (data.test, data.target, "test")]
    frames = []
    for pairs, behavior, split in parts:
        users, items = pairs.nonzero()
        frames.append(pd.DataFrame({"user": users, "item": items, "behavior": behavior, "split": split}))
    content = DatasetContent(
        provenance=Provenance(("multi_behavior",), "by hand", "test", 1, "as-given"),
        behaviors=data.behaviors,
        interactions=pd.concat(frames, ignore_index=True).astype({"user": np.int32, "item": np.int32}),
        users=pd.DataFrame({"original_id": [f"u{n}" for n in range(data.num_users)]}),
        items=pd.DataFrame({"original_id": [f"i{n}" for n in range(data.num_items)]}),
        features=data.features,
    )
    return write_dataset(home, name, content, replace=replace)


def resolved(key: str, variant: str | None = None, **overrides: Any) -> SystemConfig:
    entry: System = system(key)
    return entry.resolve("small", variant, overrides)


def built(key: str, data: RankingData, variant: str | None = None, seed: int = 0, **overrides: Any) -> Ranker:
    torch.manual_seed(seed)
    return build(key, resolved(key, variant, **overrides), data, CPU)


def cigf(data: RankingData, seed: int = 0, **overrides: Any) -> CIGF:
    """A CIGF in float64 whose parameters, biases included, are random and of order 1."""
    settings = {"dim": 2, "score_scale": 1.3, "leaky_slope": 0.17} | overrides
    model = built("cigf", data, seed=seed, **settings)
    assert isinstance(model, CIGF)
    return as_double(model)


def as_double(model: CIGF) -> CIGF:
    generator = torch.Generator().manual_seed(11)
    model.double()
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.copy_(0.7 * torch.randn(parameter.shape, generator=generator, dtype=torch.float64))
    model.encoder.graphs = tuple(double_graph(graph) for graph in model.encoder.graphs)
    return model


def double_graph(graph: Bipartite) -> Bipartite:
    names = ("user_weight", "item_weight", "user_scale", "item_scale")
    parts = {name: getattr(graph, name) for name in names}
    return replace(graph, **{name: None if p is None else p.double() for name, p in parts.items()})


def array(tensor: torch.Tensor) -> np.ndarray:
    return tensor.detach().numpy()


def exactly_symmetric(graph: Bipartite) -> Bipartite:
    """A graph of symmetric normalisation with its weights, which are stored in single precision, in full."""
    degrees = (graph.to_users.indptr.diff().double(), graph.to_items.indptr.diff().double())

    def weight(pattern: Pattern, rows: torch.Tensor, columns: torch.Tensor) -> torch.Tensor:
        return (rows[pattern.row] * columns[pattern.index.long()]).rsqrt()

    return replace(
        graph,
        user_weight=weight(graph.to_users, *degrees),
        item_weight=weight(graph.to_items, *degrees[::-1]),
    )


class _TotalLoss(torch.nn.Module):
    """A model whose forward step is the sum of its losses."""

    def __init__(self, model: Any) -> None:
        super().__init__()
        self.model = model

    def forward(self, batch: Any) -> torch.Tensor:
        return torch.stack(list(self.model.losses(batch).values())).sum()


def loss_has_true_gradients(model: Any, batch: Any) -> bool:
    """gradcheck of the summed losses in every parameter of a float64 model; one error in a million fails."""
    names = [f"model.{name}" for name, _ in model.named_parameters()]

    def loss(*values: torch.Tensor) -> torch.Tensor:
        found: torch.Tensor = torch.func.functional_call(
            _TotalLoss(model), dict(zip(names, values, strict=True)), (batch,)
        )
        return found

    inputs = [parameter.detach().clone().requires_grad_() for parameter in model.parameters()]
    return torch.autograd.gradcheck(loss, inputs, rtol=1e-6, atol=1e-7)


def ordered_share(model: Ranker, data: RankingData) -> float:
    """Share of (user, bought, other) triples of the training data that the model ranks in that order."""
    with model.evaluating():
        scores = model.score(torch.arange(data.num_users)).numpy()
    bought = data.train[data.target].toarray() > 0
    pairs = [scores[u][bought[u]][:, None] > scores[u][~bought[u]] for u in range(data.num_users)]
    return float(np.concatenate([pair.ravel() for pair in pairs]).mean())
