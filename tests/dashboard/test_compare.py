"""The protocol guard and the rows of a comparison: what shares a table, what shares a row, what it is called."""

import pytest

from dashboard import compare
from tests.dashboard.comparing import HASH, OTHER_HASH, entry, result


def ids(bench: compare.Bench) -> list[list[str]]:
    return [[e.run_id for e in group.entries] for group in bench.groups]


def test_runs_that_differ_in_the_seed_alone_share_a_row() -> None:
    entries = [entry("a", seed=0), entry("b", seed=1), entry("c", variant="base"), entry("d", seed=2)]
    (bench,) = compare.benches(entries, "sampled99")
    assert ids(bench) == [["a", "b", "d"], ["c"]]
    assert bench.groups[0].key == "a"
    assert bench.groups[0].seeds == [0, 1, 2]


def test_a_repeat_of_a_seed_is_no_second_seed() -> None:
    entries = [entry("a", seed=0), entry("b", seed=1), entry("again", seed=0)]
    assert [[e.run_id for e in g.entries] for g in compare.groups(entries)] == [["a", "b"], ["again"]]


@pytest.mark.parametrize(
    "change",
    [
        {"overrides": {"dim": 24}},
        {"variant": "base"},
        {"system": "lightgcn"},
        {"selection": "last"},
        {"protocol": "full"},
        {"fit_on": "train+valid"},
        {"auxiliary_noise": 0.2},
        {"data_hash": OTHER_HASH},
    ],
)
def test_everything_but_the_seed_makes_a_row_of_its_own(change) -> None:
    assert len(compare.groups([entry("a"), entry("b", **change)])) == 2


@pytest.mark.parametrize("preset", ["paper"])
def test_a_preset_is_a_name_and_no_setting(preset) -> None:
    one = entry("a", preset="small")
    other = entry("b", preset=preset, seed=1, overrides=one.recipe.config)
    assert one.recipe.config == other.recipe.config
    assert len(compare.groups([one, other])) == 1


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"data_hash": OTHER_HASH}, "other data"),
        ({"fit_on": "train+valid"}, "trained on training and validation pairs instead of training pairs"),
        (
            {"auxiliary_noise": 0.2},
            "trained on training pairs and 20 % random auxiliary pairs instead of training pairs",
        ),
        ({"selection": "test_as_published"}, "chosen on test data, which is optimistic"),
    ],
)
def test_what_does_not_compare_is_kept_apart_with_the_reason(change, reason) -> None:
    entries = [entry("a"), entry("b", variant="base"), entry("c", **change)]
    main, other = compare.benches(entries, "sampled99")
    assert (ids(main), ids(other)) == ([["a"], ["b"]], [["c"]])
    (said,) = compare.apart(main.footing, other.footing, {HASH: "demo"})
    assert reason in said


def test_best_on_validation_and_last_epoch_share_a_table() -> None:
    (bench,) = compare.benches([entry("a"), entry("b", selection="last")], "sampled99")
    assert len(bench.groups) == 2


def test_every_difference_is_named() -> None:
    one = compare.Footing(HASH, "full", "train", False)
    other = compare.Footing(OTHER_HASH, "sampled99", "train+valid", True)
    said = compare.apart(one, other, {HASH: "demo", OTHER_HASH: "taobao"})
    assert len(said) == 4
    assert said[0] == "other data: taobao (content ddddeeee) instead of demo (content aaaabbbb)"
    assert compare.apart(one, one, {}) == []


def test_the_stored_result_tells_its_footing_and_not_the_recipe() -> None:
    told = entry(
        "a", results={"full": result(dataset_hash=OTHER_HASH, fit_on="train+valid", selection="last")}
    )
    assert compare.footing(told, "full") == compare.Footing(OTHER_HASH, "full", "train+valid", False)
    noisy = entry("c", results={"full": result()}, auxiliary_noise=0.2)
    assert compare.footing(noisy, "full").auxiliary_noise == 0.2
    stored = entry("d", results={"full": result(auxiliary_noise=0.4)}, auxiliary_noise=0.2)
    assert compare.footing(stored, "full").auxiliary_noise == 0.4
    silent = entry("b", results={"full": result()}, selection="test_as_published")
    assert compare.footing(silent, "full") == compare.Footing(HASH, "full", "train", True)


def test_the_protocol_that_most_runs_share_comes_first() -> None:
    entries = [
        entry("a", results={"full": result(), "sampled99": result()}),
        entry("b", results={"full": result()}),
        entry("c", results={}),
    ]
    assert compare.protocols(entries) == ["full", "sampled99"]
    assert compare.protocols([entries[0]]) == ["sampled99", "full"]
    assert compare.protocols([entries[2]]) == []


def test_options_of_a_protocol_keep_results_apart() -> None:
    entries = [
        entry("a", results={"full": result()}),
        entry("b", results={"full:mask_valid=false": result()}),
    ]
    for key, found in (("full", "a"), ("full:mask_valid=false", "b")):
        (bench,) = compare.benches(entries, key)
        assert ids(bench) == [[found]]


@pytest.mark.parametrize(
    ("run", "reason"),
    [
        (entry("a"), "scored under sampled99, not under full"),
        (entry("a", results={}, state="running"), "still training, epoch 5 of 30"),
        (entry("a", results={}, state="queued"), "waiting in the queue"),
        (entry("a", results={}, state="failed"), "failed before it was tested"),
        (entry("a", results={}), "no test result is stored"),
    ],
)
def test_why_a_run_has_no_result(run, reason) -> None:
    assert compare.missing_result(run, "full") == reason


def test_titles_name_only_what_tells_runs_apart() -> None:
    entries = [
        entry("a"),
        entry("b", overrides={"dim": 24}),
        entry("c", variant="base"),
        entry("d", system="ease"),
    ]
    titles = compare.titles(entries)
    assert titles == {"a": "CIGF · dim=16", "b": "CIGF · dim=24", "c": "CIGF · base", "d": "EASE"}


def test_titles_count_what_does_not_fit_and_tell_repeats_apart() -> None:
    many = entry("b", overrides={"dim": 24, "num_layers": 3, "epochs": 7})
    assert compare.titles([entry("a"), many])["b"].endswith(" · +1 more")
    same = compare.titles([entry("run-1111"), entry("run-2222")])
    assert same == {"run-1111": "CIGF (1111)", "run-2222": "CIGF (2222)"}


def test_titles_tell_noise() -> None:
    titles = compare.titles([entry("a"), entry("b", auxiliary_noise=0.2)])
    assert titles == {"a": "CIGF", "b": "CIGF · 20 % noise"}


def test_titles_tell_data_seed_and_optimism() -> None:
    entries = [
        entry("a", seed=3),
        entry("b", dataset="shop", data_hash=OTHER_HASH, selection="test_as_published"),
    ]
    titles = compare.titles(entries, with_seed=True)
    assert titles == {"a": "CIGF · demo · seed 3", "b": "CIGF · shop · optimistic · seed 0"}
