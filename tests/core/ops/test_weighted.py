"""Convolution in both directions with learned edge weights, against dense matrices."""

import pytest
import torch
from torch import Tensor

from core.ops.graphs import Sides
from core.ops.sparse import dots, pattern_of
from core.ops.weighted import EdgeWeights, both_ways, degrees
from tests.core.ops.test_sparse import COLUMNS, DIMS, ROWS, STRICT, dense_of, pattern_and_mask


def sides(seed: int = 1) -> Sides:
    generator = torch.Generator().manual_seed(seed)
    shapes = ((ROWS, DIMS), (COLUMNS, DIMS))
    return Sides(*(torch.randn(shape, generator=generator, dtype=torch.float64) for shape in shapes))


def weight(entries: int, seed: int = 2) -> Tensor:
    return torch.rand(entries, generator=torch.Generator().manual_seed(seed), dtype=torch.float64) + 0.1


def test_sums_over_neighbours_equal_dense_products_in_both_directions():
    pattern, mask = pattern_and_mask()
    values, to_user, to_item = sides(), weight(pattern.num_entries), weight(pattern.num_entries, 3)
    plain = both_ways(pattern, None, values)
    torch.testing.assert_close(plain.user, mask.double() @ values.item)
    torch.testing.assert_close(plain.item, mask.double().t() @ values.user)
    shared = both_ways(pattern, EdgeWeights(to_user), values)
    torch.testing.assert_close(shared.user, dense_of(mask, to_user) @ values.item)
    torch.testing.assert_close(shared.item, dense_of(mask, to_user).t() @ values.user)
    apart = both_ways(pattern, EdgeWeights(to_user, to_item), values)
    torch.testing.assert_close(apart.user, dense_of(mask, to_user) @ values.item)
    torch.testing.assert_close(apart.item, dense_of(mask, to_item).t() @ values.user)


def test_degrees_sum_what_arrives():
    pattern, mask = pattern_and_mask()
    to_user, to_item = weight(pattern.num_entries), weight(pattern.num_entries, 3)
    counted = degrees(pattern, None)
    assert counted.user.tolist() == mask.sum(1).tolist()
    assert counted.item.tolist() == mask.sum(0).tolist()
    found = degrees(pattern, EdgeWeights(to_user, to_item))
    torch.testing.assert_close(found.user, dense_of(mask, to_user).sum(1))
    torch.testing.assert_close(found.item, dense_of(mask, to_item).sum(0))


@pytest.mark.parametrize("apart", [False, True])
def test_gradients_of_sums_and_degrees(apart: bool):
    pattern, _ = pattern_and_mask()
    values, to_user, to_item = sides(), weight(pattern.num_entries), weight(pattern.num_entries, 3)

    def summed(user: Tensor, item: Tensor, first: Tensor, second: Tensor) -> tuple[Tensor, ...]:
        weights = EdgeWeights(first, second if apart else None)
        return (*both_ways(pattern, weights, Sides(user, item)), *degrees(pattern, weights), second.sum())

    inputs = [part.requires_grad_() for part in (*values, to_user, to_item)]
    assert torch.autograd.gradcheck(summed, inputs, **STRICT)


def test_gradients_without_weights_and_to_one_side_alone():
    pattern, _ = pattern_and_mask()
    user, item = sides()
    assert torch.autograd.gradcheck(
        lambda u: both_ways(pattern, None, Sides(u, item)), [user.requires_grad_()], **STRICT
    )


def test_dots_equal_the_loop_and_have_the_gradients_of_the_loop():
    pattern, mask = pattern_and_mask()
    user, item = (part.requires_grad_() for part in sides())
    expected = torch.stack([user[u] @ item[i] for u, i in mask.nonzero().tolist()])
    torch.testing.assert_close(dots(pattern, user, item), expected)
    assert torch.autograd.gradcheck(lambda u, i: dots(pattern, u, i), (user, item), **STRICT)


def test_dots_say_which_shapes_they_expect():
    pattern, _ = pattern_and_mask()
    with pytest.raises(ValueError, match=rf"\[{ROWS}, D\] and \[{COLUMNS}, D\].*\[{COLUMNS}, 2\]"):
        dots(pattern, torch.zeros(COLUMNS, 2), torch.zeros(ROWS, 2))


def test_a_graph_without_pairs_sends_nothing():
    from scipy.sparse import csr_array

    pattern = pattern_of(csr_array((ROWS, COLUMNS)))
    values = sides()
    nothing = both_ways(pattern, EdgeWeights(torch.zeros(0, dtype=torch.float64)), values)
    assert not nothing.user.any()
    assert not nothing.item.any()
    assert nothing.item.shape == values.item.shape
