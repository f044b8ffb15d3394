"""`bench hgib`: a training step of HGIB against the same arithmetic with gather-multiply-scatter products."""

from collections.abc import Callable
from itertools import islice
from unittest.mock import patch

import torch
from torch import Tensor

from core.bench.timing import Comparison, compare
from core.catalog.systems import system
from core.data.dataset import open_dataset
from core.data.ranking import ranking_data
from core.home import Home
from core.models.hgib import HGIB
from core.models.registry import build
from core.ops.graphs import Sides
from core.ops.sparse import Pattern
from core.ops.weighted import EdgeWeights
from core.training.device import memory_in_use, peak_memory

STEPS = 2


def bench_hgib(home: Home, dataset: str, device: torch.device) -> Comparison:
    """Seconds per training step on `dataset`: forward, backward and Adam; preset paper (d = 64, 1,024 pairs a batch).

    The reference takes the same batches and noise, starts at the same parameters and ends with the same losses; its edge
    logits gather both ends of every pair, its products gather, multiply and scatter, each direction by itself.
    """
    data = ranking_data(open_dataset(home, dataset), "train+valid")
    config = system("hgib").resolve("paper")
    losses: dict[str, float] = {}
    peaks: dict[str, float] = {}
    before = memory_in_use(device)["memory/host"]

    def prepared(name: str) -> Callable[[], None]:
        torch.manual_seed(0)
        model = build("hgib", config, data, device)
        assert isinstance(model, HGIB)
        optimizer = torch.optim.Adam(model.parameters(), lr=config.model_dump()["learning_rate"])
        batches = list(islice(model.batches(torch.Generator(device).manual_seed(0)), STEPS))

        def run() -> None:
            with peak_memory(device) as peak:
                for batch in batches:
                    optimizer.zero_grad(set_to_none=True)
                    loss = torch.stack(list(model.losses(batch).values())).sum()
                    loss.backward()
                    optimizer.step()
                    losses[name] = float(loss.detach())
            peaks[name] = peak.bytes

        return run

    ours, plain = prepared("ours"), prepared("reference")

    def reference() -> None:
        with (
            patch("core.models.hgib_encoder.both_ways", gathered_both_ways),
            patch("core.models.hgib_encoder.dots", gathered_dots),
        ):
            plain()

    result = compare(
        "hgib",
        "step",
        reference,
        ours,
        device=device,
        rounds=3,
        times=1 / STEPS,
        detail={
            "dataset": dataset,
            "batch_size": config.model_dump()["batch_size"],
            "peak_memory_bytes": peaks,
            "memory_before_bytes": before,
        },
    )
    if abs(losses["ours"] - losses["reference"]) > 1e-3 * abs(losses["reference"]):
        raise AssertionError(f"the two steps disagree: {losses}")
    return result


def gathered_dots(pattern: Pattern, left_RD: Tensor, right_CD: Tensor) -> Tensor:
    """`dots` by gathering both ends of every pair."""
    return (left_RD[pattern.row] * right_CD[pattern.index.long()]).sum(-1)


def gathered_both_ways(pattern: Pattern, weights: EdgeWeights | None, values: Sides) -> Sides:
    """`both_ways` by gathering [E, D], multiplying and scattering."""
    row, column = pattern.row, pattern.index.long()
    to_user, to_item = weights.both if weights else (None, None)
    sent_ED, back_ED = values.item[column], values.user[row]
    if to_user is not None and to_item is not None:
        sent_ED, back_ED = sent_ED * to_user[:, None], back_ED * to_item[:, None]
    user = torch.zeros_like(values.user).index_add(0, row, sent_ED)
    return Sides(user, torch.zeros_like(values.item).index_add(0, column, back_ED))
