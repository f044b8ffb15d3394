"""The tables behind the Relations page, against obvious loops."""

import numpy as np
import pytest

from core.findings import Axis, Finding, Kind
from dashboard import relations
from tests.dashboard.stored_runs import attention_finding, attention_history, paths_finding

USERS, ITEMS, BEHAVIORS = 7, 5, ("view", "cart", "buy")


@pytest.fixture
def finding() -> Finding:
    return attention_finding(USERS, ITEMS, ["2", "3"], BEHAVIORS, heads=2)


def test_attention_is_the_mean_over_the_group_of_the_sum_over_heads(finding) -> None:
    table = relations.attention_table(finding, "item").set_index(["order", "start", "relation"])["attention"]
    for k, start in enumerate(BEHAVIORS):
        for place, order in enumerate(("2", "3")):
            for b, relation in enumerate(BEHAVIORS):
                total = sum(
                    finding.values[k, place, h, node, b]
                    for h in range(2)
                    for node in range(USERS, USERS + ITEMS)
                )
                assert table[order, start, relation] == pytest.approx(total / ITEMS, abs=1e-6)


def test_the_last_snapshot_shows_what_the_finding_shows(finding) -> None:
    history = attention_history(finding, epochs=(1, 4))
    now = relations.attention_table(finding, "user")["attention"]
    then = relations.attention_table_at(history, 4, "user")["attention"]
    first = relations.attention_table_at(history, 1, "user")["attention"]
    np.testing.assert_allclose(then, now, atol=1e-5)
    np.testing.assert_allclose(first, now / 4, atol=1e-5)


def test_evolution_follows_one_start_and_order(finding) -> None:
    history = attention_history(finding, epochs=(1, 4))
    table = relations.evolution_table(history, "user", "cart", "3")
    row = table[(table["epoch"] == 4) & (table["relation"] == "buy")].iloc[0]
    assert row["mean"] == pytest.approx(finding.values[1, 1, :, :USERS, 2].sum(0).mean(), abs=1e-5)
    assert row["q25"] <= row["q75"]


def test_spread_has_a_row_per_group_and_relation(finding) -> None:
    table = relations.spread_table(finding, "buy", "2").set_index(["group", "relation"])
    nodes = finding.values[2, 0, :, :USERS, 0].sum(0)
    assert table.loc[("users", "view"), "median"] == pytest.approx(np.median(nodes), abs=1e-6)
    assert table.loc[("items", "view"), "nodes"] == ITEMS
    assert len(table) == 2 * len(BEHAVIORS)


def test_paths_are_sorted_and_keep_their_support() -> None:
    finding = paths_finding(2, BEHAVIORS)
    table = relations.paths_table(finding, "item")
    assert table["strength"].is_monotonic_decreasing
    place = finding.axis("path").labels.index(table["path"][0])
    assert table["support"][0] == finding.support[1, place]


@pytest.mark.parametrize(("total", "expected"), [(9, 6), (5, 5), (3, 3), (1, 1)])
def test_extremes_name_each_path_once(total, expected) -> None:
    table = relations.paths_table(paths_finding(2, BEHAVIORS), "user").head(total)
    chosen = relations.extremes(table)
    assert len(chosen) == expected == chosen["path"].nunique()
    assert chosen["path"].iloc[0] == table["path"].iloc[0]
    assert chosen["path"].iloc[-1] == table["path"].iloc[-1]


def hand_made() -> Finding:
    """Two behaviours, three users, one item: users 0 and 1 lead with start b over a, user 2 with start a over a."""
    values = np.zeros((2, 1, 1, 4, 2), dtype=np.float32)
    values[1, 0, 0, 0, 0] = values[1, 0, 0, 1, 0] = 2.0
    values[0, 0, 0, 2, 0] = 1.0
    axes = (
        Axis.labelled("start", ("a", "b")),
        Axis.labelled("order", ("2",)),
        Axis.labelled("head", ("1",)),
        Axis("node", 4, groups={"user": (0, 3), "item": (3, 4)}),
        Axis.labelled("relation", ("a", "b")),
    )
    return Finding("relation_attention", "t", "CIGF, Eq. 9", Kind.SIGNED, axes, values)


def test_the_leading_path_counts_the_votes_of_the_nodes() -> None:
    leader = relations.leading_path(hand_made(), "user", "recursive")
    assert (leader.path, leader.share, leader.nodes) == ("a > b", pytest.approx(2 / 3), 3)
    assert (leader.runner_up, leader.runner_up_share) == ("a > a", pytest.approx(1 / 3))


def test_target_composition_reads_the_start_first() -> None:
    assert relations.leading_path(hand_made(), "user", "target").path == "b > a"


def test_segments_are_averaged_over_their_own_users() -> None:
    segments = {"few": np.array([0, 1]), "one": np.array([2]), "none": np.array([], dtype=int)}
    table = relations.segment_table(hand_made(), segments, "b", "2").set_index(["segment", "relation"])[
        "attention"
    ]
    assert table["few", "a"] == 2
    assert table["one", "a"] == 0
    assert "none" not in table.index.get_level_values(0)


@pytest.mark.parametrize(("decisive", "verdict"), [("few", "**more than**"), ("one", "**not more than**")])
def test_the_segment_sentence_says_whether_the_plant_was_found(decisive, verdict) -> None:
    table = relations.segment_table(hand_made(), {"few": np.array([0, 1]), "one": np.array([2])}, "b", "2")
    (sentence,) = relations.segment_sentences(table, {decisive: "a"})
    assert verdict in sentence


def test_segments_with_a_relation_outside_the_model_are_left_out() -> None:
    table = relations.segment_table(hand_made(), {"few": np.array([0, 1]), "one": np.array([2])}, "b", "2")
    assert relations.segment_sentences(table, {"few": "co_purchase"}) == []


def test_attention_that_is_the_same_for_all_nodes_is_told_apart_from_personal_attention() -> None:
    personal = hand_made()
    nodes = relations.node_attention(personal, "user")
    deviation = np.mean(
        [nodes[k, 0, :, b].std() for k in range(nodes.shape[0]) for b in range(nodes.shape[3])]
    )
    assert relations.personal_ratio(personal, "user") == pytest.approx(deviation / np.abs(nodes).mean())
    alike = np.broadcast_to(personal.values[:, :, :, :1], personal.values.shape).copy()
    constant = Finding(personal.key, personal.title, personal.source, Kind.SIGNED, personal.axes, alike)
    assert relations.personal_ratio(constant, "user") < relations.IMPERSONAL
