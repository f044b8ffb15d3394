"""What a profile says of a graph, against loops over pairs."""

import itertools

import numpy as np
import pytest

from core.data.hetero import UNLABELLED, HeteroContent, Metapath, Relation
from core.data.metapaths import metapath_blocks, metapath_graph, stored_entries
from core.data.profile_graph import chance, graph_profile

PAPERS, AUTHORS, WORDS = 11, 5, 7
BY, CITES, USES = (
    Relation("paper", "by", "author"),
    Relation("paper", "cites", "paper"),
    Relation("author", "uses", "word"),
)
LABELS = np.array([0, 1, 0, 1, 2, UNLABELLED, 0, 1, 2, 2, UNLABELLED])
WALKS = {
    "PAP": Metapath(("paper", "author", "paper"), ("by", "by")),
    "PAWAP": Metapath(("paper", "author", "word", "author", "paper"), ("by", "uses", "uses", "by")),
    "PPP": Metapath(("paper", "paper", "paper"), ("cites", "cites")),
    "PAPAP": Metapath(("paper", "author", "paper", "author", "paper"), ("by",) * 4),
}


@pytest.fixture
def view() -> HeteroContent:
    rng = np.random.default_rng(7)

    def drawn(count: int, first: int, second: int) -> np.ndarray:
        pairs = np.stack([rng.integers(0, first, count), rng.integers(0, second, count)], axis=1)
        return np.unique(pairs, axis=0).astype(np.int32)

    return HeteroContent(
        target_type="paper",
        counts={"paper": PAPERS, "author": AUTHORS, "word": WORDS},
        edges={
            BY: drawn(9, PAPERS - 1, AUTHORS),
            CITES: drawn(13, PAPERS, PAPERS),
            USES: drawn(8, AUTHORS, WORDS),
        },
        features={"paper": np.eye(PAPERS, 3, dtype=np.float32)},
        labels=LABELS,
        splits={"train_2": np.array([0, 1]), "val_2": np.array([2]), "test_2": np.array([3])},
        metapaths=WALKS,
        classes=("a", "b", "c"),
    )


def steps(view: HeteroContent, walk: Metapath) -> np.ndarray:
    """The graph of a walk as a product of dense matrices, step by step."""
    product = np.eye(PAPERS)
    for source, name, destination in zip(walk.types, walk.relations, walk.types[1:]):
        (relation,) = (one for one in view.edges if one.name == name)
        step = np.zeros((view.counts[relation.source], view.counts[relation.destination]))
        step[tuple(view.edges[relation].T)] = 1
        product = product @ (
            step if (source, destination) == (relation.source, relation.destination) else step.T
        )
    return product


@pytest.mark.parametrize("name", WALKS)
@pytest.mark.parametrize("entries", [1 << 24, 30, 1])
def test_blocks_and_halves_make_the_graph_of_the_steps(view, name, entries, monkeypatch):
    monkeypatch.setattr("core.data.metapaths._BLOCK_ENTRIES", entries)
    monkeypatch.setattr("core.data.metapaths._HALF_ENTRIES", entries)
    expected = steps(view, WALKS[name])
    graph = metapath_graph(view, WALKS[name])
    np.testing.assert_array_equal(graph.toarray(), expected)
    assert graph.has_sorted_indices
    blocks = list(metapath_blocks(view, WALKS[name]))
    assert [start for start, _ in blocks] == list(
        itertools.accumulate([0, *(len(b.indptr) - 1 for _, b in blocks[:-1])])
    )
    np.testing.assert_array_equal(np.concatenate([block.toarray() for _, block in blocks]), expected)
    assert stored_entries(view, WALKS[name]) == np.count_nonzero(expected)


@pytest.mark.parametrize("entries", [1 << 24, 20])
def test_homophily_and_lonely_nodes_are_counted_like_a_loop_does(view, entries, monkeypatch):
    monkeypatch.setattr("core.data.metapaths._BLOCK_ENTRIES", entries)
    told = graph_profile(view)
    for name, walk in WALKS.items():
        joined = steps(view, walk) > 0
        off = [(i, j) for i, j in zip(*joined.nonzero()) if i != j]
        known = [LABELS[i] == LABELS[j] for i, j in off if UNLABELLED not in (LABELS[i], LABELS[j])]
        facts = told["metapath_facts"][name]
        assert told["metapaths"][name] == joined.sum()
        assert facts["density"] == joined.sum() / PAPERS**2
        assert facts["homophily"] == (np.mean(known) if known else None)
        assert facts["alone"] == PAPERS - len({i for i, _ in off})
        assert facts["walk"] == list(walk.types)


def test_sizes_leave_out_nodes_without_a_label(view):
    told = graph_profile(view)
    assert (told["classes"], told["class_names"]) == (3, ["a", "b", "c"])
    assert (told["class_sizes"], told["unlabelled"]) == ([3, 3, 3], 2)
    assert told["homophily_by_chance"] == 3 * 6 / 72
    assert told["isolated"]["paper"] == PAPERS - len({*view.edges[BY][:, 0], *view.edges[CITES].ravel()})
    assert told["node_features"] == {"paper": [PAPERS, 3]}
    assert told["node_feature_density"] == {"paper": 1 / PAPERS}


def test_chance_needs_two_nodes():
    assert chance(np.array([1])) is None
    assert chance(np.array([2, 2])) == 4 / 12


def test_nobody_with_a_label_has_no_homophily(view):
    walk = Metapath(("paper", "author", "paper"), ("by", "by"))
    lone = HeteroContent(**{**vars(view), "labels": np.full(PAPERS, UNLABELLED), "metapaths": {"PAP": walk}})
    told = graph_profile(lone)
    assert told["metapath_facts"]["PAP"]["homophily"] is None
    assert (told["unlabelled"], told["homophily_by_chance"]) == (PAPERS, None)
