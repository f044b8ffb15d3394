"""Random walks along metapaths: from every target node through the types that a metapath names, and round again.

W walks, S steps.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from core.data.hetero import HeteroContent
from core.data.metapaths import step_matrix

ENDED = -1


@dataclass(frozen=True, eq=False)
class Walks:
    """nodes: [W, S + 1] int64, ENDED from where a walk could not go on. types: the type at each place, S + 1."""

    nodes: NDArray[np.int64]
    types: tuple[str, ...]


class Walker:
    """Walks along the metapaths of a graph. Source: Dong et al., metapath2vec, KDD 2017, Eq. 3."""

    def __init__(self, view: HeteroContent) -> None:
        self._targets = view.counts[view.target_type]
        self._walks: Mapping[str, tuple[tuple[str, ...], list[csr_array]]] = {
            name: (
                walk.types,
                [
                    step_matrix(view, source, relation, destination)
                    for source, relation, destination in zip(
                        walk.types, walk.relations, walk.types[1:], strict=False
                    )
                ],
            )
            for name, walk in view.metapaths.items()
        }

    def drawn(self, per_node: int, steps: int, rng: np.random.Generator) -> list[Walks]:
        """`per_node` walks of `steps` steps from every target node, along each metapath; every step goes to any neighbour of the
        next type with equal chance, of all kinds of one relation at once."""
        starts = np.repeat(np.arange(self._targets), per_node)
        return [self._along(types, matrices, starts, steps, rng) for types, matrices in self._walks.values()]

    def _along(
        self,
        types: tuple[str, ...],
        matrices: list[csr_array],
        starts: NDArray[np.intp],
        steps: int,
        rng: np.random.Generator,
    ) -> Walks:
        nodes = np.full((len(starts), steps + 1), ENDED, np.int64)
        nodes[:, 0] = starts
        for step in range(steps):
            nodes[:, step + 1] = _next(matrices[step % len(matrices)], nodes[:, step], rng)
        return Walks(nodes, tuple(types[step % len(matrices)] for step in range(steps + 1)))


def _next(matrix: csr_array, nodes_W: NDArray[np.int64], rng: np.random.Generator) -> NDArray[np.int64]:
    """Any neighbour of every node; ENDED where there is none, or the walk has ended before."""
    going = nodes_W != ENDED
    first, last = matrix.indptr[nodes_W], matrix.indptr[nodes_W + 1]
    chosen = first + (rng.random(len(nodes_W)) * (last - first)).astype(np.int64)
    going &= last > first
    found = np.full(len(nodes_W), ENDED, np.int64)
    found[going] = matrix.indices[chosen[going]]
    return found
