"""The differentiable product with a sparse matrix of fixed pattern: y = A(w) X, with gradients to w and to X.

R rows, C columns, E stored entries, D dims. Nothing of size [E, D] is ever formed.
"""

import logging
import warnings
from dataclasses import dataclass
from functools import cache, cached_property
from typing import Any

import torch
from scipy.sparse import csr_array
from torch import Tensor
from torch.nn import functional as F

_GATHER_FLOATS = 1 << 22
log = logging.getLogger("relscope")


@dataclass(frozen=True, eq=False)
class Pattern:
    """Positions of the stored entries of an R x C matrix in CSR order: row r holds `index[indptr[r]:indptr[r+1]]`.

    indptr: [R + 1], index: [E], both int32 on one device. Build it with `Pattern.of` or `pattern_of`.
    """

    indptr: Tensor
    index: Tensor
    num_rows: int
    num_columns: int

    @staticmethod
    def of(indptr: Tensor, index: Tensor, num_columns: int) -> "Pattern":
        """A pattern from CSR arrays. Raises ValueError if they do not describe a matrix with `num_columns` columns."""
        if (
            indptr.numel() == 0
            or int(indptr[0]) != 0
            or int(indptr[-1]) != index.numel()
            or bool((indptr.diff() < 0).any())
        ):
            raise ValueError(f"indptr must rise from 0 to the number of entries ({index.numel()})")
        if index.numel() and not 0 <= int(index.min()) <= int(index.max()) < num_columns:
            raise ValueError(
                f"column indices must lie in 0..{num_columns - 1}, got {int(index.min())}..{int(index.max())}"
            )
        return Pattern(indptr.int(), index.int(), indptr.numel() - 1, num_columns)

    @property
    def num_entries(self) -> int:
        return self.index.numel()

    @cached_property
    def row(self) -> Tensor:
        """Row of every entry, [E] int64."""
        rows = torch.arange(self.num_rows, device=self.index.device)
        return rows.repeat_interleave(self.indptr.diff().long(), output_size=self.num_entries)

    @cached_property
    def transposed(self) -> "tuple[Pattern, Tensor]":
        """The C x R pattern and the permutation [E] that brings entry values into its order: w_T = w[permutation]."""
        permutation = torch.argsort(self.index, stable=True)
        counts = torch.bincount(self.index, minlength=self.num_columns)
        indptr = F.pad(counts.cumsum(0), (1, 0)).int()
        return Pattern(indptr, self.row[permutation].int(), self.num_columns, self.num_rows), permutation

    def rows(self, chosen: Tensor) -> "tuple[Pattern, Tensor]":
        """The pattern of the rows `chosen` [B] alone, in that order, and the entries [E'] it consists of."""
        start, counts = self.indptr[chosen].long(), self.indptr.diff()[chosen].long()
        indptr = F.pad(counts.cumsum(0), (1, 0))
        total = int(indptr[-1])
        within = torch.arange(total, device=chosen.device) - indptr[:-1].repeat_interleave(
            counts, output_size=total
        )
        entries = start.repeat_interleave(counts, output_size=total) + within
        return Pattern(indptr.int(), self.index[entries], chosen.numel(), self.num_columns), entries

    def to(self, device: torch.device) -> "Pattern":
        return Pattern(self.indptr.to(device), self.index.to(device), self.num_rows, self.num_columns)


def pattern_of(matrix: csr_array) -> Pattern:
    """The pattern of a scipy CSR matrix; its values are not kept."""
    return Pattern.of(torch.from_numpy(matrix.indptr), torch.from_numpy(matrix.indices), matrix.shape[1])


def product(pattern: Pattern, dense_CD: Tensor, weight_E: Tensor | None = None) -> Tensor:
    """y = A(w) X, [R, D]: row r is the sum over its entries e of w_e X[column of e]; without weights w = 1.

    Differentiable in X (product with the transpose) and in w (one dot product per entry). Raises ValueError when X does
    not have one row per column of the pattern, or w not one value per entry.
    """
    if dense_CD.dim() != 2 or dense_CD.shape[0] != pattern.num_columns:
        raise ValueError(f"expected X of shape [{pattern.num_columns}, D], got {list(dense_CD.shape)}")
    if weight_E is not None and weight_E.shape != (pattern.num_entries,):
        raise ValueError(
            f"expected one weight per entry, [{pattern.num_entries}], got {list(weight_E.shape)}"
        )
    result: Tensor = _Product.apply(pattern, weight_E, dense_CD)  # type: ignore[no-untyped-call]
    return result


def dots(pattern: Pattern, left_RD: Tensor, right_CD: Tensor) -> Tensor:
    """left[row] . right[column] of every entry, [E]; differentiable in both (a product with the gradient as weights).

    Raises ValueError when the sides do not have one row per row and one per column of the pattern.
    """
    expected = (pattern.num_rows, pattern.num_columns)
    if (len(left_RD), len(right_CD)) != expected or left_RD.shape[1:] != right_CD.shape[1:]:
        raise ValueError(
            f"expected sides of shape [{expected[0]}, D] and [{expected[1]}, D], got {list(left_RD.shape)} and {list(right_CD.shape)}"
        )
    result: Tensor = _Dots.apply(pattern, left_RD, right_CD)  # type: ignore[no-untyped-call]
    return result


class _Dots(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, pattern: Pattern, left_RD: Tensor, right_CD: Tensor) -> Tensor:
        ctx.pattern = pattern
        ctx.save_for_backward(left_RD, right_CD)
        return entry_dots(pattern, left_RD.contiguous(), right_CD.contiguous())

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[None, Tensor | None, Tensor | None]:
        pattern: Pattern = ctx.pattern
        left_RD, right_CD = ctx.saved_tensors
        grad_E = gradients[0].contiguous()
        to_left = segment_sum(pattern, grad_E, right_CD) if ctx.needs_input_grad[1] else None
        to_right = None
        if ctx.needs_input_grad[2]:
            transposed, permutation = pattern.transposed
            to_right = segment_sum(transposed, grad_E.index_select(0, permutation), left_RD)
        return None, to_left, to_right


class _Product(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, pattern: Pattern, weight_E: Tensor | None, dense_CD: Tensor) -> Tensor:
        ctx.pattern = pattern
        ctx.save_for_backward(weight_E, dense_CD if weight_E is not None and weight_E.requires_grad else None)
        return segment_sum(pattern, weight_E, dense_CD)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[None, Tensor | None, Tensor | None]:
        pattern: Pattern = ctx.pattern
        weight_E, dense_CD = ctx.saved_tensors
        grad_RD = gradients[0].contiguous()
        to_weight = entry_dots(pattern, grad_RD, dense_CD) if ctx.needs_input_grad[1] else None
        to_dense = None
        if ctx.needs_input_grad[2]:
            transposed, permutation = pattern.transposed
            to_dense = segment_sum(transposed, None if weight_E is None else weight_E[permutation], grad_RD)
        return None, to_weight, to_dense


def segment_sum(pattern: Pattern, weight_E: Tensor | None, dense_CD: Tensor) -> Tensor:
    """`product` without gradients: an embedding bag on CPU (fastest measured there), the CSR product of the device library on CUDA."""
    if pattern.num_entries == 0:
        return dense_CD.new_zeros(pattern.num_rows, dense_CD.shape[1])
    if dense_CD.is_cuda:
        values = dense_CD.new_ones(pattern.num_entries) if weight_E is None else weight_E
        return _csr_tensor(pattern, values) @ dense_CD
    return F.embedding_bag(
        pattern.index,
        dense_CD.contiguous(),
        pattern.indptr,
        mode="sum",
        per_sample_weights=weight_E,
        include_last_offset=True,
    )


def entry_dots(pattern: Pattern, left_RD: Tensor, right_CD: Tensor) -> Tensor:
    """Dot product of left[row] and right[column] for every entry, [E]: the gradient of `product` to its weights.

    Uses the sampled product of MKL or cuSPARSE; where torch has no MKL a chunked gather with bounded memory.
    """
    if pattern.num_entries == 0:
        return left_RD.new_zeros(0)
    if left_RD.is_cuda or has_sampled_product():
        found = _csr_tensor(pattern, left_RD.new_zeros(pattern.num_entries))
        torch.sparse.sampled_addmm(found, left_RD, right_CD.t(), beta=0.0, out=found)  # no copy of E values
        return found.values()
    _say_fallback()
    return gathered_dots(pattern, left_RD, right_CD)


@cache
def _say_fallback() -> None:
    log.warning("torch has no MKL: gradients to edge weights use chunked gathers, which are slower")


def has_sampled_product() -> bool:
    """True if torch was built with MKL, without which `sampled_addmm` does not exist on the CPU."""
    return bool(torch.backends.mkl.is_available())


def gathered_dots(pattern: Pattern, left_RD: Tensor, right_CD: Tensor) -> Tensor:
    """`entry_dots` by gathering both sides in chunks of at most 16 MiB of float32."""
    chunk = max(1, _GATHER_FLOATS // max(1, left_RD.shape[1]))
    parts = [
        (left_RD[row] * right_CD[column]).sum(-1)
        for row, column in zip(pattern.row.split(chunk), pattern.index.split(chunk))
    ]
    return torch.cat(parts) if parts else left_RD.new_zeros(0)


def _csr_tensor(pattern: Pattern, values_E: Tensor) -> Tensor:
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Sparse CSR tensor support is in beta")
        return torch.sparse_csr_tensor(
            pattern.indptr,
            pattern.index,
            values_E,
            (pattern.num_rows, pattern.num_columns),
            check_invariants=False,
        )


def gather_scatter_product(pattern: Pattern, dense_CD: Tensor, weight_E: Tensor | None = None) -> Tensor:
    """The slow, obvious product: gather [E, D], multiply, scatter. Reference of tests and benchmarks."""
    gathered = dense_CD[pattern.index.long()]
    if weight_E is not None:
        gathered = gathered * weight_E[:, None]
    return gathered.new_zeros(pattern.num_rows, dense_CD.shape[1]).index_add(0, pattern.row, gathered)
