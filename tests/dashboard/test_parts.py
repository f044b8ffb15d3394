"""What each part contributes: which runs stand for which variant, differences paired by seed, claims both ways."""

import numpy as np
import pytest

from core.catalog.systems import CATALOG
from core.recipe import make_recipe
from core.runs.summary import RunSummary
from dashboard import parts
from dashboard.parts import FAILS, FULL, HELPS, HOLDS, HURTS, MISSING, OPEN, SINGLE

HGIB = CATALOG["hgib"]
METRIC = "ndcg@10"


def run(variant: str = "", seed: int = 0, value: float = 0.2, **changed) -> RunSummary:
    """A finished HGIB run; `changed` are settings beside those of the variant, or fields of the summary."""
    fields = {name: changed.pop(name) for name in list(changed) if name in RunSummary.model_fields}
    preset = HGIB.resolve("small").model_dump()
    patch = dict(HGIB.variants[variant].patch) if variant else {}
    settings = {name: (preset[name], new) for name, new in (patch | changed).items() if preset[name] != new}
    return RunSummary(
        **{
            "run_id": f"{variant or 'full'}-{seed}-{len(settings)}",
            "state": "done",
            "system": "hgib",
            "dataset_hash": "d",
            "preset": "small",
            "variant": variant,
            "seed": seed,
            "protocol": "full",
            "fit_on": "train",
            "selection": "valid",
            "results": {"full": {METRIC: value}},
            "changes": settings,
        }
        | fields
    )


def standing(own: RunSummary, *others: RunSummary) -> parts.Standing:
    return parts.standing(own, HGIB, [own, *others], METRIC)


def test_runs_stand_for_variants_by_their_settings() -> None:
    by_hand = run(seed=1, beta=0.0)
    found = standing(run(), run("without_pres"), by_hand, run("without_gre", seed=2))
    assert {name: sorted(runs) for name, runs in found.runs.items()} == {
        FULL: [0],
        "without_pres": [0],
        "without_comp": [1],
        "without_gre": [2],
    }
    assert found.values(METRIC)[FULL] == {0: 0.2}


def test_values_over_pairs_seen_or_unseen_leave_out_runs_without_such_pairs() -> None:
    found = standing(run(), run(seed=1), run("without_pres"), run("without_comp"))
    ids = {
        variant: {seed: known.run_id for seed, known in by_seed.items()}
        for variant, by_seed in found.runs.items()
    }
    stored = {
        ids[FULL][0]: {"seen": {"pairs": 3, METRIC: 0.6}, "unseen": {"pairs": 0}},
        ids[FULL][1]: {"seen": {"pairs": 3, METRIC: 0.5}, "unseen": ["damaged"]},
        ids["without_pres"][0]: {"unseen": {"pairs": 9, METRIC: 0.04}},
    }
    assert found.values_on("seen", METRIC, stored) == {FULL: {0: 0.6, 1: 0.5}}
    assert found.values_on("unseen", METRIC, stored) == {"without_pres": {0: 0.04}}
    assert found.values_on("unseen", METRIC, {}) == {}


def test_a_variant_finds_the_full_model_with_the_same_other_settings() -> None:
    own = run("without_pres", dim=16)
    found = standing(own, run(dim=16), run(), run("without_comp", dim=16), run("without_comp"))
    assert {name: len(runs) for name, runs in found.runs.items()} == {
        FULL: 1,
        "without_pres": 1,
        "without_comp": 1,
    }
    assert found.apart == 2


@pytest.mark.parametrize(
    "other",
    [
        {"dataset_hash": "e"},
        {"protocol": "sampled99"},
        {"fit_on": "train+valid"},
        {"selection": "last"},
        {"preset": "paper"},
        {"system": "mule"},
        {"state": "running"},
        {"results": {}},
        {"auxiliary_noise": 0.2},
    ],
)
def test_runs_on_another_footing_do_not_stand_beside(other) -> None:
    found = standing(run(), run("without_pres", **other))
    assert list(found.runs) == [FULL]
    assert found.apart == 0


def test_of_a_repeated_seed_the_latest_counts() -> None:
    found = standing(run(created=1.0), run(value=0.9, created=3.0), run(value=0.5, created=2.0))
    assert found.values(METRIC) == {FULL: {0: 0.9}}
    assert found.repeated == 2


def table(values):
    return parts.parts_table(values, {"kernel_linear": "HSIC with a linear kernel"})


def by_variant(values):
    return table(values).set_index("variant")


def test_differences_are_paired_by_seed() -> None:
    values = {FULL: {0: 0.5, 1: 0.7, 2: 0.6}, "without_pres": {1: 0.6, 2: 0.52, 9: 0.1}}
    row = by_variant(values).loc["without_pres"]
    assert row["seeds"] == 3
    assert row["pairs"] == 2
    assert row["difference"] == pytest.approx((0.1 + 0.08) / 2)
    half = 12.706204736 * np.std([0.1, 0.08], ddof=1) / 2**0.5
    assert row["difference_high"] - row["difference"] == pytest.approx(half)


SEEDS = range(3)
FULL_VALUES = {0: 0.500, 1: 0.510, 2: 0.520}


def shifted(by: float, noise: float = 0.001) -> dict[int, float]:
    """The full model's values minus `by`, give or take `noise`."""
    return {seed: FULL_VALUES[seed] - by + noise * (seed - 1) for seed in SEEDS}


@pytest.mark.parametrize(
    ("values", "verdict"),
    [
        (shifted(0.05), HELPS),
        (shifted(-0.05), HURTS),
        (shifted(0.001, 0.01), OPEN),
        ({0: 0.3}, SINGLE),
        ({}, MISSING),
        ({9: 0.3}, MISSING),
    ],
)
def test_a_part_helps_where_the_interval_says_so(values, verdict) -> None:
    row = by_variant({FULL: FULL_VALUES, "without_comp": values}).loc["without_comp"]
    assert row["verdict"] == verdict


def test_other_variants_with_runs_are_listed_last() -> None:
    found = table({FULL: FULL_VALUES, "kernel_linear": {0: 0.4}})
    assert found["part"].iloc[0] == "nothing: the full model"
    assert found["part"].iloc[-1] == "HSIC with a linear kernel"
    assert parts.missing(found) == list(parts.PARTS)
    assert parts.missing(table({})) == [FULL, *parts.PARTS]


def claims(**values: dict[int, float]):
    known = {FULL: FULL_VALUES, **values}
    return parts.claims(known, table(known))


def test_every_part_helps_where_all_three_do() -> None:
    three = {"without_pres": shifted(0.05), "without_comp": shifted(0.02), "without_gre": shifted(0.01)}
    every, most, weights = claims(**three)
    assert every.verdict == HOLDS
    assert "L_comp helps (+.0200)" in every.why
    assert most.verdict == HOLDS
    assert "+.0300 more than removing L_comp" in most.why
    assert weights.verdict == OPEN
    assert "no finished run" in weights.why


def test_claims_fail_where_a_part_hurts_or_another_costs_more() -> None:
    hurting = {"without_pres": shifted(0.02), "without_comp": shifted(-0.05), "without_gre": shifted(0.07)}
    every, most, _ = claims(**hurting)
    assert every.verdict == FAILS
    assert "L_comp hurts (−.0500)" in every.why
    assert most.verdict == FAILS
    useless = hurting | {"without_pres": shifted(-0.02), "without_gre": shifted(-0.03)}
    assert claims(**useless)[1].verdict == FAILS
    assert "does better, by +.0200" in claims(**useless)[1].why


def test_claims_are_open_where_runs_are_few_or_alike() -> None:
    alike = {name: shifted(0.001, 0.01) for name in parts.PAPER}
    assert [claim.verdict for claim in claims(**alike)] == [OPEN, OPEN, OPEN]
    single = {name: {0: 0.4} for name in parts.PAPER}
    every, most, _ = claims(**single)
    assert (every.verdict, most.verdict) == (OPEN, OPEN)
    assert "(one seed)" in most.why
    assert claims()[1].verdict == OPEN
    assert "it takes runs" in claims()[1].why


@pytest.mark.parametrize(("cost", "verdict"), [(0.03, HOLDS), (-0.03, FAILS), (0.0, OPEN)])
def test_dealing_weights_at_random_is_the_control(cost, verdict) -> None:
    assert claims(random_pruning=shifted(cost, 0.002))[2].verdict == verdict


def test_a_recipe_of_another_variant_changes_nothing_else() -> None:
    own = make_recipe(
        "demo",
        "h" * 64,
        "hgib",
        planted=True,
        variant="without_pres",
        overrides={"epochs": 7},
        seed=3,
        auxiliary_noise=0.2,
    )
    other = parts.recipe_with(own, HGIB, "without_comp")
    assert other.variant == "without_comp"
    assert (other.config["alpha"], other.config["beta"], other.config["epochs"]) == (1.0, 0.0, 7)
    assert (other.seed, other.auxiliary_noise, other.preset) == (3, 0.2, "small")
    full = parts.recipe_with(own, HGIB, FULL)
    assert (full.variant, full.config["alpha"], full.config["epochs"]) == (None, 1.0, 7)


def test_every_part_is_a_variant_of_the_catalog() -> None:
    assert set(parts.PARTS) <= set(HGIB.variants)
    assert set(parts.PAPER) <= set(parts.PARTS)
