"""Dropout whose noise comes from a generator of its own, so that a step can be repeated bit for bit."""

import torch
from torch import Tensor

from core.ops.graphs import Sides


def kept(shape: tuple[int, ...], rate: float, noise: torch.Generator, like: Tensor) -> Tensor:
    """A dropout mask: 0 with probability `rate`, else 1 / (1 - rate), so that means stay."""
    return like.new_empty(shape).bernoulli_(1 - rate, generator=noise) / (1 - rate)


def silenced(layer: Sides, rate: float, noise: torch.Generator | None) -> Sides:
    """What nodes send under node dropout: nothing from some of them, more from the others; all of it without noise."""
    if noise is None or rate == 0:
        return layer
    masks = [kept((len(side), 1), rate, noise, side) for side in layer]
    return Sides(layer.user * masks[0], layer.item * masks[1])
