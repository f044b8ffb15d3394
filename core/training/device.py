"""Which device a run trains on, with how many threads, and how much memory it holds."""

import os
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import psutil
import torch

from core.errors import ConfigError, DeviceError
from core.recipe import DEVICE_PATTERN


def pick_device(asked: str, is_trained: bool = True) -> torch.device:
    """The device for `auto`, `cpu`, `cuda` or `cuda:N`; closed-form systems stay on the CPU under `auto`.

    Raises DeviceError if a GPU is asked for and torch sees none, or not that one.
    """
    available = torch.cuda.device_count() if torch.cuda.is_available() else 0
    if asked == "auto":
        return torch.device("cuda:0" if available and is_trained else "cpu")
    if not re.fullmatch(DEVICE_PATTERN, asked):
        raise ConfigError(f"device {asked!r}: expected auto, cpu, cuda or cuda:N")
    device = torch.device(asked)
    if device.type == "cuda" and (device.index or 0) >= available:
        raise DeviceError(
            f"device {asked} was asked for, but torch {torch.__version__} sees {available} GPU(s); "
            "train with --device auto or cpu, or install the GPU build of torch"
        )
    return torch.device("cuda", device.index or 0) if device.type == "cuda" else device


def use_threads(threads: int | None) -> int:
    """Give torch `threads` threads (RELSCOPE_THREADS or all cores if None) and return how many it uses."""
    asked = os.environ.get("RELSCOPE_THREADS") or "0"
    if not asked.isdecimal():
        raise ConfigError(f"RELSCOPE_THREADS is {asked!r}: expected a number of threads")
    count = threads or int(asked) or len(os.sched_getaffinity(0))
    torch.set_num_threads(count)
    return count


def be_deterministic() -> None:
    """Same seed, same result, bit for bit, on the CPU. On a GPU torch is asked for deterministic kernels, but the library's
    sparse product may sum in another order each time."""
    os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
    torch.use_deterministic_algorithms(True, warn_only=True)


def memory_in_use(device: torch.device) -> dict[str, float]:
    """Bytes held: resident memory of this process, and the peak on its GPU."""
    usage = {"memory/host": float(psutil.Process().memory_info().rss)}
    if device.type == "cuda":
        usage["memory/device"] = float(torch.cuda.max_memory_allocated(device))
    return usage


@dataclass
class Peak:
    """Most bytes that were held while the block ran: on a GPU of its memory, else resident in this process."""

    bytes: float = 0.0


@contextmanager
def peak_memory(device: torch.device, every_seconds: float = 0.01) -> Iterator[Peak]:
    """Watch the memory while the block runs; on the CPU by looking every hundredth of a second."""
    peak, over = Peak(), threading.Event()
    if device.type == "cuda":
        torch.cuda.reset_peak_memory_stats(device)
        yield peak
        peak.bytes = float(torch.cuda.max_memory_allocated(device))
        return
    process = psutil.Process()

    def watch() -> None:
        while True:
            peak.bytes = max(peak.bytes, float(process.memory_info().rss))
            if over.wait(every_seconds):
                return

    watcher = threading.Thread(target=watch, daemon=True)
    watcher.start()
    try:
        yield peak
    finally:
        over.set()
        watcher.join()


def device_title(device: torch.device) -> str:
    return (
        torch.cuda.get_device_name(device)
        if device.type == "cuda"
        else f"CPU, {torch.get_num_threads()} threads"
    )
