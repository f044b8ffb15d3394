"""Which runs may stand against one, who is asked for first, which seeds are averaged, and why another is refused."""

import pytest

from core.runs.summary import RunSummary
from dashboard import opponents
from dashboard.opponents import NOBODY
from tests.dashboard.comparing import HASH, OTHER_HASH, entry, result


def run(run_id: str, system: str = "ease", seed: int = 0, **fields) -> RunSummary:
    about = {
        "state": "done",
        "dataset_hash": HASH,
        "protocol": "full",
        "fit_on": "train",
        "selection": "valid",
        "preset": "small",
        "results": {"full": {"ndcg@10": 0.1}},
    }
    return RunSummary(run_id=run_id, system=system, seed=seed, **(about | fields))


@pytest.mark.parametrize(
    "other",
    [
        {"dataset_hash": OTHER_HASH},
        {"results": {"sampled99": {"ndcg@10": 0.1}}},
        {"fit_on": "train+valid"},
        {"selection": "test_as_published"},
        {"auxiliary_noise": 0.2},
        {"state": "running"},
    ],
)
def test_rivals_stand_on_the_same_footing(other) -> None:
    own, fitting = run("own"), run("fits", "lightgcn", selection="last")
    assert opponents.rivals(own, [own, fitting, run("other", **other)], "full") == [fitting]


@pytest.mark.parametrize(
    ("own", "expected"),
    [
        ({"parent": "variant-1"}, "variant-1"),
        ({"variant": "flat"}, "full-0"),
        ({}, "lightgcn-0"),
        ({"seed": 2}, "lightgcn-1"),
    ],
)
def test_the_default_is_the_parent_the_full_model_or_another_system_of_the_same_seed(own, expected) -> None:
    offered = [
        run("full-1", seed=1),
        run("lightgcn-1", "lightgcn", seed=1),
        run("full-0"),
        run("variant-1", variant="flat", seed=1),
        run("lightgcn-0", "lightgcn"),
    ]
    assert opponents.default_rival(run("own", **own), offered) == expected


def test_without_any_rival_there_is_nobody() -> None:
    assert opponents.default_rival(run("own"), []) == NOBODY


def test_siblings_differ_in_the_seed_alone() -> None:
    own = run("own")
    others = [
        run("s1", seed=1),
        run("repeat"),
        run("other", "lightgcn", seed=1),
        run("set", seed=1, changes={"l2": (1, 2)}),
    ]
    assert [sibling.run_id for sibling in opponents.siblings(own, [*others, own], "full")] == ["own", "s1"]


def system(name: str, *seeds: int, **recipe):
    return {
        seed: entry(f"{name}-{seed}", system=name, protocol="full", seed=seed, **recipe) for seed in seeds
    }


def ids(pair) -> list[list[str]]:
    return [[member.run_id for member in side] for side in pair]


def test_seeds_that_both_have_are_averaged_in_the_same_order() -> None:
    one, other = system("ease", 3, 0, 1), system("lightgcn", 1, 2, 3)
    found = opponents.paired_by_seed(one[3], other[1], [*one.values(), *other.values()])
    assert ids(found) == [["ease-1", "ease-3"], ["lightgcn-1", "lightgcn-3"]]


def test_two_picked_runs_stand_alone_where_their_seeds_would_leave_one_of_them_out() -> None:
    one, other = system("ease", 0, 1), system("lightgcn", 1, 2)
    everyone = [*one.values(), *other.values()]
    assert ids(opponents.paired_by_seed(one[0], other[1], everyone)) == [["ease-0"], ["lightgcn-1"]]
    assert ids(opponents.paired_by_seed(one[1], other[2], everyone)) == [["ease-1"], ["lightgcn-2"]]


def test_two_seeds_of_one_setting_stand_alone() -> None:
    one = system("ease", 0, 1, 2)
    assert ids(opponents.paired_by_seed(one[0], one[2], list(one.values()))) == [["ease-0"], ["ease-2"]]


def test_other_settings_are_no_seeds_of_the_picked_run() -> None:
    one, other = system("ease", 0, 1), system("lightgcn", 0, 1)
    deeper = entry("deep", system="lightgcn", protocol="full", seed=1, overrides={"num_layers": 4})
    found = opponents.paired_by_seed(one[0], other[0], [*one.values(), deeper, other[0]])
    assert ids(found) == [["ease-0"], ["lightgcn-0"]]


NAMES = {HASH: "demo", OTHER_HASH: "elsewhere"}


@pytest.mark.parametrize(
    ("other", "said"),
    [
        (entry("b", protocol="full"), ""),
        (entry("a", protocol="full"), "does not differ from itself"),
        (entry("b"), "scored under sampled99, not under full"),
        (entry("b", protocol="full", data_hash=OTHER_HASH, dataset="elsewhere"), "other data: elsewhere"),
        (
            entry("b", data_hash=OTHER_HASH, dataset="elsewhere"),
            "other data: elsewhere; scored under sampled99",
        ),
        (entry("b", protocol="full", results={}, state="running"), "still training, epoch 5 of 30"),
        (
            entry("b", protocol="full", fit_on="train+valid", results={"full": result()}),
            "training and validation pairs instead of training pairs",
        ),
    ],
)
def test_a_refusal_gives_its_reason(other, said) -> None:
    reason = opponents.refusal(entry("a", protocol="full"), other, "full", NAMES)
    assert said in reason
    assert bool(said) == bool(reason)
