"""Every page over tiny stored runs, in every state it can meet."""

import json
import sys
import time
from types import SimpleNamespace

import pytest

from core.catalog.systems import CATALOG
from core.runs import launch
from core.runs.devices import Slot
from core.runs.folder import open_run
from core.runs.requests import write_request
from core.runs.state import SlotState
from dashboard.navigation import ROOT, SECTIONS
from tests.dashboard import stored_runs
from tests.pages.conftest import texts

PAGES = [name for entries in SECTIONS.values() for name, _, _ in entries]


def button(app, label: str):
    return next(widget for widget in app.button if widget.label.startswith(label))


def labels(app) -> list[str]:
    return [widget.label for widget in app.button]


@pytest.mark.parametrize("page", PAGES)
def test_an_empty_home_says_what_to_do_next(page, home, opened) -> None:
    app = opened(page)
    assert app.title
    assert app.button
    assert not app.error


@pytest.mark.parametrize("page", PAGES)
def test_a_page_is_short(page) -> None:
    assert len((ROOT / "pages" / f"{page}.py").read_text().splitlines()) <= 60


@pytest.mark.parametrize("page", PAGES)
def test_titles_are_questions(page, stored, opened) -> None:
    assert opened(page).title[0].value.endswith("?")


def test_home_writes_the_demo_data_and_queues_cigf(home, opened, monkeypatch) -> None:
    monkeypatch.setattr("dashboard.panels.demo.write_demo", stored_runs.tiny_demo)
    app = opened("home")
    button(app, "Train CIGF on the demo data").click().run()
    assert not app.exception
    (run,) = home.runs.iterdir()
    recipe = json.loads((run / "recipe.json").read_text())
    assert (recipe["system"], recipe["dataset"], recipe["preset"]) == ("cigf", "demo", "small")
    assert app.title[0].value == "What are my runs doing?"
    assert "Waiting for a free slot" in texts(app)


def test_home_lists_recent_runs_with_their_protocol(stored, opened) -> None:
    said = texts(opened("home"))
    assert "NDCG@10 .1802, sampled99" in said
    assert "running, epoch 3 of 5" in said


@pytest.mark.parametrize(
    ("run", "sentence", "offered", "missing"),
    [
        ("queued-run", "number 1 in the queue", "Cancel", "Resume"),
        ("running-run", "epoch 3 of 5", "Cancel", "Delete"),
        ("failed-run", "loss became NaN at step 12", "Resume", "Cancel"),
        ("done-run", "Finished after 1 min 05 s", "See its relations", "Resume"),
        ("lightgcn-run", "Finished", "Clone", "See its relations"),
    ],
)
def test_a_run_page_says_what_happened_and_offers_what_makes_sense(
    run, sentence, offered, missing, stored, opened
) -> None:
    app = opened("runs", run=run)
    assert sentence in texts(app).replace("\\", "")
    assert offered in labels(app)
    assert missing not in labels(app)


def test_a_finished_run_shows_metrics_with_protocol_and_seen_pairs(stored, opened) -> None:
    app = opened("runs", run="done-run")
    said = texts(app)
    assert "each test item against 99 random ones" in said
    assert "best epoch on validation data; epoch 4" in said
    tables = [frame.value for frame in app.dataframe]
    final = next(table for table in tables if "test on" in table.columns)
    assert list(final["test on"]) == ["all", "pairs seen before", "pairs never seen before"]
    assert final["HR@10"][0] == pytest.approx(0.3125)


def test_a_failed_run_shows_its_log_and_no_traceback_unasked(stored, opened) -> None:
    app = opened("runs", run="failed-run")
    outside = [code.value for code in app.main.code]
    assert any("epoch 3" in code for code in outside)
    traced = [e for e in app.expander if any("secret detail" in code.value for code in e.code)]
    assert len(traced) == 1


def test_a_run_of_which_nothing_is_left_is_an_error_box_not_a_crash(stored, opened) -> None:
    (stored.run("done-run") / "status.json").write_text("{")
    app = opened("runs", run="done-run")
    assert any("status.json cannot be read" in error.value.replace("\\", "") for error in app.error)


@pytest.mark.parametrize("bad", ["../../../etc", "no-such-run", "%2e%2e"])
@pytest.mark.parametrize("page", ["runs", "relations"])
def test_a_run_that_does_not_exist_is_told_and_not_replaced(page, bad, stored, opened) -> None:
    app = opened(page, run=bad)
    assert not app.error
    (notice,) = app.main.warning
    assert "Pick another one" in notice.value
    assert not app.subheader
    assert app.query_params["run"] in (bad, [bad])
    app.selectbox(key="pick:run").select("done-run").run()
    assert not app.warning
    assert app.query_params["run"] in ("done-run", ["done-run"])


def test_details_of_a_run_outside_the_filter_are_not_shown(stored, opened) -> None:
    app = opened("runs", run="done-run", state="failed")
    assert "is not in this filter" in texts(app)
    assert not app.subheader
    button(app, "Clear the filter").click().run()
    assert "Finished after" in texts(app)
    assert "is not in this filter" not in texts(app)


def test_without_a_run_in_the_address_the_filter_chooses(stored, opened) -> None:
    assert "loss became NaN" in texts(opened("runs", state="failed"))


def test_a_state_that_does_not_exist_is_told(stored, opened) -> None:
    notes = [note.value for note in opened("runs", state="zzz").caption]
    assert any("There is no state 'zzz'" in note for note in notes)


def test_a_run_told_to_stop_shows_it_and_cannot_be_told_twice(stored, opened) -> None:
    write_request(stored, "cancel", "running-run")
    app = opened("runs", run="running-run")
    assert "Cancelling at epoch 3 of 5" in texts(app)
    assert button(app, "Cancelling").disabled
    queue = opened("train")
    assert "Cancel" in labels(queue)
    write_request(stored, "cancel", "queued-run")
    assert "Cancel" not in labels(queue.run())


def _scored(app, seconds: float = 20) -> None:
    until = time.monotonic() + seconds
    while any("Scoring" in status.label for status in app.status) and time.monotonic() < until:
        time.sleep(0.1)
        app.run()


def test_a_finished_run_is_scored_under_another_protocol(stored, opened, monkeypatch) -> None:
    asked = []

    def fake(home, run, protocol):
        asked.append(protocol)
        return [sys.executable, "-c", "import time; time.sleep(1)"]

    monkeypatch.setattr("dashboard.panels.evaluation.command", fake)
    app = opened("runs", run="done-run")
    button(app, "Score").click().run()
    assert asked == ["full"]
    assert [status.label for status in app.status if "Scoring under full" in status.label]
    _scored(app)
    assert not app.error
    assert "Score" in labels(app)


def test_a_scoring_that_fails_says_why(stored, opened, monkeypatch) -> None:
    script = "import sys; print('error: no checkpoint'); sys.exit(1)"
    monkeypatch.setattr(
        "dashboard.panels.evaluation.command", lambda home, run, protocol: [sys.executable, "-c", script]
    )
    app = opened("runs", run="done-run")
    button(app, "Score").click().run()
    _scored(app)
    assert any("no checkpoint" in error.value for error in app.error)
    button(app, "Close").click().run()
    assert not app.error


def test_a_run_that_was_still_improving_says_so(stored, opened) -> None:
    assert "still improving at the last epoch" in texts(opened("runs", run="done-run"))
    assert "still improving" not in texts(opened("runs", run="failed-run"))


def test_resume_queues_a_failed_run_again(stored, opened, monkeypatch) -> None:
    asked = []
    monkeypatch.setattr(launch, "requeue", lambda home, run_id: asked.append(run_id))
    button(opened("runs", run="failed-run"), "Resume").click().run()
    assert asked == ["failed-run"]


def test_cancel_is_passed_on(stored, opened, monkeypatch) -> None:
    asked = []
    monkeypatch.setattr(launch, "cancel", lambda home, run_id: asked.append(run_id))
    button(opened("runs", run="running-run"), "Cancel").click().run()
    assert asked == ["running-run"]


def test_delete_asks_before_it_deletes(stored, opened) -> None:
    app = opened("runs", run="failed-run")
    button(app, "Delete").click().run()
    assert stored.run("failed-run").exists()
    button(app, "Delete for good").click().run()
    assert not app.exception
    assert not stored.run("failed-run").exists()


def test_clone_fills_the_form_through_the_address(stored, opened) -> None:
    app = opened("runs", run="deep-run")
    button(app, "Clone").click().run()
    assert app.title[0].value == "What should be trained, and how?"
    layers = next(box for box in app.number_input if box.label.startswith("num layers"))
    assert layers.value == 3


def test_train_queues_one_run_per_seed_with_the_changed_setting(stored, opened) -> None:
    before = {path.name for path in stored.runs.iterdir()}
    app = opened("train", system="cigf")
    app.text_input(key="pick:seeds").set_value("3, 5-6").run()
    next(box for box in app.number_input if box.label.startswith("dim")).set_value(8).run()
    assert "1 setting differs" in texts(app)
    button(app, "Train 3 runs").click().run()
    assert not app.exception
    new = [open_run(stored, path.name).recipe() for path in stored.runs.iterdir() if path.name not in before]
    assert sorted(recipe.seed for recipe in new) == [3, 5, 6]
    assert {recipe.config["dim"] for recipe in new} == {8}


def test_train_shows_the_equivalent_command(stored, opened) -> None:
    said = texts(opened("train", system="lightgcn"))
    assert "python -m core train lightgcn demo --preset small" in said


@pytest.mark.parametrize("system", sorted(CATALOG))
def test_train_draws_a_form_for_every_system(system, stored, opened) -> None:
    app = opened("train", system=system)
    assert not app.error
    assert button(app, "Train 1 run")


def test_train_tells_at_once_which_settings_do_not_fit(stored, opened) -> None:
    app = opened("train", system="cigf", variant="base")
    next(box for box in app.number_input if box.label.startswith("num heads")).set_value(2).run()
    assert any("num_heads must be 1" in error.value.replace("\\", "") for error in app.error)
    assert "launch" not in [widget.key for widget in app.button]


def test_train_refuses_bad_settings_in_the_address_with_a_notice(stored, opened) -> None:
    app = opened("train", system="cigf", set=["dim=-4"])
    assert not app.error
    assert any("were refused" in note.value for note in app.caption)
    assert next(box for box in app.number_input if box.label.startswith("dim")).value == 16


def test_train_without_validation_pairs_offers_no_choice_on_them(stored, opened) -> None:
    app = opened("train", system="cigf", fit_on="train+valid")
    assert list(app.selectbox(key="pick:selection").options) == ["last epoch", "best on TEST (optimistic)"]


def test_relations_answers_in_one_sentence_from_the_run(stored, opened) -> None:
    said = texts(opened("relations", run="done-run"))
    assert "favorite › buy] weighs most for 100.0 % of 211 users" in said


def test_relations_shows_the_paths_of_every_order(stored, opened) -> None:
    said = texts(opened("relations", run="deep-run"))
    assert "**Order 2**: strongest and weakest of 16 paths" in said
    assert "**Order 3**: strongest and weakest of 64 paths" in said


@pytest.mark.parametrize(
    ("detail", "words"),
    [("spread", "Do nodes agree?"), ("evolution", "line: mean"), ("segments", "never saw them")],
)
def test_relations_details_have_an_address(detail, words, stored, opened) -> None:
    assert words in texts(opened("relations", run="deep-run", detail=detail))


def test_relations_of_items_and_an_earlier_epoch_come_from_the_address(stored, opened) -> None:
    said = texts(
        opened(
            "relations", run="deep-run", group="item", order="3", start="view", epoch="3", detail="evolution"
        )
    )
    assert "Mean attention of items, at epoch 3" in said
    assert "order 3, paths that start with **view**" in said


def test_relations_lists_the_instances_of_a_path_in_words(stored, opened) -> None:
    app = opened("relations", run="done-run", path="view > view > view")
    tables = [frame.value for frame in app.dataframe if "instance" in frame.value.columns]
    assert tables
    user = app.query_params["user"]
    assert tables[0]["instance"][0].startswith(f"user {user} —view→ ")


def test_relations_starts_with_a_user_whose_recommendation_was_right(stored, opened) -> None:
    app = opened("relations", run="done-run")
    assert "✓" in app.selectbox(key="pick:user").format_func(app.selectbox(key="pick:user").value)


@pytest.mark.parametrize(
    ("run", "reason"),
    [
        ("lightgcn-run", "does not weigh relations"),
        ("base-run", "has no attention"),
        ("flat-run", "nothing to weigh"),
        ("queued-run", "Not trained yet"),
        ("running-run", "Still training"),
        ("failed-run", "failed before its findings"),
    ],
)
def test_relations_says_why_there_are_none(run, reason, stored, opened) -> None:
    app = opened("relations", run=run)
    assert reason in texts(app)
    assert not app.error


def test_a_damaged_finding_is_an_error_box_with_a_remedy(stored, opened) -> None:
    (stored.run("done-run") / "findings" / "relation_attention.npz").write_bytes(b"PK")
    app = opened("relations", run="done-run")
    assert any("What to do" in error.value for error in app.error)


def number(app, label: str):
    return next(box for box in app.number_input if box.label.startswith(label))


def test_changed_settings_are_in_the_address_until_the_preset_sets_them_otherwise(stored, opened) -> None:
    app = opened("train", system="cigf")
    number(app, "dim").set_value(8).run()
    number(app, "epochs").set_value(7).run()
    assert sorted(app.query_params["set"]) == ["dim=8", "epochs=7"]
    app.selectbox(key="pick:variant").select("base").run()
    assert (number(app, "dim").value, number(app, "epochs").value) == (8, 7)
    assert not any("reset" in note.value for note in app.caption)
    app.selectbox(key="pick:preset").select("paper").run()
    assert app.query_params["set"] in ("dim=8", ["dim=8"])
    assert number(app, "epochs").value == CATALOG["cigf"].resolve("paper").epochs
    assert "1 change was reset: epochs" in texts(app).replace("\\", "")
    number(app, "dim").set_value(9).run()
    assert not any("reset" in note.value for note in app.caption)


def test_edits_survive_a_visit_to_another_page(stored, opened) -> None:
    app = opened("train", system="cigf")
    number(app, "dim").set_value(8).run()
    app.query_params.clear()
    app.switch_page("../pages/home.py").run()
    app.switch_page("../pages/train.py").run()
    assert number(app, "dim").value == 8


@pytest.mark.parametrize(("value", "said"), [(0, "(got 0)"), (-5, "(got -5)")])
def test_a_number_out_of_range_is_an_error_that_names_the_bound(value, said, stored, opened) -> None:
    app = opened("train", system="cigf")
    number(app, "epochs").set_value(value).run()
    (error,) = app.error
    assert error.value.replace("\\", "") == f"Epochs: must be greater than or equal to 1 {said}."
    assert "launch" not in [widget.key for widget in app.button]
    assert "Exactly preset" not in texts(app)
    assert number(app, "epochs").value == value
    number(app, "epochs").set_value(3).run()
    assert not app.error
    assert button(app, "Train 1 run")


def test_cleared_seeds_are_an_error(stored, opened) -> None:
    app = opened("train")
    app.text_input(key="pick:seeds").set_value("").run()
    assert any("no seed is given" in error.value for error in app.error)
    assert app.text_input(key="pick:seeds").value == ""
    assert "launch" not in [widget.key for widget in app.button]


def test_a_run_that_starts_between_two_readings_stands_in_one_place_only(stored, opened, monkeypatch) -> None:
    slot = Slot(name="cpu:0", kind="cpu", title="CPU", threads=2)
    held = SlotState(slot=slot, run_id="queued-run")
    state = SimpleNamespace(slots=(held,), trouble="")
    monkeypatch.setattr(launch, "supervisor_state", lambda home: state)
    app = opened("train")
    assert [button.key for button in app.button if "queued-run" in button.key] == [
        "queue-cancel:cpu:0:queued-run"
    ]
    assert "The queue is empty." in texts(app)


@pytest.mark.parametrize("page", ["runs", "compare", "data", "import", "relations", "experts", "train"])
def test_the_link_to_the_view_is_there_also_where_a_page_stops_early(home, opened, page) -> None:
    app = opened(page)  # nothing is stored: these pages say so and stop
    assert len(app.sidebar.get("bidi_component")) == 1
