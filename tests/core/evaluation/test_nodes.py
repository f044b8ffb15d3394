"""The HeCo protocol: batched classifiers against single ones, scores against scikit-learn, planted and hopeless embeddings."""

import numpy as np
import pytest
import torch
from sklearn.metrics import f1_score
from torch import nn

from core.data.nodes import LabelSetting
from core.errors import DataError, RunError
from core.evaluation import nodes
from core.evaluation.nodes import (
    check_settings,
    clustered,
    evaluate_nodes,
    f1_of,
    probe,
    validate_nodes,
)
from core.models.nodes import NodeModel
from core.protocol import PROTOCOLS, parse_protocol
from tests.core.models import tiny_nodes

CLASSES, COUNT = 3, 90


class Fixed(NodeModel):
    """Embeddings as given; those of a setting may differ."""

    def __init__(self, rows: torch.Tensor, by_setting: dict[int, torch.Tensor] | None = None) -> None:
        super().__init__()
        self.rows, self.by_setting = rows, by_setting or {}

    def represent(self) -> torch.Tensor:
        return self.rows

    def represent_for(self, labels_per_class: int) -> torch.Tensor:
        return self.by_setting.get(labels_per_class, self.rows)


@pytest.fixture(scope="module")
def made() -> tuple[torch.Tensor, np.ndarray, LabelSetting]:
    rng = np.random.default_rng(0)
    labels = rng.integers(0, CLASSES, COUNT)
    rows = torch.from_numpy(rng.standard_normal((COUNT, 5)) + 1.5 * np.eye(CLASSES, 5)[labels]).float()
    order = rng.permutation(COUNT)
    return rows, labels, LabelSetting(order[:15], order[15:50], order[50:])


def single(rows, labels, setting, seed: int, learning_rate: float, iterations: int):
    """HeCo's loop: one classifier, scikit-learn after every step; test scores at the best validation iteration."""
    layer = nn.Linear(rows.shape[1], CLASSES)
    with torch.no_grad():
        layer.weight.copy_(nodes._xavier(rows.shape[1], CLASSES, seed).t())
        layer.bias.zero_()
    optimizer = torch.optim.Adam(layer.parameters(), lr=learning_rate)
    valid, test = [], []
    for _ in range(iterations):
        optimizer.zero_grad()
        loss = nn.functional.cross_entropy(
            layer(rows[setting.train]), torch.from_numpy(labels[setting.train])
        )
        loss.backward()
        optimizer.step()
        with torch.no_grad():
            for part, kept in ((setting.valid, valid), (setting.test, test)):
                predicted = layer(rows[part]).argmax(1).numpy()
                kept.append([f1_score(labels[part], predicted, average=a) for a in ("micro", "macro")])
    best = np.argmax(valid, axis=0)
    return [test[best[0]][0], test[best[1]][1]]


def test_classifiers_at_once_are_those_one_by_one(made):
    rows, labels, setting = made
    found = probe(rows, labels, setting, CLASSES, repeats=4, learning_rate=0.05, iterations=30)
    for repeat in range(4):
        micro, macro = single(rows, labels, setting, repeat, 0.05, 30)
        assert found.values["micro_f1"][repeat] == pytest.approx(micro)
        assert found.values["macro_f1"][repeat] == pytest.approx(macro)


def test_repeats_differ_and_do_not_depend_on_their_number(made):
    rows, labels, setting = made
    few, many = (probe(rows, labels, setting, CLASSES, repeats=n, iterations=20) for n in (2, 5))
    np.testing.assert_allclose(many.values["auc"][:2], few.values["auc"])
    assert len(set(many.values["auc"].tolist())) > 1
    assert many.predicted.shape == (5, len(setting.test))


@pytest.mark.parametrize("classes", [2, 4])
def test_scores_while_training_are_scikit_learns(classes):
    rng = np.random.default_rng(1)
    truth = rng.integers(0, classes, 40)
    predicted = rng.integers(0, classes, (6, 40))
    predicted[0], predicted[1] = 0, truth
    found = f1_of(torch.from_numpy(predicted), torch.from_numpy(truth), classes)
    for average in ("micro", "macro"):
        expected = [f1_score(truth, row, average=average, zero_division=0) for row in predicted]
        np.testing.assert_allclose(found[f"{average}_f1"], expected, atol=1e-6)


def test_a_class_that_nobody_has_or_predicts_does_not_count():
    truth, predicted = np.array([0, 0, 1]), np.array([[0, 1, 1]])
    found = f1_of(torch.from_numpy(predicted), torch.from_numpy(truth), 3)
    assert float(found["macro_f1"]) == pytest.approx(f1_score(truth, predicted[0], average="macro"))


def test_perfect_embeddings_win_and_constant_ones_are_at_chance():
    data = tiny_nodes.planted()
    perfect = Fixed(torch.eye(3)[torch.from_numpy(data.labels)])
    protocol = parse_protocol("heco:repeats=3")
    found = evaluate_nodes(perfect, data, protocol).metrics()
    assert found["micro_f1"] == found["macro_f1"] == found["nmi"] == found["ari"] == 1.0
    assert found["auc"] > 0.9, (
        "areas are taken at the first perfect iteration, when classes still differ in scale"
    )
    constant = evaluate_nodes(Fixed(torch.ones(len(data.labels), 2)), data, protocol)
    assert constant.metrics()["auc"] == pytest.approx(0.5)
    assert constant.metrics()["micro_f1"] < 0.5


def test_metrics_are_means_and_every_single_value_is_told():
    data, protocol = tiny_nodes.planted(), parse_protocol("heco:repeats=3")
    rows = torch.randn(len(data.labels), 4, generator=torch.Generator().manual_seed(0))
    found = evaluate_nodes(Fixed(rows), data, protocol)
    metrics, repeats, spread = found.metrics(), found.repeats(), found.spread()
    sizes = list(data.settings)
    assert metrics["micro_f1"] == pytest.approx(np.mean([metrics[f"micro_f1@{size}"] for size in sizes]))
    assert metrics.keys() == repeats.keys() == spread.keys()
    assert all(len(repeats[f"auc@{size}"]) == 3 for size in sizes)
    assert len(repeats["nmi"]) == nodes.CLUSTERINGS
    assert spread["micro_f1"] == pytest.approx(repeats["micro_f1"].std())


def test_a_setting_is_scored_on_its_own_embeddings():
    data, protocol = tiny_nodes.planted(), parse_protocol("heco:repeats=2")
    perfect = torch.eye(3)[torch.from_numpy(data.labels)]
    small, large = data.settings
    found = evaluate_nodes(Fixed(torch.zeros_like(perfect), {large: perfect}), data, protocol).metrics()
    assert found[f"micro_f1@{large}"] == 1.0
    assert found[f"micro_f1@{small}"] < 0.6
    valid = validate_nodes(Fixed(torch.zeros_like(perfect), {large: perfect}), data, protocol)
    assert valid[f"micro_f1@{large}"] == 1.0
    assert valid["micro_f1"] == pytest.approx((1 + valid[f"micro_f1@{small}"]) / 2)


def test_clusters_cover_labelled_nodes_alone(made):
    rows, labels, _ = made
    unknown = labels.copy()
    unknown[::7] = -1
    values, clusters = clustered(rows, unknown, CLASSES, 2)
    assert ((clusters == -1) == (unknown == -1)).all()
    assert len(values["nmi"]) == len(values["ari"]) == 2


def test_embeddings_that_are_no_numbers_are_refused():
    data = tiny_nodes.planted()
    with pytest.raises(RunError, match="not finite: training diverged"):
        evaluate_nodes(Fixed(torch.full((len(data.labels), 2), torch.nan)), data, PROTOCOLS["heco"])


@pytest.mark.parametrize(
    ("labels", "message"),
    [
        (lambda labels: np.where(np.arange(len(labels)) % 2, labels, -1), "nodes without a label"),
        (lambda labels: np.where(labels == 2, 1, labels), "no test node of class 2"),
        (lambda labels: np.zeros_like(labels), "no test node of class"),
    ],
)
def test_settings_that_cannot_be_scored_are_refused_before_training(labels, message):
    from dataclasses import replace

    data = tiny_nodes.planted()
    with pytest.raises(DataError, match=message):
        check_settings(replace(data, labels=labels(data.labels), classes=("0", "1", "2")))
