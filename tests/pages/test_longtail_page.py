"""The Long tail page: groups of items and users, one run minus another, what is recommended, single items, every state."""

from typing import Any

import numpy as np
import pandas as pd
import pytest

from core.data.dataset import open_dataset
from core.evaluation.item_groups import grouped_values, item_groups
from core.evaluation.statistics import holm, paired_test
from core.files import write_json
from core.home import Home
from core.runs.folder import RunFolder
from core.runs.ranked_pairs import ranked_pairs
from tests.dashboard import stored_runs
from tests.pages.conftest import texts

DIMS = 3


@pytest.fixture
def data(home: Home):
    return stored_runs.tiny_demo(home)


@pytest.fixture
def tables(monkeypatch) -> dict[str, pd.DataFrame]:
    """What the buttons beneath figures and tables download, by file name."""
    found: dict[str, pd.DataFrame] = {}
    for place in ("drawing", "panels.longtail_shown", "panels.longtail_items"):
        monkeypatch.setattr(f"dashboard.{place}.csv_button", lambda table, name: found.update({name: table}))
    return found


def ranked_run(home: Home, data, run_id: str, system: str, best: int, **changes: Any) -> RunFolder:
    """A finished run whose test items rank from `best` on, at random, with item embeddings."""
    run = stored_runs.done_run(home, data, run_id, system=system, **({"overrides": {}} | changes))
    path = run.path / "per_user.parquet"
    rows = pd.read_parquet(path)
    rng = np.random.default_rng(len(run_id) + best)
    rows["ranks"] = [
        rng.choice(np.arange(best, best + 40), len(items), replace=False) for items in rows["items"]
    ]
    rows.to_parquet(path)
    values = rng.normal(size=(data.num_users + data.num_items, DIMS)).astype(np.float32)
    run.embeddings.mkdir(exist_ok=True)
    np.savez(run.embeddings / "final.npz", values=values, num_users=np.array(data.num_users))
    return run


@pytest.fixture
def two(home: Home, data) -> tuple[RunFolder, RunFolder]:
    """A better and a worse run of the same seed."""
    return (
        ranked_run(home, data, "good-run", "lightgcn", best=1),
        ranked_run(home, data, "poor-run", "ease", best=8),
    )


def popularity(home: Home, splits: tuple[str, ...] = ("train",)) -> np.ndarray:
    stored = open_dataset(home, "demo")
    rows = stored.interactions()
    chosen = rows[(rows["behavior"] == "buy") & rows["split"].isin(splits)]
    return np.bincount(chosen["item"], minlength=stored.info.num_items)


def values_of(run: RunFolder, groups, metric: str, protocol: str = "full"):
    pairs = ranked_pairs(run, protocol)
    assert pairs is not None
    return grouped_values(
        pairs.users,
        pairs.ranks,
        groups.group[pairs.items],
        groups.count,
        metric,
        own_candidates=protocol == "sampled99",
    )


def the(tables: dict[str, pd.DataFrame], part: str) -> pd.DataFrame:
    (found,) = (table for name, table in tables.items() if name.startswith(f"longtail-{part}"))
    return found


def test_groups_of_items_are_those_of_the_training_pairs(home, two, opened, tables) -> None:
    app = opened("longtail", run="good-run", metric="ndcg@10")
    groups = item_groups(popularity(home))
    table = the(tables, "items-ndcg-at-10-good")
    for name, run in (("LightGCN", two[0]), ("EASE", two[1])):
        own = table[table["name"] == name]
        slow = values_of(run, groups, "ndcg@10")
        assert own["mean"].tolist() == pytest.approx([float(v.mean()) for _, v in slow])
        assert own["size"].tolist() == [len(users) for users, _ in slow]
    said = texts(app)
    assert f"{groups.untrained} of {len(groups.group)} items have no training pair" in said
    assert "EGRA, Figure 2 (Long-Tail Evaluation)" in said
    assert "a user's pairs are averaged first" in said


def test_the_difference_is_tested_in_each_group(home, two, opened, tables) -> None:
    app = opened("longtail", run="good-run", against="poor-run", metric="ndcg@10")
    groups = item_groups(popularity(home))
    tests = [paired_test(a, b) for (_, a), (_, b) in zip(*(values_of(run, groups, "ndcg@10") for run in two))]
    table = the(tables, "items-difference")
    assert table["difference"].tolist() == pytest.approx([test.difference for test in tests])
    assert table["wilcoxon_p"].tolist() == pytest.approx(holm([test.wilcoxon_p for test in tests]))
    said = texts(app)
    assert "With **LightGCN** in place of **EASE** the **long tail** gains (+" in said
    assert "seed 0 · " in said
    assert len(app.table) == 4  # values and tests, of items and of users


def test_equal_numbers_of_items_cut_differently(home, two, opened, tables) -> None:
    opened("longtail", run="good-run", popularity="equal_number", metric="hr@10")
    groups = item_groups(popularity(home), "equal_number")
    table = the(tables, "items-hr-at-10-good")
    own = table[table["name"] == "LightGCN"]
    assert own["size"].tolist() == [len(users) for users, _ in values_of(two[0], groups, "hr@10")]
    assert own["mean"].tolist() == pytest.approx(
        [float(v.mean()) for _, v in values_of(two[0], groups, "hr@10")]
    )


def test_validation_pairs_count_where_they_were_trained_on(home, data, opened, tables) -> None:
    run = ranked_run(home, data, "both-run", "ease", best=1, fit_on="train+valid")
    opened("longtail", run="both-run", metric="hr@10")
    groups = item_groups(popularity(home, ("train", "valid")))
    only_train = item_groups(popularity(home))
    sizes = [len(users) for users, _ in values_of(run, groups, "hr@10")]
    assert sizes != [len(users) for users, _ in values_of(run, only_train, "hr@10")]
    assert the(tables, "items-hr")["size"].tolist() == sizes


def test_each_item_has_candidates_of_its_own_under_a_sampled_protocol(home, data, opened, tables) -> None:
    run = ranked_run(home, data, "sampled-run", "lightgcn", best=1, protocol="sampled99")
    opened("longtail", run="sampled-run", metric="ndcg@10")
    slow = values_of(run, item_groups(popularity(home)), "ndcg@10", "sampled99")
    pairs = ranked_pairs(run, "sampled99")
    assert pairs is not None
    gain = np.where(pairs.ranks <= 10, 1 / np.log2(pairs.ranks + 1), 0)
    tail = item_groups(popularity(home)).group[pairs.items] == len(slow) - 1
    by_hand = pd.Series(gain[tail]).groupby(pairs.users[tail]).mean().mean()
    assert the(tables, "items-ndcg")["mean"].tolist() == pytest.approx([float(v.mean()) for _, v in slow])
    assert the(tables, "items-ndcg")["mean"].iloc[-1] == pytest.approx(by_hand)


def test_seeds_that_both_have_are_averaged(home, data, two, opened, tables) -> None:
    again = ranked_run(home, data, "good-again", "lightgcn", best=5, seed=1)
    poor = ranked_run(home, data, "poor-again", "ease", best=12, seed=1)
    ranked_run(home, data, "good-third", "lightgcn", best=30, seed=2)
    app = opened("longtail", run="good-run", against="poor-run", metric="hr@10")
    groups = item_groups(popularity(home))
    mean = [
        np.mean([values_of(run, groups, "hr@10")[0][1] for run in runs], axis=0).mean()
        for runs in ((two[0], again), (two[1], poor))
    ]
    first = the(tables, "items-hr").groupby("name")["mean"].first()
    assert first["LightGCN"] == pytest.approx(mean[0])
    assert first["EASE"] == pytest.approx(mean[1])
    said = texts(app)
    assert "mean over seeds 0, 1" in said
    assert "mean over 2 seeds" in said
    assert "dots: single seeds" in said


def test_groups_of_users_are_by_training_pairs(home, two, opened, tables) -> None:
    app = opened("longtail", run="good-run", longtail="users")
    assert "by activity of the user" in texts(app)
    table = the(tables, "users-ndcg")
    own = table[table["name"] == "LightGCN"]
    pairs = ranked_pairs(two[0], "full")
    assert pairs is not None
    assert own["pairs"].sum() == len(pairs.users)
    assert own["size"].sum() == len(np.unique(pairs.users))
    assert len(own) > 2


def test_users_that_are_all_alike_make_one_group(home, data, opened, tables) -> None:
    run = ranked_run(home, data, "good-run", "lightgcn", best=1)
    rows = open_dataset(home, "demo").interactions()
    counts = rows[(rows["behavior"] == "buy") & (rows["split"] == "train")]["user"].value_counts()
    path = run.path / "per_user.parquet"
    tested = pd.read_parquet(path)
    alike = tested[tested["user"].map(counts) == 3]
    alike.to_parquet(path)
    opened("longtail", run="good-run", longtail="users")
    table = the(tables, "users-ndcg")
    assert table["title"].tolist() == ["3"]
    assert table["size"].tolist() == [len(alike)]


def test_a_group_without_test_pairs_and_small_ones_are_told(home, data, opened) -> None:
    run = ranked_run(home, data, "good-run", "lightgcn", best=1)
    groups = item_groups(popularity(home))
    path = run.path / "per_user.parquet"
    rows = pd.read_parquet(path)
    tail = rows[[groups.group[list(items)].min() == groups.count - 1 for items in rows["items"]]].head(7)
    tail.to_parquet(path)
    said = texts(opened("longtail", run="good-run"))
    assert "No test pair lies in head" in said
    assert "(7 users): fewer than 50 users prove little" in said
    assert "its test pairs lie in one group" in said


def test_what_is_recommended_comes_from_the_result_or_from_the_lists(home, two, opened, tables) -> None:
    stored = two[0].result()
    assert stored is not None
    stored["protocols"]["full"]["metrics"] |= {"coverage@10": 0.5, "gini@10": 0.75, "popularity@10": 9.5}
    write_json(two[0].path / "result.json", stored)
    said = texts(opened("longtail", run="good-run", longtail="shown", metric="hr@10"))
    table = the(tables, "exposure-at-10").set_index("run")
    assert table.loc["LightGCN", ["coverage", "gini", "popularity"]].tolist() == [0.5, 0.75, 9.5]
    assert table.loc["LightGCN", "from"] == "test result"
    with np.load(two[1].path / "recommendations.npz") as lists:
        shown = lists["items"][:, :10]
    assert table.loc["EASE", "coverage"] == pytest.approx(len(np.unique(shown)) / len(popularity(home)))
    assert table.loc["EASE", "popularity"] == pytest.approx(popularity(home)[shown].mean())
    places = the(tables, "places-at-10")
    assert places.groupby("name")["share"].sum().tolist() == pytest.approx([1.0] * 4)
    groups = item_groups(popularity(home))
    per_group = np.bincount(groups.group[shown].ravel(), minlength=groups.count)
    assert places.loc[places["name"] == "EASE", "share"].tolist() == pytest.approx(per_group / shown.size)
    assert "gives it" in said


def test_lost_recommendations_are_told(two, opened) -> None:
    (two[0].path / "recommendations.npz").unlink()
    app = opened("longtail", run="good-run", longtail="shown")
    assert "LightGCN has stored no recommendations" in texts(app)
    assert not app.error


def test_single_items_of_the_tail_and_their_neighbours(home, data, two, opened, tables) -> None:
    app = opened("longtail", run="good-run", against="poor-run", longtail="items", metric="hr@10")
    groups = item_groups(popularity(home))
    table = the(tables, "single-items")
    assert set(groups.group[table["item"]]) == {groups.count - 1}
    assert table["gained"].is_monotonic_decreasing
    item = int(table["item"].iloc[0])
    near = tables[f"nearest-{item}-good-run"]
    with np.load(two[0].embeddings / "final.npz") as stored:
        vectors = stored["values"][data.num_users :]
    cosine = vectors @ vectors[item] / np.linalg.norm(vectors, axis=1) / np.linalg.norm(vectors[item])
    cosine[item] = -2
    assert near["item"].tolist() == np.argsort(-cosine)[:10].tolist()
    assert f"nearest-{item}-poor-run" in tables
    assert "gained hits" in texts(app)
    tables.clear()
    opened("longtail", run="good-run", against="poor-run", longtail="items", toward="lost", items_of="all")
    assert the(tables, "single-items")["gained"].is_monotonic_increasing


def test_an_item_of_the_address_is_looked_at_and_another_group_too(home, two, opened, tables) -> None:
    opened("longtail", run="good-run", longtail="items", item="5", items_of="0")
    assert "nearest-5-good-run" in tables
    groups = item_groups(popularity(home))
    assert set(groups.group[the(tables, "single-items")["item"]]) == {0}


def test_a_run_without_embeddings_says_so(two, opened, tables) -> None:
    (two[1].embeddings / "final.npz").unlink()
    said = texts(opened("longtail", run="good-run", against="poor-run", longtail="items"))
    assert "stored no final embeddings" in said
    assert any(name.startswith("nearest-") and name.endswith("good-run") for name in tables)


@pytest.mark.parametrize("damage", [b"no archive", None])
def test_damaged_embeddings_are_told_with_a_remedy(two, opened, damage) -> None:
    path = two[0].embeddings / "final.npz"
    if damage is None:
        np.savez(path, values=np.ones((5, 2)), num_users=np.array(2))
    else:
        path.write_bytes(damage)
    (error,) = opened("longtail", run="good-run", longtail="items").error
    assert "repeat the run" in error.value


def test_a_run_alone_has_no_difference(two, opened, tables) -> None:
    app = opened("longtail", run="good-run", against="-", longtail="items", metric="hr@10")
    said = texts(app)
    assert "Under **LightGCN** HR@10" in said
    assert "minus" not in said
    assert not any("difference" in name for name in tables)
    assert the(tables, "single-items")["hits"].is_monotonic_decreasing


def test_other_data_or_another_protocol_is_refused_in_words(home, data, two, opened) -> None:
    elsewhere = stored_runs.tiny_demo(home, "elsewhere").model_copy(update={"content_hash": "f" * 64})
    stored_runs.done_run(home, elsewhere, "far-run", system="ease", overrides={})
    stored_runs.done_run(home, data, "sampled-run", system="ease", overrides={}, protocol="sampled99")
    for other, reason in (
        ("far-run", "elsewhere (content ffffffff) instead of demo"),
        ("sampled-run", "scored under sampled99, not under full"),
    ):
        app = opened("longtail", run="good-run", against=other)
        (warning,) = app.warning
        assert "is kept apart" in warning.value
        assert reason in warning.value.replace("\\", "")
        assert "Under **LightGCN**" in texts(app)


def test_a_run_is_not_held_against_itself(two, opened) -> None:
    app = opened("longtail", run="good-run", against="good-run")
    assert "There is no against 'good\\-run'" in texts(app)
    assert "in place of **EASE**" in texts(app)


def test_a_side_that_lost_its_ranks_is_left_out(two, opened) -> None:
    (two[1].path / "per_user.parquet").unlink()
    said = texts(opened("longtail", run="good-run", against="poor-run"))
    assert "it keeps no ranks of test pairs" in said
    assert "Under **LightGCN**" in said


def test_a_run_that_lost_its_ranks_says_where_to_score_it(two, opened) -> None:
    (two[0].path / "per_user.parquet").unlink()
    app = opened("longtail", run="good-run")
    assert "ranks of this run's test pairs are gone" in texts(app)
    assert not app.error


def test_damaged_results_are_told_with_a_remedy(two, opened) -> None:
    (two[0].path / "per_user.parquet").write_bytes(b"nothing")
    (error,) = opened("longtail", run="good-run").error
    assert "repeat the run" in error.value


def test_items_of_changed_data_are_not_told_apart(home, data, two, opened) -> None:
    stored = open_dataset(home, "demo").folder / "dataset.json"
    stored.write_text(stored.read_text().replace(data.content_hash, "e" * 64))
    (error,) = opened("longtail", run="good-run").error
    assert "has changed since this run was trained" in error.value


def test_without_runs_the_page_leads_to_training(home, opened) -> None:
    app = opened("longtail")
    assert "No runs yet" in texts(app)
    assert [button.label for button in app.button if button.label] == ["Set up a run"]


@pytest.mark.parametrize(
    ("run_id", "said"),
    [
        ("queued-run", "Not trained yet"),
        ("running-run", "Still training"),
        ("failed-run", "The run failed before it was tested"),
    ],
)
def test_runs_without_results_say_why(home, data, opened, run_id, said) -> None:
    stored_runs.queued_run(home, data)
    stored_runs.running_run(home, data)
    stored_runs.failed_run(home, data)
    app = opened("longtail", run=run_id)
    assert said in texts(app)
    assert not app.error


def test_a_run_that_ranks_nothing_says_so(two, opened) -> None:
    write_json(two[0].path / "result.json", {"protocols": {"heco": {"metrics": {"macro_f1": 0.5}}}})
    assert "This run ranked no items" in texts(opened("longtail", run="good-run"))


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("under", "sampled99"),
        ("metric", "ndcg@99"),
        ("metric", "coverage@10"),
        ("popularity", "thirds"),
        ("against", "../../etc"),
        ("against", "gone-run"),
        ("longtail", "everything"),
        ("items_of", "9"),
        ("toward", "nowhere"),
        ("item", "999999999"),
        ("item", "-1"),
    ],
)
def test_an_address_with_a_mistake_is_told_and_shows_the_default(two, opened, field, value) -> None:
    address = {"longtail": "items"} | {field: value}
    app = opened("longtail", run="good-run", **address)
    assert not app.error
    assert "There is no" in texts(app)
    assert "by popularity of the test item" in texts(app)


def test_the_page_of_a_tested_run_leads_here(home, data, two, opened) -> None:
    stored_runs.failed_run(home, data)
    assert "See its long tail" not in [button.label for button in opened("runs", run="failed-run").button]
    app = opened("runs", run="good-run")
    next(button for button in app.button if button.label == "See its long tail").click().run()
    assert app.query_params["run"] in ("good-run", ["good-run"])
    assert "by popularity of the test item" in texts(app)
