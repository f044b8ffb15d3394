"""The benchmarks by name, and how their outcome is printed."""

import json
from collections.abc import Callable

import torch

from core.bench.cigf import bench_cigf
from core.bench.dashboard import DashboardReport, bench_dashboard
from core.bench.evaluate import bench_evaluate
from core.bench.hgcvae import bench_hgcvae
from core.bench.hgib import bench_hgib
from core.bench.multimodal import bench_egra, bench_srgformer
from core.bench.sparse import bench_sparse
from core.bench.timing import Comparison
from core.data.dataset import list_datasets
from core.data.planted import write_demo
from core.errors import ConfigError
from core.home import Home
from core.training.device import pick_device, use_threads

_PLANTED = "bench-planted"
BENCHES: dict[str, Callable[[Home, str | None, torch.device], Comparison | DashboardReport]] = {
    "sparse": lambda home, dataset, device: bench_sparse(device),
    "cigf": lambda home, dataset, device: bench_cigf(home, dataset or _default_dataset(home), device),
    "hgib": lambda home, dataset, device: bench_hgib(home, dataset or _default_dataset(home), device),
    "egra": lambda home, dataset, device: bench_egra(device),
    "srgformer": lambda home, dataset, device: bench_srgformer(device),
    "hgcvae": lambda home, dataset, device: bench_hgcvae(device),
    "evaluate": lambda home, dataset, device: bench_evaluate(home, dataset or _default_dataset(home), device),
    "dashboard": lambda home, dataset, device: bench_dashboard(),
}


def run_bench(name: str, home: Home, dataset: str | None, device: str, *, as_json: bool) -> int:
    """Run one benchmark, print what it measured, and as the last line JSON with ratio and both times (seconds)."""
    if name not in BENCHES:
        raise ConfigError(f"unknown benchmark {name!r}: expected one of {', '.join(BENCHES)}")
    use_threads(None)
    outcome = BENCHES[name](home, dataset, pick_device(device))
    if not as_json:
        print(outcome.in_words())
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
