"""`bench cigf`: a training epoch of CIGF against the same arithmetic with gather-multiply-scatter products."""

from itertools import islice
from unittest.mock import patch

import torch

from core.bench.timing import Comparison, compare
from core.catalog.cigf import CIGFConfig
from core.catalog.systems import system
from core.data.dataset import open_dataset
from core.data.ranking import ranking_data
from core.home import Home
from core.models.cigf import CIGF
from core.ops.sparse import gather_scatter_product

STEPS = 10


def bench_cigf(home: Home, dataset: str, device: torch.device) -> Comparison:
    """Seconds per epoch on `dataset`: sampling, forward, backward and Adam; preset paper, L = 2, 256 users a batch.

    `STEPS` steps are timed and scaled to the steps of an epoch. The reference draws the same batches and computes the same
    rows; its products gather, multiply and scatter.
    """
    data = ranking_data(open_dataset(home, dataset), "train+valid")
    config = system("cigf").resolve("paper")
    assert isinstance(config, CIGFConfig)
    steps = -(-min(config.users_per_epoch, data.num_users) // config.batch_users)
    timed = min(STEPS, steps)

    def prepared() -> tuple[CIGF, torch.optim.Optimizer]:
        torch.manual_seed(0)
        model = CIGF(config, data, device)
        return model, torch.optim.Adam(model.parameters(), lr=config.learning_rate)

    fast, slow = prepared(), prepared()

    def reference() -> None:
        with patch("core.ops.graphs.product", gather_scatter_product):
            _train(*slow, timed)

    detail = {"dataset": dataset, "steps_per_epoch": steps, "steps_timed": timed}
    return compare(
        "cigf",
        "epoch",
        reference,
        lambda: _train(*fast, timed),
        device=device,
        rounds=3,
        times=steps / timed,
        detail=detail,
    )


def _train(model: CIGF, optimizer: torch.optim.Optimizer, steps: int) -> None:
    generator = torch.Generator(model.device).manual_seed(0)
    for batch in islice(model.batches(generator), steps):
        optimizer.zero_grad(set_to_none=True)
        torch.stack(list(model.losses(batch).values())).sum().backward()
        optimizer.step()
