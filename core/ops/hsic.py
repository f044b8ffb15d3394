"""The Hilbert-Schmidt independence criterion between sets of rows, and the kernels it is measured with.

M rows, D dims, S sets, P pairs of sets.
"""

from collections.abc import Sequence
from typing import Any, Literal

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

from core.ops.unit import unit_rows

Kernel = Literal["rbf", "linear", "polynomial"]


def kernel_matrix(rows_MD: Tensor, kernel: Kernel = "rbf", bandwidth: float = 1.0) -> Tensor:
    """Similarity of every two rows from their cosine c, [M, M]; 1 on the diagonal but for rows of zeros.

    rbf: exp((c - 1) / bandwidth), HGIB's; linear: c; polynomial: ((1 + c) / 2)^2.
    """
    unit_MD = unit_rows(rows_MD)
    return _kernel_(unit_MD @ unit_MD.t(), kernel, bandwidth)


def hsic(first_MM: Tensor, second_MM: Tensor) -> Tensor:
    """tr(K H L H) / (M - 1)^2 of two kernel matrices, H = I - 1/M; 0 with fewer than two rows, where nothing can depend.

    Source: Gretton et al. 2005, Eq. 9; HGIB, Section 4.3. Never negative but for rounding.
    """
    rows = len(first_MM)
    mean_M = first_MM.mean(0)
    centred_MM = first_MM - mean_M - mean_M[:, None] + mean_M.mean()
    return (centred_MM * second_MM).sum() / max(1, rows - 1) ** 2


def hsic_of_pairs(
    sets: Sequence[Tensor],
    pairs: Sequence[tuple[int, int]],
    kernel: Kernel = "rbf",
    bandwidth: float = 1.0,
) -> Tensor:
    """`hsic` of the kernel matrices of `pairs` of `sets` ([M, D] each), [P]; one kernel matrix per set.

    The same as `hsic(kernel_matrix(a), kernel_matrix(b))` pair by pair, with gradients in closed form: to the cosines of
    a set they are its kernel's slope times the sum of its partners' centred matrices. M^2 floats are kept per set.
    """
    units = [unit_rows(rows_MD) for rows_MD in sets]
    values: Tensor = _HSIC.apply(tuple(pairs), kernel, bandwidth, *units)  # type: ignore[no-untyped-call]
    return values


class _HSIC(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any, pairs: tuple[tuple[int, int], ...], kernel: Kernel, bandwidth: float, *units: Tensor
    ) -> Tensor:
        matrices = [_kernel_(unit_MD @ unit_MD.t(), kernel, bandwidth) for unit_MD in units]
        levels = [float(matrix_MM.mean()) for matrix_MM in matrices]
        for matrix_MM, level in zip(matrices, levels):
            matrix_MM -= level  # centring forgets a constant, and products of smaller numbers round less
        means = [matrix_MM.mean(0) for matrix_MM in matrices]
        ctx.pairs, ctx.kernel, ctx.bandwidth, ctx.levels = pairs, kernel, bandwidth, levels
        ctx.save_for_backward(*units, *matrices, *means)
        rows = len(units[0])
        values = [
            torch.dot(matrices[a].view(-1), matrices[b].view(-1)) - 2 * rows * torch.dot(means[a], means[b])
            for a, b in pairs
        ]
        return torch.stack(values) / max(1, rows - 1) ** 2

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor | None, ...]:
        units, matrices, means = (
            ctx.saved_tensors[k * len(ctx.levels) : (k + 1) * len(ctx.levels)] for k in range(3)
        )
        scale = 2 / max(1, len(units[0]) - 1) ** 2
        share = gradients[0].tolist()
        # two buffers for all sets: fresh memory costs more than the sums in it
        to_kernel_MM, slope_MM = torch.empty_like(matrices[0]), torch.empty_like(matrices[0])
        found: list[Tensor | None] = []
        for own, unit_MD in enumerate(units):
            partners = [
                (share[p], b if a == own else a) for p, (a, b) in enumerate(ctx.pairs) if own in (a, b)
            ]
            if not partners:
                found.append(None)
                continue
            to_kernel_MM.zero_()
            mean_M = torch.zeros_like(means[own])
            for weight, other in partners:
                to_kernel_MM.add_(matrices[other], alpha=weight)
                mean_M.add_(means[other], alpha=weight)
            to_kernel_MM.sub_(mean_M).sub_(mean_M[:, None])
            if ctx.kernel != "linear":
                torch.add(matrices[own], ctx.levels[own], out=slope_MM)
                to_kernel_MM.mul_(_slope_(slope_MM, ctx.kernel, ctx.bandwidth))
            found.append((to_kernel_MM @ unit_MD).mul_(scale))
        return None, None, None, *found


def _kernel_(cosine_MM: Tensor, kernel: Kernel, bandwidth: float) -> Tensor:
    """The kernel of cosines, in their place."""
    if kernel == "linear":
        return cosine_MM
    if kernel == "polynomial":
        return cosine_MM.add_(1).div_(2).square_()
    return cosine_MM.sub_(1).div_(bandwidth).exp_()


def _slope_(kernel_MM: Tensor, kernel: Kernel, bandwidth: float) -> Tensor:
    """Derivative of the kernel by the cosine from the kernel itself, in its place; for the linear one it is 1."""
    return kernel_MM.clamp_(min=0).sqrt_() if kernel == "polynomial" else kernel_MM.div_(bandwidth)
