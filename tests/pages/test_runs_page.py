"""Runs: rows to tick, filters in the address, notes and tags that two tabs write at once."""

import pytest

from core.runs.folder import open_run
from core.runs.notes import Notes, read_notes, write_notes
from dashboard.panels import run_detail
from tests.pages.conftest import texts


def button(app, label: str):
    return next(widget for widget in app.button if widget.label.startswith(label))


def labels(app) -> list[str]:
    return [widget.label for widget in app.button]


def table(app):
    return next(frame.value for frame in app.dataframe if "run id" in frame.value.columns)


def test_a_button_pressed_in_the_moment_when_its_run_ends_is_heard(stored, opened, monkeypatch) -> None:
    app = opened("runs", run="done-run")
    live, states = run_detail._live, ["running"]

    def drawn_before_the_end(home, run_id: str, state: str) -> None:
        live(home, run_id, states.pop() if states else state)

    monkeypatch.setattr(run_detail, "_live", drawn_before_the_end)
    button(app, "See its relations").click().run()
    assert not states
    assert app.title[0].value == "Which relations does the model rely on?"


def test_ticked_runs_of_the_address_can_be_compared(stored, opened) -> None:
    app = opened("runs", runs="done-run,base-run")
    button(app, "Compare 2 runs").click().run()
    assert not app.exception
    assert app.title[0].value.startswith("Which of these runs is better")
    assert app.query_params["runs"] in ("done-run,base-run", ["done-run,base-run"])


@pytest.mark.parametrize("runs", ["", "done-run"])
def test_fewer_than_two_runs_cannot_be_compared(runs, stored, opened) -> None:
    app = opened("runs", **({"runs": runs} if runs else {}))
    assert button(app, "Compare").disabled
    assert "Tick two or more rows" in texts(app)


@pytest.mark.parametrize("bad", ["../../etc", "done-run,,base-run", "<script>", "x" * 3000])
def test_tampered_ticks_are_refused_with_a_notice(bad, stored, opened) -> None:
    app = opened("runs", runs=bad)
    assert any("Left out of ticked runs" in note.value for note in app.caption)
    assert button(app, "Compare").disabled


def test_ticked_runs_that_are_gone_are_told_and_the_others_stay(stored, opened) -> None:
    app = opened("runs", runs="done-run,gone-run,base-run")
    assert any("gone" in note.value for note in app.caption)
    assert "Compare 2 runs" in labels(app)
    button(app, "Untick all").click().run()
    assert button(app, "Compare").disabled
    assert "runs" not in app.query_params


def test_filters_come_from_the_address(stored, opened) -> None:
    write_notes(open_run(stored, "base-run"), "", ["paper v2"])
    assert set(table(opened("runs", tag="paper v2"))["run id"]) == {"base-run"}
    assert set(table(opened("runs", of_system="lightgcn"))["run id"]) == {"lightgcn-run"}
    assert set(table(opened("runs", find="num_layers=3"))["run id"]) == {"deep-run"}
    assert len(table(opened("runs", of_data="demo"))) == 8


@pytest.mark.parametrize("field", ["tag", "of_system", "of_data"])
def test_a_filter_that_does_not_exist_is_told(field, stored, opened) -> None:
    assert any("'nothing'" in note.value for note in opened("runs", **{field: "nothing"}).caption)


def test_notes_and_tags_are_stored_shown_and_found(stored, opened) -> None:
    app = opened("runs", run="done-run")
    app.text_area(key="notes:done-run").set_value("Better on *rare* items")
    app.multiselect(key="tags:done-run").set_value(["paper v2"])
    button(app, "Save").click().run()
    assert not app.exception
    assert read_notes(open_run(stored, "done-run")) == Notes("Better on *rare* items", ("paper v2",))
    assert "Better on \\*rare\\* items" in texts(app)
    row = table(app).set_index("run id").loc["done-run"]
    assert list(row["tags"]) == ["paper v2"]
    assert set(table(opened("runs", find="rare better"))["run id"]) == {"done-run"}


def test_a_tag_that_is_not_allowed_is_refused_and_nothing_is_written(stored, opened) -> None:
    app = opened("runs", run="done-run")
    app.multiselect(key="tags:done-run").set_value(["a,b"])
    button(app, "Save").click().run()
    assert any("choose another tag" in error.value.lower() for error in app.error)
    assert not (stored.run("done-run") / "notes.json").exists()


def _two_writers(stored, opened):
    """A tab that saves after somebody else has."""
    app = opened("runs", run="done-run")
    write_notes(open_run(stored, "done-run"), "theirs", ["b"])
    app.text_area(key="notes:done-run").set_value("mine")
    button(app, "Save").click().run()
    return app


def test_of_two_tabs_the_later_one_is_shown_the_other_and_keeps_its_own(stored, opened) -> None:
    app = _two_writers(stored, opened)
    assert read_notes(open_run(stored, "done-run")).notes == "theirs"
    assert [warning.value for warning in app.warning if "Somebody saved other notes" in warning.value]
    assert any("theirs" in code.value for code in app.code)
    assert app.text_area(key="notes:done-run").value == "mine"
    button(app, "Replace theirs").click().run()
    assert read_notes(open_run(stored, "done-run")).notes == "mine"
    assert not app.warning


def test_of_two_tabs_the_later_one_may_take_the_other(stored, opened) -> None:
    app = _two_writers(stored, opened)
    button(app, "Take theirs").click().run()
    assert app.text_area(key="notes:done-run").value == "theirs"
    assert app.multiselect(key="tags:done-run").value == ["b"]
    assert not app.warning
    app.text_area(key="notes:done-run").set_value("both")
    button(app, "Save").click().run()
    assert read_notes(open_run(stored, "done-run")) == Notes("both", ("b",))
