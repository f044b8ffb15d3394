"""Means, losses and contrasts of the study against numbers worked out by hand."""

import numpy as np
import pandas as pd
import pytest

from core.evaluation.statistics import spread
from core.home import Home
from core.runs.standing import known
from core.studies.noise_results import MEASURED, contrasts, drops, lines, measured, summarised, told
from tests.core.studies.support import recipes, stored

VALUES = {
    ("hgib", 0.0): [0.50, 0.40, 0.45],
    ("hgib", 0.4): [0.45, 0.38, 0.405],
    ("without_gre", 0.0): [0.50, 0.50, 0.50],
    ("without_gre", 0.4): [0.30, 0.325, 0.30],
    ("without_comp", 0.0): [0.50, 0.40, 0.45],
    ("without_comp", 0.4): [0.43, 0.39, 0.41],
    ("lightgcn_m", 0.0): [0.20],
    ("lightgcn_m", 0.4): [0.10],
}


@pytest.fixture
def table() -> pd.DataFrame:
    rows = [
        (key, share, seed, value, f"{key}-{share}-{seed}")
        for (key, share), values in VALUES.items()
        for seed, value in enumerate(values)
    ]
    return pd.DataFrame(rows, columns=MEASURED)


def of(table: pd.DataFrame, key: str, share: float) -> pd.Series:
    return table[(table["contestant"] == key) & (table["share"] == share)].iloc[0]


def test_means_are_over_seeds_and_losses_are_paired_by_seed(table):
    found = summarised(table)
    row = of(found, "hgib", 0.4)
    assert (row["seeds"], row["pairs"]) == (3, 3)
    assert row["mean"] == pytest.approx(np.mean([0.45, 0.38, 0.405]))
    paired = spread([1 - 0.45 / 0.5, 1 - 0.38 / 0.4, 1 - 0.405 / 0.45])
    assert row[["drop", "drop_deviation", "drop_low", "drop_high"]].tolist() == pytest.approx(
        [paired.mean, paired.deviation, paired.low, paired.high]
    )
    assert (of(found, "hgib", 0.0)[["drop", "drop_low", "drop_high"]] == 0).all()
    assert np.isnan(of(found, "lightgcn_m", 0.4)["drop_low"])


def test_a_seed_without_a_clean_run_has_a_mean_but_no_loss(table):
    part = table[(table["share"] != 0) | (table["seed"] != 2)]
    row = of(summarised(part), "hgib", 0.4)
    assert (row["seeds"], row["pairs"]) == (3, 2)
    alone = of(summarised(table[table["share"] > 0]), "hgib", 0.4)
    assert alone["pairs"] == 0
    assert np.isnan(alone["drop"])


def test_a_system_that_finds_nothing_without_noise_has_no_loss(table):
    zero = table.assign(value=np.where(table["share"] == 0, 0.0, table["value"]))
    assert drops(zero).empty
    assert contrasts(zero) == []


def test_contrasts_are_paired_and_say_what_is_sure(table):
    gre, comp, other = contrasts(table)
    assert (gre.contestant, gre.share, gre.seeds, gre.verdict) == ("without_gre", 0.4, 3, "more")
    own = [0.1, 0.05, 0.1]
    about = spread([0.4 - own[0], 0.35 - own[1], 0.4 - own[2]])
    assert (gre.difference, gre.low, gre.high) == pytest.approx((about.mean, about.low, about.high))
    assert comp.verdict == "open"
    assert comp.low < 0 < comp.high
    assert (other.seeds, other.verdict) == (1, "open")


def test_what_loses_less_is_told(table):
    flipped = table.assign(
        contestant=table["contestant"].replace({"hgib": "without_gre", "without_gre": "hgib"})
    )
    assert contrasts(flipped)[0].verdict == "less"


def test_a_contrast_is_at_the_largest_share_that_most_seeds_have(table):
    extra = pd.DataFrame(
        [(key, share, 0, 0.3, "x") for key in ("hgib", "without_gre") for share in (0.2, 0.8)],
        columns=MEASURED,
    )
    found = contrasts(pd.concat([table, extra]))
    assert (found[0].share, found[0].seeds) == (0.4, 3)


def test_runs_are_measured_by_their_main_metric(tmp_path):
    home = Home(tmp_path)
    plan = recipes()
    stored(home, plan[0], 0.5)
    stored(home, plan[4], 0.25)
    stored(home, plan[1], state="failed")
    elsewhere = next(r for r in recipes(seeds=(9,), shares=(0.0, 0.9)) if r.auxiliary_noise)
    stored(home, elsewhere, 0.125)
    cells = known(home, plan)
    table = measured(plan, cells)
    assert list(table.columns) == MEASURED
    assert table[["contestant", "share", "seed", "value"]].to_numpy().tolist() == [
        ["hgib", 0.0, 0, 0.5],
        ["hgib", 0.2, 0, 0.25],
    ]
    wide = measured(plan, cells, everywhere=True)
    assert wide["share"].tolist() == [0.0, 0.2, 0.9]


def test_the_terminal_and_scripts_are_told_the_same(table):
    said = lines(table, "ndcg@10")
    assert len(said) == 1 + len(VALUES) + 3
    assert said[2].split()[:5] == ["HGIB", "40", "%", "3", "0.4117"]
    assert "loses more" in said[-3]
    assert "not told apart" in said[-2]
    assert said[-1].endswith("(one seed)")
    data = told(table)
    assert [row["contestant"] for row in data["rows"]][:2] == ["hgib", "hgib"]
    assert data["rows"][-1]["low"] is None
    assert [one["verdict"] for one in data["contrasts"]] == ["more", "open", "open"]
    assert data["contrasts"][-1]["low"] is None


def test_nothing_measured_is_an_empty_table():
    nothing = pd.DataFrame([], columns=MEASURED)
    assert summarised(nothing).empty
    assert told(nothing) == {"rows": [], "contrasts": []}
