"""The contract every ranking system keeps: one test over the whole catalog, its small preset and every variant."""

from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from core.catalog.systems import CATALOG
from core.evaluation.ranking import evaluate
from core.findings import Finding
from core.models.base import Fitted, GraphRanker, Ranker, Trainable
from core.models.cigf import CIGF
from core.protocol import Protocol
from core.training.checkpoint import Progress, load_checkpoint, load_model, save_checkpoint
from tests.core.models import tiny

BOARD = tiny.checkerboard()
EVERYONE = torch.arange(BOARD.num_users)
FIRST = Protocol(name="full", ks=(1,))
EPOCHS = 20
SIZES: dict[str, dict[str, Any]] = {
    "cigf": {"dim": 8, "batch_users": 11, "positives_per_user": 8},
    "hgib": {"dim": 8, "batch_size": 64, "alpha": 0.1, "beta": 1.0},
    "mule": {"dim": 8, "batch_size": 64},
    "crgcn": {"dim": 8, "batch_users": 11, "positives_per_user": 8},
    "lightgcn": {"dim": 8, "batch_size": 64},
    "lightgcn_m": {"dim": 8, "batch_size": 64},
    "mbgmn": {"dim": 8, "batch_users": 11, "positives_per_user": 8},
    "mbgcn": {"dim": 8, "batch_size": 64},
    "mf": {"dim": 8, "batch_size": 64},
    "ngcf": {"dim": 8, "batch_size": 64},
    "ngcf_m": {"dim": 8, "batch_size": 64},
    "vbpr": {"dim": 8, "modal_dim": 4, "batch_size": 64},
    "mgcn": {"dim": 8, "batch_size": 64, "neighbors": 3},
    "egra": {"dim": 8, "batch_size": 64, "neighbors": 3, "link_neighbors": 3},
    "freedom": {"dim": 8, "batch_size": 64, "neighbors": 3},
    "lgmrec": {"dim": 8, "batch_size": 64},
    "srgformer": {"dim": 8, "batch_size": 64, "mcl_weight": 1e-3},
}
# Systems that score an item alike for every user, so that no withheld item of one colour can come first for both.
COLOUR_BLIND = {
    ("popularity", None): "the same ranking for all users",
    ("cigf", "head_shared_bottom_as_released"): "its user part cancels: it can only learn item popularity",
}

# Systems whose propagation ranks the withheld item first before any training: two colours are all that the board has.
SEES_COLOURS = {("hgib", None), ("mule", None), ("crgcn", None), ("srgformer", "width_64")}

Case = tuple[str, str | None]
CASES: list[Case] = [
    (key, variant)
    for key, entry in CATALOG.items()
    if entry.task == "ranking"  # those that embed nodes: test_node_contract.py
    for variant in (None, *entry.variants)
]
TRAINED = [case for case in CASES if CATALOG[case[0]].is_trained]
every_case = pytest.mark.parametrize("case", CASES, ids=lambda case: "-".join(filter(None, case)))
trained_case = pytest.mark.parametrize("case", TRAINED, ids=lambda case: "-".join(filter(None, case)))


def fresh(case: Case, seed: int = 0) -> Ranker:
    return tiny.built(case[0], BOARD, case[1], seed, **sizes(case))


def sizes(case: Case) -> dict[str, Any]:
    """Settings that suit the board, but for those that the variant changes."""
    patch = CATALOG[case[0]].variants[case[1]].patch if case[1] else {}
    return {name: value for name, value in SIZES.get(case[0], {}).items() if name not in patch}


def optimizer_of(model: Ranker) -> torch.optim.Adam:
    return torch.optim.Adam(model.parameters(), lr=2e-2)


def train(model: Ranker, epochs: int, seed: int = 0) -> tuple[list[dict[str, float]], set[str]]:
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
            steps.append({name: float(value.detach()) for name, value in losses.items()})
    return steps, moved


@cache
def ready(case: Case) -> tuple[Ranker, list[dict[str, float]], set[str]]:
    """The model, trained or fitted on the checkerboard; shared by the tests, which leave it as it is."""
    model = fresh(case)
    if isinstance(model, Fitted):
        model.fit(BOARD)
        return model, [], set()
    return model, *train(model, EPOCHS)


def scores(model: Ranker) -> Tensor:
    with model.evaluating():
        return model.score(EVERYONE).clone()


@every_case
def test_config_survives_the_round_trip_through_json(case: Case):
    entry, config = CATALOG[case[0]], tiny.resolved(*case)
    assert entry.config.model_validate_json(config.model_dump_json()) == config
    if case[1] is not None:
        assert config != tiny.resolved(case[0]), "a variant that changes nothing"
    for preset in entry.presets:
        assert entry.resolve(preset, case[1])


@trained_case
def test_losses_are_named_scalar_and_finite(case: Case):
    _, steps, _ = ready(case)
    assert steps
    assert all(steps[0].keys() == step.keys() and len(step) >= 2 for step in steps)
    assert all(np.isfinite(list(step.values())).all() for step in steps)
    assert sum(steps[-1].values()) < sum(steps[0].values())


@trained_case
def test_every_parameter_gets_a_gradient(case: Case):
    model, _, moved = ready(case)
    assert moved == {name for name, p in model.named_parameters() if p.requires_grad}


@trained_case
def test_every_parameter_of_a_deeper_model_gets_a_gradient(case: Case):
    """Attention of every order and weights of every layer are used."""
    if "num_layers" not in CATALOG[case[0]].config.model_fields:
        pytest.skip("it has no layers")
    for settings in [{"num_layers": 1}, {"num_layers": 3}]:
        model = tiny.built(case[0], BOARD, case[1], **(sizes(case) | settings))
        _, moved = train(model, 2)
        assert moved == {name for name, p in model.named_parameters() if p.requires_grad}


@every_case
def test_same_seed_same_result_other_seed_other_result(case: Case):
    def outcome(seed: int) -> tuple[Any, Tensor]:
        model = fresh(case, seed)
        if isinstance(model, Fitted):
            model.fit(BOARD)
            return None, scores(model)
        return train(model, 2, seed)[0], scores(model)

    first, again, other = outcome(0), outcome(0), outcome(1)
    assert first[0] == again[0]
    assert torch.equal(first[1], again[1])
    if CATALOG[case[0]].is_trained:
        assert first[0] != other[0]
        assert not torch.equal(first[1], other[1])


@every_case
def test_scores_are_finite_deterministic_and_those_of_single_items(case: Case):
    model, _, _ = ready(case)
    first = scores(model)
    assert first.shape == (BOARD.num_users, BOARD.num_items)
    assert first.isfinite().all()
    assert torch.equal(first, scores(model))
    users, items = torch.tensor([5, 0, 20]), torch.tensor([[3, 13], [0, 0], [7, 1]])
    with model.evaluating():
        torch.testing.assert_close(model.score_items(users, items), first[users].gather(1, items))
        torch.testing.assert_close(model.score(users), first[users])


@every_case
def test_saved_and_loaded_models_score_alike(case: Case, tmp_path: Path):
    model, _, _ = ready(case)
    other = fresh(case, seed=1)
    if isinstance(model, Fitted):
        other.load_state_dict(model.state_dict())
    else:
        generator = torch.Generator()
        progress = Progress(epoch=3, step=7, best_epoch=2, best_value=0.5, validations_without_gain=1)
        save_checkpoint(tmp_path / "last.pt", model, optimizer_of(model), generator, progress)
        assert not torch.equal(scores(other), scores(model))
        assert load_model(tmp_path / "last.pt", other) == 3
        found = load_checkpoint(tmp_path / "last.pt", other, optimizer_of(other), generator)
        assert found == progress
    assert torch.equal(scores(other), scores(model))


@every_case
def test_findings_and_embeddings_describe_the_nodes(case: Case):
    model, _, _ = ready(case)
    findings, levels = model.findings(), model.embed()
    assert all(isinstance(finding, Finding) for finding in findings)
    assert len({finding.key for finding in findings}) == len(findings)
    for level, values in levels.items():
        assert level.replace("_", "a").isalnum()
        assert len(values) == BOARD.num_users + BOARD.num_items
        assert values.isfinite().all()
        assert not values.requires_grad
    if isinstance(model, CIGF):
        keys = {finding.key for finding in findings}
        attends = model.config.encoder == "cigcn"
        gated = model.config.head in ("mesi", "mmoe", "ple")
        expected = {"relation_attention", "relation_paths_2"} if attends else set()
        assert keys == expected | ({"expert_gates"} if gated else set())
        assert all(", " in finding.source and finding.note for finding in findings)  # paper, place
        assert set(levels) == {"initial", *BOARD.behaviors}
        probes = model.probes(next(model.batches(torch.Generator().manual_seed(0))))
        assert [probe.key for probe in probes] == ["gradient_conflict"]


@trained_case
def test_the_catalog_tells_which_systems_have_tasks_in_conflict(case: Case):
    model, _, _ = ready(case)
    assert isinstance(model, Trainable)
    probes = model.probes(next(model.batches(torch.Generator().manual_seed(0))))
    assert CATALOG[case[0]].is_multi_task == ("gradient_conflict" in {probe.key for probe in probes})


@pytest.mark.parametrize("protocol", [FIRST, Protocol(name="sampled99", num_negatives=3, ks=(1,))])
@trained_case
def test_an_evaluation_encodes_the_graph_once(case: Case, protocol: Protocol, monkeypatch):
    model, _, _ = ready(case)
    assert isinstance(model, GraphRanker)
    calls, encode = [], model.encode
    monkeypatch.setattr("core.evaluation.ranking._SCORES_AT_ONCE", 40)  # batches of two users
    monkeypatch.setattr(model, "encode", lambda: calls.append(1) or encode())
    evaluate(model, BOARD, protocol)
    assert len(calls) == 1


@every_case
def test_the_withheld_item_of_every_user_comes_first(case: Case):
    model, _, _ = ready(case)
    hits = evaluate(model, BOARD, FIRST).per_user["hr@1"]
    if case in COLOUR_BLIND:
        assert hits.mean() < 0.6, COLOUR_BLIND[case]
    else:
        is_lenient = "head" in (case[1] or "") or case[0] in ("mbgmn", "hgib")
        assert hits.mean() >= (0.9 if is_lenient else 1), (
            "networks on [u; i] may memorise a negative, and compression presses users of one colour together"
        )


@trained_case
def test_an_untrained_model_does_not_find_the_withheld_item(case: Case):
    """Otherwise the test above could not fail."""
    if {(case[0], None), case} & SEES_COLOURS and case[1] != "flat":
        pytest.skip("its propagation alone tells the colours apart; its own tests show that it learns")
    before = [evaluate(fresh(case, seed), BOARD, FIRST).per_user["hr@1"].mean() for seed in range(3)]
    assert min(before) < 1
