"""The benchmarks by name, and how their outcome is printed."""

import json
from collections.abc import Callable

import torch

from core.bench.cigf import bench_cigf
from core.bench.evaluate import bench_evaluate
from core.bench.sparse import bench_sparse
from core.bench.timing import Comparison
from core.errors import ConfigError
from core.home import Home
from core.training.device import device_title, pick_device, use_threads

BENCHES: dict[str, Callable[[Home, str, torch.device], Comparison]] = {
    "sparse": lambda home, dataset, device: bench_sparse(device),
    "cigf": bench_cigf,
    "evaluate": bench_evaluate,
}


def run_bench(name: str, home: Home, dataset: str, device: str, *, as_json: bool) -> int:
    """Run one benchmark, print what it measured, and as the last line JSON with ratio and both times (seconds)."""
    if name not in BENCHES:
        raise ConfigError(f"unknown benchmark {name!r}: expected one of {', '.join(BENCHES)}")
    use_threads(None)
    chosen = pick_device(device)
    outcome = BENCHES[name](home, dataset, chosen)
    if not as_json:
        print(
            f"{outcome.name} on {device_title(chosen)}: {outcome.seconds:.4f} s per {outcome.unit}, ", end=""
        )
        print(f"plain form {outcome.reference_seconds:.4f} s, {outcome.ratio:.1f} times faster")
    print(json.dumps(outcome.as_dict()))
    return 0
