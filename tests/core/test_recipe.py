"""Recipes: defaults, refusals, round trips, and the command that repeats a run."""

import shlex
from pathlib import Path

import pytest
from pydantic import ValidationError

from core.catalog.cigf import CIGFConfig
from core.catalog.systems import CATALOG
from core.errors import ConfigError, RunError
from core.files import write_json
from core.recipe import Recipe, load_recipe, make_recipe

HASH = "a" * 64


def recipe(system: str = "cigf", **changes) -> Recipe:
    return make_recipe("demo", HASH, system, **changes)


@pytest.mark.parametrize("key", CATALOG)
def test_defaults(key: str):
    entry = CATALOG[key]
    real, planted = recipe(key), recipe(key, planted=True)
    assert (real.preset, planted.preset) == ("paper", "small")
    assert real.protocol.key == entry.default_protocol
    assert real.selection == (entry.default_selection if entry.is_trained else "last")
    if entry.task == "ranking":
        assert recipe(key, fit_on="train+valid").selection == "last"
    assert real.config == entry.resolve("paper").model_dump()
    assert real.system_config() == entry.resolve("paper")
    assert (real.seed, real.device, real.variant, real.fit_on) == (0, "auto", None, "train")


def test_variants_and_overrides_patch_the_preset_in_that_order():
    made = recipe(preset="small", variant="base", overrides={"head": "mmoe", "epochs": "7"})
    config = made.system_config()
    assert isinstance(config, CIGFConfig)
    assert (config.encoder, config.head, config.epochs) == ("per_behavior", "mmoe", 7)
    assert made.changes() == {
        "encoder": ("cigcn", "per_behavior"),
        "head": ("mesi", "mmoe"),
        "epochs": (CATALOG["cigf"].resolve("small").model_dump()["epochs"], 7),
    }


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"system": "sasrec"}, "unknown system 'sasrec': expected one of cigf"),
        ({"preset": "huge"}, "no preset 'huge': expected one of paper"),
        ({"variant": "nonsense"}, "no variant 'nonsense': expected one of base"),
        ({"system": "popularity", "variant": "base"}, "has no variants"),
        ({"overrides": {"dimm": 4}}, r"dimm: .*Settings: epochs"),
        ({"overrides": {"dim": 0}}, r"dim: .*got 0"),
        ({"overrides": {"learning_rate": float("nan")}}, "learning_rate"),
        ({"overrides": {"encoder": "per_behavior", "num_heads": 2}}, "num_heads must be 1"),
        ({"overrides": {"composition": "target", "num_layers": 5}}, "must not exceed 4"),
        ({"protocol": "half"}, "unknown protocol"),
        ({"fit_on": "train+valid", "selection": "valid"}, "leaves no validation data: choose selection last"),
        ({"fit_on": "test"}, "fit_on"),
        ({"selection": "best"}, "selection"),
        ({"seed": -1}, "seed"),
        ({"auxiliary_noise": -0.1}, "auxiliary_noise"),
        ({"auxiliary_noise": 1.1}, "auxiliary_noise"),
        ({"auxiliary_noise": float("nan")}, "auxiliary_noise"),
        ({"device": "tpu"}, "device"),
        (
            {"protocol": "heco"},
            "CIGF ranks items, and heco is for what classifies nodes: choose protocol sampled99",
        ),
        ({"selection": "loss"}, "models that learn without labels: choose valid or last"),
        (
            {"system": "hgcvae", "protocol": "full"},
            "HGCVAE classifies nodes, and full .* choose protocol heco",
        ),
        ({"system": "hgcvae", "fit_on": "train+valid"}, "fit_on train and no auxiliary noise"),
        ({"system": "hgcvae", "auxiliary_noise": 0.1}, "fit_on train and no auxiliary noise"),
        ({"system": "hgcvae", "selection": "test_as_published"}, "not chosen on the labels of test nodes"),
        ({"device": "cuda:0; rm -rf"}, "device"),
    ],
)
def test_what_does_not_fit_is_refused_with_the_choices(changes, message: str):
    with pytest.raises(ConfigError, match=message):
        recipe(**changes)


def test_test_selection_may_train_on_validation_pairs():
    made = recipe(fit_on="train+valid", selection="test_as_published")
    assert made.selection == "test_as_published"


@pytest.mark.parametrize("key", CATALOG)
def test_recipes_survive_the_disk(tmp_path: Path, key: str):
    is_ranking = CATALOG[key].task == "ranking"
    protocol, noise = (
        ("sampled99:num_negatives=7", 0.1) if is_ranking else ("heco:repeats=3,probe_lr=0.05", 0.0)
    )
    made = recipe(key, seed=5, device="cuda:1", protocol=protocol, auxiliary_noise=noise)
    write_json(tmp_path / "recipe.json", made.model_dump())
    assert load_recipe(tmp_path / "recipe.json") == made


def test_a_recipe_stored_before_there_was_noise_has_none(tmp_path: Path):
    made = recipe()
    stored = made.model_dump()
    del stored["auxiliary_noise"]
    write_json(tmp_path / "recipe.json", stored)
    assert load_recipe(tmp_path / "recipe.json") == made
    assert "noise" not in made.command()


def test_the_command_repeats_the_run():
    made = recipe(
        preset="small",
        variant="without_mesi",
        overrides={"attention": "node+layer", "learning_rate": 0.02, "epochs": 3},
        protocol="full:mask_valid=false",
        selection="last",
        seed=9,
        device="cpu",
        auxiliary_noise=0.15,
    )
    words = shlex.split(made.command())
    assert words[:4] == ["python", "-m", "core", "train"]
    system, dataset, *options = words[4:]
    pairs = list(zip(options[::2], options[1::2], strict=True))
    given = {name: value for name, value in pairs if name != "--set"}
    sets = dict(value.split("=", 1) for name, value in pairs if name == "--set")
    assert set(sets) == {"attention", "learning_rate", "epochs"}
    again = make_recipe(
        dataset,
        HASH,
        system,
        overrides=sets,
        **{name.removeprefix("--").replace("-", "_"): value for name, value in given.items()} | {"seed": 9},
    )
    assert given["--seed"] == "9"
    assert again == made


@pytest.mark.parametrize("content", ["", "{", "[]", "{}", '{"dataset": 1}', "null"])
def test_a_damaged_recipe_is_reported(tmp_path: Path, content: str):
    path = tmp_path / "recipe.json"
    path.write_text(content)
    with pytest.raises(RunError, match="cannot be read"):
        load_recipe(path)


def test_a_missing_recipe_is_reported(tmp_path: Path):
    with pytest.raises(RunError, match=r"no recipe\.json"):
        load_recipe(tmp_path / "recipe.json")


def test_a_system_that_is_gone_is_reported(tmp_path: Path):
    write_json(tmp_path / "recipe.json", recipe().model_dump() | {"system": "old"})
    with pytest.raises(RunError, match="'old' is not in this version's catalog"):
        load_recipe(tmp_path / "recipe.json")


def test_recipes_are_frozen_and_closed():
    made = recipe()
    with pytest.raises(ValidationError):
        made.seed = 3
    with pytest.raises(ValidationError):
        Recipe.model_validate(made.model_dump() | {"nonsense": 1})
