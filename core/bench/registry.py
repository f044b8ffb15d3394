"""The benchmarks by name, and how their outcome is printed."""

import json
from collections.abc import Callable

import torch

from core.bench.cigf import bench_cigf
from core.bench.evaluate import bench_evaluate
from core.bench.sparse import bench_sparse
from core.bench.timing import Comparison
from core.data.dataset import list_datasets
from core.data.planted import write_demo
from core.errors import ConfigError
from core.home import Home
from core.training.device import device_title, pick_device, use_threads

_PLANTED = "bench-planted"
BENCHES: dict[str, Callable[[Home, str, torch.device], Comparison]] = {
    "sparse": lambda home, dataset, device: bench_sparse(device),
    "cigf": bench_cigf,
    "evaluate": bench_evaluate,
}


def run_bench(name: str, home: Home, dataset: str | None, device: str, *, as_json: bool) -> int:
    """Run one benchmark, print what it measured, and as the last line JSON with ratio and both times (seconds)."""
    if name not in BENCHES:
        raise ConfigError(f"unknown benchmark {name!r}: expected one of {', '.join(BENCHES)}")
    use_threads(None)
    chosen = pick_device(device)
    outcome = BENCHES[name](home, dataset or _default_dataset(home), chosen)
    if not as_json:
        print(
            f"{outcome.name} on {device_title(chosen)}: {outcome.seconds:.4f} s per {outcome.unit}, ", end=""
        )
        print(f"plain form {outcome.reference_seconds:.4f} s, {outcome.ratio:.1f} times faster")
    print(json.dumps(outcome.as_dict()))
    return 0


def _default_dataset(home: Home) -> str:
    """taobao where it is imported, else planted data of like size, written on first use."""
    names = [info.name for info in list_datasets(home)]
    if "taobao" in names:
        return "taobao"
    if _PLANTED not in names:
        write_demo(home, _PLANTED, num_users=20_000, num_items=8_000)
    return _PLANTED
