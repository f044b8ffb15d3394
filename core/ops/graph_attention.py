"""Multi-head attention over the stored entries of a sparse pattern, on the sparse engine: nothing of size [E, D] is formed.

R rows, C columns, E entries, H heads, D dims of all heads together.
"""

from collections.abc import Sequence

import torch
from torch import Tensor

from core.ops.segments import row_softmax
from core.ops.sparse import Pattern, dots, product


def graph_attention(
    pattern: Pattern,
    queries: Sequence[Tensor],
    keys: Sequence[Tensor],
    values: Sequence[Tensor],
    bound: float,
) -> tuple[Tensor, Tensor]:
    """Per head: softmax over each row's entries of clamp(q_row . k_column, -bound, bound), then the weighted sum of values.

    queries: [R, D / H] per head; keys, values: [C, D / H] per head. Returns the heads side by side, [R, D], and the shares,
    [H, E]. Kept for the gradients: H vectors of E numbers, three times. Source: SRGFormer's released code, whose 1e-8 in
    the denominator changes shares by less than 3e-4 of themselves and is left out.
    """
    outputs, shares = [], []
    for query_Rd, key_Cd, value_Cd in zip(queries, keys, values, strict=True):
        share_E = row_softmax(pattern, dots(pattern, query_Rd, key_Cd).clamp(-bound, bound))
        outputs.append(product(pattern, value_Cd, share_E))
        shares.append(share_E)
    return torch.cat(outputs, 1), torch.stack(shares)


def gathered_attention(
    pattern: Pattern,
    queries: Sequence[Tensor],
    keys: Sequence[Tensor],
    values: Sequence[Tensor],
    bound: float,
) -> tuple[Tensor, Tensor]:
    """`graph_attention` by gather, multiply, scatter: three tables of [E, D]. Reference of the tests."""
    row, column = pattern.row, pattern.index.long()
    heads, width = len(queries), queries[0].shape[1]
    query_EHd, key_EHd, value_EHd = (
        torch.cat(list(tables), 1)[ends].view(-1, heads, width)
        for tables, ends in ((queries, row), (keys, column), (values, column))
    )
    mass_EH = torch.einsum("ehd,ehd->eh", query_EHd, key_EHd).clamp(-bound, bound).exp()
    total_RH = mass_EH.new_zeros(pattern.num_rows, heads).index_add(0, row, mass_EH)
    share_EH = mass_EH / total_RH[row]
    weighed_ED = torch.einsum("eh,ehd->ehd", share_EH, value_EHd).reshape(-1, heads * width)
    return weighed_ED.new_zeros(pattern.num_rows, heads * width).index_add(0, row, weighed_ED), share_EH.t()
