"""Component graphs of a funnel, and their cache."""

import logging
from dataclasses import replace

import numpy as np
import pytest

from core.data import components as module
from core.data.components import components, without
from core.errors import DataError
from tests.core.models import tiny

DATA = tiny.random_ranking(users=7, items=11)


def dense(data=DATA):
    return {c.key: c.pairs.toarray() > 0 for c in components(data)}


def test_union_intersections_and_differences_hold_the_pairs_their_names_say():
    found, train = dense(), {b: m.toarray() > 0 for b, m in DATA.train.items()}
    assert list(found) == [
        "unified",
        *("view", "cart", "buy"),
        *("view_and_buy", "cart_and_buy"),
        *("view_without_buy", "cart_without_buy"),
    ]
    assert np.array_equal(found["unified"], train["view"] | train["cart"] | train["buy"])
    for behavior in ("view", "cart"):
        assert np.array_equal(found[f"{behavior}_and_buy"], train[behavior] & train["buy"])
        assert np.array_equal(found[f"{behavior}_without_buy"], train[behavior] & ~train["buy"])
    parents = {c.key: c.parent for c in components(DATA)}
    assert parents["unified"] == ""
    assert parents["buy"] == "unified"
    assert parents["cart_without_buy"] == "cart"


def test_matrices_are_canonical_and_the_data_stays_as_it_was():
    before = {b: m.toarray() for b, m in DATA.train.items()}
    for graph in components(DATA):
        assert graph.pairs.has_sorted_indices
        assert (graph.pairs.data == 1).all()
    assert all(np.array_equal(before[b], m.toarray()) for b, m in DATA.train.items())


def test_an_empty_intersection_is_left_out_and_one_auxiliary_behaviour_is_enough():
    view, buy = np.eye(5, 7), np.roll(np.eye(5, 7), 1, 1)
    data = tiny.ranking_from({"view": view, "buy": buy})
    assert [c.key for c in components(data)] == ["unified", "view", "buy", "view_without_buy"]
    data = tiny.ranking_from({"view": view, "buy": view})
    assert [c.key for c in components(data)] == ["unified", "view", "buy", "view_and_buy"]


@pytest.mark.parametrize("name", ["unified", "initial", "output"])
def test_a_behaviour_with_the_name_of_a_level_is_refused(name: str):
    data = tiny.random_ranking(behaviors=("view", name, "buy"))
    with pytest.raises(DataError, match=rf"'{name}'.*other names"):
        components(data)


def test_graphs_are_built_once_per_content(tmp_path, monkeypatch):
    data = replace(DATA, cache=tmp_path)
    first = {c.key: c.pairs.toarray() for c in components(data)}
    monkeypatch.setattr(module, "_built", lambda data: pytest.fail("built again"))
    second = {c.key: c.pairs.toarray() for c in components(data)}
    assert first.keys() == second.keys()
    assert all(np.array_equal(first[key], second[key]) for key in first)
    other = replace(data, content_hash="1" * 64)
    with pytest.raises(pytest.fail.Exception, match="built again"):
        components(other)
    with pytest.raises(pytest.fail.Exception, match="built again"):
        components(replace(data, fit_on="train+valid"))
    with pytest.raises(pytest.fail.Exception, match="built again"):
        components(replace(data, auxiliary_noise=0.2))


def test_noisy_graphs_leave_no_file(tmp_path):
    components(replace(DATA, cache=tmp_path, auxiliary_noise=0.2))
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("content", [b"", b"no archive", b"PK\x03\x04 torn"])
def test_a_damaged_cache_is_built_again_and_replaced(tmp_path, content: bytes, caplog):
    data = replace(DATA, cache=tmp_path)
    components(data)
    (path,) = (tmp_path / "graphs").iterdir()
    good = path.read_bytes()
    path.write_bytes(content)
    with caplog.at_level(logging.WARNING, "relscope"):
        assert {c.key: c.pairs.nnz for c in components(data)} == {k: m.sum() for k, m in dense().items()}
    assert "built again" in caplog.text
    assert path.read_bytes() == good


def test_a_folder_that_cannot_be_written_costs_only_the_cache(tmp_path, caplog):
    blocked = tmp_path / "file"
    blocked.write_text("in the way")
    with caplog.at_level(logging.WARNING, "relscope"):
        assert len(components(replace(DATA, cache=blocked))) == 8
    assert "not kept" in caplog.text


def test_a_level_left_out_hands_its_children_to_the_one_before():
    graphs = components(DATA)
    parents = {g.key: g.parent for g in without(graphs, "behavior")}
    assert parents == {"unified": "", **dict.fromkeys([g.key for g in graphs[4:]], "unified")}
    parents = {g.key: g.parent for g in without(graphs, "unified", "behavior")}
    assert set(parents.values()) == {""}
    assert [(g.key, g.parent) for g in without(graphs)] == [(g.key, g.parent) for g in graphs]
