"""Compare over tiny stored runs, in every state it can meet."""

import sys
import time

import pandas as pd
import pytest

from core.data.dataset import open_dataset
from core.data.planted import write_demo
from core.runs.folder import open_run
from dashboard.panels import evaluation
from tests.dashboard import stored_runs
from tests.pages.conftest import texts


def button(app, label: str):
    return next(widget for widget in app.button if widget.label.startswith(label))


def labels(app) -> list[str]:
    return [widget.label for widget in app.button]


def tables(app) -> list[pd.DataFrame]:
    """The tables of metrics, one per bench."""
    return [table.value for table in app.table if "seeds" in table.value.columns]


def verdicts(app) -> pd.DataFrame:
    (found,) = (table.value for table in app.table if "verdict" in table.value.columns)
    return found


def worsen(home, run_id: str, hits: int = 3) -> None:
    """Every `hits`-th user of the run is no hit."""
    path = open_run(home, run_id).path / "per_user.parquet"
    rows = pd.read_parquet(path)
    rows["hr@10"] = (rows["user"] % hits != 0).astype(float)
    rows.to_parquet(path)


def test_without_picked_runs_the_page_says_where_to_pick(stored, opened) -> None:
    app = opened("compare")
    assert "No runs picked" in texts(app)
    button(app, "To the table of runs").click().run()
    assert app.title[0].value == "What are my runs doing?"


def test_one_run_stands_alone(stored, opened) -> None:
    app = opened("compare", runs="done-run")
    assert "stands alone under `sampled99`" in texts(app)
    assert "Pick another run" in texts(app)
    assert len(tables(app)[0]) == 1
    assert not app.error


def test_two_runs_are_tested_on_their_users(stored, opened) -> None:
    worsen(stored, "base-run")
    app = opened("compare", runs="done-run,base-run", one="done-run")
    assert "**CIGF** is ahead of **CIGF · base** by .3" in texts(app)
    assert "2 runs · data\\: demo · protocol sampled99" in texts(app)
    assert "HR@10" in texts(app)
    row = verdicts(app).iloc[0]
    assert (row["verdict"], row["users behind"]) == ("ahead", "0.0\u00a0%")


def test_runs_that_score_alike_cannot_be_told_apart(stored, opened) -> None:
    assert "cannot be told apart in HR@10" in texts(opened("compare", runs="done-run,base-run"))


def test_seeds_share_a_row_with_mean_and_interval(stored, opened) -> None:
    data = open_dataset(stored, "demo").info
    for seed in (1, 2):
        stored_runs.done_run(stored, data, f"seed-{seed}", seed=seed)
    app = opened("compare", runs="done-run,seed-1,seed-2,base-run")
    (table,) = tables(app)
    assert list(table["seeds"]) == ["3 (0, 1, 2)", "1 (0)"]
    assert table["HR@10"][0].startswith(".3125\u00a0±\u00a0.0000")


def test_twelve_runs_fit_and_thirteen_are_refused(stored, opened) -> None:
    data = open_dataset(stored, "demo").info
    names = [f"many-{place}" for place in range(13)]
    for place, name in enumerate(names):
        stored_runs.done_run(stored, data, name, overrides={"dim": 8 + place, "epochs": 5})
    app = opened("compare", runs=",".join(names[:12]))
    assert len(tables(app)[0]) == 12
    assert "Holm's correction for 11 comparisons" in texts(app)
    refused = opened("compare", runs=",".join(names))
    assert any("Left out of runs to compare" in note.value for note in refused.caption)


def test_a_run_under_another_protocol_is_left_out_and_can_be_scored(stored, opened) -> None:
    data = open_dataset(stored, "demo").info
    stored_runs.done_run(stored, data, "full-run", protocol="full")
    app = opened("compare", runs="done-run,base-run,full-run")
    (table,) = tables(app)
    assert len(table) == 2
    assert "scored under full, not under sampled99" in texts(app)
    assert "Score" in labels(app)
    other = opened("compare", runs="done-run,base-run,full-run", under="full")
    assert "stands alone under `full`" in texts(other)
    assert len(tables(other)[0]) == 1


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"fit_on": "train+valid"}, "trained on training and validation pairs"),
        ({"selection": "test_as_published"}, "which is optimistic"),
    ],
)
def test_other_footings_are_kept_apart_with_the_reason(change, reason, stored, opened) -> None:
    data = open_dataset(stored, "demo").info
    stored_runs.done_run(stored, data, "apart-run", **change)
    app = opened("compare", runs="done-run,base-run,apart-run")
    assert [len(table) for table in tables(app)] == [2, 1]
    assert any("Kept apart" in head.value and reason in head.value for head in app.subheader)
    warned = any("optimistic" in warning.value for warning in app.warning)
    assert warned == ("selection" in change)
    assert len(verdicts(app)) == 1


def test_runs_of_other_data_are_kept_apart_in_tables_and_curves(stored, opened) -> None:
    other = write_demo(stored, "other", num_users=223, num_items=127)
    stored_runs.done_run(stored, other, "other-run")
    stored_runs.done_run(stored, other, "other-base", variant="base")
    app = opened("compare", runs="done-run,base-run,other-run,other-base")
    assert [len(table) for table in tables(app)] == [2, 2]
    assert any("other data: other" in head.value for head in app.subheader)
    assert "Not drawn, on other data or under another protocol" in texts(app)
    app = opened("compare", runs="done-run,base-run,other-run,other-base", term="loss/total")
    assert len([m for m in app.markdown if "(content" in m.value]) == 2
    button(app, "Compare only these").click().run()
    assert app.query_params["runs"] in ("other-run,other-base", ["other-run,other-base"])
    assert len(tables(app)) == 1


def test_runs_that_still_train_have_curves_and_no_result(stored, opened) -> None:
    app = opened("compare", runs="running-run,queued-run")
    said = texts(app)
    assert "None of the picked runs has a test result yet" in said
    assert "Without this curve" in said
    assert not tables(app)
    assert not app.error


def test_a_running_run_beside_finished_ones_is_named(stored, opened) -> None:
    app = opened("compare", runs="done-run,base-run,running-run")
    assert "still training, epoch 3 of 5" in texts(app)
    assert len(tables(app)[0]) == 2


@pytest.mark.parametrize("content", ["{", '{"protocols": {"full": 3}}', '{"protocols": []}', "[]"])
def test_a_damaged_run_is_named_and_the_others_stay(content, stored, opened) -> None:
    (stored.run("deep-run") / "result.json").write_text(content)
    app = opened("compare", runs="done-run,base-run,deep-run")
    (error,) = app.error
    assert "result.json" in error.value
    assert len(tables(app)[0]) == 2


def test_without_values_per_user_the_table_stays_and_the_test_says_why(stored, opened) -> None:
    (stored.run("base-run") / "per_user.parquet").unlink()
    app = opened("compare", runs="done-run,base-run")
    (error,) = app.error
    assert "keeps no hr@10 per user under sampled99" in error.value.replace("\\", "")
    assert len(tables(app)[0]) == 2
    assert "not tested yet" in texts(app)


def test_damaged_values_per_user_are_an_error_with_a_remedy(stored, opened) -> None:
    (stored.run("base-run") / "per_user.parquet").write_bytes(b"no parquet")
    (error,) = opened("compare", runs="done-run,base-run").error
    assert "What to do" in error.value


def test_every_control_comes_from_the_address(stored, opened) -> None:
    asked = {
        "metric": "ndcg@5",
        "part": "unseen",
        "one": "base-run",
        "other": "done-run",
        "compared": "settings",
        "settings": "all",
    }
    worsen(stored, "base-run")
    app = opened("compare", runs="done-run,base-run", **(asked | {"metric": "ndcg@10"}))
    assert app.selectbox(key="pick:one").value == "base-run"
    assert app.selectbox(key="pick:other").value == "done-run"
    assert len(next(frame.value for frame in app.dataframe if "setting" in frame.value.columns)) > 20
    told = {field: app.query_params[field] for field in asked}
    assert {field: value[-1] if isinstance(value, list) else value for field, value in told.items()} == (
        asked | {"metric": "ndcg@10"}
    )


def test_curves_and_their_axis_come_from_the_address(stored, opened) -> None:
    app = opened("compare", runs="done-run,base-run", term="valid/ndcg@10", along="seconds")
    assert app.selectbox(key="pick:term").value == "valid/ndcg@10"
    assert "Validation pairs under each run's own protocol" in texts(app)


def test_runs_left_out_are_scored_one_after_the_other(stored, opened, monkeypatch, tmp_path) -> None:
    data = open_dataset(stored, "demo").info
    names = ["full-1", "full-2", "full-3"]
    for name in names:
        stored_runs.done_run(stored, data, name, protocol="full")
    told = tmp_path / "told.txt"
    script = "import sys, time; t = open(sys.argv[1], 'a'); print('begin', sys.argv[2], file=t, flush=True); time.sleep(.2); print('end', sys.argv[2], file=t)"
    monkeypatch.setattr(
        evaluation,
        "command",
        lambda home, run, protocol: [sys.executable, "-c", script, str(told), f"{run.run_id} {protocol}"],
    )
    app = opened("compare", runs=",".join(["done-run", "base-run", *names]), under="sampled99")
    button(app, "Score all 3 under sampled99").click().run()
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline and (not told.exists() or told.read_text().count("end") < 3):
        app.run()
        assert not app.exception, app.exception
    assert told.read_text().splitlines() == [
        f"{what} {name} sampled99" for name in names for what in ("begin", "end")
    ]


def test_the_table_for_a_paper_tells_its_protocol(stored, opened) -> None:
    app = opened("compare", runs="done-run,base-run", compared="export")
    latex = next(code.value for code in app.code if "toprule" in code.value)
    assert "protocol sampled99" in latex
    assert "CIGF" in latex
    assert any(code.value.startswith("| system | seeds |") for code in app.code)


@pytest.mark.parametrize("bad", ["../../x", "zzz", "<script>"])
def test_tampered_values_are_refused_with_a_notice_each(bad, stored, opened) -> None:
    fields = ("under", "metric", "part", "one", "other", "compared", "term", "along")
    app = opened("compare", runs="done-run,base-run", **dict.fromkeys(fields, bad))
    assert not app.error
    assert len([note for note in app.caption if "There is no" in note.value]) == len(fields)


@pytest.mark.parametrize("bad", ["../../etc", "done-run,,base-run", "<script>"])
def test_tampered_runs_are_refused_with_a_notice(bad, stored, opened) -> None:
    app = opened("compare", runs=bad)
    assert not app.error
    assert any("Left out of runs to compare" in note.value for note in app.caption)
    assert "No runs picked" in texts(app)


def test_the_context_tells_how_many_of_the_picked_runs_are_compared(stored, opened) -> None:
    app = opened("compare", runs="done-run,base-run,running-run")
    assert "2 of 3 runs · data\\: demo · protocol sampled99" in texts(app)


def test_single_seeds_promise_no_interval(stored, opened) -> None:
    app = opened("compare", runs="done-run,base-run")
    assert "HR@10, 95 %" not in tables(app)[0].columns
    assert "dots: seeds" not in texts(app)
    stored_runs.done_run(stored, open_dataset(stored, "demo").info, "seed-1", seed=1)
    app = opened("compare", runs="done-run,base-run,seed-1")
    assert "HR@10, 95 %" in tables(app)[0].columns
    assert "dots: seeds" in texts(app)


def test_validation_curves_of_other_protocols_are_named_not_drawn(stored, opened) -> None:
    data = open_dataset(stored, "demo").info
    stored_runs.done_run(stored, data, "full-run", protocol="full")
    app = opened("compare", runs="done-run,base-run,full-run", under="sampled99", term="valid/hr@10")
    assert "Not drawn, on other data or under another protocol than the comparison" in texts(app)
