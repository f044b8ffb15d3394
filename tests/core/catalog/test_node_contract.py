"""The contract every system that embeds nodes keeps: one test over its small preset and every variant."""

from copy import deepcopy
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from core.catalog.systems import CATALOG
from core.evaluation.nodes import probe, represented
from core.findings import Finding, load_finding, save_finding
from core.models.base import Trainable
from core.models.nodes import FittedNodes, NodeModel
from core.training.checkpoint import Progress, load_checkpoint, load_model, save_checkpoint
from tests.core.models import tiny_nodes

GRAPH = tiny_nodes.planted()
EPOCHS = 5
CLASSIFIERS, ITERATIONS = 2, 60
SIZES: dict[str, dict[str, Any]] = {
    "hgcvae": {"hidden": 16, "num_layers": 1, "semantic_dim": 7, "num_negatives": 2, "negative_nodes": 41},
    "han": {"hidden": 16, "heads": 2, "semantic_dim": 7},
    "hgmae": {"hidden": 16, "num_layers": 1, "semantic_dim": 7, "position_dim": 5, "position_epochs": 1},
    "heco": {"hidden": 16, "positives": 5},
    "vgae": {"hidden": 16, "dim": 8},
}
# Micro-F1 of a planted class is 1/3 by chance; what a classifier reaches on features alone is no less.
LEAST = 0.5

Case = tuple[str, str | None]
CASES: list[Case] = [
    (key, variant)
    for key, entry in CATALOG.items()
    if entry.task == "nodes"
    for variant in (None, *entry.variants)
]
TRAINED = [case for case in CASES if CATALOG[case[0]].is_trained]


def cases(chosen: list[Case]) -> pytest.MarkDecorator:
    """One case after the other, each with all its tests: a worker then trains few of them."""
    return pytest.mark.parametrize(
        "case", chosen, ids=lambda case: "-".join(filter(None, case)), scope="module"
    )


every_case, trained_case = cases(CASES), cases(TRAINED)
layered_case = cases(
    [case for case in TRAINED if case[1] is None and "num_layers" in CATALOG[case[0]].config.model_fields]
)


def sizes(case: Case) -> dict[str, Any]:
    """Settings that suit the tiny graph, but for those that the variant changes."""
    patch = CATALOG[case[0]].variants[case[1]].patch if case[1] else {}
    return {name: value for name, value in SIZES.get(case[0], {}).items() if name not in patch}


def fresh(case: Case, seed: int = 0, **settings: Any) -> NodeModel:
    return tiny_nodes.built(case[0], GRAPH, case[1], seed, **(sizes(case) | settings))


def optimizer_of(model: NodeModel) -> torch.optim.Adam:
    return torch.optim.Adam(model.parameters(), lr=1e-2)


def train(model: NodeModel, epochs: int, seed: int = 0) -> tuple[list[dict[str, float]], set[str]]:
    """Losses of every step, and the parameters that got a gradient other than zero."""
    assert isinstance(model, Trainable)
    generator, optimizer = torch.Generator().manual_seed(seed), optimizer_of(model)
    steps, moved = [], set()
    for epoch in range(1, epochs + 1):
        model.train()
        model.begin_epoch(epoch, epochs)
        for batch in model.batches(generator):
            losses = model.losses(batch)
            optimizer.zero_grad()
            torch.stack(list(losses.values())).sum().backward()
            moved |= {n for n, p in model.named_parameters() if p.grad is not None and bool(p.grad.any())}
            optimizer.step()
            steps.append(tiny_nodes.valued(losses))
    return steps, moved


@cache
def ready(case: Case) -> tuple[NodeModel, list[dict[str, float]], set[str]]:
    """The model, trained or fitted; shared by the tests, which leave it as it is."""
    model = fresh(case)
    if isinstance(model, FittedNodes):
        model.fit(GRAPH)
        return model, [], set()
    return model, *train(model, EPOCHS)


def same_steps(model: NodeModel) -> float:
    """The loss over a few steps whose noise and schedule do not depend on the model, which stays as it is."""
    model = deepcopy(model)
    assert isinstance(model, Trainable)
    model.train()
    model.begin_epoch(1, EPOCHS)
    generator = torch.Generator().manual_seed(9)
    steps = [model.losses(batch) for _ in range(2) for batch in model.batches(generator)]
    return sum(sum(tiny_nodes.valued(losses).values()) for losses in steps)


def rows(model: NodeModel) -> Tensor:
    """What is evaluated under every setting, side by side."""
    with model.evaluating():
        return torch.cat([model.represent_for(size) for size in GRAPH.settings], 1).clone()


def micro_f1(model: NodeModel) -> float:
    """Mean over the settings, on test nodes."""
    found = [
        probe(represented(model, size), GRAPH.labels, setting, 3, CLASSIFIERS, 0.05, ITERATIONS).values[
            "micro_f1"
        ]
        for size, setting in GRAPH.settings.items()
    ]
    return float(np.mean(found))


@every_case
def test_config_survives_the_round_trip_through_json(case: Case) -> None:
    entry, config = CATALOG[case[0]], tiny_nodes.resolved(*case)
    assert entry.config.model_validate_json(config.model_dump_json()) == config
    if case[1] is not None:
        assert config != tiny_nodes.resolved(case[0]), "a variant that changes nothing"
    for preset in entry.presets:
        assert entry.resolve(preset, case[1])


@trained_case
def test_losses_are_named_scalar_and_finite_and_fall(case: Case) -> None:
    model, steps, _ = ready(case)
    assert steps
    assert all(steps[0].keys() == step.keys() for step in steps)
    assert all(np.isfinite(list(step.values())).all() for step in steps)
    assert same_steps(model) < same_steps(fresh(case))


@trained_case
def test_every_parameter_gets_a_gradient(case: Case) -> None:
    model, _, moved = ready(case)
    assert moved == {name for name, p in model.named_parameters() if p.requires_grad}


@layered_case
def test_every_parameter_of_a_deeper_model_gets_a_gradient(case: Case) -> None:
    for number in (1, 3):
        model = fresh(case, num_layers=number)
        _, moved = train(model, 2)
        assert moved == {name for name, p in model.named_parameters() if p.requires_grad}


@every_case
def test_same_seed_same_result_other_seed_other_result(case: Case) -> None:
    def outcome(seed: int) -> tuple[Any, Tensor]:
        model = fresh(case, seed)
        if isinstance(model, FittedNodes):
            model.fit(GRAPH)
            return None, rows(model)
        return train(model, 1, seed)[0], rows(model)

    first, again = outcome(0), outcome(0)
    assert first[0] == again[0]
    assert torch.equal(first[1], again[1])
    if CATALOG[case[0]].is_trained:
        other = outcome(1)
        assert first[0] != other[0]
        assert not torch.equal(first[1], other[1])


@every_case
def test_embeddings_are_finite_and_the_same_whenever_asked(case: Case) -> None:
    model, _, _ = ready(case)
    first = rows(model)
    assert len(first) == GRAPH.num_nodes
    assert first.isfinite().all()
    assert torch.equal(first, rows(model))
    for level, values in model.embed().items():
        assert level.replace("_", "a").isalnum()
        assert len(values) == GRAPH.num_nodes
        assert values.isfinite().all()
        assert not values.requires_grad
    assert any(torch.equal(model.represent(), values) for values in model.embed().values())


@every_case
def test_saved_and_loaded_models_embed_alike(case: Case, tmp_path: Path) -> None:
    model, _, _ = ready(case)
    other = fresh(case, seed=1)
    if isinstance(model, FittedNodes):
        other.load_state_dict(model.state_dict())
    else:
        generator = torch.Generator()
        progress = Progress(epoch=3, step=7, best_epoch=2, best_value=0.5, validations_without_gain=1)
        save_checkpoint(tmp_path / "last.pt", model, optimizer_of(model), generator, progress)
        assert not torch.equal(rows(other), rows(model))
        assert load_model(tmp_path / "last.pt", other) == 3
        found = load_checkpoint(tmp_path / "last.pt", other, optimizer_of(other), generator)
        assert found == progress
    assert torch.equal(rows(other), rows(model))


@every_case
def test_findings_are_valid_and_survive_the_disk(case: Case, tmp_path: Path) -> None:
    model, _, _ = ready(case)
    findings = list(model.findings())
    if isinstance(model, Trainable):
        findings += model.probes(next(model.batches(torch.Generator().manual_seed(0))))
        assert findings
    assert len({finding.key for finding in findings}) == len(findings)
    for finding in findings:
        assert isinstance(finding, Finding)
        assert ", " in finding.source  # paper, place
        save_finding(tmp_path, finding)
        assert load_finding(tmp_path, finding.key).axes == finding.axes
    shares = next((finding for finding in findings if finding.key == "semantic_attention"), None)
    if shares is not None:
        assert [axis.name for axis in shares.axes] == ["layer", "metapath"]
        assert shares.axes[1].labels == GRAPH.metapaths


@every_case
def test_planted_classes_are_found(case: Case) -> None:
    model, _, _ = ready(case)
    assert micro_f1(model) > LEAST


def test_noise_is_not_classified() -> None:
    """Otherwise the test above could not fail."""
    noise = torch.randn(GRAPH.num_nodes, 16, generator=torch.Generator().manual_seed(3))
    found = [
        probe(noise, GRAPH.labels, setting, 3, CLASSIFIERS, 0.05, ITERATIONS).values["micro_f1"].mean()
        for setting in GRAPH.settings.values()
    ]
    assert np.mean(found) < LEAST - 0.1
