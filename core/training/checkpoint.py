"""Checkpoints: everything that training needs to go on bit for bit, loaded without unpickling code."""

import logging
import pickle
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch
from torch import nn

from core.errors import RunError
from core.files import write_with

log = logging.getLogger("relscope")
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
        "device": generator.device.type,
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
) -> Progress:
    """Restore everything that `save_checkpoint` wrote. Raises RunError if the file is damaged or of another model.

    On another kind of device (a run begun on a GPU, resumed on the CPU) the random numbers cannot go on: the generator is
    seeded anew from its seed and the epoch, and the log says so.
    """
    state = _read(path)
    try:
        model.load_state_dict(state["model"])
        optimizer.load_state_dict(state["optimizer"])
        progress = Progress(**state["progress"])
        torch.set_rng_state(state["rng_cpu"])
        if state["device"] != generator.device.type:
            generator.manual_seed(generator.initial_seed() + progress.epoch)
            log.warning(
                "resumed on %s after %s: random numbers start anew", generator.device, state["device"]
            )
        else:
            generator.set_state(state["generator"])
        if len(state["rng_cuda"]) == torch.cuda.device_count() > 0:
            torch.cuda.set_rng_state_all(state["rng_cuda"])
        return progress
    except _DAMAGE as error:
        raise RunError(
            f"{path}: the checkpoint does not fit this model ({error}); clone the run and start again"
        ) from error


def load_model(path: Path, model: nn.Module) -> int:
    """Restore the model alone and return the epoch it comes from. Raises RunError as `load_checkpoint` does."""
    state = _read(path)
    try:
        model.load_state_dict(state["model"])
        return int(state["progress"]["epoch"])
    except _DAMAGE as error:
        raise RunError(
            f"{path}: the checkpoint does not fit this model ({error}); clone the run and start again"
        ) from error


def _read(path: Path) -> dict[str, Any]:
    """The stored state on the CPU: models and optimisers move what they load, RNG states must stay there."""
    try:
        state: dict[str, Any] = torch.load(path, map_location="cpu", weights_only=True)
        return state
    except FileNotFoundError as error:
        raise RunError(
            f"{path}: there is no such checkpoint; the run has nothing to continue from"
        ) from error
    except (*_DAMAGE, OSError, EOFError, pickle.UnpicklingError) as error:
        raise RunError(
            f"{path}: the checkpoint cannot be read ({error}); delete it and resume, or clone the run"
        ) from error
