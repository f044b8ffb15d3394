"""The Nodes page: its answer, its alarms, every part, and every state without scores or findings."""

import numpy as np
import pytest

from core.files import read_json, write_json
from core.findings import load_finding, save_finding
from core.home import Home
from core.runs import projections
from core.runs.folder import RunFolder
from tests.dashboard import stored_node_learning, stored_runs
from tests.pages.conftest import texts

DETAILS = ("classes", "clusters", "map", "metapaths", "negatives", "masks", "latent")


@pytest.fixture
def data(home: Home):
    return stored_runs.tiny_demo(home)


@pytest.fixture
def done(home: Home, data) -> RunFolder:
    return stored_node_learning.node_run(home, data)


def test_the_answer_is_computed_from_the_run(done, opened) -> None:
    app = opened("nodes", run="node-run")
    said = texts(app)
    assert "Micro-F1 .6150 ± .0112 with 20 labels per class, .9150 ± .0112 with 60" in said
    assert "k-means finds the classes with NMI .7100" in said
    assert "its first layer takes 50.0 % from IBI" in said
    assert "Scores of 4 linear classifiers" in said
    assert not app.warning
    assert not app.error


@pytest.mark.parametrize("detail", DETAILS)
def test_every_part_is_drawn(done, opened, detail) -> None:
    app = opened("nodes", run="node-run", nodes=detail)
    assert not app.error
    assert len(app.get("plotly_chart")) >= 2


def test_the_confusion_belongs_to_the_picked_setting(done, opened) -> None:
    for size, share in (("20", "40.0 %"), ("60", "10.0 %")):
        said = texts(opened("nodes", run="node-run", nodes="classes", labels=size))
        assert f"{size} labels per class, mean over classifiers" in said
        assert f"Most confused: {share}" in said


def test_clusters_tell_their_purity(done, opened, data) -> None:
    said = texts(opened("nodes", run="node-run", nodes="clusters"))
    nodes = data.num_items
    assert f"{100 * (1 - np.ceil(nodes / 10) / nodes):.1f} % of the nodes have the leading class" in said


def test_planted_noise_is_told_on_planted_data(done, opened) -> None:
    said = texts(opened("nodes", run="node-run", nodes="metapaths"))
    assert "ISI walks over a relation that is pure noise. It gets 10.0 % to 25.0 %" in said


def test_an_earlier_epoch_dates_what_follows_and_marks_what_does_not(done, opened) -> None:
    app = opened("nodes", run="node-run", nodes="metapaths", epoch="3")
    said = texts(app)
    assert "At epoch 3: its first layer" in said
    assert "Scores: this part does not follow the slider to epoch 3" in said
    assert "What each layer takes from each metapath, at epoch 3" in said


@pytest.mark.parametrize(
    ("changes", "alarm"),
    [({"kl": 0.01}, "KL collapse"), ({"variational": 0.1}, "Variational negatives are easy")],
)
def test_alarms_are_told(home, data, opened, changes, alarm) -> None:
    stored_node_learning.node_run(
        home, data, findings=stored_node_learning.learned(data.num_items, **changes)
    )
    assert [warning.value for warning in opened("nodes", run="node-run").warning if alarm in warning.value]


@pytest.mark.parametrize(
    ("detail", "reason"),
    [
        ("metapaths", "Only HAN's layers weigh metapaths"),
        ("negatives", "Only HGCVAE draws negatives"),
        ("masks", "masks no features"),
        ("latent", "no latent normals"),
    ],
)
def test_a_system_without_it_says_so(home, data, opened, detail, reason) -> None:
    stored_node_learning.node_run(home, data, "plain-run", system="node_features", overrides={}, findings=[])
    app = opened("nodes", run="plain-run", nodes=detail)
    assert reason in texts(app)
    assert not app.error


def test_a_run_without_a_contrast_has_no_negatives_by_design(home, data, opened) -> None:
    kept = [
        f
        for f in stored_node_learning.learned(data.num_items)
        if f.key not in ("negative_hardness", "false_negatives")
    ]
    stored_node_learning.node_run(home, data, variant="without_contrastive", findings=kept)
    assert "trained without a contrast" in texts(opened("nodes", run="node-run", nodes="negatives"))


def test_a_map_that_is_not_there_is_made_on_demand(done, opened, monkeypatch) -> None:
    asked = []
    monkeypatch.setattr(projections, "start", lambda home, run, level, method: asked.append((level, method)))
    app = opened("nodes", run="node-run", nodes="map", method="umap")
    assert "No map by UMAP yet" in texts(app)
    next(button for button in app.button if button.label == "Make the map").click().run()
    assert asked == [("h", "umap")]
    assert not app.exception


def test_a_map_that_failed_says_why_and_can_be_tried_again(done, opened) -> None:
    path = projections.projection_file(done, "h", "umap")
    write_json(path.with_suffix(".json"), {"message": "a UMAP needs more than 15 nodes"})
    app = opened("nodes", run="node-run", nodes="map", method="umap")
    assert "a UMAP needs more than 15 nodes" in texts(app)
    assert [button for button in app.button if button.label == "Make the map"]


@pytest.mark.parametrize("damage", ["votes", "clusters", "finding", "result"])
def test_damage_is_told_in_its_own_section(done, opened, damage) -> None:
    detail = {"votes": "classes", "clusters": "clusters", "finding": "metapaths", "result": "classes"}[damage]
    if damage == "votes":
        (done.path / "per_node.parquet").write_bytes(b"broken")
    elif damage == "clusters":
        (done.path / "clusters.parquet").write_bytes(b"broken")
    elif damage == "finding":
        (done.findings / "semantic_attention.npz").write_bytes(b"broken")
    else:
        stored = read_json(done.path / "result.json")
        stored["protocols"]["heco"].pop("repeats")
        write_json(done.path / "result.json", stored)
    app = opened("nodes", run="node-run", nodes=detail)
    assert app.error
    assert "What to do" in texts(app)


def test_a_finding_with_other_axes_is_refused(done, opened) -> None:
    finding = load_finding(done.findings, "mask_rate")
    (done.findings / "mask_rate.history.npz").unlink()
    broken = type(finding)(
        "mask_rate", "m", "s", finding.kind, (type(finding.axes[0]).labelled("wrong", ("a",)),), np.zeros(1)
    )
    save_finding(done.findings, broken)
    assert "expected the axes part" in texts(opened("nodes", run="node-run", nodes="masks"))


def test_a_ranking_run_leads_to_a_node_system(home, data, opened) -> None:
    stored_runs.done_run(home, data, "lightgcn-run", system="lightgcn")
    said = texts(opened("nodes", run="lightgcn-run"))
    assert "ranks items and classifies no nodes" in said


def test_a_queued_run_waits(home, data, opened) -> None:
    stored_runs.queued_run(home, data, system="hgcvae")
    assert "Not trained yet" in texts(opened("nodes", run="queued-run"))


def test_without_runs_the_page_leads_to_training(home, opened) -> None:
    assert "No runs yet" in texts(opened("nodes"))


def test_a_run_leads_to_its_nodes(done, opened) -> None:
    app = opened("runs", run="node-run")
    assert [button for button in app.button if button.label == "See its nodes"]
