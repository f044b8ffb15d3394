"""`bench hgib`: a training step of HGIB against the same arithmetic with gather-multiply-scatter products."""

import torch
from torch import Tensor

from core.bench.steps import Forms, compared_steps
from core.bench.timing import Comparison
from core.catalog.systems import system
from core.data.dataset import open_dataset
from core.data.ranking import ranking_data
from core.home import Home
from core.ops.graphs import Sides
from core.ops.sparse import Pattern
from core.ops.weighted import EdgeWeights


def bench_hgib(home: Home, dataset: str, device: torch.device) -> Comparison:
    """Seconds per training step on `dataset`: forward, backward and Adam; preset paper (d = 64, 1,024 pairs a batch).

    The reference's edge logits gather both ends of every pair, its products gather, multiply and scatter, each direction by
    itself.
    """
    data = ranking_data(open_dataset(home, dataset), "train+valid")
    plain_forms: Forms = {
        "core.models.hgib_encoder.both_ways": gathered_both_ways,
        "core.models.hgib_encoder.dots": gathered_dots,
    }
    config = system("hgib").resolve("paper")
    return compared_steps("hgib", config, data, plain_forms, device, {"dataset": dataset})


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
