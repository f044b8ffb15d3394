"""`bench sparse`: the product and both gradients at 27,404 nodes, 2.2 M edges, 64 dims, against gather-multiply-scatter."""

import torch

from core.bench.timing import Comparison, compare
from core.ops.sparse import Pattern, gather_scatter_product, product

NODES, EDGES, DIMS = 27_404, 2_200_000, 64


def bench_sparse(device: torch.device) -> Comparison:
    """Forward and backward of A(w) X on a random graph with skewed degrees, float32."""
    generator = torch.Generator().manual_seed(0)
    row = (torch.rand(EDGES, generator=generator).square() * NODES).long()
    column = torch.randint(NODES, (EDGES,), generator=generator)
    order = torch.argsort(row * NODES + column)
    indptr = torch.nn.functional.pad(torch.bincount(row, minlength=NODES).cumsum(0), (1, 0))
    pattern = Pattern.of(indptr, column[order], NODES).to(device)
    weight = torch.rand(EDGES, generator=generator).to(device).requires_grad_()
    dense = torch.randn(NODES, DIMS, generator=generator).to(device).requires_grad_()
    gradient = torch.randn(NODES, DIMS, generator=generator).to(device)

    def ours() -> None:
        torch.autograd.grad(product(pattern, dense, weight), (weight, dense), gradient)

    def reference() -> None:
        torch.autograd.grad(gather_scatter_product(pattern, dense, weight), (weight, dense), gradient)

    detail = {"nodes": NODES, "edges": EDGES, "dims": DIMS}
    return compare("sparse", "forward and both gradients", reference, ours, device=device, detail=detail)
