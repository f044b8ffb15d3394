"""The list of runs: search, and what its table says."""

import pytest
from streamlit.testing.v1 import AppTest

from core.catalog.systems import CATALOG
from core.runs.summary import RunSummary
from dashboard.panels.run_list import listed_title, own_changes, run_title
from dashboard.panels.run_table import Filter, matching, run_table, ticked_now
from dashboard.panels.training_form import protocol_note


def run(run_id: str = "20251010-cigf-demo-s0-3f9a", **fields) -> RunSummary:
    about = {
        "state": "done",
        "system": "cigf",
        "dataset": "demo",
        "main_metric": "ndcg@10",
        "protocol": "full",
    }
    return RunSummary.model_validate(about | {"run_id": run_id} | fields)


RUNS = [
    run("a-run", variant="base", changes={"dim": (16, 24)}, notes="Better on\nrare items", seed=3),
    run("b-run", system="seen_before", dataset="taobao", state="failed", tags=("favourite", "paper v2")),
]


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        (Filter(), ["a-run", "b-run"]),
        (Filter("CIGF"), ["a-run"]),
        (Filter("demo base"), ["a-run"]),
        (Filter("seen favourite"), ["b-run"]),
        (Filter("SeenBefore"), ["b-run"]),
        (Filter("dim=24"), ["a-run"]),
        (Filter("dim=16"), []),
        (Filter("rare better"), ["a-run"]),
        (Filter("seed=3 full"), ["a-run"]),
        (Filter(state="failed"), ["b-run"]),
        (Filter(system="cigf"), ["a-run"]),
        (Filter(data="taobao"), ["b-run"]),
        (Filter(tag="paper v2"), ["b-run"]),
        (Filter(tag="paper"), []),
        (Filter("demo", data="taobao"), []),
        (Filter("nothing"), []),
    ],
)
def test_a_run_is_listed_where_every_word_and_every_filter_fits(wanted, found) -> None:
    assert [r.run_id for r in matching(RUNS, wanted)] == found


def test_columns_of_tags_and_notes_are_there_where_somebody_wrote_some() -> None:
    table = run_table(RUNS, now=0.0)
    assert list(table["tags"]) == [[], ["favourite", "paper v2"]]
    assert list(table["notes"]) == ["Better on", ""]
    assert not {"tags", "notes"} & set(run_table([run()], now=0.0).columns)


def test_titles_tell_variant_seed_data_and_the_end_of_the_id() -> None:
    assert run_title(run(variant="without_mesi", preset="paper", seed=3)) == (
        "CIGF · without mesi · paper · seed 3 · demo  (3f9a)"
    )


def test_titles_name_two_changed_settings_and_count_the_rest() -> None:
    changed = {"num_layers": (2, 1), "dim": (16, 24)}
    assert run_title(run(changes=changed)) == "CIGF · seed 0 · num_layers=1, dim=24 · demo  (3f9a)"
    more = changed | {"epochs": (30, 5)}
    assert "num_layers=1, dim=24 +1 more" in run_title(run(changes=more))


def test_what_the_variant_sets_is_not_named_again() -> None:
    ((name, value), *_) = CATALOG["cigf"].variants["base"].patch.items()
    changed = {name: ("other", value), "epochs": (30, 5)}
    assert own_changes(run(variant="base", changes=changed)) == {"epochs": 5}


def test_a_system_of_another_version_keeps_its_key() -> None:
    assert run_title(run(system="future")).startswith("future")


def test_a_metric_never_stands_without_its_protocol() -> None:
    table = run_table([run(main_value=0.5), run(best_valid=0.25, protocol="sampled99"), run()], now=0.0)
    assert list(table["metric"]) == ["full: NDCG@10 .5000", "sampled99: valid NDCG@10 .2500", "full"]


def test_progress_is_a_share_of_the_epochs() -> None:
    table = run_table([run(state="running", epoch=5, epochs=20), run(), run(state="queued")], now=0.0)
    assert list(table["progress"]) == [0.25, 1.0, 0.0]


@pytest.mark.parametrize(
    ("before", "ticked", "kept", "shown"),
    [
        ([], ["b"], ["b"], "b"),
        (["b"], ["a", "b"], ["b", "a"], "a"),
        (["b", "a"], ["a"], ["a"], "a"),
        (["a"], [], [], None),
        (["hidden", "a"], ["a", "c"], ["hidden", "a", "c"], "c"),
        (["hidden", "a"], [], ["hidden"], "hidden"),
    ],
)
def test_ticks_keep_their_order_and_those_that_a_filter_hides(before, ticked, kept, shown) -> None:
    assert ticked_now(before, ticked, listed=["a", "b", "c"]) == (kept, shown)


def table_to_tick() -> None:
    import streamlit as st

    from dashboard import selection
    from dashboard.panels import run_table

    def tick(*rows: int) -> None:
        st.session_state["table"] = {"selection": {"rows": list(rows)}}
        run_table._rows_ticked("table", ["a-run", "b-run", "c-run"])

    selection.mirror("runs", selection.current("runs"))
    st.button("tick a", on_click=tick, args=(0,))
    st.button("tick b too", on_click=tick, args=(0, 1))
    st.button("tick c too", on_click=tick, args=(0, 1, 2))


def test_ticks_that_follow_one_another_fast_are_all_kept_in_their_order() -> None:
    app = AppTest.from_function(table_to_tick).run()
    app.button[0].click().run()
    app.button[1].click().run()
    app.query_params["runs"] = "a-run"  # the browser had not yet heard of b-run when c-run was ticked
    app.button[2].click().run()
    assert app.query_params["runs"] in ("a-run,b-run,c-run", ["a-run,b-run,c-run"])
    assert app.session_state["selection"]["run"] == "c-run"

    app.query_params["runs"] = "b-run"  # an address that somebody pasted
    app.run()
    assert app.query_params["runs"] in ("b-run", ["b-run"])


def test_where_titles_are_cut_the_end_of_the_id_comes_first() -> None:
    assert listed_title(run()) == "(3f9a) CIGF · seed 0 · demo"
    assert run_table([run()], now=0.0)["run"][0].startswith("(3f9a)")


def test_a_protocol_other_than_that_of_the_latest_scored_run_is_told() -> None:
    runs = [
        run("old", protocol="sampled99", main_value=0.5, created=1.0),
        run("new", protocol="full", main_value=0.5, created=2.0),
        run("unscored", protocol="sampled99", created=3.0),
        run("elsewhere", dataset="taobao", protocol="sampled99", main_value=0.5, created=4.0),
    ]
    assert "scored under full" in protocol_note(runs, "demo", "sampled99")
    assert protocol_note(runs, "demo", "full") == ""
    assert protocol_note(runs, "nowhere", "full") == ""


def test_titles_tell_noise_and_the_search_finds_it() -> None:
    noisy = run("noisy", auxiliary_noise=0.2)
    assert "20 % noise" in run_title(noisy)
    assert "noise" not in run_title(run("clean"))
    assert matching([noisy, run("clean")], Filter(find="auxiliary_noise=0.2")) == [noisy]
