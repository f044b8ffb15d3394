"""Dropout of entries and of nodes: what it silences, and that means stay."""

import pytest
import torch

from core.ops.dropout import kept, silenced
from core.ops.graphs import Sides

USERS, ITEMS, DIM = 5, 7, 3


def test_without_noise_or_rate_everything_is_sent():
    layer = Sides(torch.rand(USERS, DIM), torch.rand(ITEMS, DIM))
    assert silenced(layer, 0.4, None) is layer
    assert silenced(layer, 0.0, torch.Generator()) is layer


def test_node_dropout_silences_whole_nodes_and_keeps_the_mean():
    layer = Sides(torch.rand(USERS, DIM).double() + 1, torch.rand(ITEMS, DIM).double() + 1)
    noise, total, rounds = torch.Generator().manual_seed(3), torch.zeros(ITEMS, DIM), 4000
    for _ in range(rounds):
        sent = silenced(layer, 0.4, noise)
        ratio = sent.item / layer.item
        assert torch.equal(ratio[:, :1].expand(-1, DIM).round(decimals=9), ratio.round(decimals=9))
        assert {round(float(r), 9) for r in ratio[:, 0]} <= {0.0, round(1 / 0.6, 9)}
        total += ratio
    assert (total / rounds - 1).abs().max() < 0.06


def test_the_highest_rates_still_drop_nearly_everything():
    mask = kept((997, 101), 1 - 1e-9, torch.Generator().manual_seed(0), torch.zeros(1))
    assert float((mask == 0).float().mean()) > 0.999


def test_message_dropout_drops_single_entries():
    mask = kept((997, 7), 0.3, torch.Generator().manual_seed(0), torch.zeros(1, dtype=torch.float64))
    assert set(mask.unique().tolist()) == {0.0, 1 / 0.7}
    assert float(mask.mean()) == pytest.approx(1, abs=0.03)
    mixed = (mask == 0).any(1) & (mask != 0).any(1)
    assert float(mixed.double().mean()) > 0.8
