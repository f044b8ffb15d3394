"""Figures of the page Alignment: the data they draw."""

import numpy as np
import pandas as pd
import pytest

from dashboard import alignment, modalities
from dashboard.figures.alignment import alignment_over_epochs
from dashboard.figures.modalities import modality_boxes, modality_lines
from dashboard.figures.node_groups import Panel, group_panels
from dashboard.figures.palette import modality_look, side_look
from dashboard.information import Stated
from tests.dashboard import stored_alignment as made

USERS, ITEMS = 7, 11


def stated(finding) -> Stated:
    return Stated(finding, made.history(finding))


@pytest.fixture
def tables():
    degree, weight = (
        alignment.over_epochs(stated(make(USERS, ITEMS))) for make in (made.degree, made.weight)
    )
    return degree, weight, alignment.schedule(stated(made.schedule()))


def lines(figure) -> list:
    return [trace for trace in figure.data if trace.hoverinfo != "skip"]


def test_three_panels_on_the_same_epochs(tables) -> None:
    figure = alignment_over_epochs(*tables, epoch=3, mark="scored")
    users, items, *weights, factor = lines(figure)
    assert list(users.y) == tables[0][tables[0]["side"] == "user"]["mean"].tolist()
    assert list(items.y) == tables[0][tables[0]["side"] == "item"]["mean"].tolist()
    assert [list(trace.y) for trace in weights] == [
        tables[1][tables[1]["side"] == side]["median"].tolist() for side in ("user", "item")
    ]
    assert list(factor.y) == tables[2]["value"].tolist()
    assert {trace.yaxis for trace in lines(figure)} == {"y", "y2", "y3"}, "no panel has a second axis"
    assert {shape.x0 for shape in figure.layout.shapes if shape.x0 == shape.x1} == {3}
    assert figure.layout.annotations[-1].text == "scored"
    assert users.name == "users (7)"


def test_bands_span_the_quantiles(tables) -> None:
    figure = alignment_over_epochs(*tables, epoch=None, mark="")
    outer, inner = [trace for trace in figure.data if trace.hoverinfo == "skip"][:2]
    own = tables[0][tables[0]["side"] == "user"]
    assert list(outer.y) == [*own["q95"], *own["q05"][::-1]]
    assert list(inner.y) == [*own["q75"], *own["q25"][::-1]]


def test_a_panel_without_rows_is_left_out(tables) -> None:
    degree, weight, schedule = tables
    figure = alignment_over_epochs(degree, weight[:0], schedule, epoch=1, mark="m")
    assert {trace.yaxis for trace in lines(figure)} == {"y", "y2"}
    assert not alignment_over_epochs(degree[:0], weight[:0], schedule[:0], epoch=1, mark="m").data


def group_rows(side: str, series: str, means: list[float]) -> list[dict]:
    return [
        {
            "measure": "cosine",
            "series": series,
            "side": side,
            "group": place,
            "title": f"tail: {place}" if side == "item" else str(place),
            "undefined": place == len(means) - 1 and side == "item",
            "mean": mean,
            "low": mean - 0.1,
            "high": mean + 0.2 if place else np.nan,
            "size": 10 + place,
        }
        for place, mean in enumerate(means)
    ]


def test_groups_of_one_side_are_drawn_in_the_range_of_both() -> None:
    table = pd.DataFrame([*group_rows("user", "a", [0.1, 0.2]), *group_rows("item", "a", [0.5, 0.9, 0.7])])
    looks = {"a": side_look("item")}
    figure = group_panels(table, "item", panels={"cosine": Panel("mean cosine", level=1.0)}, looks=looks)
    known, untrained = figure.data
    assert (list(known.y), list(untrained.y)) == ([0.5, 0.9], [0.7])
    assert list(known.error_y.array) == pytest.approx([0.0, 0.2])
    low, high = figure.layout.yaxis.range
    assert low < 0.0 + 1e-9
    assert high > 1.1
    assert figure.layout.xaxis.ticktext[0].startswith("tail<br>0<br>")
    assert not figure.layout.showlegend
    assert any(shape.y0 == shape.y1 == 1.0 for shape in figure.layout.shapes)


def test_several_series_stand_beside_each_other_with_a_legend() -> None:
    table = pd.DataFrame([*group_rows("user", "text", [0.1, 0.2]), *group_rows("user", "image", [0.9, 0.8])])
    looks = {name: modality_look(name, place) for place, name in enumerate(("text", "image"))}
    figure = group_panels(table, "user", panels={"cosine": Panel("x", ".1%")}, looks=looks)
    assert figure.layout.showlegend
    assert [trace.name for trace in figure.data] == ["text", "image"]
    assert next(iter(figure.data[0].x)) < 0 < next(iter(figure.data[1].x))
    assert figure.layout.yaxis.tickformat == ".0%"


def test_no_group_gives_a_figure_that_says_so() -> None:
    figure = group_panels(
        pd.DataFrame(group_rows("user", "a", [0.1])), "item", panels={"cosine": Panel("x")}, looks={}
    )
    assert not figure.data
    assert figure.layout.annotations[0].text


def test_boxes_and_lines_of_modalities_draw_their_table() -> None:
    found = stated(made.attention(USERS, ITEMS))
    looks = {name: modality_look(name, place) for place, name in enumerate(made.MODALITIES)}
    table = modalities.spread(found, None)
    boxes = modality_boxes(table, looks=looks, y="share").data
    assert [box.median[0] for box in boxes] == table["median"].tolist()
    assert [box.upperfence[0] for box in boxes] == table["q95"].tolist()
    over = modalities.over_epochs(found)
    figure = modality_lines(over, looks=looks, y="share", epoch=3, mark="epoch 3")
    drawn = {(trace.name, trace.xaxis): list(trace.y) for trace in lines(figure)}
    own = over[(over["side"] == "item") & (over["modality"] == "image")]
    assert drawn["image", "x2"] == own["mean"].tolist()
    assert len(drawn) == 4
    assert not modality_boxes(table[:0], looks=looks, y="share").data
    assert not modality_lines(over[:0], looks=looks, y="share", epoch=None, mark="").data


def test_modalities_and_sides_keep_their_looks() -> None:
    assert modality_look("text", 0)[0] != modality_look("image", 1)[0]
    assert modality_look("smell", 0)[0] == modality_look("smell", 3)[0]
    assert side_look("user")[1:] != side_look("item")[1:], "colour is never the only sign"
