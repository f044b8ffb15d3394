"""Features and their means along metapaths against loops over nodes."""

import numpy as np
import pytest

from core.models.nodes import input_features
from tests.core.models import tiny_nodes

DATA = tiny_nodes.small()
FEATURES = input_features(DATA, 4).numpy().astype(np.float64)


def looped_scale(rows: np.ndarray, scale: str) -> np.ndarray:
    made = rows.copy()
    if scale == "unit":
        for row in made:
            row /= max(np.sqrt(sum(x * x for x in row)), 1e-300)
    if scale == "standardised":
        for column in made.T:
            mean = sum(column) / len(column)
            deviation = np.sqrt(sum((x - mean) ** 2 for x in column) / len(column))
            column -= mean
            column /= deviation if deviation > 1e-9 else np.inf
    return made


@pytest.mark.parametrize("scale", ["unit", "as_normalised", "standardised"])
def test_features_are_scaled_as_asked(scale: str) -> None:
    model = tiny_nodes.fitted("node_features", DATA, scale=scale)
    np.testing.assert_allclose(model.represent(), looped_scale(FEATURES, scale), rtol=1e-5, atol=1e-6)
    assert model.represent().shape == (11, 13)


def test_a_column_that_never_differs_stays_silent() -> None:
    rows = input_features(DATA, 4)
    rows[:, 2] = 0.1
    from core.models.node_features import scaled

    made = scaled(rows, "standardised")
    assert made[:, 2].abs().max() == 0
    assert made.isfinite().all()


@pytest.mark.parametrize("scale", ["unit", "as_normalised"])
@pytest.mark.parametrize("own", [False, True])
@pytest.mark.parametrize("join", ["concatenate", "mean"])
def test_means_are_taken_over_the_neighbours_of_every_metapath(join: str, own: bool, scale: str) -> None:
    model = tiny_nodes.fitted("metapath_mean", DATA, join=join, own_features=own, scale=scale)
    blocks = [FEATURES] if own else []
    for graph in DATA.graphs.values():
        joined = tiny_nodes.dense(graph)
        block = np.zeros_like(FEATURES)
        for node in range(11):
            neighbours = [other for other in range(11) if joined[node, other]]
            for other in neighbours:
                block[node] += FEATURES[other] / len(neighbours)
        blocks.append(block)
    blocks = [looped_scale(block, scale) for block in blocks]
    expected = np.concatenate(blocks, 1) if join == "concatenate" else sum(blocks) / len(blocks)
    np.testing.assert_allclose(model.represent(), expected, rtol=1e-5, atol=1e-6)


def test_without_features_codes_stand_for_nodes() -> None:
    bare = tiny_nodes.without_features(DATA)
    assert tiny_nodes.fitted("node_features", bare, code_dim=17).represent().shape == (11, 17)
    assert tiny_nodes.fitted("metapath_mean", bare, code_dim=17).represent().shape == (11, 51)
