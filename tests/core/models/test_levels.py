"""What levels say about themselves, against numpy's decomposition."""

import numpy as np
import pytest
import torch

from core.findings import Kind
from core.models.levels import fusion_attention, spectra
from core.ops.graphs import Sides

USERS, ITEMS, DIM = 5, 7, 3


def table(seed: int) -> Sides:
    generator = torch.Generator().manual_seed(seed)
    sides = (torch.randn(n, DIM, dtype=torch.float64, generator=generator) for n in (USERS, ITEMS))
    return Sides(*sides)


def test_spectra_are_those_of_every_table():
    tables = [("first", table(1)), ("narrow", Sides(torch.ones(USERS, DIM), torch.zeros(ITEMS, DIM)))]
    abundance, singular = spectra(tables, "a paper", "It falls.")
    assert (abundance.key, singular.key) == ("information_abundance", "singular_values")
    assert abundance.kind is singular.kind is Kind.AMOUNT
    assert abundance.axis("level").labels == ("first", "narrow")
    assert abundance.axis("side").labels == ("user", "item")
    assert abundance.note.endswith("dimensions is the most. It falls.")
    for place, side in enumerate(tables[0][1]):
        expected = np.linalg.svd(side.numpy(), compute_uv=False)
        np.testing.assert_allclose(singular.values[0, place], expected / expected[0])
        assert abundance.values[0, place] == pytest.approx(expected.sum() / expected[0])
    assert abundance.values[1].tolist() == pytest.approx([1, 0], abs=1e-6)
    assert singular.values[1].round(6).tolist() == [[1, 0, 0], [0, 0, 0]]


def test_fusion_attention_lays_users_above_items():
    user, item = torch.full((USERS, 2), 0.5), torch.tensor([0.25, 0.75]).expand(ITEMS, 2)
    finding = fusion_attention(2, "component graphs", ["one", "two"], Sides(user, item), "a paper")
    assert finding.key == "fusion_attention_2"
    assert finding.kind is Kind.SHARE
    assert finding.title == "Attention of the fusion over component graphs"
    assert finding.axis("source").labels == ("one", "two")
    assert finding.axis("node").groups == {"user": (0, USERS), "item": (USERS, USERS + ITEMS)}
    np.testing.assert_array_equal(finding.values, torch.cat([user, item]).numpy())
