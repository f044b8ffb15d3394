"""The tables behind the Relations page, against obvious loops."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from core.findings import Finding, History
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
    then = relations.attention_table_at(history, 4, "user", USERS)["attention"]
    early = relations.attention_table_at(history, 1, "user", USERS)
    first = early["attention"]
    assert set(early["nodes"]) == {USERS} == set(relations.attention_table(finding, "user")["nodes"])
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


def test_spread_at_an_epoch_comes_from_the_stored_quantiles() -> None:
    finding = attention_finding(USERS, ITEMS, ["2", "3"], BEHAVIORS)
    history = attention_history(finding, epochs=(1, 4))
    sizes = relations.group_sizes(finding)
    now = relations.spread_table(finding, "cart", "3")
    numbers = ["mean", *relations.QUANTILES]
    then = relations.spread_table_at(history, 4, sizes, "cart", "3")
    assert then.drop(columns=numbers).equals(now.drop(columns=numbers))
    np.testing.assert_allclose(then[numbers], now[numbers], atol=1e-5)
    early = relations.spread_table_at(history, 1, sizes, "cart", "3")
    np.testing.assert_allclose(early[numbers], now[numbers] / 4, atol=1e-5)


def test_paths_at_an_epoch_have_that_epochs_strength_and_the_same_support() -> None:
    finding = paths_finding(2, BEHAVIORS)
    history = History(
        finding.key, finding.kind, finding.axes, np.array([1, 4]), np.stack([-finding.values, finding.values])
    )
    now = relations.paths_table(finding, "item")
    early = relations.paths_table(finding, "item", history, 1)
    assert relations.paths_table(finding, "item", history, 4).equals(now)
    assert early["path"].tolist() == now["path"].tolist()[::-1]
    assert dict(zip(early["path"], early["support"])) == dict(zip(now["path"], now["support"]))


def test_the_colour_scale_covers_every_epoch(finding) -> None:
    shrunk = attention_history(finding, epochs=(8, 4))  # the first snapshot weighs twice as much as the last
    largest = relations.attention_table(finding, "user")["attention"].abs().max()
    assert relations.largest_weight(finding, shrunk, "user") == pytest.approx(2 * largest, rel=1e-5)
    assert relations.largest_weight(finding, None, "user") == pytest.approx(largest)


@pytest.mark.parametrize(
    ("pairs", "extrapolated", "text"),
    [
        (699_609, True, "≈ 700,000"),
        (1_912_500, True, "≈ 1,900,000"),
        (699_609, False, "699,609"),
        (0, True, "≈ 0"),
    ],
)
def test_extrapolated_support_is_no_more_precise_than_it_is(pairs, extrapolated, text) -> None:
    assert relations.pairs_text(pairs, extrapolated) == text


def test_support_is_extrapolated_where_the_note_says_so() -> None:
    finding = paths_finding(2, BEHAVIORS)
    assert not relations.is_extrapolated(finding)
    assert relations.is_extrapolated(replace(finding, note="Support is extrapolated from 128 targets."))


def test_ties_that_the_figure_cuts_are_counted() -> None:
    table = pd.DataFrame({"path": list("abcdefgh"), "strength": [2.0] * 4 + [1.5] + [1.0] * 3})
    assert relations.equal_but_hidden(table) == (1, 0)
    assert relations.equal_but_hidden(table.head(5)) == (0, 0)


def test_the_start_lies_where_the_composition_puts_it() -> None:
    assert relations.path_label("recursive", "cart", "view") == "view > cart"
    assert "far end" in relations.start_place("recursive")
    assert relations.path_label("target", "cart", "view") == "cart > view"
    assert "next to the target" in relations.start_place("target")
