"""Dropout whose noise comes from a generator of its own, so that a step can be repeated bit for bit."""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

from core.ops.graphs import Sides


def kept(shape: tuple[int, ...], rate: float, noise: torch.Generator, like: Tensor) -> Tensor:
    """A dropout mask: 0 with probability `rate` (to 1 / 65,536), else 1 / (1 - rate), so that means stay.

    Each draw of 64 bits decides four entries, which is what dropout costs on a CPU.
    """
    count = math.prod(shape)
    draws = torch.empty(-(-count // 4), dtype=torch.int64, device=like.device)
    draws.random_(-(2**63), 2**63 - 1, generator=noise)
    return _decided(draws.view(torch.int16), shape, rate, like)


def _decided(drawn: Tensor, shape: tuple[int, ...], rate: float, like: Tensor) -> Tensor:
    """The mask that 16 random bits per entry decide."""
    bound = min(round(rate * 2**16), 2**16 - 1) - 2**15
    # compared as floats: several times faster than as integers
    mask = drawn[: math.prod(shape)].view(shape).to(like.dtype)
    return mask.ge_(bound).div_(1 - rate)


def silenced(layer: Sides, rate: float, noise: torch.Generator | None) -> Sides:
    """What nodes send under node dropout: nothing from some of them, more from the others; all of it without noise."""
    if noise is None or rate == 0:
        return layer
    masks = [kept((len(side), 1), rate, noise, side) for side in layer]
    return Sides(layer.user * masks[0], layer.item * masks[1])


@dataclass(frozen=True)
class Dropout:
    """Entries are left out with probability `rate`, the others scaled up; the noise follows from `seed` alone."""

    rate: float
    seed: int

    @staticmethod
    def drawn(rate: float, noise: torch.Generator | None) -> "Dropout | None":
        """A dropout whose seed is the next number of `noise`; None without noise or rate."""
        if noise is None or rate == 0:
            return None
        return Dropout(rate, int(torch.randint(2**62, (), generator=noise, device=noise.device)))

    def masks(self, device: torch.device) -> "Masks":
        """Gives the masks of this dropout from the first on, piece after piece."""
        return Masks(self.rate, self.seed, device)

    def mask(self, like: Tensor) -> Tensor:
        """The first mask, of the shape of `like`: the same on every call."""
        return self.masks(like.device).next(like)


class Masks:
    """Dropout masks, 0 with probability `rate` (to 1 / 65,536), else 1 / (1 - rate), that follow from a seed and the device.

    On the CPU the numbers come from NumPy's SFC64, four times as fast as torch's generator there.
    """

    def __init__(self, rate: float, seed: int, device: torch.device) -> None:
        self._rate = rate
        on_cpu = device.type == "cpu"
        self._bits = np.random.SFC64(seed) if on_cpu else None
        self._noise = None if on_cpu else torch.Generator(device).manual_seed(seed)

    def next(self, like: Tensor) -> Tensor:
        """The next mask, of the shape and type of `like`."""
        shape = tuple(like.shape)
        if self._bits is None:
            assert self._noise is not None
            return kept(shape, self._rate, self._noise, like)
        draws = self._bits.random_raw(-(-math.prod(shape) // 4))
        return _decided(torch.from_numpy(draws.view(np.int16)), shape, self._rate, like)


def dropped_linear(rows_NI: Tensor, weight_OI: Tensor, dropout: Dropout | None) -> Tensor:
    """W (x o mask) of every row, [N, O]. The mask is made again for the gradients: of the rows nothing is kept but themselves,
    so that several layers can read one table each with noise of its own."""
    result: Tensor = _DroppedLinear.apply(rows_NI, weight_OI, dropout)  # type: ignore[no-untyped-call]
    return result


class _DroppedLinear(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, rows_NI: Tensor, weight_OI: Tensor, dropout: Dropout | None) -> Tensor:
        ctx.save_for_backward(rows_NI, weight_OI)
        ctx.dropout = dropout
        return _silenced_rows(rows_NI, dropout) @ weight_OI.t()

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor | None, Tensor | None, None]:
        rows_NI, weight_OI = ctx.saved_tensors
        dropout: Dropout | None = ctx.dropout
        to_rows_NI = to_weight_OI = None
        if ctx.needs_input_grad[1]:
            to_weight_OI = gradients[0].t() @ _silenced_rows(rows_NI, dropout)
        if ctx.needs_input_grad[0]:
            to_rows_NI = gradients[0] @ weight_OI
            to_rows_NI = to_rows_NI if dropout is None else to_rows_NI.mul_(dropout.mask(to_rows_NI))
        return to_rows_NI, to_weight_OI, None


def _silenced_rows(rows_NI: Tensor, dropout: Dropout | None) -> Tensor:
    return rows_NI if dropout is None else dropout.mask(rows_NI).mul_(rows_NI)
