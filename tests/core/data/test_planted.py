"""The planted demo data: its story holds statistically, its truth fits its files, and it never changes."""

import hashlib
import time

import numpy as np
import pandas as pd
import pytest

from core.data.content_hash import ContentHash
from core.data.dataset import Dataset, open_dataset
from core.data.hetero import read_hetero
from core.data.metapaths import metapath_graph
from core.data.planted import write_demo
from core.data.planted_items import CATEGORIES, category_sizes
from core.data.ranking import ranking_data
from core.errors import DataError
from core.home import Home

# frozen: a change of either means that every stored demo result loses its meaning; raise VERSION with it
CONTENT_HASH = "b4d6d84e7bc2dbd7c795f81b3819e20463443516334259201148e0ba07897430"
TRUTH_HASH = "a7bd948e35f2cd3cb1d3106d04cf5e46dd0216a24517e9537821143c529afdc8"


@pytest.fixture(scope="module")
def demo(tmp_path_factory) -> Dataset:
    home = Home(tmp_path_factory.mktemp("demo"))
    write_demo(home)
    return open_dataset(home, "demo")


@pytest.fixture(scope="module")
def rows(demo) -> pd.DataFrame:
    """Interactions with the user's segment and, per (user, item), whether it was ever bought."""
    frame = demo.interactions()
    bought = frame.loc[frame["behavior"] == "buy", ["user", "item"]].assign(bought=True)
    frame = frame.merge(demo.truth("users"), on="user").merge(bought, on=["user", "item"], how="left")
    return frame.assign(bought=frame["bought"].notna())


def truth_hash(dataset: Dataset) -> str:
    whole = hashlib.sha256()
    for name in ("edges", "users", "items", "tail_cases", "relations"):
        frame, digest = dataset.truth(name), ContentHash()
        for column in frame.columns:
            digest.add_strings(column, frame[column].astype(str))
        whole.update(digest.hexdigest().encode())
    return whole.hexdigest()


def test_the_default_demo_is_frozen(demo):
    assert demo.info.content_hash == CONTENT_HASH
    assert truth_hash(demo) == TRUTH_HASH


def test_same_seed_same_content_other_seed_other_content(tmp_path):
    home = Home(tmp_path)
    first, again, other = (
        write_demo(home, name, seed=seed, num_users=60, num_items=60)
        for name, seed in (("first", 1), ("again", 1), ("other", 2))
    )
    assert first.content_hash == again.content_hash != other.content_hash


def test_it_is_all_three_kinds_and_says_it_is_planted(demo):
    info = demo.info
    assert info.kind == ("multi_behavior", "multimodal", "hetero")
    assert info.behaviors == ("view", "favorite", "cart", "buy")
    assert (info.num_users, info.num_items, info.planted) == (1500, 1000, True)
    assert info.modalities == ("text", "image")


def test_it_is_quick(tmp_path):
    start = time.perf_counter()
    write_demo(Home(tmp_path))
    assert time.perf_counter() - start < 5


def test_pairs_are_unique_and_splits_are_last_by_time(rows):
    assert not rows.duplicated(["user", "item", "behavior"]).any()
    assert (rows.loc[rows["behavior"] != "buy", "split"] == "train").all()
    buys = rows[rows["behavior"] == "buy"]
    edges = buys.groupby(["user", "split"], observed=True)["timestamp"].agg(["min", "max"]).unstack("split")
    both = edges.dropna()
    assert (both["max", "train"] <= both["min", "valid"]).all()
    assert (both["max", "valid"] <= both["min", "test"]).all()
    assert len(both) > 1000


def test_times_follow_the_funnel_within_90_days(rows):
    assert rows["timestamp"].max() - rows["timestamp"].min() < 90 * 86_400
    when = rows.pivot(index=["user", "item"], columns="behavior", values="timestamp")
    for earlier, later in (("view", "favorite"), ("view", "cart"), ("favorite", "cart")):
        both = when[[earlier, later]].dropna()
        assert (both[earlier] < both[later]).all()
    leading = rows[rows["segment"] != "follower"]
    when = leading.pivot(index=["user", "item"], columns="behavior", values="timestamp")
    both = when[["favorite", "buy"]].dropna()
    assert (both["favorite"] < both["buy"]).all()


def test_items_have_zipf_categories_and_a_tail_without_interactions(demo, rows):
    items = demo.truth("items")
    sizes = items["category"].value_counts().to_numpy()
    np.testing.assert_array_equal(sizes, np.sort(category_sizes(1000))[::-1])
    assert len(sizes) == 12
    assert items["tail"].mean() == pytest.approx(1 / 3, abs=0.001)
    assert items["misleading_image"].mean() == pytest.approx(0.1)
    train = rows[rows["split"] == "train"]
    counts = np.bincount(train["item"], minlength=1000)
    assert counts[items["tail"]].mean() < 0.02 * counts[~items["tail"]].mean()
    titles = demo.items()["title"]
    assert titles.is_unique
    words = {name: (adjectives, nouns) for name, adjectives, nouns in CATEGORIES}
    for title, category in zip(titles, demo.items()["category"], strict=True):
        adjective, noun, _ = title.split(" ")
        assert adjective in words[category][0]
        assert noun in words[category][1]


def test_features_follow_the_latent_categories_and_misleading_images_do_not(demo):
    items = demo.truth("items")
    category, misled = items["category"].to_numpy(), items["misleading_image"].to_numpy()

    def nearest_agree(modality: str) -> np.ndarray:
        matrix = demo.features(modality)
        unit = matrix / np.linalg.norm(matrix, axis=1, keepdims=True)
        cosine = unit @ unit.T
        np.fill_diagonal(cosine, -2)
        return category[cosine.argmax(axis=1)] == category

    text, image = nearest_agree("text"), nearest_agree("image")
    assert text.mean() > image[~misled].mean() > 0.5
    assert image[misled].mean() < 0.35


def test_segments_have_their_shares_and_decisive_relations(demo):
    users = demo.truth("users")
    share = users["segment"].value_counts(normalize=True)
    assert share["collector"] == pytest.approx(0.4, abs=0.04)
    assert share["shopper"] == pytest.approx(0.4, abs=0.04)
    assert share["follower"] == pytest.approx(0.2, abs=0.04)
    decisive = users.drop_duplicates("segment").set_index("segment")["decisive_relation"].to_dict()
    assert decisive == {"collector": "favorite", "shopper": "cart", "follower": "co_purchase"}


def test_favourites_decide_for_collectors_and_carts_for_shoppers(rows):
    rate = rows.groupby(["segment", "behavior"], observed=True)["bought"].mean()
    assert rate["collector", "favorite"] > 3 * rate["collector", "cart"]
    assert rate["shopper", "cart"] > 3 * rate["shopper", "favorite"]
    assert rate["follower"][["view", "favorite", "cart"]].max() < 0.05
    count = rows.groupby(["segment", "behavior"], observed=True).size()
    assert count["collector", "favorite"] > 4 * count["shopper", "favorite"]


def test_noise_has_its_shares_and_is_never_bought(demo, rows):
    edges = demo.truth("edges")
    share = edges.groupby("behavior", observed=True)["noise"].mean()
    assert share["view"] == pytest.approx(0.2, abs=0.01)
    assert share["favorite"] == pytest.approx(0.1, abs=0.015)
    assert share["cart"] == 0
    assert len(edges) == (rows["behavior"] != "buy").sum()
    stray = edges[edges["noise"] & (edges["behavior"] == "view")].merge(
        rows[rows["behavior"] == "buy"], on=["user", "item"]
    )
    leading = stray[stray["segment"] != "follower"]
    assert (leading["split"] == "test").all()
    popular = np.argsort(-np.bincount(rows.loc[rows["behavior"] == "view", "item"], minlength=1000))[:300]
    assert edges.loc[edges["noise"], "item"].isin(popular).mean() > 0.95


def test_tail_cases_are_test_pairs_of_tail_items_untouched_before(demo, rows):
    cases = demo.truth("tail_cases")
    assert len(cases) > 200
    found = cases.merge(rows, on=["user", "item"], how="left")
    assert (found["behavior"] == "buy").mean() > 0.95
    assert set(found.loc[found["behavior"] == "buy", "split"]) == {"test"}
    tail = demo.truth("items")["tail"].to_numpy()
    assert tail[cases["item"]].all()


def test_tail_cases_are_reached_through_text_only(demo):
    data, cases = ranking_data(demo), demo.truth("tail_cases")
    tail = np.flatnonzero(demo.truth("items")["tail"])
    text = demo.features("text")
    unit = text / np.linalg.norm(text, axis=1, keepdims=True)
    score = np.zeros((len(cases), len(tail)))
    for row, user in enumerate(cases["user"]):
        own = data.train["buy"].indices[slice(*data.train["buy"].indptr[user : user + 2])]
        score[row] = (unit[own] @ unit[tail].T).max(axis=0)
    right = np.searchsorted(tail, cases["item"])
    rank = (score > score[np.arange(len(cases)), right][:, None]).sum(axis=1)
    assert (rank < 20).mean() > 5 * 20 / len(tail)


def test_relations_agree_with_labels_except_the_shelf(demo):
    view = read_hetero(demo.folder)
    truth = demo.truth("relations").set_index("relation")["noise"]
    assert truth[truth].index.tolist() == ["placed_on"]
    chance = (np.bincount(view.labels) / len(view.labels)) ** 2
    agreement = {}
    for name, walk in view.metapaths.items():
        graph = metapath_graph(view, walk).tocoo()
        other = graph.row != graph.col
        weight = graph.data[other]
        same = view.labels[graph.row[other]] == view.labels[graph.col[other]]
        agreement[name] = float((same * weight).sum() / weight.sum())
    assert agreement["ISI"] == pytest.approx(chance.sum(), abs=0.03)
    assert min(agreement[name] for name in ("IUI", "IBI", "ITI")) > chance.sum() + 0.1


def test_classes_and_node_splits_fit_the_protocol(demo):
    view = read_hetero(demo.folder)
    assert np.bincount(view.labels).min() >= 150
    for wanted in (20, 40, 60):
        train, valid, test = (view.splits[f"{part}_{wanted}"] for part in ("train", "val", "test"))
        assert np.bincount(view.labels[train]).tolist() == [wanted] * 4
        assert abs(len(valid) - len(test)) <= 1
        np.testing.assert_array_equal(np.sort(np.concatenate([train, valid, test])), np.arange(1000))


def test_the_hetero_view_holds_training_purchases_only(demo):
    view = read_hetero(demo.folder)
    bought = next(pairs for relation, pairs in view.edges.items() if relation.name == "bought_by")
    train = ranking_data(demo).train["buy"].tocoo()
    assert set(map(tuple, bought.tolist())) == set(zip(train.col.tolist(), train.row.tolist(), strict=True))
    np.testing.assert_array_equal(view.features["item"], demo.features("text"))


def test_users_come_in_chunks(tmp_path, monkeypatch):
    monkeypatch.setattr("core.data.planted.CHUNK", 100)
    home = Home(tmp_path)
    info = write_demo(home, num_users=250, num_items=80)
    dataset = open_dataset(home, "demo")
    frame = dataset.interactions()
    assert frame["user"].is_monotonic_increasing
    assert (info.num_users, frame["user"].nunique()) == (250, 250)
    assert dataset.truth("users")["user"].tolist() == list(range(250))


@pytest.mark.parametrize("sizes", [(47, 100), (100, 47), (1_000_001, 100)])
def test_impossible_sizes_are_refused(tmp_path, sizes):
    with pytest.raises(DataError, match="expected 48 to 1000000 users"):
        write_demo(Home(tmp_path), num_users=sizes[0], num_items=sizes[1])
    assert not (tmp_path / "datasets").exists()


def test_an_existing_demo_is_kept(tmp_path):
    home = Home(tmp_path)
    write_demo(home, num_users=48, num_items=48)
    with pytest.raises(DataError, match="--replace"):
        write_demo(home, num_users=60, num_items=48)
    assert write_demo(home, num_users=60, num_items=48, replace=True).num_users == 60
