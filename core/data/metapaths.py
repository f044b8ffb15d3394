"""Metapath graphs: which target nodes a walk over typed relations connects."""

from collections.abc import Iterator

import numpy as np
from scipy.sparse import csr_array

from core.data.hetero import HeteroContent, Metapath
from core.errors import DataError

# entries of a block of rows, were all of them stored; and of half a walk, which is kept whole
_BLOCK_ENTRIES = 1 << 24
_HALF_ENTRIES = 1 << 26


def metapath_graph(view: HeteroContent, walk: Metapath) -> csr_array:
    """[N, N] float32 counts of walks between target nodes, self-loops included; N nodes of the target type.

    Raises DataError if a step's relation does not join the two types.
    """
    product = _multiplied(_factors(view, walk))
    product.sort_indices()
    return product


def metapath_blocks(view: HeteroContent, walk: Metapath) -> Iterator[tuple[int, csr_array]]:
    """(number of the first row, rows) of `metapath_graph` in blocks of bounded size, with columns in any order.

    Raises as `metapath_graph`.
    """
    first, *others = _factors(view, walk)
    widest = max(step.shape[1] for step in (first, *others))
    rows = max(1, _BLOCK_ENTRIES // max(1, widest))
    for start in range(0, first.shape[0], rows):
        yield start, _multiplied([csr_array(first[start : start + rows]), *others])


def stored_entries(view: HeteroContent, walk: Metapath) -> int:
    """Pairs of target nodes that the walk connects, self-loops included."""
    return sum(int(block.nnz) for _, block in metapath_blocks(view, walk))


def _factors(view: HeteroContent, walk: Metapath) -> list[csr_array]:
    """Matrices whose product is the walk's graph: its steps, or two halves where the second is the first walked back.

    Halves take a fraction of the time: what the middle joins is multiplied out once, and never up to the walk's start.
    """
    steps = [
        step_matrix(view, source, relation, destination)
        for source, relation, destination in zip(walk.types, walk.relations, walk.types[1:], strict=False)
    ]
    if not steps:
        raise DataError(f"metapath {'-'.join(walk.types)} has no step; correct metapaths.json")
    # a step within one type is taken forwards both times, so it is not walked back
    is_mirrored = walk.types == walk.types[::-1] and walk.relations == walk.relations[::-1]
    if not is_mirrored or len(steps) % 2 or any(a == b for a, b in zip(walk.types, walk.types[1:])):
        return steps
    half = steps[0]
    for step in steps[1 : len(steps) // 2]:
        if _most_entries(half, step) > _HALF_ENTRIES:
            return steps
        half = csr_array(half @ step)
    return [half, csr_array(half.T)]


def _most_entries(left: csr_array, right: csr_array) -> int:
    """How many entries the product of two matrices can have at most: its multiplications."""
    return int(np.diff(right.indptr).astype(np.int64)[left.indices].sum())


def _multiplied(factors: list[csr_array]) -> csr_array:
    product, *others = factors
    for factor in others:
        product = csr_array(product @ factor)
    return product


def step_matrix(view: HeteroContent, source: str, name: str, destination: str) -> csr_array:
    """[N of source, N of destination] float32: the relation's distinct edges, turned round where needed."""
    for relation, pairs in view.edges.items():
        if relation.name != name or {relation.source, relation.destination} != {source, destination}:
            continue
        forward = relation.source == source
        rows, columns = (pairs[:, 0], pairs[:, 1]) if forward else (pairs[:, 1], pairs[:, 0])
        shape = (view.counts[source], view.counts[destination])
        step = csr_array((np.ones(len(pairs), np.float32), (rows, columns)), shape=shape)
        step.sum_duplicates()
        step.data[:] = 1.0
        return step
    known = ", ".join(relation.key for relation in view.edges)
    raise DataError(f"no relation {name!r} joins {source} and {destination}; the relations are: {known}")
