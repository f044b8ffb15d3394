"""The trainer: resume bit for bit, selection, early stopping, refusals."""

from collections.abc import Iterable
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from core.errors import DataError, RunError
from core.findings import load_history
from core.home import Home
from core.runs.folder import RunFolder
from core.runs.metrics import latest_rows, read_metrics
from core.training import tasks
from core.training import trainer as trainer_module
from core.training.trainer import Hooks, Stopped, Trainer
from tests.core.models import tiny
from tests.core.training.boards import queued, stopping_after, trainer


def state(training: Trainer) -> dict[str, torch.Tensor]:
    return {name: value.clone() for name, value in training.model.state_dict().items()}


def assert_same(first: dict[str, torch.Tensor], second: dict[str, torch.Tensor]) -> None:
    assert first.keys() == second.keys()
    for name, value in first.items():
        assert torch.equal(value, second[name]), name


def measured(run: RunFolder) -> dict[tuple[str, int, int], float]:
    """Losses and validation metrics by name, epoch and step; times and memory left out."""
    rows = latest_rows(read_metrics(run.metrics)[0])
    return {
        (r.name, r.epoch, r.step): r.value for r in rows if r.name.startswith(("loss/", "valid/", "test/"))
    }


@pytest.mark.parametrize("selection", ["valid", "last"])
@pytest.mark.parametrize("system", ["cigf", "hgib", "lightgcn"])
def test_a_resumed_run_equals_an_uninterrupted_one_bit_for_bit(home: Home, system: str, selection):
    name = f"{system}-{selection}"
    whole = queued(home, f"whole-{name}", system, selection=selection)
    uninterrupted = trainer(home, whole)
    epoch = uninterrupted.fit(Hooks())
    broken = queued(home, f"broken-{name}", system, selection=selection)
    for stop in (1, 3):
        with pytest.raises(Stopped, match=f"after epoch {stop}"):
            trainer(home, broken).fit(stopping_after(stop))
    resumed = trainer(home, broken)
    assert resumed.progress.epoch == 3
    assert resumed.fit(Hooks()) == epoch
    assert_same(state(uninterrupted), state(resumed))
    assert measured(whole) == measured(broken)
    assert uninterrupted.progress == resumed.progress
    keys = [p.name.removesuffix(".history.npz") for p in whole.findings.glob("*.history.npz")]
    assert bool(keys) is (system != "lightgcn")
    for key in keys:
        first, second = load_history(whole.findings, key), load_history(broken.findings, key)
        assert first.epochs.tolist() == second.epochs.tolist() == [1, 2, 4, 5]
        np.testing.assert_array_equal(first.values, second.values)


def test_resuming_without_the_stored_states_would_differ(home: Home):
    """Otherwise the test above could not fail: what epoch 2 draws depends on the generator's state after epoch 1."""
    run = queued(home, "stateless")
    with pytest.raises(Stopped):
        trainer(home, run).fit(stopping_after(3))
    again = trainer(home, run)
    again.generator.manual_seed(0)
    again.fit(Hooks())
    whole = queued(home, "stateful")
    trainer(home, whole).fit(Hooks())
    assert measured(run) != measured(whole)


def scripted(monkeypatch: pytest.MonkeyPatch, values: Iterable[float]) -> list[str]:
    """Validation gives `values` in turn; returns the list of splits that were asked for."""
    left, asked = list(values), []

    def fake(model, data, protocol, split):
        asked.append(split)
        value = left.pop(0)
        return SimpleNamespace(metrics=lambda: {protocol.main_metric: value, "hr@10": 0.5})

    monkeypatch.setattr(tasks, "evaluate", fake)
    return asked


def recorded(training: Trainer) -> tuple[Hooks, dict[int, dict[str, torch.Tensor]]]:
    states: dict[int, dict[str, torch.Tensor]] = {}
    return Hooks(on_epoch=lambda progress: states.update({progress.epoch: state(training)})), states


@pytest.mark.parametrize(
    ("selection", "values", "epoch", "split"),
    [
        ("valid", [0.1, 0.5, 0.2, 0.4, 0.5], 2, "valid"),
        ("valid", [0.0, 0.0, 0.0, 0.0, 0.0], 1, "valid"),
        ("test_as_published", [0.1, 0.2, 0.3, 0.7, 0.6], 4, "test"),
        ("last", [0.9, 0.2, 0.3, 0.7, 0.6], 5, "valid"),
    ],
)
def test_selection_leaves_the_parameters_of_its_epoch(
    home: Home, monkeypatch, selection, values, epoch: int, split
):
    asked = scripted(monkeypatch, values)
    training = trainer(home, queued(home, f"pick-{selection}-{epoch}", selection=selection))
    hooks, states = recorded(training)
    assert training.fit(hooks) == epoch
    assert_same(state(training), states[epoch])
    assert not torch.equal(states[epoch]["user_embedding"], states[1 + epoch % 5]["user_embedding"])
    assert asked == [split] * 5


@pytest.mark.parametrize("selection", ["valid", "last"])
def test_patience_ends_training_after_that_many_validations_without_gain(home: Home, monkeypatch, selection):
    scripted(monkeypatch, [0.1, 0.3, 0.3, 0.2])
    run = queued(home, f"patient-{selection}", selection=selection, overrides={"epochs": 9, "patience": 2})
    training = trainer(home, run)
    hooks, states = recorded(training)
    selected = training.fit(hooks)
    assert sorted(states) == [1, 2, 3, 4]
    assert selected == (2 if selection == "valid" else 4)
    assert_same(state(training), states[selected])
    # what evaluates the run later reads these files
    stored = torch.load(run.checkpoints / "last.pt", weights_only=True)
    assert stored["progress"]["epoch"] == 4
    assert_same(stored["model"], states[4])
    assert load_history(run.findings, "gradient_conflict").epochs.tolist() == [1, 2, 4]


def test_validation_and_snapshots_happen_when_asked_for_and_at_the_end(home: Home):
    run = queued(home, "rare", overrides={"validate_every": 3, "snapshot_every": 4})
    trainer(home, run).fit(Hooks())
    assert sorted({e for n, e, _ in measured(run) if n.startswith("valid/")}) == [3, 5]
    assert load_history(run.findings, "relation_attention").epochs.tolist() == [1, 4, 5]


def test_without_snapshots_there_are_no_histories(home: Home):
    run = queued(home, "blank", overrides={"snapshot_every": 0})
    trainer(home, run).fit(Hooks())
    assert not list(run.findings.glob("*")) if run.findings.exists() else True


def test_the_learning_rate_falls_in_stairs(home: Home, monkeypatch):
    run = queued(
        home, "stairs", overrides={"epochs": 3, "lr_decay": 0.5, "lr_decay_steps": 4, "learning_rate": 0.1}
    )
    training, rates = trainer(home, run), []
    step = training.optimizer.step
    monkeypatch.setattr(
        training.optimizer, "step", lambda: rates.append(training.optimizer.param_groups[0]["lr"]) or step()
    )
    training.fit(Hooks())
    assert rates == pytest.approx([0.1] * 4 + [0.05] * 2)  # two batches an epoch


def test_metrics_hold_every_term_and_their_sum(home: Home):
    run = queued(home, "terms", overrides={"epochs": 1})
    trainer(home, run).fit(Hooks())
    values = {name: value for (name, _, _), value in measured(run).items()}
    terms = ["loss/bpr_view", "loss/bpr_cart", "loss/bpr_buy", "loss/l2"]
    assert values["loss/total"] == pytest.approx(sum(values[t] for t in terms))
    assert {"valid/ndcg@10", "valid/hr@10"} < set(values)


def test_selection_on_validation_without_validation_pairs_names_the_remedy(home: Home):
    board = tiny.checkerboard()
    train = {b: board.train[b].toarray() for b in board.behaviors}
    tiny.stored(home, tiny.ranking_from(train, None, board.test.toarray()), "unvalidated")
    with pytest.raises(DataError, match=r"no validation pairs .* --selection last"):
        trainer(home, queued(home, "blind", dataset="unvalidated"))
    run = queued(home, "last", dataset="unvalidated", selection="last")
    assert trainer(home, run).fit(Hooks()) == 5
    assert not [name for name, _, _ in measured(run) if name.startswith(("valid/", "test/"))]


def test_training_pairs_that_allow_no_batch_are_refused(home: Home):
    buy = np.zeros((3, 5))
    buy[0] = 1
    test = np.zeros((3, 5))
    test[1, 2] = 1
    tiny.stored(home, tiny.ranking_from({"view": buy, "buy": buy}, None, test), "glutton")
    run = queued(home, "hungry", "lightgcn", dataset="glutton", selection="last")
    with pytest.raises(DataError, match="no training batch"):
        trainer(home, run).fit(Hooks())


def test_a_diverging_loss_is_an_error_and_spoils_no_checkpoint(home: Home, monkeypatch):
    run = queued(home, "diverging")
    with pytest.raises(Stopped):
        trainer(home, run).fit(stopping_after(2))
    training = trainer(home, run)
    losses = training.model.losses
    monkeypatch.setattr(
        training.model,
        "losses",
        lambda batch: losses(batch) | {"l2": training.model.user_embedding.sum() / 0},
    )
    with pytest.raises(RunError, match=r"loss/\w+ is not finite in epoch 3: .* lower learning_rate"):
        training.fit(Hooks())
    again = trainer(home, run)
    assert again.progress.epoch == 2
    assert all(value.isfinite().all() for value in state(again).values())


def test_a_long_epoch_stops_in_the_middle_and_is_repeated(home: Home, monkeypatch):
    whole = queued(home, "long-whole")
    trainer(home, whole).fit(Hooks())
    run = queued(home, "long")
    with pytest.raises(Stopped):
        trainer(home, run).fit(stopping_after(2))
    monkeypatch.setattr(trainer_module, "_SECONDS_WORTH_FINISHING", -1.0)
    with pytest.raises(Stopped, match="stopped in epoch 3; resuming repeats"):
        trainer(home, run).fit(Hooks(should_stop=lambda: True))
    trainer(home, run).fit(Hooks())
    assert measured(run) == measured(whole)


def damage(content: bytes, how: str) -> bytes:
    flipped = bytearray(content)
    flipped[len(content) // 3] ^= 0xFF
    return {
        "truncated": content[: len(content) // 2],
        "empty": b"",
        "text": b"hello",
        "flipped": bytes(flipped),
    }[how]


@pytest.mark.parametrize("how", ["truncated", "empty", "text"])
def test_a_damaged_checkpoint_is_an_error_with_a_remedy(home: Home, how: str):
    run = queued(home, f"damaged-{how}")
    with pytest.raises(Stopped):
        trainer(home, run).fit(stopping_after(2))
    path = run.checkpoints / "last.pt"
    path.write_bytes(damage(path.read_bytes(), how))
    with pytest.raises(RunError, match=r"last\.pt: the checkpoint cannot be read"):
        trainer(home, run)


def test_every_flipped_byte_is_survived_or_reported(home: Home):
    run = queued(home, "flipped")
    with pytest.raises(Stopped):
        trainer(home, run).fit(stopping_after(1))
    path, rng = run.checkpoints / "last.pt", np.random.default_rng(0)
    content, refused = path.read_bytes(), 0
    training = trainer(home, run)
    for position in rng.integers(0, len(content), 150):
        spoiled = bytearray(content)
        spoiled[position] = int(rng.integers(256))
        path.write_bytes(bytes(spoiled))
        try:
            trainer_module.load_checkpoint(path, training.model, training.optimizer, training.generator)
        except RunError:
            refused += 1
    assert refused > 0


def test_a_checkpoint_of_another_model_is_refused(home: Home):
    run = queued(home, "narrow")
    with pytest.raises(Stopped):
        trainer(home, run).fit(stopping_after(1))
    wide = queued(home, "wide", overrides={"dim": 5})
    wide.checkpoints.mkdir()
    (wide.checkpoints / "last.pt").write_bytes((run.checkpoints / "last.pt").read_bytes())
    with pytest.raises(RunError, match="does not fit this model"):
        trainer(home, wide)


def test_closed_form_systems_are_not_trained_by_gradient(home: Home):
    with pytest.raises(TypeError, match="not trained by gradient"):
        trainer(home, queued(home, "closed", "ease"))
