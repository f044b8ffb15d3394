"""Exact nearest neighbours by cosine, in chunks: no [N, N] matrix is formed.

N rows, D dims, K neighbours.
"""

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.sparse import csr_array

from core.ops.unit import unit_rows

_COSINES_AT_ONCE = 1 << 22
_STEPS = 10**6


def nearest(table_ND: NDArray[np.float32], count: int, *, with_self: bool) -> csr_array:
    """The `count` rows with the largest cosine to each row, cosines as values, columns sorted: [N, N].

    with_self: a row counts as its own first neighbour; otherwise it is none. Rows of zeros have cosine 0 with all and get
    no neighbours, and are nobody's. Fewer than `count` where there are no more rows. Cosines that agree to six digits are
    equal, and of equals the first rows win: rounding in the products, which depends on chunks and threads, decides little.
    """
    unit_ND = unit_rows(torch.from_numpy(np.array(table_ND, dtype=np.float32)))
    size = len(unit_ND)
    is_row = unit_ND.abs().sum(1) > 0
    known = int(is_row.sum())
    most = min(count, known if with_self else known - 1)
    if most <= 0:
        nothing = (np.empty(0, np.float32), np.empty(0, np.int32), np.zeros(size + 1, np.int32))
        return csr_array(nothing, shape=(size, size))
    chunk = max(1, _COSINES_AT_ONCE // size)
    place = torch.arange(size, dtype=torch.float64) / (2 * size)
    found, values = [], []
    for rows in is_row.nonzero().squeeze(1).split(chunk):
        cosine_CN = unit_ND[rows] @ unit_ND.t()
        ranked_CN = cosine_CN.double().mul_(_STEPS).round_().sub_(place)
        ranked_CN[:, ~is_row] = -torch.inf
        ranked_CN[torch.arange(len(rows)), rows] = torch.inf if with_self else -torch.inf
        best_CK = ranked_CN.topk(most).indices.sort(1).values
        found.append(best_CK)
        values.append(cosine_CN.gather(1, best_CK))
    indptr = np.concatenate([[0], np.cumsum(is_row.numpy() * most)])
    index = torch.cat(found).ravel().numpy().astype(np.int32)
    cosine = torch.cat(values).ravel().clamp(-1, 1).numpy()
    return csr_array((cosine, index, indptr.astype(np.int32)), shape=(size, size))
