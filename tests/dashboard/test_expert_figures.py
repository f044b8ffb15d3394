"""Figures of the Experts page: the data they draw, never pixels."""

import numpy as np
import pandas as pd
import pytest

from dashboard.figures.conflict import conflict_curves, conflict_heatmap
from dashboard.figures.gates import (
    entropy_over_epochs,
    expert_looks,
    gate_boxes,
    gate_heatmap,
    gates_over_epochs,
)
from dashboard.figures.groups import by_group
from dashboard.figures.heads import heads_side_by_side
from dashboard.figures.palette import behavior_color

TASKS, EXPERTS = ("view", "buy"), ("one", "two", "three")


def gate_rows() -> pd.DataFrame:
    rows = [
        (task, expert, 0.1 * t + 0.2 * e, 0.01 * e, 0.05 * e, 23)
        for t, task in enumerate(TASKS)
        for e, expert in enumerate(EXPERTS)
    ]
    table = pd.DataFrame(rows, columns=["task", "expert", "mean", "deviation", "leads", "pairs"])
    for shift, name in enumerate(("q05", "q25", "median", "q75", "q95"), start=-2):
        table[name] = table["mean"] + 0.01 * shift
    return table


def test_experts_of_behaviours_keep_their_colours_and_others_differ() -> None:
    looks = expert_looks(TASKS, TASKS)
    assert {name: look[0] for name, look in looks.items()} == {b: behavior_color(b) for b in TASKS}
    others = expert_looks(EXPERTS, TASKS)
    assert len(set(others.values())) == 3


def test_gate_heatmap_has_tasks_as_rows_and_the_picked_one_in_bold() -> None:
    figure = gate_heatmap(gate_rows(), task="buy", top=0.5)
    cells, numbers = figure.data
    assert list(cells.y) == ["view", "<b>buy</b>"]
    assert list(cells.x) == list(EXPERTS)
    np.testing.assert_allclose(cells.z, [[0, 0.2, 0.4], [0.1, 0.3, 0.5]])
    assert (figure.layout.coloraxis.cmin, figure.layout.coloraxis.cmax) == (0, 0.5)
    place = next(i for i, (x, y) in enumerate(zip(numbers.x, numbers.y)) if (x, y) == ("two", "<b>buy</b>"))
    assert numbers.text[place].startswith("30.0%")
    assert "± 1.0%" in numbers.text[place]


def test_gate_boxes_hold_the_quantiles_of_each_expert() -> None:
    table = gate_rows().query("task == 'buy'")
    figure = gate_boxes(table, looks=expert_looks(EXPERTS, TASKS))
    assert [box.x[0] for box in figure.data] == list(EXPERTS)
    for box, row in zip(figure.data, table.to_dict("records")):
        drawn = (box.lowerfence[0], box.q1[0], box.median[0], box.q3[0], box.upperfence[0], box.mean[0])
        assert drawn == tuple(row[name] for name in ("q05", "q25", "median", "q75", "q95", "mean"))
    assert figure.layout.shapes[0].y0 == pytest.approx(1 / 3)


def test_gates_over_epochs_draw_a_line_in_a_band_per_expert() -> None:
    rows = [(epoch, expert, 0.1 * epoch, 0.05, 0.4) for expert in EXPERTS for epoch in (5, 1)]
    table = pd.DataFrame(rows, columns=["epoch", "expert", "mean", "q25", "q75"])
    figure = gates_over_epochs(table, looks=expert_looks(EXPERTS, TASKS), epoch=4, mark="scored")
    band, line = figure.data[:2]
    assert list(line.x) == [1, 5]
    assert list(line.y) == [0.1, 0.5]
    assert list(band.x) == [1, 5, 5, 1]
    assert list(band.y) == [0.4, 0.4, 0.05, 0.05]
    assert len(figure.data) == 6
    assert figure.layout.annotations[0].text == "scored"


def test_entropy_over_epochs_marks_where_alarms_begin() -> None:
    rows = [(task, epoch, 0.9, 0.1 * epoch) for task in TASKS for epoch in (1, 3)]
    table = pd.DataFrame(rows, columns=["task", "epoch", "even_entropy", "pair_entropy"])
    figure = entropy_over_epochs(table, flat=0.98, collapsed=0.1, epoch=None, mark="")
    assert [trace.name for trace in figure.data] == ["view", "buy"]
    np.testing.assert_allclose(figure.data[1].y, [0.1, 0.3])
    assert [
        (shape.y0, note.text) for shape, note in zip(figure.layout.shapes, figure.layout.annotations)
    ] == [
        (0.98, "flat"),
        (0.1, "collapsed"),
    ]


def test_heads_stand_in_panels_of_at_most_three_a_row() -> None:
    part = gate_rows().query("task == 'buy'")
    heads = ["MESI", "MMOE", "PLE", "PLE as released"]
    table = pd.concat([part.assign(head=head) for head in heads])
    figure = heads_side_by_side(table, looks={h: expert_looks(EXPERTS, TASKS) for h in heads}, task="buy")
    assert [(bar.xaxis, bar.yaxis) for bar in figure.data] == [
        ("x", "y"),
        ("x2", "y2"),
        ("x3", "y3"),
        ("x4", "y4"),
    ]
    assert [note.text for note in figure.layout.annotations] == heads
    np.testing.assert_allclose(figure.data[2].y, part["mean"])
    assert list(figure.data[2].x) == ["one<br>10.0%", "two<br>30.0%", "three<br>50.0%"]
    np.testing.assert_allclose(figure.data[2].error_y.array, 0.01)
    assert len(figure.layout.shapes) == 4


def conflict_rows() -> pd.DataFrame:
    rows = [("view", "cart", 0.1), ("view", "buy", -0.2), ("cart", "view", 0.1)]
    rows += [("cart", "buy", 0.3), ("buy", "view", -0.2), ("buy", "cart", 0.3)]
    return pd.DataFrame(rows, columns=["task", "other", "cosine"])


def test_conflict_heatmap_is_symmetric_and_empty_on_its_diagonal() -> None:
    figure = conflict_heatmap(conflict_rows(), reach=0.4)
    cells, numbers = figure.data
    assert list(cells.x) == list(cells.y) == ["view", "cart", "buy"]
    nan = np.nan
    np.testing.assert_allclose(cells.z, [[nan, 0.1, -0.2], [0.1, nan, 0.3], [-0.2, 0.3, nan]])
    assert (figure.layout.coloraxis.cmin, figure.layout.coloraxis.cmid, figure.layout.coloraxis.cmax) == (
        -0.4,
        0,
        0.4,
    )
    told = {(x, y): text for x, y, text in zip(numbers.x, numbers.y, numbers.text)}
    assert told["buy", "view"] == told["view", "buy"] == "-0.200"
    assert len(told) == 6


def test_conflict_curves_mark_zero_and_the_epoch() -> None:
    table = pd.DataFrame(
        {"pair": ["a – b", "a – b", "a – c"], "epoch": [1, 5, 1], "cosine": [0.5, -0.1, 0.2]}
    )
    figure = conflict_curves(table, epoch=5)
    assert [trace.name for trace in figure.data] == ["a – b", "a – c"]
    assert list(figure.data[0].y) == [0.5, -0.1]
    assert figure.layout.shapes[0].y0 == 0
    assert figure.layout.shapes[1].x0 == 5


def group_rows() -> pd.DataFrame:
    rows = []
    for name, base in (("one", 0.2), ("two", 0.4)):
        rows += [
            (name, 0, "low", False, base, base - 0.1, base + 0.05, 11),
            (name, 1, "empty", False, np.nan, np.nan, np.nan, 0),
            (name, 2, "high", False, base + 0.2, base, base + 0.3, 7),
            (name, 3, "undefined", True, base, 0.0, 1.0, 5),
        ]
    return pd.DataFrame(rows, columns=["name", "group", "title", "undefined", "mean", "low", "high", "size"])


def test_groups_draw_each_run_beside_the_other_with_its_interval() -> None:
    looks = {"one": ("#000000", "solid", "circle"), "two": ("#111111", "dash", "square")}
    figure = by_group(group_rows(), looks=looks, y="HR@10", x="correlation", counted="users")
    line, apart = figure.data[:2]
    np.testing.assert_allclose(line.y, [0.2, 0.4])
    np.testing.assert_allclose(line.error_y.array, [0.05, 0.1])
    np.testing.assert_allclose(line.error_y.arrayminus, [0.1, 0.2])
    assert (line.x < figure.data[2].x).all()
    assert list(apart.y) == [0.2]
    assert not apart.showlegend
    assert list(figure.layout.xaxis.tickvals) == [0, 1, 2, 3]
    assert "0 users" in figure.layout.xaxis.ticktext[1]
    assert "5 users" in figure.layout.xaxis.ticktext[3]


@pytest.mark.parametrize(("shrunk", "ticks"), [(1, ".0%"), (0.02, ".1%"), (0.001, ".2%")])
def test_shares_close_together_get_ticks_that_tell_them_apart(shrunk, ticks) -> None:
    rows = group_rows()
    columns = ["mean", "low", "high"]
    rows[columns] = 0.9 + shrunk * (rows[columns] - 0.5)
    looks = {"one": ("#000000", "solid", "circle"), "two": ("#111111", "dash", "square")}
    figure = by_group(rows, looks=looks, y="share", x="length", counted="users", value_format=".2%")
    assert figure.layout.yaxis.tickformat == ticks


@pytest.mark.parametrize(
    "figure",
    [
        lambda t: gate_heatmap(t, task="buy", top=1),
        lambda t: gate_boxes(t, looks={}),
        lambda t: gates_over_epochs(t, looks={}, epoch=None, mark=""),
        lambda t: entropy_over_epochs(t, flat=1, collapsed=0, epoch=None, mark=""),
        lambda t: heads_side_by_side(t, looks={}, task="buy"),
        lambda t: conflict_heatmap(t, reach=1),
        lambda t: conflict_curves(t),
        lambda t: by_group(t.assign(mean=[]), looks={}, y="", x="", counted="users"),
    ],
)
def test_empty_tables_give_a_figure_that_says_why(figure) -> None:
    drawn = figure(pd.DataFrame())
    assert not drawn.data
    assert drawn.layout.annotations[0].text
