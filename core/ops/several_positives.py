"""Contrast with several positives per query, of whose logits no more than a block is ever formed.

N queries and keys, D dims, E pairs of positives.
"""

import torch
from torch import Tensor

from core.ops.losses import softmax_loss
from core.ops.sparse import Pattern, dots, product
from core.ops.unit import unit_rows


def contrast_with(query_ND: Tensor, key_ND: Tensor, positives: Pattern, temperature: float) -> Tensor:
    """Mean over n of -ln( sum over n's positives p of e^(c(q_n, k_p) / t) / sum over all keys k of e^(c(q_n, k) / t) ), with
    cosines c, in nats. positives: [N, N], at least one in each row.

    Source: Wang et al., HeCo, KDD 2021, Sec. 4.5. The sum over all keys is that of a softmax of the query's own key plus its
    logit, so that N x N logits come and go in blocks; those of positives are stored.
    """
    bound = 1 / temperature
    query_ND, key_ND = unit_rows(query_ND) * bound, unit_rows(key_ND)
    own_N = torch.arange(len(query_ND), device=query_ND.device)
    mean_mass_log = softmax_loss(query_ND, key_ND, own_N, bound=bound) + (query_ND * key_ND).sum(1).mean()
    mass_E = (dots(positives, query_ND, key_ND) - bound).exp()
    mass_N1 = product(positives, mass_E.new_ones(len(key_ND), 1), mass_E)
    return mean_mass_log - (mass_N1.log().mean() + bound)


def formed_contrast_with(query_ND: Tensor, key_ND: Tensor, positives: Pattern, temperature: float) -> Tensor:
    """The slow, obvious `contrast_with`: all logits at once. Reference of the tests."""
    cosine_NN = torch.nn.functional.cosine_similarity(query_ND[:, None], key_ND[None, :], dim=-1)
    mass_NN = (cosine_NN / temperature).exp()
    is_positive_NN = torch.zeros_like(mass_NN)
    is_positive_NN[positives.row, positives.index.long()] = 1.0
    return -((mass_NN * is_positive_NN).sum(1) / mass_NN.sum(1)).log().mean()
