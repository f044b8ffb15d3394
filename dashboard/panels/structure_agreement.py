"""Hyperedges held against the items' categories and against those of other modalities, computed once per run."""

from collections.abc import Mapping, Sequence
from itertools import combinations

import numpy as np
import streamlit as st

from core.findings import Array
from dashboard import hyperedges, readers
from dashboard.agreement import Agreement, agreement
from dashboard.information import SIDES, Stated
from dashboard.panels.structure_view import MEMBERSHIP, View

Pair = tuple[str, str, str]


def with_categories(view: View, stated: Stated) -> Mapping[str, Agreement | None]:
    """Per modality: the hyperedges that items belong to most against their categories; nothing where they have none."""
    start, stop = stated.finding.axis("node").groups["item"]
    categories = view.categories(stop - start)
    if categories is None:
        return {}
    return _with_categories(stated, categories, *_written(view))


@st.cache_resource(max_entries=16, show_spinner="Holding hyperedges against categories")
def _with_categories(
    _stated: Stated, _categories: Sequence[str], path: str, written: readers.Stamp, content: str
) -> dict[str, Agreement | None]:
    _, code = hyperedges.codes(_categories)
    found = {m: hyperedges.chosen(_stated, m, "item") for m in _stated.labels("modality")}
    return {modality: sorted_alike(most, np.asarray(code)) for modality, most in found.items()}


def between_modalities(view: View, stated: Stated) -> Mapping[Pair, Agreement | None]:
    """Per pair of modalities and side: whether nodes that share a hyperedge of one also share one of the other."""
    return _between_modalities(stated, *_written(view))


@st.cache_resource(max_entries=16, show_spinner="Holding modalities against each other")
def _between_modalities(
    _stated: Stated, path: str, written: readers.Stamp, content: str
) -> dict[Pair, Agreement | None]:
    return {
        (one, other, side): sorted_alike(
            hyperedges.chosen(_stated, one, side), hyperedges.chosen(_stated, other, side)
        )
        for one, other in combinations(_stated.labels("modality"), 2)
        for side in SIDES
    }


def sorted_alike(one_N: Array, other_N: Array) -> Agreement | None:
    """`agreement` of the nodes that both sort; those below 0 in either would agree by belonging nowhere."""
    both = (one_N >= 0) & (other_N >= 0)
    return agreement(one_N[both], other_N[both])


def _written(view: View) -> tuple[str, readers.Stamp, str]:
    path = view.run.findings / f"{MEMBERSHIP}.npz"
    return str(path), readers.stamp(path), view.recipe.dataset_hash
