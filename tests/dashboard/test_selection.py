"""The selection and the address: a round trip, and what happens to values that do not belong."""

import pytest
from streamlit.testing.v1 import AppTest

from core.data.info import LONGEST_LABEL, checked_label
from dashboard import selection


def picker() -> None:
    import streamlit as st

    from dashboard import selection

    st.session_state["group"] = selection.pick("group", "Group", ["user", "item"], widget="segments")
    st.session_state["run"] = selection.pick("run", "Run", ["run-a", "run-b"], default="run-b")
    st.session_state["find"] = selection.text("find", "Find")


def opened(**params: str) -> AppTest:
    app = AppTest.from_function(picker)
    for field, value in params.items():
        app.query_params[field] = value
    return app.run()


def address(app: AppTest) -> dict[str, str]:
    return {
        field: value[-1] if isinstance(value, list) else value for field, value in app.query_params.items()
    }


def test_defaults_are_written_into_the_address() -> None:
    assert address(opened()) == {"group": "user", "run": "run-b"}


def test_an_address_restores_the_view_and_stays() -> None:
    app = opened(group="item", run="run-a", find="demo x")
    assert (app.session_state["group"], app.session_state["run"], app.session_state["find"]) == (
        "item",
        "run-a",
        "demo x",
    )
    assert address(app) == {"group": "item", "run": "run-a", "find": "demo x"}
    assert not app.caption


def test_a_choice_reaches_the_address_and_restores_from_it() -> None:
    app = opened()
    app.selectbox(key="pick:run").select("run-a").run()
    assert address(app)["run"] == "run-a"
    assert opened(**address(app)).session_state["run"] == "run-a"


def test_a_choice_wins_over_the_old_address_that_came_with_it() -> None:
    app = opened(group="user", run="run-a")
    app.selectbox(key="pick:run").select("run-b").run()
    app.query_params["run"] = "run-a"  # the browser had not yet heard of run-b when this was clicked
    app.segmented_control(key="pick:group").set_value("item").run()
    assert (app.session_state["group"], app.session_state["run"]) == ("item", "run-b")
    assert address(app) == {"group": "item", "run": "run-b"}


def drawn_later() -> None:
    import streamlit as st

    from dashboard import selection

    if selection.pick("group", "Group", ["user", "item"], widget="segments") == "item":
        st.session_state["run"] = selection.pick("run", "Run", ["run-a", "run-b"])


def test_a_choice_leaves_what_the_address_says_of_widgets_that_are_drawn_later() -> None:
    app = AppTest.from_function(drawn_later)
    app.query_params["run"] = "run-b"
    app.run().segmented_control(key="pick:group").set_value("item").run()
    assert app.session_state["run"] == "run-b"


def test_a_new_address_in_the_same_tab_wins_over_the_old_choice() -> None:
    app = opened(run="run-a")
    app.query_params["run"] = "run-b"
    assert app.run().session_state["run"] == "run-b"


@pytest.mark.parametrize("bad", ["../../etc/passwd", "run-z", "<script>", "a/b", "..", "x" * 200])
def test_bad_values_are_refused_with_a_notice_and_replaced(bad) -> None:
    app = opened(run=bad)
    assert not app.exception
    assert app.session_state["run"] == "run-b"
    assert address(app)["run"] == "run-b"
    assert [note.value for note in app.caption if "There is no run" in note.value]


def test_a_refusal_is_told_until_something_else_is_picked() -> None:
    app = opened(group="nobody").run()
    assert [note.value for note in app.caption if "nobody" in note.value and "user" in note.value]
    app.segmented_control(key="pick:group").set_value("item").run()
    assert not app.caption


def strict_picker() -> None:
    import streamlit as st

    from dashboard import selection

    st.session_state["run"] = selection.pick_or_none("run", "Run", ["run-a", "run-b"], default="run-b")


@pytest.mark.parametrize("bad", ["run-z", "../../etc/passwd", "<script>"])
def test_what_does_not_exist_is_not_replaced_before_something_is_picked(bad) -> None:
    app = AppTest.from_function(strict_picker)
    app.query_params["run"] = bad
    assert app.run().session_state["run"] is None
    assert address(app.run()) == {"run": bad}
    app.selectbox(key="pick:run").select("run-a").run()
    assert app.session_state["run"] == "run-a"
    assert address(app.run()) == {"run": "run-a"}


def test_without_a_wish_the_default_is_picked() -> None:
    assert AppTest.from_function(strict_picker).run().session_state["run"] == "run-b"


def test_a_value_that_vanished_from_the_options_falls_back_quietly() -> None:
    app = opened(run="run-a")
    app.session_state["selection"]["run"] = "run-gone"
    app.run()
    assert app.session_state["run"] == "run-b"


def test_an_emptied_text_leaves_the_address() -> None:
    app = opened(find="demo")
    app.text_input(key="pick:find").set_value("").run()
    assert "find" not in address(app)


@pytest.mark.parametrize(
    ("field", "good", "bad"),
    [
        ("run", "20251010-101010-cigf-demo-s0-3f9a", "../x"),
        ("run", "a.b", "a..b"),
        ("runs", "run-a,b.c,D_1", "run-a,,b"),
        ("runs", ",".join("abcdefghijkl"), ",".join("abcdefghijklm")),
        ("runs", "a", "a,../b"),
        ("tag", "paper v2", "-x"),
        ("under", "full:mask_valid=false", "full;x"),
        ("metric", "ndcg@10", "ndcg"),
        ("metric", "micro_f1", "micro_f1@"),
        ("metric", "macro_f1@20", "f1"),
        ("metric", "nmi", "nmi/.."),
        ("one", "run-a", "run-a,run-b"),
        ("path", "favorite > buy > buy", "favorite > /etc"),
        ("epoch", "20", "-1"),
        ("user", "7", "7;drop"),
        ("protocol", "full:mask_valid=false", "full:../x"),
        ("fit_on", "train+valid", "test"),
        ("device", "cuda:3", "cuda:x"),
        ("noise", "0.25", "1.5"),
    ],
)
def test_fields_accept_only_their_own_form(field, good, bad) -> None:
    assert selection.checked({field: good}) == ({field: good}, {})
    assert selection.checked({field: bad}) == ({}, {field: bad})


def test_equal_titles_are_told_apart() -> None:
    titles = selection.distinct_titles(["a", "b", "c"], {"a": "same", "b": "same", "c": "other"}.__getitem__)
    assert titles == {"a": "same [a]", "b": "same [b]", "c": "other"}


def test_fields_of_others_are_left_alone() -> None:
    assert selection.checked({"embed": "true"}) == ({}, {})


def several() -> None:
    import streamlit as st

    from dashboard import selection

    options = ["run-a", "run-b", "run-c", "run-d"]
    st.session_state["runs"] = selection.pick_many("runs", "Runs", options, default=["run-d"], most=3)


def opened_several(**params: str) -> AppTest:
    app = AppTest.from_function(several)
    for field, value in params.items():
        app.query_params[field] = value
    return app.run()


def test_several_keep_their_order_and_their_address() -> None:
    app = opened_several(runs="run-c,run-a")
    assert app.session_state["runs"] == ["run-c", "run-a"]
    app.multiselect(key="pick:runs").set_value(["run-b", "run-a"]).run()
    assert app.session_state["runs"] == ["run-b", "run-a"]
    assert address(app) == {"runs": "run-b,run-a"}


def test_without_a_wish_several_take_the_default_and_none_stays_none() -> None:
    app = opened_several()
    assert app.session_state["runs"] == ["run-d"]
    app.multiselect(key="pick:runs").set_value([]).run()
    assert app.session_state["runs"] == []
    assert app.run().session_state["runs"] == []
    assert address(app) == {}


@pytest.mark.parametrize(
    ("asked", "kept"),
    [
        ("run-a,run-z", ["run-a"]),
        ("run-z", []),
        ("run-a,../../etc", ["run-d"]),
        ("run-a,,run-b", ["run-d"]),
        ("<script>", ["run-d"]),
    ],
)
def test_of_several_only_those_that_exist_are_shown_and_the_rest_is_told(asked, kept) -> None:
    app = opened_several(runs=asked)
    assert not app.exception
    assert app.session_state["runs"] == kept
    assert [note.value for note in app.run().caption if "Left out of runs" in note.value]
    app.multiselect(key="pick:runs").set_value(["run-b"]).run()
    assert not app.caption


def test_more_than_the_limit_are_cut_off() -> None:
    assert opened_several(runs="run-d,run-c,run-b,run-a").session_state["runs"] == ["run-d", "run-c", "run-b"]


def test_every_label_that_a_data_set_may_have_fits_the_address() -> None:
    label = checked_label("x" * LONGEST_LABEL, "behavior")
    labelled = ("system", "selection", "state", "path", "task")
    asked = dict.fromkeys(labelled, label)
    assert selection.checked(asked) == (asked, {})
    assert list(selection.checked({"path": label + "x"})[1]) == ["path"]
