"""Runs that embed nodes, from recipe to results: what is written, how the epoch is chosen, evaluating again, maps."""

from collections.abc import Iterator

import numpy as np
import pandas as pd
import pytest

from core.cli import main
from core.data.dataset import open_dataset
from core.data.planted import write_demo
from core.errors import ConfigError, DataError, RunError
from core.files import read_json
from core.findings import list_findings, load_history
from core.home import Home
from core.protocol import PROTOCOLS, parse_protocol
from core.recipe import make_recipe
from core.runs import projections
from core.runs.folder import RunFolder, create_run
from core.runs.metrics import read_metrics
from core.runs.summary import summarise
from core.training import projecting
from core.training.tasks import NodeTask, task_of
from core.training.trainer import Hooks, Stopped, Trainer
from core.training.worker import evaluate_run, work
from tests.core.models import tiny

TINY = {
    "epochs": 4,
    "hidden": 8,
    "num_negatives": 4,
    "negative_nodes": 16,
    "code_dim": 8,
    "validate_every": 2,
    "snapshot_every": 2,
}


@pytest.fixture(scope="module", autouse=True)
def _one_thread() -> Iterator[None]:
    """Threads that wait for each other cost more than they bring on graphs this small."""
    with pytest.MonkeyPatch.context() as patched:
        patched.setenv("RELSCOPE_THREADS", "1")
        yield


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Home:
    home = Home(tmp_path_factory.mktemp("nodes"))
    write_demo(home, "demo", num_users=211, num_items=131)
    return home


@pytest.fixture(scope="module")
def done(shared: Home) -> RunFolder:
    run = queued(shared, "whole")
    work(shared, run)
    return run


def queued(home: Home, run_id: str, system: str = "hgcvae", overrides=TINY, **changes) -> RunFolder:
    info = open_dataset(home, "demo").info
    settings = {"preset": "small", "protocol": "heco:repeats=2", "device": "cpu"} | changes
    return create_run(
        home, make_recipe("demo", info.content_hash, system, overrides=overrides, **settings), run_id
    )


def test_a_run_leaves_scores_votes_clusters_findings_and_a_map(shared, done):
    entry = done.result()["protocols"]["heco:repeats=2"]
    assert entry["settings"].keys() == {"20", "40", "60"}
    assert entry["metrics"]["micro_f1@20"] == pytest.approx(np.mean(entry["repeats"]["micro_f1@20"]))
    assert entry["spread"]["auc@60"] == pytest.approx(np.std(entry["repeats"]["auc@60"]))
    votes = pd.read_parquet(done.path / "per_node.parquet")
    for size, part in votes.groupby("labels_per_class"):
        assert len(part) == entry["settings"][str(size)][2]
        assert {sum(counts) for counts in part["votes"]} == {2}
        right = np.mean(
            [counts[label] / 2 for counts, label in zip(part["votes"], part["label"], strict=True)]
        )
        assert right == pytest.approx(entry["metrics"][f"micro_f1@{size}"])
    assert len(pd.read_parquet(done.path / "clusters.parquet")) == 131
    assert {"semantic_attention", "kl", "negative_hardness", "mask_rate"} <= set(list_findings(done.findings))
    assert load_history(done.findings, "semantic_attention").epochs.tolist() == [1, 2, 4]
    assert len(projections.read(done, "h", "pca")) == 131
    assert summarise(done).main_value == pytest.approx(entry["metrics"]["micro_f1"])


def test_the_epoch_with_the_lowest_training_loss_is_scored(done):
    rows = [row for row in read_metrics(done.metrics)[0] if row.name == "loss/total"]
    best = min(rows, key=lambda row: row.value).epoch
    assert done.result()["protocols"]["heco:repeats=2"]["epoch"] == best
    assert {row.epoch for row in read_metrics(done.metrics)[0] if row.name == "valid/micro_f1"} == {2, 4}


def test_patience_counts_epochs_without_a_lower_loss(shared, monkeypatch):
    from core.models.hgcvae import HGCVAE

    run = queued(shared, "patient", overrides=TINY | {"epochs": 9, "patience": 2, "snapshot_every": 0})
    values = iter([3.0, 2.0, 4.0, 4.0, 1.0])
    real = HGCVAE.losses
    monkeypatch.setattr(
        HGCVAE, "losses", lambda self, batch: {"only": sum(real(self, batch).values()) * 0 + next(values)}
    )
    about = run.recipe()
    task = task_of(open_dataset(shared, "demo"), about)
    assert isinstance(task, NodeTask)
    training = Trainer(task.build(about, tiny.CPU), about, task, run, tiny.CPU)
    assert training.fit(Hooks()) == 2
    assert training.progress.epoch == 4


def test_a_stopped_run_goes_on_bit_for_bit(shared, done):
    run = queued(shared, "stopped")
    about = run.recipe()

    def trainer() -> Trainer:
        task = task_of(open_dataset(shared, "demo"), about)
        return Trainer(task.build(about, tiny.CPU), about, task, run, tiny.CPU)

    finished: list[int] = []
    with pytest.raises(Stopped):
        trainer().fit(Hooks(lambda: 2 in finished, lambda progress: finished.append(progress.epoch)))
    trainer().fit(Hooks())

    def told(folder: RunFolder) -> dict:
        return {
            (r.epoch, r.name): r.value for r in read_metrics(folder.metrics)[0] if r.name.startswith("loss/")
        }

    assert told(run) == told(done)


def test_another_number_of_repeats_is_stored_beside_the_first(shared, done):
    before = done.result()["protocols"]["heco:repeats=2"]
    evaluate_run(shared, done, parse_protocol("heco:repeats=3"))
    stored = done.result()["protocols"]
    assert stored["heco:repeats=2"] == before
    assert len(stored["heco:repeats=3"]["repeats"]["micro_f1@20"]) == 3
    votes = pd.read_parquet(done.path / "per_node.parquet")
    assert set(votes["protocol"]) == {"heco:repeats=2", "heco:repeats=3"}


def test_a_ranking_protocol_is_refused(shared, done):
    with pytest.raises(RunError, match="scores something else than full; choose a protocol of its kind"):
        evaluate_run(shared, done, PROTOCOLS["full"])


def test_a_fitted_system_is_scored_without_epochs(shared):
    run = queued(shared, "fitted", "node_features", overrides={}, selection="last")
    entry = work(shared, run)
    assert entry["epoch"] == 0
    assert entry["metrics"]["micro_f1"] > 0.4


def test_data_without_typed_nodes_is_refused(shared, tmp_path):
    from tests.dashboard.profiles import hand_made  # a set of interactions alone

    home = Home(tmp_path)
    hand_made(home)
    info = open_dataset(home, "small").info
    run = create_run(home, make_recipe("small", info.content_hash, "hgcvae", preset="small"), "run")
    with pytest.raises(DataError, match="has no typed nodes"):
        work(home, run)
    assert run.status().state == "failed"


def test_maps_are_made_on_demand_once(shared, done, monkeypatch, capsys):
    made = []
    monkeypatch.setattr(projecting, "neighbor_map", lambda rows: made.append(rows.shape) or rows[:, :2])
    assert projections.standing(done, "h", "umap").state == "absent"
    assert main(["project", "whole", "--home", str(shared.root)]) == 0
    assert made == [(131, 8)]
    assert projections.standing(done, "h", "umap").state == "stored"
    assert "mapped h of whole by umap" in capsys.readouterr().out


def test_what_hinders_a_map_is_left_for_the_page(shared, done):
    with pytest.raises(RunError, match="has no embeddings 'nowhere'; it has: h, latent"):
        projecting.project(done, "nowhere", "pca")
    now = projections.standing(done, "nowhere", "pca")
    assert now.state == "failed"
    assert "has no embeddings" in now.said
    with pytest.raises(ConfigError, match="unknown method 'tsne': expected one of pca, umap"):
        projections.checked_method("tsne")
    with pytest.raises(ConfigError):
        projections.projection_file(done, "../h", "pca")


def test_a_damaged_map_is_told(done):
    path = projections.projection_file(done, "latent", "pca")
    path.write_bytes(b"broken")
    with pytest.raises(RunError, match="delete it and make the map again"):
        projections.read(done, "latent", "pca")


def test_principal_components_of_equal_rows_are_zeros():
    made = projecting.principal_components(np.ones((5, 1), np.float32))
    assert made.shape == (5, 2)
    assert not made.any()
    with pytest.raises(RunError, match="a UMAP needs more than 15 nodes"):
        projecting.neighbor_map(np.ones((5, 3), np.float32))


def test_the_environment_names_the_command(done):
    told = read_json(done.path / "environment.json")
    assert "train hgcvae demo" in told["command"]
