"""ItemKNN against loops over users and items."""

import math

import numpy as np
import pytest
import torch

from core.findings import Links
from core.models import itemknn
from core.models.itemknn import nearest
from tests.core.models import tiny

USERS, ITEMS = 11, 7
EVERYONE = torch.arange(USERS)


@pytest.fixture(scope="module")
def data():
    return tiny.random_ranking(USERS, ITEMS, density=0.5)


def fitted(data, variant=None, **overrides):
    model = tiny.built("itemknn", data, variant, **overrides)
    model.fit(data)
    return model


def neighbors(X: np.ndarray, count: int, shrinkage: float) -> list[dict[int, float]]:
    """Per item its nearest others with their shrunk cosine; of equal ones the lower index."""
    found = []
    for i in range(X.shape[1]):
        similar = {}
        for j in range(X.shape[1]):
            common = sum(X[u, i] * X[u, j] for u in range(X.shape[0]))
            if j != i and common:
                similar[j] = common / (math.sqrt(sum(X[:, i]) * sum(X[:, j])) + shrinkage)
        best = sorted(similar, key=lambda j: (-np.float32(similar[j]), j))[:count]
        found.append({j: similar[j] for j in best})
    return found


@pytest.mark.parametrize(("variant", "behaviors"), [(None, ("buy",)), ("all_behaviors", tiny.BEHAVIORS)])
@pytest.mark.parametrize("count", [2, 3, 100])
@pytest.mark.parametrize("shrinkage", [0.0, 1.7])
def test_scores_sum_the_shrunk_cosines_of_neighbours_in_the_history(
    data, variant, behaviors, count, shrinkage
):
    X = np.zeros((USERS, ITEMS))
    for behavior in behaviors:
        X = np.maximum(X, data.train[behavior].toarray())
    near = neighbors(X, count, shrinkage)
    expected = np.zeros((USERS, ITEMS))
    for u in range(USERS):
        for i in range(ITEMS):
            expected[u, i] = sum(value for j, value in near[i].items() if X[u, j])
    model = fitted(data, variant, neighbors=count, shrinkage=shrinkage)
    np.testing.assert_allclose(tiny.array(model.score(EVERYONE)), expected, rtol=1e-5)
    assert not model.score(torch.tensor([USERS - 1])).any(), "the last user did nothing"


def test_blocks_of_items_give_what_one_block_gives(data, monkeypatch):
    whole = fitted(data, neighbors=3)
    monkeypatch.setattr(itemknn, "_ENTRIES_AT_ONCE", 2 * ITEMS)
    for name, buffer in fitted(data, neighbors=3).state_dict().items():
        assert torch.equal(buffer, whole.state_dict()[name]), name


def test_nearest_are_the_largest_and_of_equal_ones_the_first():
    values = np.array([0.2, 0.5, 0.2, 0.9, 0.2], dtype=np.float32)
    assert nearest(values, 3).tolist() == [3, 1, 0]
    assert nearest(values, 4).tolist() == [3, 1, 0, 2]
    assert nearest(values, 9).tolist() == [3, 1, 0, 2, 4]
    assert nearest(values[:0], 2).tolist() == []


def test_findings_link_every_item_to_its_neighbours_with_their_common_users(data):
    X = data.train["buy"].toarray()
    near = neighbors(X, 3, 1.7)
    (finding,) = fitted(data, neighbors=3, shrinkage=1.7).findings()
    links = finding.values
    assert isinstance(links, Links)
    assert np.diff(links.indptr).tolist() == [len(row) for row in near]
    assert near[0] == {}, "nobody touched the first item"
    for i, row in enumerate(near):
        entries = slice(links.indptr[i], links.indptr[i + 1])
        assert links.index[entries].tolist() == list(row)
        np.testing.assert_allclose(links.value[entries], list(row.values()), rtol=1e-6)
        assert finding.support[entries].tolist() == [X[:, i] @ X[:, j] for j in row]
