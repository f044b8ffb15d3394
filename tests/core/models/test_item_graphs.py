"""Item graphs: what they hold, and that they are built once per data set."""

from dataclasses import replace

import numpy as np
import pytest
from scipy.sparse import csr_array

from core.models import item_graphs
from core.models.item_graphs import binary, modal_neighbors, mutual, without_negatives
from tests.core.models import multimodal_reference as reference
from tests.core.models import tiny_modal
from tests.core.models.tiny_modal import ITEMS, TWO

DENSE = np.array([[0, 0.5, -0.2, 0], [0.3, 0, 0, 0], [-0.2, 0.1, 0, 0.9], [0, 0, 0.9, 0]])


@pytest.fixture
def cached(tmp_path):
    return replace(tiny_modal.data(), cache=tmp_path)


def files(data) -> list[str]:
    return sorted(path.name for path in data.cache.rglob("*.npz"))


@pytest.mark.parametrize("with_self", [True, False])
@pytest.mark.parametrize("name", TWO)
def test_neighbours_carry_their_cosine(name: str, with_self: bool):
    data = tiny_modal.data()
    x, found = tiny_modal.raw(data)[name], modal_neighbors(data, name, 3, with_self=with_self).toarray()
    expected = np.zeros((ITEMS, ITEMS))
    for i, near in enumerate(reference.neighbours(x, 3, own=with_self)):
        expected[i, near] = [reference.cosine(x[i], x[j]) for j in near]
    np.testing.assert_allclose(found, expected, atol=1e-6)


def test_a_second_call_reads_what_the_first_one_stored(cached, monkeypatch):
    first = modal_neighbors(cached, "image", 3, with_self=True)
    monkeypatch.setattr(item_graphs, "nearest", lambda *_, **__: pytest.fail("built again"))
    again = modal_neighbors(cached, "image", 3, with_self=True)
    np.testing.assert_array_equal(first.toarray(), again.toarray())
    np.testing.assert_array_equal(first.indptr, again.indptr)
    assert len(files(cached)) == 1


@pytest.mark.parametrize("other", ["data", "modality", "count", "self"])
def test_another_question_has_another_file(cached, other: str):
    modal_neighbors(cached, "image", 3, with_self=True)
    data = replace(cached, content_hash="1" * 64) if other == "data" else cached
    name, count = "text" if other == "modality" else "image", 4 if other == "count" else 3
    modal_neighbors(data, name, count, with_self=other != "self")
    assert len(files(cached)) == 2


def test_without_a_cache_nothing_is_stored_and_a_damaged_file_is_made_again(cached):
    expected = modal_neighbors(replace(cached, cache=None), "image", 3, with_self=True)
    assert not files(cached)
    modal_neighbors(cached, "image", 3, with_self=True)
    (path,) = cached.cache.rglob("*.npz")
    path.write_bytes(b"PK nonsense")
    again = modal_neighbors(cached, "image", 3, with_self=True)
    np.testing.assert_array_equal(expected.toarray(), again.toarray())


def test_negatives_weigh_nothing_and_are_no_links():
    links = csr_array(DENSE)
    clipped = without_negatives(links)
    np.testing.assert_array_equal(clipped.toarray(), np.maximum(DENSE, 0))
    np.testing.assert_array_equal(binary(clipped).toarray(), (DENSE > 0).astype(float))
    np.testing.assert_array_equal(binary(links).toarray(), (DENSE != 0).astype(float))
    np.testing.assert_array_equal(links.toarray(), DENSE)  # what came is left as it was


def test_mutual_links_take_the_larger_weight():
    found = mutual(without_negatives(csr_array(DENSE)))
    expected = np.zeros_like(DENSE)
    for i in range(4):
        for j in range(4):
            expected[i, j] = max(DENSE[i, j], DENSE[j, i], 0)
    np.testing.assert_array_equal(found.toarray(), expected)
    assert found.has_sorted_indices
