"""Histories of findings across resumes."""

from pathlib import Path

import numpy as np

from core.findings import Axis, Finding, Kind, Links, list_findings, load_finding, load_history
from core.training.snapshots import Snapshots

NODES = Axis("node", 5, groups={"user": (0, 2), "item": (2, 5)})


def finding(value: float, axes: tuple[Axis, ...] = (NODES,)) -> Finding:
    shape = tuple(axis.size for axis in axes)
    return Finding("level", "Level", "Paper", Kind.SIGNED, axes, np.full(shape, value))


def history(folder: Path) -> list[tuple[int, float]]:
    stored = load_history(folder, "level")
    return [(int(epoch), float(values.mean())) for epoch, values in zip(stored.epochs, stored.values)]


def test_a_resumed_run_writes_the_epochs_it_repeats_again(tmp_path: Path):
    for epoch in (1, 2, 4):
        Snapshots(tmp_path).take(epoch, [finding(epoch)])
    Snapshots(tmp_path).take(2, [finding(20)])
    assert history(tmp_path) == [(1, 1), (2, 20)]
    Snapshots(tmp_path).take(4, [finding(40)])
    assert history(tmp_path) == [(1, 1), (2, 20), (4, 40)]


def test_the_history_keeps_statistics_of_nodes_and_the_finding_every_node(tmp_path: Path):
    Snapshots(tmp_path).take(3, [finding(3)])
    assert load_history(tmp_path, "level").values.shape == (1, 2, 6)
    assert load_finding(tmp_path, "level").values.shape == (5,)


def test_other_axes_begin_a_new_history(tmp_path: Path):
    Snapshots(tmp_path).take(1, [finding(1)])
    Snapshots(tmp_path).take(2, [finding(2, (Axis("order", 3),))])
    assert history(tmp_path) == [(2, 2)]


def test_links_have_no_history(tmp_path: Path):
    arrays = Links(np.array([0, 1]), np.array([2]), np.array([0.5]))
    near = Finding("near", "Near", "Paper", Kind.LINK, (Axis("node", 1), Axis("item", 3)), arrays)
    Snapshots(tmp_path).take(1, [near])
    assert list_findings(tmp_path) == ("near",)
    assert load_history(tmp_path, "near") is None
