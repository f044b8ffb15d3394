"""The plain form that `bench hgib` is held against does the same arithmetic, and memory is watched."""

import pytest
import torch

from core.bench.hgib import gathered_both_ways, gathered_dots
from core.ops.graphs import Sides
from core.ops.sparse import dots
from core.ops.weighted import EdgeWeights, both_ways
from core.training.device import peak_memory
from tests.core.ops.test_sparse import pattern_and_mask
from tests.core.ops.test_weighted import sides, weight


@pytest.mark.parametrize("weighed", ["apart", "shared", "none"])
def test_the_plain_form_gives_the_same_sums_and_gradients(weighed: str):
    pattern, _ = pattern_and_mask()
    to_user, to_item = weight(pattern.num_entries), weight(pattern.num_entries, 3)
    weights = {"apart": EdgeWeights(to_user, to_item), "shared": EdgeWeights(to_user), "none": None}[weighed]
    found = []
    for product, dot in ((both_ways, dots), (gathered_both_ways, gathered_dots)):
        values = Sides(*(side.clone().requires_grad_() for side in sides()))
        sums = product(pattern, weights, values)
        logits = dot(pattern, values.user, values.item)
        total = (sums.user**2).sum() + (sums.item**3).sum() + (logits**2).sum()
        found.append((*sums, logits, *torch.autograd.grad(total, list(values))))
    for ours, plain in zip(*found):
        torch.testing.assert_close(ours, plain)


def test_the_peak_of_a_block_is_seen_although_it_is_gone_afterwards():
    with peak_memory(torch.device("cpu"), every_seconds=0.001) as before:
        pass
    with peak_memory(torch.device("cpu"), every_seconds=0.001) as peak:
        held = torch.ones(60_000_000)
        held.add_(1)
        del held
    assert peak.bytes > before.bytes + 150e6
