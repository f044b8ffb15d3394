"""Findings: ranges by kind, shapes, round trips, damage, summaries."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from core.errors import ConfigError, RunError
from core.findings import (
    STATISTICS,
    Axis,
    Finding,
    History,
    Kind,
    Links,
    list_findings,
    load_finding,
    load_history,
    save_finding,
    save_history,
    summary_over_nodes,
)

BEHAVIORS = ("view", "cart", "buy")
AXES = (
    Axis.labelled("relation", BEHAVIORS),
    Axis("node", 11, groups={"user": (0, 4), "item": (4, 11)}),
    Axis.labelled("expert", ("a", "b")),
)
SHAPE = (3, 11, 2)


def finding(
    kind: Kind = Kind.SIGNED, values: Any = None, axes: tuple[Axis, ...] = AXES, **more: Any
) -> Finding:
    if values is None:
        values = np.random.default_rng(0).normal(size=tuple(axis.size for axis in axes))
    return Finding("some_key", "Some title", "Paper, Eq. 1", kind, axes, values, **more)


def links(**changes: Any) -> Finding:
    """Two rows with two and one links to five columns."""
    arrays = {
        "indptr": np.array([0, 2, 3]),
        "index": np.array([4, 0, 2]),
        "value": np.array([0.5, -1.0, 2.0]),
    } | changes
    support = arrays.pop("support", None)
    axes = (Axis("node", 2), Axis("item", 5))
    return Finding("near", "Near", "Paper", Kind.LINK, axes, Links(**arrays), support)


def pair(values: list[float]) -> np.ndarray:
    return np.tile(np.array(values), (3, 11, 1))


@pytest.mark.parametrize(
    ("kind", "values", "fits"),
    [
        (Kind.SHARE, [0.25, 0.75], True),
        (Kind.SHARE, [1.0, 0.0], True),
        (Kind.SHARE, [0.25, 0.7], False),
        (Kind.SHARE, [1.5, -0.5], False),
        (Kind.RATE, [0.0, 1.0], True),
        (Kind.RATE, [0.0, 1.01], False),
        (Kind.RATE, [-0.01, 1.0], False),
        (Kind.AMOUNT, [0.0, 1e9], True),
        (Kind.AMOUNT, [-0.1, 3.0], False),
        (Kind.SIGNED, [-1e9, 3.0], True),
        (Kind.POINT, [0.0, 1.0], False),
        *((kind, [np.nan, 0.5], False) for kind in Kind if kind is not Kind.LINK),
        *((kind, [np.inf, 0.5], False) for kind in Kind if kind is not Kind.LINK),
    ],
)
def test_each_kind_admits_its_range(kind: Kind, values: list[float], fits: bool):
    if fits:
        assert finding(kind, pair(values)).kind is kind
    else:
        with pytest.raises(ValueError, match="some_key"):
            finding(kind, pair(values))


def test_a_single_bad_share_among_many_is_found():
    values = pair([0.5, 0.5])
    values[1, 7] = [0.5, 0.6]
    with pytest.raises(ValueError, match="sum to 1 along expert"):
        finding(Kind.SHARE, values)


def test_points_have_the_axes_node_and_dim():
    assert finding(Kind.POINT, axes=(Axis("node", 5), Axis("dim", 3))).values.shape == (5, 3)
    with pytest.raises(ValueError, match="node, dim"):
        finding(Kind.POINT, axes=(Axis("dim", 3), Axis("node", 5)))


@pytest.mark.parametrize(
    "changes",
    [
        {"values": np.zeros((11, 3, 2))},
        {"support": np.zeros((3, 11))},
        {"kind": Kind.LINK},
    ],
)
def test_shapes_that_do_not_fit_are_refused(changes):
    with pytest.raises(ValueError, match="some_key"):
        finding(**changes)


def test_axes_check_labels_and_groups():
    with pytest.raises(ValueError, match="2 labels for size 3"):
        Axis("relation", 3, ("a", "b"))
    for bounds in [(0, 4), (2, 1), (-1, 2)]:
        with pytest.raises(ValueError, match="group user"):
            Axis("node", 3, groups={"user": bounds})


@pytest.mark.parametrize(
    "changes",
    [
        {"indptr": np.array([0, 3])},
        {"indptr": np.array([0, 2, 2])},
        {"indptr": np.array([1, 2, 3])},
        {"indptr": np.array([0, 4, 3])},
        {"index": np.array([4, 0, 5])},
        {"index": np.array([4, -1, 2])},
        {"value": np.array([1.0, 2.0])},
        {"value": np.array([1.0, np.nan, 2.0])},
        {"support": np.ones(2)},
    ],
)
def test_links_that_form_no_matrix_are_refused(changes):
    assert isinstance(links().values, Links)
    with pytest.raises(ValueError, match="near"):
        links(**changes)


def test_links_need_their_kind():
    good = links()
    with pytest.raises(ValueError, match="kind LINK"):
        Finding("near", "Near", "Paper", Kind.SIGNED, good.axes, good.values)


@pytest.mark.parametrize("key", ["../near", "a/b", "", "..", "/near"])
def test_keys_are_safe_file_names(key: str):
    with pytest.raises(ConfigError):
        Finding(key, "", "", Kind.SIGNED, (), np.array(1.0))


@pytest.mark.parametrize("support", [None, np.arange(66.0).reshape(SHAPE)])
def test_findings_survive_the_disk(tmp_path: Path, support):
    first = finding(support=support, note="read it so — ü")
    save_finding(tmp_path, first)
    second = load_finding(tmp_path, "some_key")
    np.testing.assert_array_equal(first.values, second.values)
    if support is None:
        assert second.support is None
    else:
        np.testing.assert_array_equal(second.support, support)
    for field in ("key", "title", "source", "kind", "axes", "note"):
        assert getattr(first, field) == getattr(second, field)
    assert second.axis("node").groups == {"user": (0, 4), "item": (4, 11)}


def test_links_survive_the_disk(tmp_path: Path):
    first = links(support=np.array([1.0, 2.0, 3.0]))
    save_finding(tmp_path, first)
    second = load_finding(tmp_path, "near")
    assert isinstance(second.values, Links)
    for name in ("indptr", "index", "value"):
        np.testing.assert_array_equal(getattr(first.values, name), getattr(second.values, name))
    np.testing.assert_array_equal(second.support, [1.0, 2.0, 3.0])
    assert second.axes == first.axes


def test_histories_survive_the_disk_and_do_not_count_as_findings(tmp_path: Path):
    values = np.random.default_rng(0).normal(size=(2, *SHAPE))
    save_history(tmp_path, History("some_key", Kind.SIGNED, AXES, np.array([1, 5]), values))
    assert list_findings(tmp_path) == ()
    save_finding(tmp_path, finding())
    save_finding(tmp_path, links())
    assert list_findings(tmp_path) == ("near", "some_key")
    stored = load_history(tmp_path, "some_key")
    assert stored is not None
    np.testing.assert_array_equal(stored.values, values)
    assert (stored.kind, stored.axes, stored.epochs.tolist()) == (Kind.SIGNED, AXES, [1, 5])
    assert load_history(tmp_path, "near") is None
    assert list_findings(tmp_path / "nowhere") == ()


def test_a_missing_finding_is_named(tmp_path: Path):
    with pytest.raises(RunError, match="has no finding 'gone'"):
        load_finding(tmp_path, "gone")
    save_finding(tmp_path, finding())
    (tmp_path / "some_key.npz").unlink()
    with pytest.raises(RunError, match="has no finding 'some_key'"):
        load_finding(tmp_path, "some_key")
    for load in (load_finding, load_history):
        with pytest.raises(ConfigError):
            load(tmp_path, "../some_key")


@pytest.mark.parametrize("name", ["some_key.npz", "some_key.json", "some_key.history.npz"])
def test_a_damaged_file_is_reported_whatever_the_damage(tmp_path: Path, name: str):
    save_finding(tmp_path, finding())
    save_history(tmp_path, History("some_key", Kind.SIGNED, AXES, np.array([1]), np.zeros((1, *SHAPE))))
    path, load = tmp_path / name, load_history if "history" in name else load_finding
    content, rng = path.read_bytes(), np.random.default_rng(1)
    for end in (0, 1, len(content) // 2, len(content) - 3):
        path.write_bytes(content[:end])
        with pytest.raises(RunError, match="cannot be read"):
            load(tmp_path, "some_key")
    refused = 0
    for position in rng.integers(0, len(content), 300):
        spoiled = bytearray(content)
        spoiled[position] = int(rng.integers(256))
        path.write_bytes(bytes(spoiled))
        try:
            load(tmp_path, "some_key")
        except RunError:
            refused += 1
    assert refused > 50


def test_pickled_arrays_are_never_loaded(tmp_path: Path):
    save_finding(tmp_path, finding())
    with (tmp_path / "some_key.npz").open("wb") as file:
        np.savez(file, values=np.array([print], dtype=object))
    with pytest.raises(RunError, match="cannot be read"):
        load_finding(tmp_path, "some_key")


def test_summary_over_nodes_equals_the_loops():
    given = finding()
    summary = summary_over_nodes(given)
    assert [axis.name for axis in summary.axes] == ["relation", "expert", "node_group", "statistic"]
    assert summary.axis("node_group").labels == ("user", "item")
    assert summary.axis("statistic").labels == STATISTICS
    for relation in range(3):
        for expert in range(2):
            for group, (start, stop) in enumerate([(0, 4), (4, 11)]):
                values = sorted(float(given.values[relation, node, expert]) for node in range(start, stop))
                found = summary.values[relation, expert, group]
                assert found[0] == pytest.approx(sum(values) / len(values))
                for statistic, q in enumerate((0.05, 0.25, 0.5, 0.75, 0.95), start=1):
                    place = q * (len(values) - 1)
                    low = int(place)
                    high = min(low + 1, len(values) - 1)
                    expected = values[low] + (place - low) * (values[high] - values[low])
                    assert found[statistic] == pytest.approx(expected)


def test_summary_of_shares_is_no_share_any_more_and_a_node_axis_needs_no_groups():
    axes = (Axis("node", 3), Axis.labelled("expert", ("a", "b")))
    summary = summary_over_nodes(finding(Kind.SHARE, np.array([[1.0, 0.0], [0.5, 0.5], [0.0, 1.0]]), axes))
    assert summary.kind is Kind.SIGNED
    assert summary.axis("node_group").labels == ("all",)
    assert summary.values[:, 0, 0].tolist() == [0.5, 0.5]
    amounts = summary_over_nodes(finding(Kind.AMOUNT, np.ones(SHAPE)))
    assert amounts.kind is Kind.AMOUNT


def test_summary_leaves_findings_without_nodes_alone():
    plain = finding(axes=(Axis("relation", 3),))
    assert summary_over_nodes(plain) is plain
    near = links()
    assert summary_over_nodes(near) is near
