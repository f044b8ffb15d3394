"""Drawing a few of each node's neighbours. R rows, E entries."""

import torch

from core.ops.sparse import Pattern


def sampled_neighbors(pattern: Pattern, count: int, noise: torch.Generator) -> Pattern:
    """At most `count` entries of every row, drawn without replacement; all of a row that has no more."""
    if not pattern.num_entries or int(pattern.indptr.diff().max()) <= count:
        return pattern
    key_E = torch.rand(pattern.num_entries, generator=noise, device=pattern.index.device).double()
    order_E = (pattern.row + key_E).argsort()  # rows stay in order, each shuffled within: the sum is exact
    rank_E = (
        torch.arange(pattern.num_entries, device=order_E.device) - pattern.indptr[:-1].long()[pattern.row]
    )
    chosen = order_E[rank_E < count].sort().values
    counts = pattern.indptr.diff().clamp(max=count)
    indptr = torch.nn.functional.pad(counts.cumsum(0), (1, 0)).int()
    return Pattern(indptr, pattern.index[chosen], pattern.num_rows, pattern.num_columns)
