"""The list of runs: search, and what its table says."""

import pytest

from core.catalog.systems import CATALOG
from core.runs.summary import RunSummary
from dashboard.panels.run_list import matching, own_changes, run_table, run_title


def run(run_id: str = "20251010-cigf-demo-s0-3f9a", **fields) -> RunSummary:
    about = {
        "state": "done",
        "system": "cigf",
        "dataset": "demo",
        "main_metric": "ndcg@10",
        "protocol": "full",
    }
    return RunSummary.model_validate(about | {"run_id": run_id} | fields)


@pytest.mark.parametrize(
    ("find", "state", "found"),
    [
        ("", "all", ["a-run", "b-run"]),
        ("CIGF", "all", ["a-run"]),
        ("demo base", "all", ["a-run"]),
        ("seen favourite", "all", ["b-run"]),
        ("", "failed", ["b-run"]),
        ("nothing", "all", []),
    ],
)
def test_every_word_must_occur(find, state, found) -> None:
    runs = [
        run("a-run", variant="base"),
        run("b-run", system="seen_before", state="failed", tags=("favourite",)),
    ]
    assert [r.run_id for r in matching(runs, find, state)] == found


def test_titles_tell_variant_seed_data_and_the_end_of_the_id() -> None:
    assert run_title(run(variant="without_mesi", seed=3)) == "CIGF · without mesi · seed 3 · demo  (3f9a)"


def test_titles_name_two_changed_settings_and_count_the_rest() -> None:
    changed = {"num_layers": (2, 1), "dim": (16, 24)}
    assert run_title(run(changes=changed)) == "CIGF · seed 0 · num_layers=1, dim=24 · demo  (3f9a)"
    more = changed | {"epochs": (30, 5)}
    assert "num_layers=1, dim=24 +1 more" in run_title(run(changes=more))


def test_what_the_variant_sets_is_not_named_again() -> None:
    ((name, value), *_) = CATALOG["cigf"].variants["base"].patch.items()
    changed = {name: ("other", value), "epochs": (30, 5)}
    assert own_changes(run(variant="base", changes=changed)) == {"epochs": 5}


def test_a_system_of_another_version_keeps_its_key() -> None:
    assert run_title(run(system="future")).startswith("future")


def test_a_metric_never_stands_without_its_protocol() -> None:
    table = run_table([run(main_value=0.5), run(best_valid=0.25, protocol="sampled99"), run()], now=0.0)
    assert list(table["metric"]) == ["full: NDCG@10 .5000", "sampled99: valid NDCG@10 .2500", "full"]


def test_progress_is_a_share_of_the_epochs() -> None:
    table = run_table([run(state="running", epoch=5, epochs=20), run(), run(state="queued")], now=0.0)
    assert list(table["progress"]) == [0.25, 1.0, 0.0]
