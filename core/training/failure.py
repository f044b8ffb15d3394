"""Failures that no part of the project foresaw, in words."""

import torch

from core.files import DISK_IS_FULL


def in_words(error: BaseException) -> str:
    """What went wrong, and where it is known, what to do."""
    if isinstance(error, torch.OutOfMemoryError):
        return f"the GPU ran out of memory ({error}); lower dim, num_layers or the batch size, or train on the CPU"
    if isinstance(error, OSError) and error.errno in DISK_IS_FULL:
        return "the disk is full; make room, then resume the run"
    if isinstance(error, MemoryError):
        return "the machine ran out of memory; lower dim, num_layers or the batch size"
    return f"{type(error).__name__}: {error}"
