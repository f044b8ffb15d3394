"""Forms follow the pydantic configs, for every system of the catalog."""

import pytest
from streamlit.testing.v1 import AppTest

from core.catalog.base import SystemConfig, setting
from core.catalog.systems import CATALOG
from core.errors import ConfigError
from dashboard import forms

PRESETS = [(key, preset) for key, system in CATALOG.items() for preset in system.presets]
VARIANTS = [(key, variant) for key, system in CATALOG.items() for variant in system.variants]


def drawn_form(key: str, preset: str, variant: str | None) -> None:
    import streamlit as st

    from core.catalog.systems import CATALOG
    from dashboard import forms

    base = CATALOG[key].resolve(preset, variant)
    entered = (
        forms.draw(forms.form_fields(type(base)), base.model_dump(), "t") if type(base).model_fields else {}
    )
    st.session_state["entered"] = entered
    st.session_state["changes"] = forms.changes(entered, base)


@pytest.mark.parametrize(("key", "preset"), PRESETS)
def test_an_untouched_form_gives_back_its_preset(key, preset) -> None:
    app = AppTest.from_function(drawn_form, args=(key, preset, None), default_timeout=30).run()
    assert not app.exception
    base = CATALOG[key].resolve(preset)
    assert CATALOG[key].config.model_validate(app.session_state["entered"]) == base
    assert app.session_state["changes"] == {}


@pytest.mark.parametrize(("key", "variant"), VARIANTS)
def test_an_untouched_form_gives_back_its_variant(key, variant) -> None:
    app = AppTest.from_function(drawn_form, args=(key, "small", variant), default_timeout=30).run()
    assert CATALOG[key].config.model_validate(app.session_state["entered"]) == CATALOG[key].resolve(
        "small", variant
    )


def test_a_changed_input_becomes_an_override() -> None:
    app = AppTest.from_function(drawn_form, args=("cigf", "small", None), default_timeout=30).run()
    next(box for box in app.number_input if box.key == "t:dim").set_value(32).run()
    next(box for box in app.selectbox if box.key == "t:aggregator").select("gcn").run()
    assert app.session_state["changes"] == {"dim": 32, "aggregator": "gcn"}


@pytest.mark.parametrize("key", CATALOG)
def test_every_setting_has_help_and_a_group(key) -> None:
    for field in forms.form_fields(CATALOG[key].config):
        assert field.help, field.name
        assert field.group, field.name


class Odd(SystemConfig):
    rate: float = setting(0.5, "a rate", unit="edges", group="Odd", ge=0, le=1)
    size: int = setting(3, "a size", gt=0)
    flag: bool = setting(True, "a flag")
    sizes: tuple[int, ...] = setting((1, 2), "several")


def test_kinds_bounds_and_units_come_from_the_config() -> None:
    rate, size, flag, sizes = forms.form_fields(Odd)
    assert (rate.kind, rate.low, rate.high, rate.group, rate.label) == ("number", 0, 1, "Odd", "rate (edges)")
    assert (size.kind, size.low, size.high) == ("integer", 0, None)
    assert (flag.kind, sizes.kind) == ("switch", "text")


def test_assignments_survive_the_address() -> None:
    config = CATALOG["cigf"].config
    texts = forms.assignments({"dim": 32, "attention": "node+layer", "learning_rate": 0.005})
    settings, refused = forms.parse_assignments(texts, config)
    resolved = CATALOG["cigf"].resolve("small", None, settings).model_dump()
    assert refused == []
    assert (resolved["dim"], resolved["attention"], resolved["learning_rate"]) == (32, "node+layer", 0.005)


def test_assignments_of_unknown_settings_are_refused() -> None:
    settings, refused = forms.parse_assignments(["nope=1", "dim", "dim=8"], CATALOG["cigf"].config)
    assert settings == {"dim": "8"}
    assert refused == ["nope=1", "dim"]


def test_the_difference_table_explains_each_setting() -> None:
    table = forms.difference_table({"dim": (16, 32)}, CATALOG["cigf"].config)
    assert table.to_dict("records") == [
        {"setting": "dim", "preset": "16", "this run": "32", "meaning": "embedding size d"}
    ]


@pytest.mark.parametrize(
    ("text", "seeds"), [("0", [0]), ("0, 1,2", [0, 1, 2]), ("0-3", [0, 1, 2, 3]), (" 7 , 2-3", [7, 2, 3])]
)
def test_seeds_are_lists_and_ranges(text, seeds) -> None:
    assert forms.parse_seeds(text) == seeds


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "no seed is given; write"),
        (" , ", "no seed is given; write"),
        ("a", "cannot read seeds 'a'; write"),
        ("1-", "cannot read"),
        ("-1", "cannot read"),
        ("²", "cannot read"),
        ("0,0", "seed 0 is given twice; write"),
        ("3-1", "run backwards; write 1-3"),
        ("0-999", "would queue 1,000 runs, one per seed; write at most 20"),
        ("0-99999999", "100,000,000 runs"),
        ("0-20", "21 runs"),
        (str(2**31), "too large; write"),
    ],
)
def test_other_seeds_are_refused_with_an_example(text, said) -> None:
    with pytest.raises(ConfigError, match=said):
        forms.parse_seeds(text)


def test_edits_survive_a_variant_that_does_not_touch_them() -> None:
    cigf = CATALOG["cigf"]
    before = cigf.resolve("small").model_dump()
    edits = {"epochs": 7, "dim": before["dim"] + 1}
    assert forms.carried(edits, before, cigf.resolve("small", "base")) == (edits, [])


def test_edits_of_what_the_new_preset_sets_itself_are_reset_and_named() -> None:
    cigf = CATALOG["cigf"]
    before, paper = cigf.resolve("small").model_dump(), cigf.resolve("paper")
    assert before["epochs"] != paper.epochs
    assert forms.carried({"epochs": 7, "patience": 3}, before, paper) == ({"patience": 3}, ["epochs"])
    assert forms.carried({"epochs": paper.epochs}, before, paper) == ({}, [])
