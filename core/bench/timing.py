"""Timing two ways of doing the same in one run, so that their ratio means something on a noisy machine."""

import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any

import torch

from core.training.device import device_title


@dataclass(frozen=True)
class Comparison:
    """Seconds of the plain form and of ours, best of several alternating rounds, and how they were measured."""

    name: str
    unit: str
    reference_seconds: float
    seconds: float
    rounds: int
    threads: int
    device: str
    detail: dict[str, Any]

    @property
    def ratio(self) -> float:
        """How many times faster ours is."""
        return self.reference_seconds / self.seconds

    def in_words(self) -> str:
        """What was measured, in one sentence."""
        return (
            f"{self.name} on {device_title(torch.device(self.device))}: {self.seconds:.4f} s per {self.unit}, "
            f"plain form {self.reference_seconds:.4f} s, {self.ratio:.1f} times faster"
        )

    def as_dict(self) -> dict[str, Any]:
        return {**asdict(self), "ratio": self.ratio}


def compare(
    name: str,
    unit: str,
    reference: Callable[[], object],
    ours: Callable[[], object],
    *,
    device: torch.device,
    rounds: int = 5,
    times: float = 1.0,
    detail: dict[str, Any] | None = None,
) -> Comparison:
    """Run both once to warm up, then alternate them `rounds` times and keep the best of each, scaled by `times`."""
    kept: tuple[list[float], list[float]] = ([], [])
    for number in range(rounds + 1):
        for seconds, work in zip(kept, (reference, ours)):
            took = times * _timed(work, device)
            if number:
                seconds.append(took)
    best = [min(seconds) for seconds in kept]
    return Comparison(
        name, unit, best[0], best[1], rounds, torch.get_num_threads(), str(device), detail or {}
    )


def _timed(work: Callable[[], object], device: torch.device) -> float:
    if device.type == "cuda":
        torch.cuda.synchronize(device)
    started = time.perf_counter()
    work()
    if device.type == "cuda":
        torch.cuda.synchronize(device)
    return time.perf_counter() - started
