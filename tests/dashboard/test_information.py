"""Levels and alarms of the Information page: tables, the verdict on HGIB's Figure 6, every alarm both ways."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from core.errors import RunError
from core.findings import Axis, Finding, Kind
from dashboard import alarms, information, refinement
from dashboard.information import FALLS, RISES, STAYS, Stated
from tests.dashboard import stored_levels as stored
from tests.dashboard.stored_levels import DIMS, HIERARCHIES, PAIRS


def stated(finding: Finding, *, history: bool = True) -> Stated:
    return Stated(finding, stored.history(finding) if history else None)


def levels(**values: float) -> pd.DataFrame:
    """A table of `abundance_table`'s columns that matter, for levels written with _ instead of spaces."""
    names = [name.replace("_", " ") for name in values]
    return pd.DataFrame(
        {"level": names, "depth": [information.depth(n) for n in names], "value": list(values.values())}
    )


@pytest.mark.parametrize(
    ("level", "depth", "parent"),
    [
        ("initial", 0, ""),
        ("all behaviours", 1, "initial"),
        ("view", 2, "all behaviours"),
        ("view and buy", 3, "view"),
        ("view without buy", 3, "view"),
        ("output", 4, ""),
    ],
)
def test_every_level_has_a_depth_and_a_parent(level, depth, parent) -> None:
    full = ("initial", *HIERARCHIES["full"], "output")
    assert information.depth(level) == depth
    assert information.parent(level, full) == parent


def test_levels_that_a_variant_lacks_are_nobodys_parent() -> None:
    assert (
        information.parent("view and buy", ("initial", *HIERARCHIES["without_behavior"])) == "all behaviours"
    )
    assert information.parent("view", ("initial", "view", "buy")) == "initial"


def test_abundance_follows_side_and_epoch() -> None:
    about = stated(stored.abundance())
    users, items = (information.abundance_table(about, side, None) for side in ("user", "item"))
    np.testing.assert_allclose(users["value"], 6 - 0.25 * np.arange(13))
    np.testing.assert_allclose(items["value"], 0.9 * users["value"])
    np.testing.assert_allclose(information.abundance_table(about, "user", 1)["value"], users["value"] / 2)
    np.testing.assert_allclose(information.abundance_table(about, "user", 4)["value"], users["value"])
    row = users.set_index("level").loc["cart without buy"]
    assert row["parent"] == "cart"
    assert row["of_parent"] == users.set_index("level").at["cart", "value"]


def test_snapshots_are_followed_only_where_there_are_some() -> None:
    with_history, without = stated(stored.abundance()), stated(stored.abundance(), history=False)
    assert [with_history.follows(epoch) for epoch in (None, 1, 2, 5)] == [False, True, False, True]
    assert not without.follows(1)
    assert information.by_depth_over_epochs(without, "user").empty


def test_steps_compare_the_means_of_depths() -> None:
    table = levels(initial=10, all_behaviours=9, view=4, buy=6, view_and_buy=5.01, output=8)
    found = information.steps(table)
    assert [(step.start, step.end) for step in found] == [
        ("initial table", "all behaviours"),
        ("all behaviours", "single behaviours"),
        ("single behaviours", "components"),
        ("components", "output"),
    ]
    assert [step.verdict for step in found] == [FALLS, FALLS, STAYS, RISES]
    assert (found[1].before, found[1].after) == (9, 5)
    assert found[1].change == pytest.approx(5 / 9 - 1)
    told = information.step_table(found)
    assert told["step"].iloc[0] == "initial table → all behaviours"
    assert told["verdict"].tolist() == [FALLS, FALLS, STAYS, RISES]


def test_depths_that_are_missing_are_stepped_over() -> None:
    found = information.steps(levels(initial=10, all_behaviours=9, view_and_buy=5, output=5))
    assert [step.start for step in found] == ["initial table", "all behaviours", "components"]
    assert information.steps(levels(initial=1)) == []
    assert information.steps(levels(initial=0, output=0))[0].verdict == STAYS


@pytest.mark.parametrize(
    ("values", "verdict"),
    [
        ({"initial": 5, "all_behaviours": 4, "output": 3}, "holds"),
        ({"initial": 5, "all_behaviours": 4, "output": 4}, "holds in part"),
        ({"initial": 5, "all_behaviours": 6, "output": 6}, "does not hold"),
        ({"initial": 5}, ""),
    ],
)
def test_figure_6_holds_where_every_step_falls(values, verdict) -> None:
    assert information.falling(information.steps(levels(**values))) == verdict


def test_dependence_names_both_levels() -> None:
    table = information.dependence_table(stated(stored.hsic()), "item", None)
    assert table["parent"].tolist()[:2] == ["initial", "all behaviours"]
    assert table["level"].tolist() == list(HIERARCHIES["full"])
    np.testing.assert_allclose(table["value"], 0.02 / (1 + np.arange(11)))


def test_preservation_is_measured_against_guessing() -> None:
    table = information.preservation_table(stated(stored.preservation()), None)
    np.testing.assert_allclose(table["guessing"], 2 * np.log(PAIRS))
    np.testing.assert_allclose(table["lost"], table["value"] / (2 * np.log(PAIRS)))
    unknown = information.preservation_table(stated(replace(stored.preservation(), support=None)), None)
    assert unknown["lost"].isna().all()


def test_spectra_leave_padding_out_and_tell_who_falls_furthest() -> None:
    table = information.spectrum_table(stated(stored.singular_values()), "user", None)
    assert table.groupby("level", sort=False).size().unique().tolist() == [DIMS - 1]
    assert table["value"].min() > 0
    found = information.drops(table)
    assert found[0].level == "output"
    assert found[-1].level == "initial"
    assert found[-1].smallest == pytest.approx(2.0 ** -(DIMS - 2))
    assert found[0].ranks == DIMS - 1


def test_a_level_without_some_ranks_falls_further_than_any_that_has_them() -> None:
    table = pd.DataFrame(
        {"level": ["a", "a", "b"], "depth": [1, 1, 2], "rank": [1, 2, 1], "value": [1, 0.001, 1.0]}
    )
    assert [drop.level for drop in information.drops(table)] == ["b", "a"]


def test_depths_over_epochs_are_means_between_their_smallest_and_largest_level() -> None:
    about = stated(stored.abundance())
    table = information.by_depth_over_epochs(about, "user")
    assert table["epoch"].unique().tolist() == [1, 3, 5]
    last = table[(table["epoch"] == 5) & (table["depth"] == 2)].iloc[0]
    behaviors = 6 - 0.25 * np.arange(2, 6)
    assert (last["mean"], last["low"], last["high"], last["levels"]) == (
        behaviors.mean(),
        behaviors.min(),
        behaviors.max(),
        4,
    )
    dependence = information.by_depth_over_epochs(stated(stored.hsic()), "user")
    assert sorted(dependence["depth"].unique()) == [1, 2, 3]
    whole = information.by_depth_over_epochs(stated(stored.preservation()))
    assert sorted(whole["depth"].unique()) == [1, 2]


@pytest.mark.parametrize(
    "axes",
    [
        (Axis.labelled("level", ("a",)),),
        (Axis.labelled("level", ("a",)), Axis.labelled("side", ("item", "user"))),
        (Axis("level", 0), Axis.labelled("side", ("user", "item"))),
        (Axis.labelled("side", ("user", "item")), Axis.labelled("level", ("a",))),
    ],
)
def test_findings_of_another_shape_are_refused(axes) -> None:
    values = np.zeros(tuple(axis.size for axis in axes))
    finding = Finding("information_abundance", "x", "y", Kind.AMOUNT, axes, values)
    with pytest.raises(RunError, match="expected the axes level, side"):
        information.checked(finding, ("level", "side"))


def test_findings_of_the_right_shape_pass() -> None:
    finding = stored.abundance()
    assert information.checked(finding, ("level", "side")) is finding


def test_the_extreme_row_skips_what_is_not_known() -> None:
    table = pd.DataFrame({"level": list("abc"), "value": [np.nan, 2.0, 1.0]})
    assert information.extreme(table, "value")["level"] == "b"
    assert information.extreme(table, "value", least=True)["level"] == "c"


def test_a_collapsed_level_raises_an_alarm() -> None:
    assert alarms.collapse_below(7) == 2
    assert alarms.collapse_below(64) == pytest.approx(6.4)
    alarm = alarms.collapsed(levels(initial=20, view=6.3, view_and_buy=6.5), 64, "user")
    assert alarm is not None
    assert "**view**" in alarm.text
    assert "6.3" in alarm.text
    assert "below 6.4 of 64 dimensions" in alarm.text
    assert "close to few directions" in alarm.text
    assert "Try a smaller beta" in alarm.text
    other = alarms.collapsed(levels(initial=20, view=1.3), 64, "user", has_beta=False)
    assert other is not None
    assert "close to a line" in other.text
    assert "beta" not in other.text
    assert alarms.collapsed(levels(initial=20, view=6.4), 64, "user") is None
    assert alarms.collapsed(levels(initial=2, view=1.9), 7, "item") is not None


def test_nothing_pruned_raises_an_alarm_only_where_every_graph_keeps_all() -> None:
    table = refinement.keep_table(stated(stored.keep_rate(least=0.9994)), None, None)
    alarm = alarms.nothing_pruned(table, 0.05)
    assert alarm is not None
    assert "99.9 %" in alarm.text
    assert "−2.94" in alarm.text
    assert "−1.47" in alarms.nothing_pruned(table, 0.05, 0.5).text
    assert "drop about 7 of 66,000" in alarm.text
    assert "dot product" not in alarms.nothing_pruned(table, None).text
    assert (
        alarms.nothing_pruned(refinement.keep_table(stated(stored.keep_rate(least=0.998)), None, None), 0.05)
        is None
    )


def test_a_level_near_guessing_has_lost_the_output() -> None:
    guessing = 2 * np.log(PAIRS)
    about = stated(stored.preservation(worst=0.91 * guessing))
    alarm = alarms.lost_output(information.preservation_table(about, None))
    assert alarm is not None
    assert "**all behaviours**" in alarm.text
    assert f"guessing {guessing:.1f}" in alarm.text
    healthy = information.preservation_table(stated(stored.preservation(worst=0.89 * guessing)), None)
    assert alarms.lost_output(healthy) is None
    unknown = replace(stored.preservation(worst=0.99 * guessing), support=None)
    assert alarms.lost_output(information.preservation_table(stated(unknown), None)) is None


@pytest.mark.parametrize(("area", "alarmed"), [(0.7, False), (0.5, True), (0.3, True)])
def test_weights_that_do_not_find_noise_raise_an_alarm(area, alarmed) -> None:
    keep = refinement.keep_table(stated(stored.keep_rate()), None, None)
    table = refinement.detection_table(stated(stored.noise_detection(area=area), history=False), keep, None)
    alarm = alarms.blind_weights(table)
    assert (alarm is not None) == alarmed
    if alarm is not None:
        assert ("larger weights" in alarm.text) == (area < 0.5)
        assert "10 graphs" in alarm.text


def test_one_graph_that_finds_noise_ends_the_alarm() -> None:
    finding = stored.noise_detection(area=0.5)
    finding.values[3, 0] = 0.8
    keep = refinement.keep_table(stated(stored.keep_rate()), None, None)
    assert (
        alarms.blind_weights(refinement.detection_table(stated(finding, history=False), keep, None)) is None
    )


def test_many_levels_are_counted_and_names_cannot_write_markdown() -> None:
    alarm = alarms.collapsed(levels(initial=1, all_behaviours=1, view=1, buy=1), 7, "user")
    assert "initial, all behaviours, view and 1 more" in alarm.text
    odd = pd.DataFrame({"level": ["add_to_cart"], "depth": [2], "value": [1.0]})
    assert r"add\_to\_cart" in alarms.collapsed(odd, 7, "user").text


def test_edges_are_told_per_graph() -> None:
    table = refinement.keep_table(stated(stored.keep_rate()), stated(stored.weight_histogram()), None)
    assert table["graph"].tolist() == list(HIERARCHIES["full"])
    assert table["edges"].tolist() == [1000 * (g + 1) for g in range(11)]
    last = table.iloc[-1]
    assert (last["training"], last["evaluation"]) == (0.8, 0.9)
    assert last["dropped"] == pytest.approx(2200)
    np.testing.assert_allclose(table["weight"], 0.5)
    assert refinement.keep_table(stated(stored.keep_rate()), None, None)["weight"].isna().all()
    bare = replace(stored.keep_rate(), support=None)
    assert refinement.keep_table(stated(bare), None, None)[["edges", "dropped"]].isna().all(axis=None)


def test_histograms_are_shares_of_a_graphs_edges() -> None:
    finding = stored.weight_histogram()
    finding.values[0] = 0
    table = refinement.histogram_table(stated(finding, history=False), None)
    sums = table.groupby("graph", sort=False)["share"].sum()
    assert sums.iloc[0] == 0
    np.testing.assert_allclose(sums.iloc[1:], 1)
    assert (table["low"].min(), table["high"].max()) == (0, 1)
    assert table[table["graph"] == "view"]["total"].unique().tolist() == [2000]


def slow_interval(area: float, noise: int, others: int) -> tuple[float, float]:
    """Hanley and McNeil 1982, Eq. 1, written out."""
    first, second = area / (2 - area), 2 * area * area / (1 + area)
    variance = area * (1 - area)
    variance += (noise - 1) * (first - area * area)
    variance += (others - 1) * (second - area * area)
    half = 1.959964 * (variance / (noise * others)) ** 0.5
    return max(0.0, area - half), min(1.0, area + half)


def test_intervals_of_areas_follow_hanley_and_mcneil() -> None:
    keep = refinement.keep_table(stated(stored.keep_rate()), None, None)
    table = refinement.detection_table(stated(stored.noise_detection(), history=False), keep, None)
    row = table[(table["graph"] == "view") & (table["scorer"] == "edge weight")].iloc[0]
    np.testing.assert_allclose((row["low"], row["high"]), slow_interval(0.7, 101, 2000 - 101))
    unknown = refinement.detection_table(stated(stored.noise_detection(), history=False), None, None)
    wider = unknown.iloc[3]
    np.testing.assert_allclose((wider["low"], wider["high"]), slow_interval(0.7, 101, 101))


def test_areas_are_judged_against_chance_and_graphs_without_noise_left_out() -> None:
    finding = stored.noise_detection()
    finding.values[1, 0], finding.values[2, 0] = 0.3, 0.5
    finding.support[0] = 0
    keep = refinement.keep_table(stated(stored.keep_rate()), None, None)
    table = refinement.detection_table(stated(finding, history=False), keep, None)
    assert "all behaviours" not in set(table["graph"])
    own = table[table["scorer"] == "edge weight"].set_index("graph")["verdict"]
    assert own["view"] == refinement.WORSE
    assert own["favorite"] == refinement.CHANCE
    assert own["cart"] == refinement.BETTER


def test_weights_are_held_against_the_number_of_the_items_users() -> None:
    finding = stored.noise_detection(["view", "favorite", "cart"], by_users=0.6)
    finding.values[:, 0] = 0.9, 0.3, 0.61
    found = refinement.against_count(refinement.detection_table(stated(finding, history=False), None, None))
    assert found == {"better": ["view"], "worse": ["favorite"], "no better": ["cart"]}
    alone = pd.DataFrame(
        {"graph": ["a"], "scorer": ["edge weight"], "area": [0.15], "low": [0.1], "high": [0.2]}
    )
    assert refinement.against_count(alone) == {"better": [], "worse": [], "no better": []}


@pytest.mark.parametrize(
    ("low", "high", "kind"), [(0.8, 0.9, "better"), (0.6, 0.65, "worse"), (0.6, 0.72, "no better")]
)
def test_the_number_of_users_is_read_the_better_way_round(low: float, high: float, kind: str) -> None:
    """An area of 0.3 finds noise as well as one of 0.7: few users then speak for an edge."""
    table = pd.DataFrame(
        {
            "graph": ["view", "view"],
            "scorer": ["edge weight", "users of the item"],
            "area": [(low + high) / 2, 0.3],
            "low": [low, 0.28],
            "high": [high, 0.32],
        }
    )
    assert refinement.against_count(table)[kind] == ["view"]


def test_precision_is_not_known_where_nothing_is_pruned() -> None:
    table = refinement.precision_table(stated(stored.pruning_precision(), history=False), None)
    first, second = table.iloc[0], table.iloc[1]
    assert (first["among_pruned"], first["lift"], first["found"], first["pruned"]) == (0.5, 5.0, 0.2, 40)
    assert np.isnan(second["among_pruned"])
    assert second["found"] == 0
