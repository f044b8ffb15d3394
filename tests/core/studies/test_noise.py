"""The plan of the noise study: which runs, in which order, and what a change of settings reaches."""

import pytest

from core.data.dataset import open_dataset
from core.errors import ConfigError
from core.home import Home
from core.studies.noise import CONTESTANTS, SEEDS, SHARES, contestant, in_words, noise_study
from tests.core.studies.support import recipes
from tests.dashboard import stored_runs


def test_every_contestant_meets_every_share_and_seed_on_one_footing(tmp_path):
    info = stored_runs.tiny_demo(Home(tmp_path))
    plan = noise_study(open_dataset(Home(tmp_path), "demo").info)
    assert len(plan) == len(CONTESTANTS) * len(SHARES) * len(SEEDS) == 48
    cells = {(r.system, r.variant, r.auxiliary_noise, r.seed) for r in plan}
    assert len(cells) == 48
    assert {r.system for r in plan} == {"hgib", "lightgcn_m"}
    assert {r.dataset_hash for r in plan} == {info.content_hash}
    assert {(r.preset, r.protocol.key, r.fit_on, r.selection) for r in plan} == {
        ("small", "full", "train", "valid")
    }


def test_the_first_seed_comes_first_whole():
    plan = recipes(seeds=(3, 1), shares=(0.0, 0.4))
    assert [r.seed for r in plan] == [3] * 8 + [1] * 8
    assert [r.auxiliary_noise for r in plan[:8]] == [0.0] * 4 + [0.4] * 4
    assert [contestant(r).key for r in plan[:4]] == [one.key for one in CONTESTANTS]
    assert in_words(plan[6]) == "HGIB without compression, 40 % noise, seed 3"


def test_settings_reach_every_system_that_has_them_and_spare_what_a_variant_is_about():
    plan = recipes(overrides={"epochs": "3", "beta": 7, "refinement": "random"})
    assert {r.config["epochs"] for r in plan} == {3}
    assert {contestant(r).key: r.config.get("beta") for r in plan} == {
        "hgib": 7,
        "without_gre": 7,
        "without_comp": 0,
        "lightgcn_m": None,
    }
    assert {contestant(r).key: r.config.get("refinement") for r in plan} == {
        "hgib": "random",
        "without_gre": "none",
        "without_comp": "random",
        "lightgcn_m": None,
    }


def test_a_preset_of_one_data_set_leaves_the_others_at_their_paper():
    assert {r.system: r.preset for r in recipes(preset="paper-jdata")} == {
        "hgib": "paper-jdata",
        "lightgcn_m": "paper",
    }


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"shares": (0.1, 0.2)}, "add 0 to the shares"),
        ({"shares": (0.0,)}, "a share of noise beside 0"),
        ({"shares": (0.0, 0.2, 0.2)}, r"share 0\.2 is given twice"),
        ({"shares": (0.0, 1.5)}, "auxiliary_noise"),
        ({"seeds": (1, 1)}, "seed 1 is given twice"),
        ({"seeds": (-1,)}, "seed"),
        ({"preset": "huge"}, "no preset 'huge'"),
        (
            {"overrides": {"depth": 3}},
            "no system of the study has a setting 'depth'; all of them have: epochs",
        ),
        ({"overrides": {"dim": 0}}, "dim"),
        ({"protocol": "half"}, "unknown protocol"),
        ({"fit_on": "train+valid", "selection": "valid"}, "no validation data"),
    ],
)
def test_what_makes_no_study_is_refused(changes, said):
    with pytest.raises(ConfigError, match=said):
        recipes(**changes)


def test_data_without_auxiliary_behaviours_is_refused(tmp_path):
    info = stored_runs.tiny_demo(Home(tmp_path))
    with pytest.raises(ConfigError, match="no auxiliary behaviour"):
        noise_study(info.model_copy(update={"behaviors": ("buy",)}))
