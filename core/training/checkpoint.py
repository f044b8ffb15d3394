"""Checkpoints: everything that training needs to go on bit for bit, loaded without unpickling code."""

import pickle
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch
from torch import nn

from core.errors import RunError
from core.files import write_with

_DAMAGE = (RuntimeError, ValueError, TypeError, AttributeError, LookupError)


@dataclass
class Progress:
    """How far training is. `epoch` and `step` are completed ones; best_epoch 0 means none was validated yet."""

    epoch: int = 0
    step: int = 0
    best_epoch: int = 0
    best_value: float = float("-inf")
    validations_without_gain: int = 0


def save_checkpoint(
    path: Path,
    model: nn.Module,
    optimizer: torch.optim.Optimizer,
    generator: torch.Generator,
    progress: Progress,
) -> None:
    """Write model, optimiser, RNG states and progress under a temporary name, then rename."""
    state = {
        "model": model.state_dict(),
        "optimizer": optimizer.state_dict(),
        "progress": asdict(progress),
        "generator": generator.get_state(),
        "rng_cpu": torch.get_rng_state(),
        "rng_cuda": torch.cuda.get_rng_state_all() if torch.cuda.is_available() else [],
    }
    write_with(path, lambda file: torch.save(state, file))


def load_checkpoint(
    path: Path,
    model: nn.Module,
    optimizer: torch.optim.Optimizer,
    generator: torch.Generator,
    device: torch.device,
) -> Progress:
    """Restore everything that `save_checkpoint` wrote. Raises RunError if the file is damaged or of another model."""
    state = _read(path, device)
    try:
        model.load_state_dict(state["model"])
        optimizer.load_state_dict(state["optimizer"])
        generator.set_state(state["generator"].cpu())
        torch.set_rng_state(state["rng_cpu"].cpu())
        if device.type == "cuda" and len(state["rng_cuda"]) == torch.cuda.device_count():
            torch.cuda.set_rng_state_all([s.cpu() for s in state["rng_cuda"]])
        return Progress(**state["progress"])
    except _DAMAGE as error:
        raise RunError(
            f"{path}: the checkpoint does not fit this model ({error}); clone the run and start again"
        ) from error


def load_model(path: Path, model: nn.Module, device: torch.device) -> int:
    """Restore the model alone and return the epoch it comes from. Raises RunError as `load_checkpoint` does."""
    state = _read(path, device)
    try:
        model.load_state_dict(state["model"])
        return int(state["progress"]["epoch"])
    except _DAMAGE as error:
        raise RunError(
            f"{path}: the checkpoint does not fit this model ({error}); clone the run and start again"
        ) from error


def _read(path: Path, device: torch.device) -> dict[str, Any]:
    try:
        state: dict[str, Any] = torch.load(path, map_location=device, weights_only=True)
        return state
    except FileNotFoundError as error:
        raise RunError(
            f"{path}: there is no such checkpoint; the run has nothing to continue from"
        ) from error
    except (*_DAMAGE, OSError, EOFError, pickle.UnpicklingError) as error:
        raise RunError(
            f"{path}: the checkpoint cannot be read ({error}); delete it and resume, or clone the run"
        ) from error
