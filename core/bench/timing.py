"""Timing two ways of doing the same in one run, so that their ratio means something on a noisy machine."""

import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any

import torch


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
    detail: dict[str, Any] | None = None,
) -> Comparison:
    """Run both once to warm up, then alternate them `rounds` times and keep the best of each."""
    times: tuple[list[float], list[float]] = ([], [])
    for number in range(rounds + 1):
        for kept, work in zip(times, (reference, ours)):
            seconds = _timed(work, device)
            if number:
                kept.append(seconds)
    return Comparison(
        name, unit, min(times[0]), min(times[1]), rounds, torch.get_num_threads(), str(device), detail or {}
    )


def _timed(work: Callable[[], object], device: torch.device) -> float:
    if device.type == "cuda":
        torch.cuda.synchronize(device)
    started = time.perf_counter()
    work()
    if device.type == "cuda":
        torch.cuda.synchronize(device)
    return time.perf_counter() - started
