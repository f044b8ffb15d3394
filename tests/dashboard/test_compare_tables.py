"""Numbers of a comparison: means and spread over seeds, places, settings that differ, curves, tables for papers."""

import io
import math
import statistics

import numpy as np
import pandas as pd
import pytest

from dashboard import compare, compare_export
from dashboard import compare_tables as tables
from tests.dashboard.comparing import entry, result


def bench(*entries: compare.Entry) -> compare.Bench:
    (found,) = compare.benches(entries, "sampled99")
    return found


def scored(run_id: str, value: float, **recipe) -> compare.Entry:
    return entry(run_id, results={"sampled99": result(value)}, **recipe)


SEEDS = [scored(f"s{seed}", value, seed=seed) for seed, value in enumerate((0.31, 0.35, 0.33))]
THREE = bench(*SEEDS, scored("base", 0.3, variant="base"), scored("wide", 0.2, overrides={"dim": 24}))


def test_mean_deviation_and_interval_of_a_row() -> None:
    table = tables.measured(THREE, ["hr@10"]).set_index("group")
    row = table.loc["s0"]
    assert row["seeds"] == 3
    assert row["mean"] == pytest.approx(0.33)
    assert row["deviation"] == pytest.approx(statistics.stdev([0.31, 0.35, 0.33]))
    assert row["low"] < 0.31 < 0.35 < row["high"]
    assert math.isnan(table.loc["base", "deviation"])


def test_best_and_second_are_marked() -> None:
    table = tables.measured(THREE, ["hr@10"]).set_index("group")
    assert table["place"].to_dict() == {"s0": 1, "base": 2, "wide": 0}


@pytest.mark.parametrize(
    ("values", "places"),
    [
        ((0.3, 0.2, 0.1), [1, 2, 0]),
        ((0.30001, 0.30002, 0.1), [1, 1, 0]),
        ((0.3, 0.2, 0.2), [1, 2, 2]),
        ((0.3, 0.3, 0.3), [0, 0, 0]),
    ],
)
def test_what_reads_the_same_shares_a_place(values, places) -> None:
    variants = (None, "base", "without_mesi")
    found = bench(*(scored(f"r{n}", v, variant=name) for n, (v, name) in enumerate(zip(values, variants))))
    assert list(tables.measured(found, ["hr@10"])["place"]) == places


def test_a_row_alone_has_no_place() -> None:
    assert list(tables.measured(bench(*SEEDS), ["hr@10"])["place"]) == [0]


def test_seen_and_unseen_pairs_have_values_of_their_own() -> None:
    table = tables.measured(THREE, ["hr@10"], ("all", "unseen"))
    means = table[table["group"] == "base"].set_index("part")["mean"]
    assert means.to_dict() == pytest.approx({"all": 0.3, "unseen": 0.1})


def test_only_metrics_that_every_run_has_and_that_say_how_right_it_is() -> None:
    poor = entry("poor", results={"sampled99": {"metrics": {"hr@10": 0.1, "gini@10": 0.5}}}, variant="base")
    assert tables.metrics_of(bench(*SEEDS)) == ["hr@10", "ndcg@10", "hr@5", "ndcg@5"]
    assert tables.metrics_of(bench(*SEEDS, poor)) == ["hr@10"]
    assert tables.metrics_of(bench(*SEEDS, poor), "seen") == []


def test_a_row_where_one_seed_has_no_value_is_left_out() -> None:
    lost = entry("s3", results={"sampled99": {"metrics": {"hr@10": None}}}, seed=3)
    table = tables.measured(bench(*SEEDS, lost, scored("base", 0.3, variant="base")), ["hr@10"])
    assert list(table["group"]) == ["base"]


def test_cells_read_like_a_paper() -> None:
    assert tables.cell(0.59624, 0.00211) == ".5962\u00a0±\u00a0.0021"
    assert tables.cell(1.0, math.nan) == "1.0000"
    assert tables.interval(math.nan, math.nan) == "–"
    assert tables.seeds_of(THREE.groups[0]) == "3 (0, 1, 2)"
    assert tables.epochs_of(THREE.groups[0], "sampled99") == "best on validation: 4, 4, 4"
    closed = bench(entry("e", system="ease", protocol="sampled99", results={"sampled99": result(epoch=None)}))
    assert tables.epochs_of(closed.groups[0], "sampled99") == "no epochs"


def test_only_differing_settings_are_listed_unless_all_are_wanted() -> None:
    entries = [
        entry("a", commit="abc"),
        entry("b", overrides={"dim": 24}, seed=1, commit="abc"),
        entry("c", system="ease"),
    ]
    titles = {"a": "A", "b": "B", "c": "C"}
    two = tables.settings_table(entries[:2], titles, only_differing=True)
    assert two.set_index("setting").to_dict("index") == {
        "seed": {"A": "0", "B": "1"},
        "dim": {"A": "16", "B": "24"},
    }
    three = tables.settings_table(entries, titles, only_differing=True).set_index("setting")
    assert list(three.loc["dim"]) == ["16", "24", "–"]
    assert list(three.loc["code (commit)"]) == ["abc", "abc", "–"]
    everything = tables.settings_table(entries[:2], titles, only_differing=False)
    assert len(everything) == 11 + len(entries[0].recipe.config)
    assert tables.settings_table([entries[0], entries[0]], titles, only_differing=True).empty


def test_a_curve_has_epochs_and_the_seconds_trained_until_then() -> None:
    rows = [(e * 6, e, "seconds/epoch", 0.5 * e, 0.0) for e in (1, 2, 3, 4)]
    rows += [
        (6, 2, "valid/hr@10", 0.25, 0.0),
        (7, 2, "valid/hr@10", 0.75, 0.0),
        (24, 4, "valid/hr@10", np.nan, 0.0),
    ]
    metrics = pd.DataFrame(rows, columns=["step", "epoch", "name", "value", "time"])
    curve = tables.along_epochs(metrics, "valid/hr@10")
    assert curve["epoch"].tolist() == [2, 4]
    assert curve["seconds"].tolist() == [1.5, 5.0]
    assert curve["value"][0] == 0.5
    assert math.isnan(curve["value"][1])
    assert tables.along_epochs(metrics, "valid/none").empty


TITLES = {"s0": "CIGF · 100 % & more", "base": "CIGF_base | x", "wide": "wide"}


def test_latex_escapes_marks_and_tells_the_protocol() -> None:
    table = tables.measured(THREE, ["hr@10", "ndcg@10"])
    text = compare_export.latex(table, TITLES, "demo, protocol sampled99 (50 %)")
    assert r"CIGF $\cdot$ 100 \% \& more & \textbf{.3300} {\scriptsize $\pm$ .0200} & .1500" in text
    assert r"CIGF\_base | x & \underline{.3000} & .1500 \\" in text
    assert r"\caption{demo, protocol sampled99 (50 \%)}" in text
    assert r"\begin{tabular}{lrr}" in text
    assert text.count("{") == text.count("}")


def test_markdown_is_a_table_with_marks_and_caption() -> None:
    table = tables.measured(THREE, ["hr@10"])
    lines = compare_export.markdown(table, TITLES, "the caption").splitlines()
    assert lines[0] == "| system | seeds | HR@10 |"
    assert lines[2] == "| CIGF · 100 % & more | 3 | **.3300** ± .0200 |"
    assert lines[3] == r"| CIGF_base \| x | 1 | <u>.3000</u> |"
    assert lines[-1] == "the caption"


def test_csv_holds_every_number_and_its_protocol() -> None:
    table = tables.measured(THREE, ["hr@10"], tuple(tables.PARTS))
    text = compare_export.csv(table, TITLES, {"protocol": "sampled99"})
    back = pd.read_csv(io.StringIO(text))
    assert len(back) == 9
    assert set(back["protocol"]) == {"sampled99"}
    assert back.loc[(back["system"] == "wide") & (back["part"] == "all test pairs"), "mean"].item() == 0.2


def test_latex_escapes_every_special_sign() -> None:
    assert compare_export.escaped(r"\&%$#_{}~^") == (
        r"\textbackslash{}\&\%\$\#\_\{\}\textasciitilde{}\textasciicircum{}"
    )
