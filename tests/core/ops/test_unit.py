"""Rows of length one, against the library's composed form."""

import torch
from torch.nn import functional as F

from core.ops.unit import unit_rows
from tests.core.ops.test_sparse import STRICT


def test_rows_and_gradients_are_those_of_the_composed_form():
    first = torch.randn(
        7, 3, dtype=torch.float64, generator=torch.Generator().manual_seed(0)
    ).requires_grad_()
    second = first.detach().clone().requires_grad_()
    torch.testing.assert_close(unit_rows(first), F.normalize(second, dim=1))
    weigh = torch.arange(21.0, dtype=torch.float64).view(7, 3)
    (unit_rows(first) * weigh).sum().backward()
    (F.normalize(second, dim=1) * weigh).sum().backward()
    torch.testing.assert_close(first.grad, second.grad)
    assert torch.autograd.gradcheck(unit_rows, [first], **STRICT)


def test_rows_of_zeros_stay_and_get_no_gradient():
    rows = torch.tensor([[0.0, 0.0], [3e-20, 0.0], [1e30, 0.0], [3.0, 4.0]], requires_grad=True)
    unit = unit_rows(rows)
    unit.sum().backward()
    assert unit.tolist()[0] == [0, 0]
    torch.testing.assert_close(unit[3].detach(), torch.tensor([0.6, 0.8]))
    assert rows.grad is not None
    assert rows.grad.isfinite().all()
    assert rows.grad[0].tolist() == [0, 0]
