"""Runs with random auxiliary pairs: what they train on, what they are scored on, and what is audited at their end."""

import json

import numpy as np
import pytest

from core.data.components import components
from core.data.dataset import open_dataset
from core.data.ranking import RankingData, ranking_data
from core.evaluation.edges import MEASURES, SCORERS
from core.findings import list_findings, load_finding
from core.home import Home
from core.recipe import make_recipe
from core.runs.folder import RunFolder, create_run
from core.runs.summary import summarise
from core.training import tasks
from core.training.trainer import Stopped
from core.training.worker import evaluate_run, work
from tests.core.training.boards import queued
from tests.dashboard import stored_runs

HGIB = {"epochs": 2, "dim": 4, "batch_size": 256, "snapshot_every": 0, "validate_every": 1}


@pytest.fixture
def trained_on(monkeypatch) -> list[RankingData]:
    """The matrices that models were built on."""
    seen: list[RankingData] = []
    build = tasks.build

    def keeping(key, config, data, device):
        seen.append(data)
        return build(key, config, data, device)

    monkeypatch.setattr(tasks, "build", keeping)
    return seen


@pytest.mark.parametrize("system", ["lightgcn_m", "ease"])
def test_training_and_evaluating_again_use_the_noise_of_the_recipe(home: Home, trained_on, system):
    overrides = {"epochs": 2, "dim": 4, "validate_every": 1} if system == "lightgcn_m" else {}
    run = queued(home, f"noisy-{system}", system, auxiliary_noise=0.3, seed=4, overrides=overrides)
    entry = work(home, run)
    assert entry["auxiliary_noise"] == 0.3
    assert summarise(run).auxiliary_noise == 0.3
    again = evaluate_run(home, run, run.recipe().protocol)
    assert again["metrics"] == entry["metrics"]
    expected = ranking_data(open_dataset(home, "board"), auxiliary_noise=0.3, noise_seed=4)
    assert len(trained_on) == 2
    for data in trained_on:
        assert data.key == expected.key
        assert all((data.train[b] != expected.train[b]).nnz == 0 for b in data.behaviors)
    assert "--auxiliary-noise 0.3" in run.environment()["command"]


def test_seen_and_unseen_are_judged_without_the_noise(home: Home):
    clean, noisy = (
        work(home, queued(home, f"judged-{share}", "popularity", auxiliary_noise=share))
        for share in (0.0, 1.0)
    )
    assert noisy["seen"]["pairs"] == clean["seen"]["pairs"]
    assert noisy["metrics"] == clean["metrics"]


def test_a_stopped_run_goes_on_with_the_same_noise(home: Home, trained_on):
    settings = {"auxiliary_noise": 0.3, "seed": 4, "overrides": {"epochs": 3, "dim": 4, "validate_every": 1}}
    whole = work(home, queued(home, "whole", "lightgcn_m", **settings))
    run = queued(home, "halted", "lightgcn_m", **settings)

    def stop(progress) -> None:
        if progress.epoch == 1:
            raise Stopped("enough")

    with pytest.raises(Stopped):
        work(home, run, on_epoch=stop)
    assert work(home, run)["metrics"] == whole["metrics"]
    assert len({data.key for data in trained_on}) == 1


@pytest.fixture(scope="module")
def planted(tmp_path_factory: pytest.TempPathFactory) -> Home:
    home = Home(tmp_path_factory.mktemp("planted"))
    stored_runs.tiny_demo(home)
    return home


def hgib(home: Home, run_id: str, **changes) -> RunFolder:
    info = open_dataset(home, "demo").info
    overrides = HGIB | changes.pop("overrides", {})
    recipe = make_recipe("demo", info.content_hash, "hgib", planted=True, overrides=overrides, **changes)
    return create_run(home, recipe, run_id)


@pytest.mark.parametrize("share", [0.0, 0.5])
def test_a_model_that_weighs_edges_is_held_against_known_noise(planted: Home, share):
    run = hgib(planted, f"audited-{share}", auxiliary_noise=share)
    work(planted, run)
    detection = load_finding(run.findings, "noise_detection")
    pruning = load_finding(run.findings, "pruning_precision")
    assert detection.axis("scorer").labels == SCORERS
    assert pruning.axis("measure").labels == MEASURES
    dataset = open_dataset(planted, "demo")
    data = ranking_data(dataset, auxiliary_noise=share, noise_seed=0)
    truth = dataset.truth("edges")
    bad = {(r.user, r.item, r.behavior) for r in truth[truth["noise"]].itertuples()}
    bad |= {(u, i, b) for b, m in data.added.items() for u, i in zip(*m.nonzero())}
    graphs = {graph.title: graph for graph in components(data)}
    for row, title in enumerate(detection.axis("graph").labels):
        graph = graphs[title]
        if graph.kind == "behavior":
            noise = sum(1 for user, item, name in bad if name == graph.behavior)
            assert detection.support[row].tolist() == [noise] * 3
            assert pruning.values[row, 1] == pytest.approx(noise / graph.pairs.nnz)
    # planted carts hold no noise; added pairs do
    assert ("cart" in detection.axis("graph").labels) == bool(share)
    np.testing.assert_allclose(detection.values[:, 1], 0.5, atol=0.05)


def test_without_edge_weights_there_is_nothing_to_audit(planted: Home):
    run = hgib(planted, "unweighted", variant="without_gre", overrides={"epochs": 1})
    work(planted, run)
    assert not {"noise_detection", "pruning_precision"} & set(list_findings(run.findings))


def test_without_known_noise_there_is_nothing_to_audit(home: Home):
    info = open_dataset(home, "board").info
    recipe = make_recipe("board", info.content_hash, "hgib", preset="small", overrides=HGIB | {"epochs": 1})
    run = create_run(home, recipe, "unknown-noise")
    work(home, run)
    assert "edge_keep_rate" in list_findings(run.findings)
    assert "noise_detection" not in list_findings(run.findings)


def test_a_truth_that_cannot_be_read_costs_no_run_its_end(planted: Home):
    run = hgib(planted, "unread", overrides={"epochs": 1})
    path = planted.dataset("demo") / "truth" / "edges.parquet"
    kept = path.read_bytes()
    path.write_bytes(b"damaged")
    try:
        work(planted, run)
    finally:
        path.write_bytes(kept)
    assert run.status().state == "done"
    assert "noise_detection" not in list_findings(run.findings)
    assert "planted noise is not known" in run.log.read_text()
    assert json.loads((run.path / "result.json").read_text())
