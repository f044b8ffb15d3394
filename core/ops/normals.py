"""Diagonal normal distributions of nodes. N nodes, D dims."""

import torch
from torch import Tensor


def standard_divergence(mean_ND: Tensor, log_scale_ND: Tensor) -> Tensor:
    """KL(N(mean, scale^2) || N(0, 1)) of every node, summed over dims, in nats, [N]. Source: Kingma and Welling 2014, App. B."""
    square_ND = mean_ND.square() + (2 * log_scale_ND).exp()
    return -0.5 * (1 + 2 * log_scale_ND - square_ND).sum(1)


def drawn_normals(mean_ND: Tensor, log_scale_ND: Tensor, noise: torch.Generator) -> Tensor:
    """mean + scale x standard noise: a sample that gradients pass through."""
    standard_ND = torch.randn(mean_ND.shape, generator=noise, device=mean_ND.device, dtype=mean_ND.dtype)
    return mean_ND + standard_ND * log_scale_ND.exp()
