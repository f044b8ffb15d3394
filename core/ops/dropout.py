"""Dropout whose noise comes from a generator of its own, so that a step can be repeated bit for bit."""

import math

import torch
from torch import Tensor

from core.ops.graphs import Sides


def kept(shape: tuple[int, ...], rate: float, noise: torch.Generator, like: Tensor) -> Tensor:
    """A dropout mask: 0 with probability `rate` (to 1 / 65,536), else 1 / (1 - rate), so that means stay.

    Each draw of 64 bits decides four entries, which is what dropout costs on a CPU.
    """
    count = math.prod(shape)
    draws = torch.empty(-(-count // 4), dtype=torch.int64, device=like.device)
    draws.random_(-(2**63), 2**63 - 1, generator=noise)
    decided = draws.view(torch.int16)[:count].view(shape) >= min(round(rate * 2**16), 2**16 - 1) - 2**15
    return decided.to(like.dtype).div_(1 - rate)


def silenced(layer: Sides, rate: float, noise: torch.Generator | None) -> Sides:
    """What nodes send under node dropout: nothing from some of them, more from the others; all of it without noise."""
    if noise is None or rate == 0:
        return layer
    masks = [kept((len(side), 1), rate, noise, side) for side in layer]
    return Sides(layer.user * masks[0], layer.item * masks[1])
