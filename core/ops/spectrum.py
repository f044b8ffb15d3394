"""Singular values of tall tables, and how much information they say a table holds.

N rows, D columns.
"""

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor


def singular_values(table_ND: Tensor) -> NDArray[np.float64]:
    """Singular values from the largest down, [min(N, D)], as roots of the eigenvalues of the smaller Gram matrix.

    N D^2 steps in double precision instead of a decomposition of the whole table: values below about 1e-8 of the largest
    are rounding.
    """
    table_ND = table_ND.detach().double()
    tall = table_ND if len(table_ND) >= table_ND.shape[1] else table_ND.t()
    values = torch.linalg.eigvalsh(tall.t() @ tall).clamp(min=0).sqrt().flip(0)
    found: NDArray[np.float64] = values.cpu().numpy()
    return found


def information_abundance(values: NDArray[np.float64]) -> float:
    """Sum of the singular values over the largest, between 1 and their number; 0 for a table of zeros.

    Source: Guo et al., On the Embedding Collapse When Scaling up Recommendation Models, ICML 2024, Definition 1.
    """
    top = float(values.max(initial=0.0))
    return float(values.sum() / top) if top > 0 else 0.0
