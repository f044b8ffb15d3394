"""Metapath graphs: which target nodes a walk over typed relations connects."""

import numpy as np
from scipy.sparse import csr_array

from core.data.hetero import HeteroContent, Metapath
from core.errors import DataError


def metapath_graph(view: HeteroContent, walk: Metapath) -> csr_array:
    """[N, N] float32 counts of walks between target nodes, self-loops included; N nodes of the target type.

    Raises DataError if a step's relation does not join the two types.
    """
    product: csr_array | None = None
    for source, relation, destination in zip(walk.types, walk.relations, walk.types[1:], strict=False):
        step = _step(view, source, relation, destination)
        product = step if product is None else csr_array(product @ step)
    if product is None:
        raise DataError(f"metapath {'-'.join(walk.types)} has no step; correct metapaths.json")
    product.sort_indices()
    return product


def stored_entries(view: HeteroContent, walk: Metapath) -> int:
    """Pairs of target nodes that the walk connects, self-loops included."""
    return int(metapath_graph(view, walk).nnz)


def _step(view: HeteroContent, source: str, name: str, destination: str) -> csr_array:
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
