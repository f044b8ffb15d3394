"""Numbers and states in words."""

import pytest

from core.runs.folder import Failure, Status
from dashboard import glossary, words


def status(**fields) -> Status:
    return Status.model_validate({"state": "running", "created": 0.0, "queued": 100.0} | fields)


def test_a_long_title_is_cut_to_a_line() -> None:
    assert words.cut(" Torch ") == "Torch"
    assert words.cut("ab cd ef", 8) == "ab cd ef"
    assert words.cut("ab cd efg", 7) == "ab cd…"


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.59618, ".5962"),
        (1.0, "1.0000"),
        (None, "–"),
        (float("nan"), "–"),
        (-0.25, "−.2500"),
        (-1e-6, ".0000"),
    ],
)
def test_scores_have_four_decimals(value, text) -> None:
    assert words.score(value) == text


@pytest.mark.parametrize(
    ("value", "text"), [(0.0123, "+.0123"), (-0.0045, "−.0045"), (-1e-6, "+.0000"), (0.0, "+.0000")]
)
def test_differences_bear_their_sign(value, text) -> None:
    assert words.signed(value) == text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0.42, "0.4 s"), (42, "42 s"), (185, "3 min 05 s"), (7800, "2 h 10 min"), (-3, "0.0 s")],
)
def test_durations(seconds, text) -> None:
    assert words.duration(seconds) == text


@pytest.mark.parametrize(
    ("number", "text"), [(12, "12 B"), (812e6, "812 MB"), (1.5e10, "15.0 GB"), (3e15, "3000.0 TB")]
)
def test_sizes(number, text) -> None:
    assert words.size(number) == text


def test_counts_agree_with_their_noun() -> None:
    assert words.count(1, "run") == "1 run"
    assert words.count(15449, "user") == "15,449 users"


def test_a_queued_run_tells_its_place() -> None:
    text = words.state_sentence(status(state="queued"), resumable=False, place=2, now=112.0)
    assert "Waiting for a free slot for 12 s" in text
    assert "number 2" in text


def test_a_running_run_tells_epoch_and_device_and_silence() -> None:
    running = status(started=100.0, epoch=7, epochs=20, device="cpu", heartbeat=110.0)
    assert "cpu: epoch 7 of 20" in words.state_sentence(running, resumable=False, now=112.0)
    assert "No sign of life for 1 min 30 s" in words.state_sentence(running, resumable=False, now=200.0)


def test_a_failed_run_gives_the_reason_and_what_resume_does() -> None:
    failed = status(
        state="failed",
        started=100.0,
        finished=130.0,
        epoch=4,
        epochs=20,
        error=Failure(message="out of memory"),
    )
    saved = words.state_sentence(failed, resumable=True)
    assert "epoch 4 of 20 after 30 s: out of memory." in saved
    assert "Resume continues" in saved
    assert "Resume starts over" in words.state_sentence(failed, resumable=False)


def test_a_resumed_run_tells_the_attempt_from_the_whole() -> None:
    ended = status(state="cancelled", started=100.0, finished=105.5, epoch=77, epochs=300, attempts=1)
    text = words.state_sentence(ended, resumable=True, trained=42.0)
    assert "epoch 77 of 300 after 5.5 s in the last attempt (42 s of training in all)." in text
    first = ended.model_copy(update={"attempts": 0})
    assert "attempt" not in words.state_sentence(first, resumable=True, trained=5.0)
    assert "attempt" in words.state_sentence(first, resumable=True, trained=42.0)


@pytest.mark.parametrize("state", ["queued", "running"])
def test_a_run_that_was_told_to_stop_says_so(state) -> None:
    assert words.state_sentence(status(state=state), resumable=False, cancelling=True).startswith(
        "Cancelling"
    )


def test_commands_are_those_of_the_environment_that_make_built(monkeypatch) -> None:
    monkeypatch.setattr("sys.prefix", str(words.ROOT / ".venv"))
    assert words.command("type `python -m core runs`") == "type `.venv/bin/python -m core runs`"
    monkeypatch.setattr("sys.prefix", "/usr")
    assert words.command("python -m core runs") == "python -m core runs"


def test_advice_is_not_given_twice() -> None:
    failed = status(
        state="failed",
        error=Failure(message="The worker vanished. Resume continues from the last checkpoint."),
    )
    assert words.state_sentence(failed, resumable=True).count("Resume") == 1


def test_protocols_are_said_in_words() -> None:
    assert "99 random" in words.protocol("sampled99")
    assert "not hidden" in words.protocol("full:mask_valid=false")
    assert words.protocol("heco").startswith("50 linear classifiers per label setting")
    assert "7 linear classifiers" in words.protocol("heco:repeats=7")
    assert "learning rate 0.02" in words.protocol("heco:probe_lr=0.02")


def test_what_was_trained_on_is_said_of_rankings_alone() -> None:
    assert (
        words.trained_on("ranking", "train", 0.2)
        == "trained on training pairs and 20 % random auxiliary pairs"
    )
    assert words.trained_on("nodes", "train") == ""


def test_every_term_of_the_glossary_is_a_sentence() -> None:
    for term, text in glossary.TERMS.items():
        assert text.endswith("."), term


def test_a_sentence_begins_with_a_capital_and_keeps_the_others() -> None:
    assert words.sentence("full ranking as in MMRec") == "Full ranking as in MMRec"
    assert words.sentence("") == ""
