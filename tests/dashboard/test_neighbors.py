"""Item graphs: neighbours, overlap, links to the head, against loops over 13 items."""

import numpy as np
import pytest

from core.errors import RunError
from core.findings import Axis, Finding, Kind, Links
from dashboard import neighbors
from dashboard.alignment_readers import TrainedUsers
from dashboard.neighbors import ItemGraph
from dashboard.node_groups import items_by_popularity
from dashboard.panels.alignment_links import in_words
from tests.dashboard import stored_alignment as made

ITEMS = 13
NAMES = [f"item {place}" for place in range(ITEMS)]
PAIRS = np.array([0, 20, 1, 1, 2, 3, 4, 9, 8, 1, 2, 0, 5])


def graph(name: str, rows: list[list[int]]) -> ItemGraph:
    """Links from each row to these items, the later ones with the larger cosine."""
    indptr = np.cumsum([0, *map(len, rows)])
    index = np.array([place for row in rows for place in row], dtype=np.int32)
    value = np.array([0.1 * (k + 1) for row in rows for k in range(len(row))], dtype=np.float32)
    axis = Axis("item", len(rows))
    return ItemGraph(Finding(name, name, "source", Kind.LINK, (axis, axis), Links(indptr, index, value)))


@pytest.fixture
def graphs() -> list[ItemGraph]:
    rng = np.random.default_rng(8)

    def drawn(least: int) -> list[list[int]]:
        rows = [rng.choice(ITEMS, rng.integers(least, 6), replace=False).tolist() for _ in range(ITEMS)]
        return [[place for place in row if place != k] for k, row in enumerate(rows)]

    behavior, text = drawn(0), drawn(0)
    behavior[4] = text[4] = []
    return [graph(neighbors.BEHAVIOR, behavior), graph("item_links_raw_text", text)]


def test_names_tell_graphs_apart(graphs) -> None:
    assert [g.name for g in graphs] == ["behaviour", "text"]
    assert [g.title for g in graphs] == ["behaviour graph", "text features"]
    assert [g.among for g in graphs] == ["in the behaviour graph", "by text features"]


def test_links_between_different_items_are_refused() -> None:
    links = Links(np.zeros(4, dtype=int), np.zeros(0, dtype=int), np.zeros(0))
    finding = Finding("item_links_behavior", "t", "s", Kind.LINK, (Axis("item", 3), Axis("item", 5)), links)
    with pytest.raises(RunError, match="3 x 5"):
        ItemGraph(finding)


def test_overlap_is_the_jaccard_index_of_a_loop(graphs) -> None:
    found = neighbors.overlap(*graphs)
    for item in range(ITEMS):
        one, other = (set(g.neighbors(item).tolist()) for g in graphs)
        if one | other:
            assert found[item] == pytest.approx(len(one & other) / len(one | other))
        else:
            assert np.isnan(found[item])
    assert np.isnan(found[4])
    assert neighbors.overlap(*graphs[::-1]) == pytest.approx(found, nan_ok=True)


def test_reaching_a_marked_item(graphs) -> None:
    marked = PAIRS > 8
    found = neighbors.reaches(graphs[0], marked)
    assert found.tolist() == [bool(marked[graphs[0].neighbors(item)].any()) for item in range(ITEMS)]


def test_neighbours_are_sorted_and_told_where_else_they_are(graphs) -> None:
    item = int(np.argmax(graphs[0].counts()))
    table = neighbors.neighbor_table(graphs[0], graphs[1:], item, NAMES, PAIRS)
    assert table["cosine"].tolist() == sorted(graphs[0].weights(item).tolist(), reverse=True)
    for row in table.to_dict("records"):
        assert row["title"] == f"item {row['item']}"
        assert row["trained"] == PAIRS[row["item"]]
        assert row["also_in"] == ("text" if row["item"] in graphs[1].neighbors(item) else "")
    assert neighbors.neighbor_table(graphs[0], [], item, NAMES, None)["trained"].isna().all()


def test_the_summary_is_that_of_a_loop_over_groups(graphs) -> None:
    groups = items_by_popularity(PAIRS, "equal_mass")
    agreed = neighbors.overlap(*graphs)
    table = neighbors.summary_table(graphs, groups, [agreed])
    assert table["title"].tolist() == ["never trained", *groups.titles, "all items"]
    masks = [PAIRS == 0, *(groups.grouping.group == g for g in range(groups.grouping.count)), PAIRS > -1]
    for row, own in zip(table.to_dict("records"), masks, strict=True):
        assert row["items"] == own.sum()
        assert row["links_text"] == pytest.approx(
            np.mean([len(graphs[1].neighbors(i)) for i in np.flatnonzero(own)])
        )
        assert row["overlap_text"] == pytest.approx(np.nanmean(agreed[own]))
        head = np.flatnonzero(groups.is_head)
        linked = [
            bool(set(graphs[0].neighbors(i).tolist()) & set(head.tolist())) for i in np.flatnonzero(own)
        ]
        assert row["to_head"] == pytest.approx(np.mean(linked))


def test_a_tail_item_with_links_comes_first_and_those_never_trained_last(graphs) -> None:
    order = neighbors.ordered_items(graphs, PAIRS).tolist()
    assert 4 not in order, "it has no link in any graph"
    trained = [PAIRS[item] for item in order]
    positive = [pairs for pairs in trained if pairs]
    assert trained == sorted(positive) + [0] * (len(trained) - len(positive))
    ones = [graphs[0].counts()[item] for item in order if PAIRS[item] == 1]
    assert ones == sorted(ones, reverse=True)


def test_graphs_of_a_run_share_the_links_they_were_made_with() -> None:
    behavior, text, image = map(ItemGraph, (made.links("behavior", 17, (1, 2, 3)), *made.raw_links(17)))
    assert neighbors.overlap(behavior, text) == pytest.approx(np.full(17, 2 / 4))
    assert neighbors.overlap(behavior, image) == pytest.approx(np.zeros(17))


def test_shared_users_are_those_trained_on_both() -> None:
    users = TrainedUsers(np.array([0, 3, 5, 5]), np.array([1, 4, 6, 4, 5]))
    assert users.counts().tolist() == [3, 2, 0]
    assert users.of(1).tolist() == [4, 5]
    assert users.shared(0, [0, 1, 2]) == [3, 1, 0]


def test_graphs_without_any_link_say_nothing_of_overlap() -> None:
    graphs = [graph(neighbors.BEHAVIOR, [[]] * ITEMS), graph("item_links_raw_text", [[]] * ITEMS)]
    groups = items_by_popularity(PAIRS, "equal_mass")
    said = in_words(graphs, groups, neighbors.summary_table(graphs, groups, [neighbors.overlap(*graphs)]))
    assert said.startswith("In the behaviour graph an item has 0.0 neighbours on average. Of ")
    assert "0 (**0.0 %**) are linked to a head item." in said
