"""Parts of a model by names that come from data."""

from dataclasses import replace

import pytest
import torch
from torch import nn

from core.models.named import ByName
from tests.core.models import tiny

HARD_NAMES = ("type", "items", "half", "image")


def test_any_name_can_be_a_parts_name_and_parts_keep_their_order() -> None:
    parts = {name: nn.Linear(2, 3) for name in HARD_NAMES}
    held = ByName(parts)
    assert list(held) == list(HARD_NAMES)
    assert len(held) == 4
    assert all(held[name] is part for name, part in parts.items())
    assert dict(held.items()) == parts
    assert list(held.values()) == list(parts.values())
    assert len(list(held.parameters())) == 8


def test_parameters_are_registered_and_loaded() -> None:
    held = ByName({name: nn.Parameter(torch.randn(2)) for name in HARD_NAMES})
    other = ByName({name: nn.Parameter(torch.zeros(2)) for name in HARD_NAMES})
    other.load_state_dict(held.state_dict())
    assert all(torch.equal(held[name], other[name]) for name in HARD_NAMES)


@pytest.mark.parametrize("key", ["egra", "srgformer", "mgcn", "freedom", "lgmrec", "vbpr"])
def test_models_take_modalities_whatever_they_are_called(key: str) -> None:
    data = tiny.random_ranking()
    image, text = data.features.values()
    model = tiny.built(key, replace(data, features={"type": image, "items": text}), dim=4)
    with model.evaluating():
        assert model.score(torch.arange(data.num_users)).isfinite().all()
    names = {label for finding in model.findings() for axis in finding.axes for label in axis.labels}
    if key in ("egra", "mgcn", "srgformer", "lgmrec"):
        assert {"type", "items"} <= names
