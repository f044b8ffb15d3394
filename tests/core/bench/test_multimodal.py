"""What the multimodal benchmarks compare does the same arithmetic, on data of the promised size."""

import numpy as np
import torch

from core.bench.multimodal import baby_sized, released_forward
from core.models.srgformer import GraphTransformer
from core.ops.sparse import pattern_of
from core.ops.square import user_item_matrix
from tests.core.models import tiny

USERS, ITEMS, DIMS = 11, 7, 6


def test_the_released_form_of_the_transformer_gives_the_same_rows_shares_and_gradients():
    dense = np.random.default_rng(3).random((USERS, ITEMS)) < 0.4
    dense[4] = False
    pattern = pattern_of(user_item_matrix(tiny.matrix(dense)))
    torch.manual_seed(0)
    transformer = GraphTransformer(DIMS, 2, ffn=False).double()
    rows = torch.randn(USERS + ITEMS, DIMS, dtype=torch.float64, requires_grad=True)
    results = []
    for forward in (GraphTransformer.forward, released_forward):
        output, share = forward(transformer, pattern, rows)
        loss = (output * torch.arange(output.numel()).view_as(output)).sum() + share.square().sum()
        results.append((output, share, *torch.autograd.grad(loss, [rows, *transformer.parameters()])))
    for ours, plain in zip(*results, strict=True):
        torch.testing.assert_close(ours, plain)


def test_baby_sized_data_has_the_size_asked_for_and_uneven_items():
    data = baby_sized(users=211, items=101, pairs=1009)
    pairs = data.train["interaction"]
    assert pairs.shape == (211, 101)
    assert pairs.nnz == 1009
    assert (pairs.data == 1).all()
    popularity = np.sort(data.popularity())[::-1]
    assert popularity[:10].sum() > popularity[-50:].sum()
    assert {name: len(rows) for name, rows in data.features.items()} == {"image": 101, "text": 101}
    assert data.valid.nnz == data.test.nnz == 0
    assert data.trained_negatives
