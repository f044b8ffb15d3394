"""Losses that more than one model uses."""

from collections.abc import Iterable

import torch
from torch import Tensor
from torch.nn import functional as F


def bpr(positive_P: Tensor, negative_P: Tensor) -> Tensor:
    """Mean of -ln sigmoid(positive - negative), in nats; 0 without pairs. Source: Rendle et al. 2009, BPR-Opt."""
    if positive_P.numel() == 0:
        return positive_P.sum()
    return F.softplus(negative_P - positive_P).mean()


def squared_norm(tensors: Iterable[Tensor]) -> Tensor:
    """Sum of the squared entries of all `tensors`."""
    return torch.stack([tensor.square().sum() for tensor in tensors]).sum()


def margin(positive_P: Tensor, negative_P: Tensor) -> Tensor:
    """Mean of max(0, 1 - (positive - negative)), a hinge; 0 without pairs. Source: Xia et al. 2021, MB-GMN."""
    if positive_P.numel() == 0:
        return positive_P.sum()
    return F.relu(1 - (positive_P - negative_P)).mean()
