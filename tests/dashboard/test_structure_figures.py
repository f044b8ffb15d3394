"""The data that the Structure page's figures draw."""

import numpy as np
import pandas as pd
import pytest

from core.findings import Axis, Finding, Kind
from dashboard import branches, hyperedges
from dashboard.figures.evolution import lines_over_epochs
from dashboard.figures.structure import (
    MOST_BARS,
    SIDE_LOOKS,
    branch_bars,
    branch_look,
    history_bars,
    hyperedge_bars,
    largest_hyperedges,
    short_title,
)
from dashboard.information import Stated
from tests.dashboard import stored_structure as stored

USERS, ITEMS, EDGES = 13, 11, 3


@pytest.fixture
def sizes() -> pd.DataFrame:
    rng = np.random.default_rng(2)
    finding = stored.membership(rng.integers(0, EDGES, (2, USERS + ITEMS)), USERS)
    return hyperedges.size_table(Stated(finding, None), None)


def test_bars_are_mean_memberships_and_diamonds_majorities(sizes) -> None:
    figure = hyperedge_bars(sizes, even=1 / EDGES)
    bars = [trace for trace in figure.data if trace.type == "bar"]
    assert len(bars) == 4
    for trace, (modality, side) in zip(bars, [(m, s) for m in stored.MODALITIES for s in stored.SIDES]):
        own = sizes[(sizes["modality"] == modality) & (sizes["side"] == side)]
        assert list(trace.y) == own["share"].tolist()
        assert list(trace.x) == ["1", "2", "3"]
    diamonds = [trace for trace in figure.data if trace.type == "scatter"]
    assert list(diamonds[0].y) == (sizes["mostly"] / sizes["nodes"]).head(3).tolist()
    assert [trace.name for trace in figure.data if trace.showlegend] == ["users", "belong mostly", "items"]
    assert [title.text for title in figure.layout.annotations] == list(stored.MODALITIES)
    assert {line.y0 for line in figure.layout.shapes} == {1 / EDGES}


def test_a_snapshot_has_no_diamonds_and_an_empty_table_says_so(sizes) -> None:
    figure = hyperedge_bars(sizes.assign(mostly=np.nan), even=1 / EDGES)
    assert {trace.type for trace in figure.data} == {"bar"}
    assert "No hyperedge" in hyperedge_bars(sizes.head(0), even=1 / EDGES).layout.annotations[0].text


def test_of_many_hyperedges_the_largest_of_each_modality_are_kept() -> None:
    rng = np.random.default_rng(4)
    values = rng.dirichlet(np.ones(17), (2, USERS + ITEMS)).astype(np.float32)
    axes = (
        Axis.labelled("modality", stored.MODALITIES),
        stored.node_axis(USERS, ITEMS),
        Axis.labelled("hyperedge", [str(k + 1) for k in range(17)]),
    )
    finding = Finding("hyperedge_membership", "Membership", "S", Kind.SHARE, axes, values)
    sizes = hyperedges.size_table(Stated(finding, None), None)
    kept = largest_hyperedges(sizes, 5)
    assert len(kept) == 2 * 2 * 5
    for modality in stored.MODALITIES:
        own = sizes[sizes["modality"] == modality]
        total = own.groupby("hyperedge", sort=False)["share"].sum()
        expected = set(total.sort_values(ascending=False).index[:5])
        assert set(kept.loc[kept["modality"] == modality, "hyperedge"]) == expected
    assert largest_hyperedges(sizes, 17).equals(sizes)
    assert largest_hyperedges(sizes.head(0)).empty


def history_table(count: int) -> pd.DataFrame:
    share = np.linspace(2, 1, count) / count
    columns = {"name": [f"item {i}" for i in range(count)], "head 1": share[::-1], "mean": share}
    return pd.DataFrame(columns | {"relative": share * count, "trained": range(count)})


def test_a_history_is_cut_and_marked_by_head() -> None:
    table = history_table(47)
    figure = history_bars(table, even=1 / 47, heads=["head 1"])
    bars, marks = figure.data
    assert list(bars.x) == table["mean"].head(MOST_BARS).tolist()
    assert list(marks.x) == table["head 1"].head(MOST_BARS).tolist()
    assert figure.layout.shapes[0].x0 == 1 / 47
    assert "2.00 times an even share<br>0 training pairs" in bars.customdata[0][1]
    assert figure.layout.yaxis.range[0] > figure.layout.yaxis.range[1], "the most attended is on top"
    assert len(history_bars(table.drop(columns="trained"), even=0.1, heads=[]).data) == 1
    assert "No interaction" in history_bars(table.head(0), even=1, heads=[]).layout.annotations[0].text


def test_long_titles_are_cut() -> None:
    assert short_title("short") == "short"
    assert short_title("x" * 50) == "x" * 45 + "…"


def test_branches_are_bars_per_side_and_may_lie_below_zero() -> None:
    norm, part = stored.branches("srgformer", USERS, ITEMS, idle=-0.1)
    table = branches.branch_table(Stated(part, None), Stated(norm, None), None)
    figure = branch_bars(table, titles={b: f"the {b}" for b in stored.BRANCHES["srgformer"]})
    users, items = figure.data
    assert list(users.x) == table.loc[table["side"] == "user", "contribution"].tolist()
    assert list(items.y) == [f"the {b}" for b in stored.BRANCHES["srgformer"]]
    assert users.text[-1] == "−10.0%"
    assert figure.layout.xaxis.range[0] < -0.1
    assert "No branch" in branch_bars(table.head(0), titles={}).layout.annotations[0].text


def test_lines_have_a_band_only_where_one_is_known() -> None:
    table = pd.DataFrame(
        {
            "epoch": [1, 5] * 2,
            "name": ["user"] * 2 + ["item"] * 2,
            "mean": [0.1, 0.2, 0.3, 0.4],
            "low": [0.0, 0.1, np.nan, np.nan],
            "high": [0.2, 0.3, np.nan, np.nan],
        }
    )
    figure = lines_over_epochs(table, looks=SIDE_LOOKS, y="share", epoch=5, titles={"user": "users"})
    assert [trace.name for trace in figure.data] == ["users band", "users", "item"]
    assert list(figure.data[0].y) == [0.2, 0.3, 0.1, 0.0]
    assert list(figure.data[2].y) == [0.3, 0.4]
    assert figure.layout.shapes[0].x0 == 5
    assert (
        "no snapshots"
        in lines_over_epochs(table.head(0), looks=SIDE_LOOKS, y="share").layout.annotations[0].text
    )


def test_every_branch_has_a_look_of_its_own() -> None:
    looks = [branch_look(branch) for branch in stored.BRANCHES["srgformer"]]
    for part in zip(*looks):
        assert len(set(part)) == 4
    assert branch_look("unheard of") == branch_look("unheard of")
