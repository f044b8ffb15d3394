"""`bench cigf`: one training epoch of CIGF against the same arithmetic with gather-multiply-scatter products."""

from collections.abc import Iterator
from contextlib import contextmanager
from unittest.mock import patch

import torch

from core.bench.timing import Comparison, compare
from core.catalog.systems import system
from core.data.dataset import open_dataset
from core.data.ranking import ranking_data
from core.home import Home
from core.models.base import Trainable
from core.models.cigf import CIGF, CIGFBatch, TaskPairs
from core.models.registry import build
from core.ops.sparse import gather_scatter_product


def bench_cigf(home: Home, dataset: str, device: torch.device) -> Comparison:
    """Seconds per epoch (sampling, forward, backward, Adam; preset paper, L = 2, 256 users a batch) on `dataset`.

    The reference computes every product for all nodes by gather-multiply-scatter, as common implementations do.
    """
    data = ranking_data(open_dataset(home, dataset), "train+valid")
    config = system("cigf").resolve("paper")
    steps = 0

    def prepared() -> tuple[CIGF, torch.optim.Optimizer]:
        torch.manual_seed(0)
        model = build("cigf", config, data, device)
        assert isinstance(model, CIGF)
        return model, torch.optim.Adam(model.parameters(), lr=1e-3)

    fast, slow = prepared(), prepared()

    def ours() -> None:
        nonlocal steps
        steps = _epoch(*fast)

    def reference() -> None:
        with _plain_products():
            _epoch(slow[0], slow[1], all_rows=True)

    result = compare("cigf", "epoch", reference, ours, device=device, rounds=2, detail={"dataset": dataset})
    result.detail["steps"] = steps
    return result


def _epoch(model: CIGF, optimizer: torch.optim.Optimizer, all_rows: bool = False) -> int:
    assert isinstance(model, Trainable)
    generator = torch.Generator(model.device).manual_seed(0)
    steps = 0
    for batch in model.batches(generator):
        losses = model.losses(_over_all_rows(batch) if all_rows else batch)
        optimizer.zero_grad(set_to_none=True)
        torch.stack(list(losses.values())).sum().backward()
        optimizer.step()
        steps += 1
    return steps


def _over_all_rows(batch: CIGFBatch) -> CIGFBatch:
    """The same draws, pointing into all users and items."""
    users, items = batch.users, batch.items
    assert users is not None
    tasks = tuple(
        TaskPairs(users[t.owner], *((x if items is None else items[x]) for x in (t.positive, t.negative)))
        for t in batch.tasks
    )
    return CIGFBatch(None, None, tasks)


@contextmanager
def _plain_products() -> Iterator[None]:
    with patch("core.ops.graphs.product", gather_scatter_product):
        yield
