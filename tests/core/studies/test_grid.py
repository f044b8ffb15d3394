"""The grid study: what is planned, and what its finished runs say."""

import pytest

from core.catalog.systems import system
from core.data.info import DatasetInfo
from core.errors import ConfigError
from core.home import Home
from core.runs.standing import cell_of
from core.runs.summary import RunSummary
from core.studies import grid
from tests.dashboard import stored_runs


@pytest.fixture
def info(tmp_path) -> DatasetInfo:
    return stored_runs.tiny_demo(Home(tmp_path))


def test_every_point_of_the_paper_is_planned_once_per_seed(info):
    recipes = grid.grid_study(info, "hgib", seeds=(0, 1), overrides={"dim": 8})
    search = system("hgib").search
    points = {(r.config["alpha"], r.config["beta"], r.seed) for r in recipes}
    assert len(recipes) == len(points) == 2 * len(search["alpha"]) * len(search["beta"])
    assert {r.config["dim"] for r in recipes} == {8}
    assert grid.in_words(recipes[0]) == "HGIB alpha 0.1, beta 1, seed 0"


@pytest.mark.parametrize(
    ("key", "settings", "said"),
    [
        ("ease", {}, "no grid to search: expected one of hgib"),
        ("hgib", {"overrides": {"beta": "3"}}, "beta is searched over 1.0, 10.0"),
        ("hgib", {"seeds": (1, 1)}, "write each seed once"),
        ("hgib", {"selection": "last"}, "chosen on validation data"),
        ("hgib", {"fit_on": "train+valid"}, "chosen on validation data"),
    ],
)
def test_what_makes_no_grid_is_refused(info, key, settings, said):
    with pytest.raises(ConfigError, match=said):
        grid.grid_study(info, key, **settings)


def test_points_are_ordered_by_validation_and_told_with_their_test_value(info):
    recipes = grid.grid_study(info, "hgib", seeds=(0, 1))[:3] + grid.grid_study(info, "hgib", seeds=(1,))[:1]
    valid, test = (0.3, 0.5, None, 0.4), (0.2, 0.1, 0.6, 0.3)
    cells = {
        cell_of(recipe): RunSummary(run_id=f"r{n}", state="done", best_valid=v, main_value=t)
        for n, (recipe, v, t) in enumerate(zip(recipes, valid, test))
    }
    table = grid.measured(recipes, cells)
    assert table["point"].tolist() == ["alpha 0.1, beta 10", "alpha 0.1, beta 1", "alpha 0.1, beta 50"]
    assert table["seeds"].tolist() == [1, 2, 1]
    assert table["valid"].tolist()[:2] == pytest.approx([0.5, 0.35])
    assert table["test"].tolist() == pytest.approx([0.1, 0.25, 0.6])
    said = grid.lines(table, "ndcg@10")
    assert said[1].split() == ["alpha", "0.1,", "beta", "10", "1", "0.5000", "0.1000"]
    assert said[3].split()[5] == "–"
    assert grid.told(table)["rows"][2]["valid"] is None
    assert grid.measured(recipes, {}).empty
