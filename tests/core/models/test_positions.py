"""Positions by metapath2vec, and the cache that keeps them."""

from pathlib import Path
from typing import Any

import numpy as np
import torch

from core.models.positions import WalkShape, positions, walked
from tests.core.models import tiny_nodes

SHAPE = WalkShape(dim=5, steps=4, window=3, per_node=2, negatives=3, epochs=2, rate=0.05)


def test_nodes_of_one_class_lie_nearer_to_each_other() -> None:
    data = tiny_nodes.planted(fidelity=1.0)
    shape = WalkShape(dim=8, steps=6, window=3, per_node=4, negatives=3, epochs=15, rate=0.05)
    rows = torch.nn.functional.normalize(walked(data, shape), dim=1)
    cosine = (rows @ rows.t()).numpy()
    same = data.labels[:, None] == data.labels[None, :]
    other = ~np.eye(len(rows), dtype=bool)
    assert cosine[same & other].mean() > cosine[~same].mean() + 0.2


def test_positions_are_kept_by_content_and_shape_and_draw_nothing_of_the_model_s(
    tmp_path: Path, monkeypatch: Any
) -> None:
    data = tiny_nodes.small(cache=tmp_path)
    torch.manual_seed(3)
    before = torch.random.get_rng_state()
    first = positions(data, SHAPE)
    assert first.shape == (11, 5)
    assert first.isfinite().all()
    assert torch.equal(torch.random.get_rng_state(), before)
    assert torch.equal(first, walked(data, SHAPE)), "the same whenever made"
    monkeypatch.setattr("core.models.positions.walked", lambda *_: 1 / 0)
    assert torch.equal(positions(data, SHAPE), first)
    (stored,) = (tmp_path / "positions").iterdir()
    assert stored.name == f"{data.content_hash}-d5-s4-w3-n2-k3-e2-r0.05-v1.npz"
