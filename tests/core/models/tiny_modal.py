"""Tiny data with item features, and multimodal models in float64 with parameters of order 1."""

from dataclasses import replace
from typing import Any

import numpy as np
import torch
from torch import nn

from core.data.ranking import RankingData
from core.models.pairwise import PairBatch
from core.ops.graphs import Bipartite
from core.ops.square import Square
from tests.core.models import tiny

USERS, ITEMS = 7, 11
WIDTHS = {"audio": 2, "image": 5, "text": 13, "smell": 17}
ONE, TWO, THREE, ODD = ("text",), ("image", "text"), ("audio", "image", "text"), ("smell",)
EMPTY_ITEM = 4  # whose features are zeros in every modality but the first


def data(modalities: tuple[str, ...] = TWO, users: int = USERS, items: int = ITEMS) -> RankingData:
    """Two behaviours, the second the target; the last user did nothing and nobody touched the first item.

    Item 4 has features in one modality alone; where there is only one, it has none at all.
    """
    rng = np.random.default_rng(17)
    features = {}
    for place, name in enumerate(modalities):
        features[name] = rng.standard_normal((items, WIDTHS[name])).astype(np.float32)
        if place > 0 or len(modalities) == 1:
            features[name][EMPTY_ITEM] = 0
    return replace(tiny.random_ranking(users, items, ("view", "buy"), density=0.4), features=features)


def raw(found: RankingData) -> dict[str, np.ndarray]:
    return {name: np.asarray(values, dtype=np.float64) for name, values in found.features.items()}


def matrix(found: RankingData) -> np.ndarray:
    """R, [U, I]."""
    return found.train["buy"].toarray().astype(np.float64)


def double(key: str, found: RankingData, variant: str | None = None, **overrides: Any) -> Any:
    """A model whose parameters, biases and trained features included, are random and of order 1."""
    model = tiny.built(key, found, variant, **overrides)
    generator = torch.Generator().manual_seed(11)
    model.double()
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.copy_(0.7 * torch.randn(parameter.shape, generator=generator, dtype=torch.float64))
    return with_double_graphs(model)


def with_double_graphs(model: nn.Module) -> Any:
    """The model, its fixed edge weights in float64: of the single precision that they are stored in, one in 10^7 remains."""
    for module in model.modules():
        for name, value in list(vars(module).items()):
            if isinstance(value, Square):
                setattr(module, name, Square(value.pattern, value.weight.double()))
            if isinstance(value, Bipartite):
                setattr(module, name, tiny.double_graph(value))
    return model


def batch(model: Any, seed: int = 1) -> PairBatch:
    return next(model.batches(torch.Generator().manual_seed(seed)))


def triples(drawn: PairBatch) -> list[tuple[int, int, int]]:
    return list(zip(drawn.users.tolist(), drawn.positive.tolist(), drawn.negative.tolist()))


def numbers(losses: dict[str, torch.Tensor]) -> dict[str, float]:
    return {name: float(value.detach()) for name, value in losses.items()}


def close(found: Any, expected: np.ndarray) -> None:
    values = found.detach().numpy() if isinstance(found, torch.Tensor) else np.asarray(found)
    assert values.shape == expected.shape
    np.testing.assert_allclose(values, expected, rtol=2e-6, atol=2e-6)
