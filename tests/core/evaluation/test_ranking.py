"""Ranking under each protocol: masks, ties, chance, and what is reported."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from scipy.sparse import csr_array

from core.data.dataset import open_dataset
from core.data.importers.registry import import_dataset
from core.data.ranking import RankingData, ranking_data
from core.errors import DataError, RunError
from core.evaluation import ranking
from core.evaluation.ranking import evaluate, hidden_pairs, recommend
from core.home import Home
from core.protocol import PROTOCOLS
from tests.core.evaluation import scorers
from tests.core.models import tiny

USERS, ITEMS = 31, 173
FULL, SAMPLED, MMREC = PROTOCOLS["full"], PROTOCOLS["sampled99"], PROTOCOLS["mmrec"]
UNMASKED = FULL.model_copy(update={"mask_valid": False})


def world(users: int = USERS, items: int = ITEMS, seed: int = 0) -> RankingData:
    """Random purchases split in three, some users with several test items and some without any; random views."""
    rng = np.random.default_rng(seed)
    order = rng.random((users, items)).argsort(1)
    train, valid, test = (np.zeros((users, items)) for _ in range(3))
    for user in range(users):
        train[user, order[user, : 1 + user % 5]] = 1
        valid[user, order[user, 5 : 5 + user % 3]] = 1
        test[user, order[user, 8 : 8 + user % 4]] = 1
    view, cart = rng.random((users, items)) < 0.3, rng.random((users, items)) < 0.2
    return tiny.ranking_from({"view": view, "cart": cart, "buy": train}, valid, test)


@pytest.fixture(scope="module")
def data() -> RankingData:
    return world()


def by_loop(data: RankingData, table: np.ndarray, hidden: np.ndarray) -> dict[int, dict[int, int]]:
    """Rank of each test item: better or equal candidates that are no test items, then the user's own better ones."""
    test, ranks = data.test.toarray() > 0, {}
    for user in range(data.num_users):
        own = np.flatnonzero(test[user])
        for item in own:
            if hidden[user, item]:
                continue
            ahead = sum(
                table[user, i] >= table[user, item]
                for i in range(data.num_items)
                if not hidden[user, i] and not test[user, i]
            )
            ahead += sum(table[user, i] > table[user, item] for i in own)
            ranks.setdefault(user, {})[int(item)] = int(ahead) + 1
    return ranks


@pytest.mark.parametrize(("protocol", "hides_valid"), [(FULL, True), (UNMASKED, False), (MMREC, False)])
def test_ranks_equal_the_loops_and_masked_items_are_no_candidates(data, monkeypatch, protocol, hides_valid):
    monkeypatch.setattr(ranking, "_SCORES_AT_ONCE", 3 * ITEMS)
    table = np.random.default_rng(5).integers(0, 40, (USERS, ITEMS)).astype(np.float64)  # many ties
    table += 1000 * (data.train["buy"].toarray() + data.valid.toarray())
    for user in range(USERS):  # no ties among a user's own test items, whose order would be free
        own = data.test[[user]].indices
        table[user, own] = [7, 19, 31][: len(own)]
    hidden = data.train["buy"].toarray() > 0
    if hides_valid:
        hidden |= data.valid.toarray() > 0
    result = evaluate(scorers.Table(table), data, protocol)
    assert result.users.tolist() == np.flatnonzero(data.test.toarray().any(1)).tolist()
    expected = by_loop(data, table, hidden)
    for position, user in enumerate(result.users.tolist()):
        part = slice(result.indptr[position], result.indptr[position + 1])
        found = dict(zip(result.items[part].tolist(), result.ranks[part].tolist()))
        assert found == expected[user]


def test_valid_split_is_ranked_without_training_items_alone(data):
    table = data.train["buy"].toarray() * 9.0 + data.valid.toarray()
    result = evaluate(scorers.Table(table), data, FULL, "valid")
    assert result.metrics()["ndcg@5"] == 1
    assert result.users.tolist() == np.flatnonzero(data.valid.toarray().any(1)).tolist()


def test_valid_items_hide_the_test_items_only_if_unmasked(data):
    table = 2.0 * data.valid.toarray() + data.test.toarray()
    assert evaluate(scorers.Table(table), data, FULL).metrics()["ndcg@5"] == 1
    assert evaluate(scorers.Table(table), data, UNMASKED).metrics()["ndcg@5"] < 1


@pytest.mark.parametrize("value", [0.0, -3.5, 1e9])
@pytest.mark.parametrize("protocol", [FULL, UNMASKED, SAMPLED, MMREC])
def test_a_constant_scorer_gets_nothing(data, protocol, value: float):
    result = evaluate(scorers.constant(USERS, ITEMS, value), data, protocol)
    assert {name: v.max() for name, v in result.per_user.items()} == dict.fromkeys(result.per_user, 0)


def test_a_random_scorer_is_at_chance_under_full():
    data = world(users=600)
    found = evaluate(scorers.random(600, ITEMS), data, FULL)
    candidates = ITEMS - (data.train["buy"].toarray() + data.valid.toarray()).sum(1)[found.users]
    for k in (10, 50):
        chance = (k / candidates).mean()
        spread = np.sqrt(chance * (1 - chance) / len(found.users))
        assert abs(found.metrics()[f"recall@{k}"] - chance) < 4 * spread


def test_a_random_scorer_is_at_chance_under_sampled99():
    data = world(users=600)
    found = evaluate(scorers.random(600, ITEMS), data, SAMPLED)
    for k in (1, 10, 20):
        chance = k / 100
        spread = np.sqrt(chance * (1 - chance) / len(found.users))
        assert abs(found.metrics()[f"hr@{k}"] - chance) < 4 * spread


def test_a_perfect_scorer_gets_everything(data):
    for protocol in (FULL, UNMASKED, SAMPLED):
        metrics = evaluate(scorers.Table(data.test.toarray()), data, protocol).metrics()
        assert metrics["hr@10"] == metrics["ndcg@10"] == 1


def test_the_order_of_users_changes_nothing(data):
    order = np.random.default_rng(2).permutation(USERS)
    turned = tiny.ranking_from(
        {b: data.train[b].toarray()[order] for b in data.behaviors},
        data.valid.toarray()[order],
        data.test.toarray()[order],
    )
    table = np.random.default_rng(3).random((USERS, ITEMS))
    first = evaluate(scorers.Table(table), data, FULL)
    second = evaluate(scorers.Table(table[order]), turned, FULL)
    assert first.metrics() == pytest.approx(second.metrics())
    of_first = {user: first.per_user["ndcg@10"][row] for row, user in enumerate(first.users)}
    of_second = {order[user]: second.per_user["ndcg@10"][row] for row, user in enumerate(second.users)}
    assert of_first == of_second


def test_sampled99_ranks_each_test_item_among_its_own_drawn_items(data, monkeypatch):
    drawn: list[np.ndarray] = []
    draw = ranking.drawn_candidates
    monkeypatch.setattr(
        ranking, "drawn_candidates", lambda *arguments: drawn.append(draw(*arguments)) or drawn[-1]
    )
    monkeypatch.setattr(ranking, "_SCORES_AT_ONCE", 8 * 100 * 4)
    table = np.random.default_rng(5).integers(0, 40, (USERS, ITEMS)).astype(np.float64)
    result = evaluate(scorers.Table(table), data, SAMPLED)
    owner = np.repeat(result.users, np.diff(result.indptr))
    taken = data.train["buy"].toarray() + data.valid.toarray() + data.test.toarray()
    for user, item, candidates, rank in zip(owner, result.items, drawn[0], result.ranks, strict=True):
        assert len(set(candidates.tolist())) == 99
        assert not taken[user, candidates].any()
        assert rank == 1 + sum(table[user, i] >= table[user, item] for i in candidates)
    assert result.exposure == {}


def test_candidates_and_masks_do_not_depend_on_what_is_fitted_on(data):
    both = data.train["buy"].toarray() + data.valid.toarray()
    train = {b: data.train[b].toarray() for b in data.behaviors} | {"buy": both}
    refit = tiny.ranking_from(train, None, data.test.toarray())
    table = np.random.default_rng(5).random((USERS, ITEMS))
    for protocol in (FULL, SAMPLED):
        ranks = [evaluate(scorers.Table(table), d, protocol).ranks for d in (data, refit)]
        np.testing.assert_array_equal(*ranks)


def test_too_few_candidates_are_refused():
    with pytest.raises(DataError, match="num_negatives lowered"):
        evaluate(scorers.random(USERS, 101), world(items=101), SAMPLED)


@pytest.mark.parametrize("protocol", [FULL, SAMPLED])
def test_nan_scores_are_refused_with_the_remedy(data, protocol):
    table = np.zeros((USERS, ITEMS))
    table[USERS - 2] = np.nan
    with pytest.raises(RunError, match="NaN: training diverged; lower learning_rate"):
        evaluate(scorers.Table(table), data, protocol)


@pytest.mark.parametrize("protocol", [FULL, SAMPLED])
def test_infinite_scores_rank_like_any_other(data, protocol):
    """Their sum is no number, and yet none of them is NaN."""
    order = np.random.default_rng(2).permuted(np.tile(np.arange(float(ITEMS)), (USERS, 1)), axis=1)
    extreme = np.where(order == 0, -np.inf, np.where(order == ITEMS - 1, np.inf, order))
    plain = evaluate(scorers.Table(order), data, protocol)
    assert evaluate(scorers.Table(extreme), data, protocol).ranks.tolist() == plain.ranks.tolist()


def without_training(data: RankingData, *users: int) -> RankingData:
    train = data.train["buy"].toarray()
    train[list(users)] = 0
    return replace(data, train=data.train | {"buy": tiny.matrix(train)})


def test_mmrec_leaves_out_users_without_training_pairs_and_full_does_not(data):
    table = np.random.default_rng(2).standard_normal((USERS, ITEMS))
    thinned = without_training(data, 3, 7)
    everyone = evaluate(scorers.Table(table), thinned, FULL)
    some = evaluate(scorers.Table(table), thinned, MMREC)
    assert set(everyone.users) - set(some.users) == {3, 7}
    assert some.indptr[-1] == len(some.items) == len(some.ranks) == some.seen.size
    whole = evaluate(scorers.Table(table), data, MMREC)
    for position, user in enumerate(some.users):
        own = slice(some.indptr[position], some.indptr[position + 1])
        place = whole.users.tolist().index(user)
        expected = slice(whole.indptr[place], whole.indptr[place + 1])
        assert some.items[own].tolist() == whole.items[expected].tolist()
        assert some.ranks[own].tolist() == whole.ranks[expected].tolist()
    valid = evaluate(scorers.Table(table), thinned, MMREC, "valid")
    assert not {3, 7} & set(valid.users.tolist())


def test_mmrec_on_nobody_is_refused_before_training(data):
    nobody = without_training(data, *(user for user in range(USERS) if user != 3))  # who has no valid pair
    with pytest.raises(DataError, match="no user with valid pairs"):
        ranking.check_feasible(nobody, MMREC)
    with pytest.raises(DataError, match="no user with test pairs"):
        ranking.check_feasible(without_training(data, *range(USERS)), MMREC)
    ranking.check_feasible(data, MMREC)
    ranking.check_feasible(nobody, FULL)


def test_a_split_without_pairs_is_refused(data):
    empty = tiny.ranking_from({"buy": data.train["buy"].toarray()}, None, data.test.toarray())
    with pytest.raises(DataError, match="no valid pairs"):
        evaluate(scorers.random(USERS, ITEMS), empty, FULL, "valid")


def test_a_test_pair_that_is_also_a_training_pair_ranks_behind_all_candidates(data):
    """Splits kept as given may hold such pairs; they are hidden, so no scorer can hit them."""
    train = np.maximum(data.train["buy"].toarray(), data.test.toarray())
    overlapping = tiny.ranking_from({"buy": train}, None, data.test.toarray())
    result = evaluate(scorers.Table(data.test.toarray()), overlapping, FULL)
    assert result.metrics()["hr@50"] == 0
    assert not result.seen.any(), "seen means under an auxiliary behaviour"


def test_seen_pairs_are_those_touched_under_an_auxiliary_behaviour_in_training(data):
    result = evaluate(scorers.random(USERS, ITEMS), data, FULL)
    owner = np.repeat(result.users, np.diff(result.indptr))
    expected = [
        bool(data.train["view"][u, i] or data.train["cart"][u, i]) for u, i in zip(owner, result.items)
    ]
    assert result.seen.tolist() == expected
    seen, unseen = result.metrics_of_pairs(seen=True), result.metrics_of_pairs(seen=False)
    assert seen["pairs"] == sum(expected)
    assert seen["pairs"] + unseen["pairs"] == len(result.items)
    hits = [rank <= 20 for rank, is_seen in zip(result.ranks, expected) if not is_seen]
    assert unseen["hr@20"] == pytest.approx(sum(hits) / len(hits))
    alone = tiny.ranking_from({"buy": data.train["buy"].toarray()}, None, data.test.toarray())
    assert evaluate(scorers.random(USERS, ITEMS), alone, FULL).metrics_of_pairs(seen=True) == {"pairs": 0.0}


def test_added_noise_is_nothing_that_a_user_touched(data):
    """Even where it lies on a test pair, which the noise of a recipe never does."""
    added = tiny.matrix((data.test.toarray() > 0) & (data.train["view"].toarray() == 0))
    noisy = replace(
        data, train=data.train | {"view": csr_array(data.train["view"] + added)}, added={"view": added}
    )
    scorer = scorers.random(USERS, ITEMS)
    assert evaluate(scorer, noisy, FULL).seen.tolist() == evaluate(scorer, data, FULL).seen.tolist()


def test_exposure_counts_the_lists_that_are_shown(data):
    table = np.random.default_rng(5).random((USERS, ITEMS))
    result = evaluate(scorers.Table(table), data, FULL)
    hidden = (data.train["buy"].toarray() + data.valid.toarray()) > 0
    popularity, shown = data.train["buy"].toarray().sum(0), []
    for user in result.users:
        order = [i for i in np.argsort(-table[user]) if not hidden[user, i]]
        shown += order[:5]
    assert result.exposure["coverage@5"] == pytest.approx(len(set(shown)) / ITEMS)
    assert result.exposure["popularity@5"] == pytest.approx(popularity[shown].mean())


def test_recommendations_are_the_best_items_that_are_not_hidden(data):
    table = np.random.default_rng(5).random((USERS, ITEMS)).astype(np.float32)
    users = np.array([7, 2, 30])
    items, scores = recommend(scorers.Table(table), hidden_pairs(data, FULL, "test"), users, 4)
    hidden = (data.train["buy"].toarray() + data.valid.toarray()) > 0
    for row, user in enumerate(users):
        order = [i for i in np.argsort(-table[user]) if not hidden[user, i]]
        assert items[row].tolist() == order[:4]
        assert scores[row].tolist() == table[user, order[:4]].tolist()


def test_a_model_leaves_evaluation_as_it_came(data):
    model = scorers.random(USERS, ITEMS)
    model.train()
    evaluate(model, data, FULL)
    assert model.training
    assert torch.is_grad_enabled()


@pytest.mark.real_data
def test_counting_views_and_carts_on_taobao_reproduces_the_known_result(tmp_path: Path):
    source = Path(__file__).resolve().parents[4] / "shared/data/taobao"
    if not source.is_dir():
        pytest.skip(f"the real data set taobao is not beside the checkout ({source})")
    home = Home(tmp_path)
    import_dataset(home, "behavior-text", source, "taobao")
    data = ranking_data(open_dataset(home, "taobao"), "train+valid")
    model = tiny.built("seen_before", data)
    metrics = evaluate(model, data, FULL).metrics()
    assert metrics["hr@10"] == pytest.approx(0.2875, abs=5e-5)
    assert metrics["ndcg@10"] == pytest.approx(0.1435, abs=5e-5)
