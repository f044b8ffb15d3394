"""Random auxiliary pairs: how many, which never, the same for one seed, and what of the data they leave alone."""

import numpy as np
import pytest
from scipy.sparse import csr_array

from core.data.dataset import open_dataset, write_dataset
from core.data.noise import added_pairs, flat_pairs, random_pairs
from core.data.ranking import ranking_data
from core.errors import DataError

USERS, ITEMS = 23, 17
BEHAVIORS = ("view", "cart", "buy")


def matrix(pairs: set[tuple[int, int]], shape: tuple[int, int] = (USERS, ITEMS)) -> csr_array:
    dense = np.zeros(shape, np.float32)
    for pair in pairs:
        dense[pair] = 1
    return csr_array(dense)


def pairs_of(found: csr_array) -> set[tuple[int, int]]:
    return set(zip(*(part.tolist() for part in found.nonzero())))


@pytest.fixture
def dataset(home, content):
    """Everybody viewed 5 and bought 3 items, two of which are held out and may not have been viewed."""
    rng = np.random.default_rng(5)
    rows = []
    for user in range(USERS):
        bought = rng.choice(ITEMS, 3, replace=False).tolist()
        rows += [(user, item, "buy", split) for item, split in zip(bought, ("train", "valid", "test"))]
        rows += [(user, int(item), "view", "train") for item in rng.choice(ITEMS, 5, replace=False)]
        rows += [(user, int(rng.integers(ITEMS)), "cart", "train")]
    rows += [(0, 3, "cart", "valid"), (1, 4, "cart", "test")]
    write_dataset(home, "noisy", content(sorted(set(rows)), users=USERS, items=ITEMS, behaviors=BEHAVIORS))
    return open_dataset(home, "noisy")


def test_every_auxiliary_behaviour_gets_its_share_and_the_target_none(dataset):
    clean, noisy = ranking_data(dataset), ranking_data(dataset, auxiliary_noise=0.4, noise_seed=3)
    assert tuple(noisy.added) == ("view", "cart")
    for behavior, added in noisy.added.items():
        assert added.nnz == round(0.4 * clean.train[behavior].nnz) > 0
        assert (noisy.train[behavior] != clean.train[behavior] + added).nnz == 0
    for name in ("valid", "test"):
        assert (getattr(noisy, name) != getattr(clean, name)).nnz == 0
    assert (noisy.train["buy"] != clean.train["buy"]).nnz == 0


@pytest.mark.parametrize("fit_on", ["train", "train+valid"])
def test_nothing_is_drawn_that_the_user_has_or_is_asked_for(dataset, fit_on):
    rows = dataset.interactions()
    held_out = rows[(rows["behavior"] == "buy") & (rows["split"] != "train")]
    for seed in range(20):
        data = ranking_data(dataset, fit_on, auxiliary_noise=1.0, noise_seed=seed)
        for behavior, added in data.added.items():
            own = rows[rows["behavior"] == behavior]
            forbidden = set(zip(own["user"], own["item"])) | set(zip(held_out["user"], held_out["item"]))
            assert not pairs_of(added) & forbidden


def test_noise_does_not_depend_on_what_is_fitted_on(dataset):
    one, other = (
        ranking_data(dataset, fit_on, auxiliary_noise=0.4, noise_seed=3)
        for fit_on in ("train", "train+valid")
    )
    assert all((one.added[b] != other.added[b]).nnz == 0 for b in one.added)


def test_one_seed_one_noise_and_a_larger_share_keeps_it(dataset):
    def drawn(share: float, seed: int) -> dict[str, set[tuple[int, int]]]:
        return {
            b: pairs_of(m)
            for b, m in ranking_data(dataset, auxiliary_noise=share, noise_seed=seed).added.items()
        }

    assert drawn(0.2, 7) == drawn(0.2, 7)
    assert drawn(0.2, 7) != drawn(0.2, 8)
    assert all(drawn(0.2, 7)[b] < drawn(0.4, 7)[b] for b in ("view", "cart"))


def test_the_key_names_the_noise(dataset):
    keys = [
        ranking_data(dataset, auxiliary_noise=share, noise_seed=seed).key
        for share, seed in ((0.0, 0), (0.2, 0), (0.2, 1), (0.4, 0))
    ]
    assert len(set(keys)) == 4
    assert ranking_data(dataset, noise_seed=9).key == keys[0]


def test_matrices_with_noise_are_float32_ones_sorted(dataset):
    for found in ranking_data(dataset, auxiliary_noise=0.4).train.values():
        assert found.dtype == np.float32
        assert found.has_canonical_format
        assert (found.data == 1).all()


@pytest.mark.parametrize("share", [-0.1, 1.01, float("nan")])
def test_a_share_out_of_range_is_refused(dataset, share):
    with pytest.raises(DataError, match="expected a share from 0 to 1"):
        ranking_data(dataset, auxiliary_noise=share)


def test_data_with_the_target_alone_is_refused(home, content):
    rows = [(user, item, "buy", split) for user in range(3) for item, split in ((0, "train"), (1, "test"))]
    write_dataset(home, "alone", content(rows, behaviors=("buy",)))
    with pytest.raises(DataError, match="has only 'buy': random auxiliary pairs need a behaviour"):
        ranking_data(open_dataset(home, "alone"), auxiliary_noise=0.2)


def test_too_few_free_pairs_are_refused_with_their_number(home, content):
    rows = [(u, i, "view", "train") for u in range(5) for i in range(7) if (u, i) not in ((0, 6), (1, 6))]
    rows += [(0, 0, "buy", "train"), (1, 6, "buy", "test")]
    write_dataset(home, "full", content(rows))
    with pytest.raises(DataError, match=r"3 random pairs of 'view' .* only 1 pairs are free .* lower"):
        ranking_data(open_dataset(home, "full"), auxiliary_noise=0.1)
    data = ranking_data(open_dataset(home, "full"), auxiliary_noise=0.03)
    assert pairs_of(data.added["view"]) == {(0, 6)}


def test_every_free_pair_is_equally_likely():
    taken = matrix({(0, 0), (0, 1), (1, 2), (2, 0), (2, 3)}, (3, 4))
    free = [(u, i) for u in range(3) for i in range(4) if not taken[u, i]]
    rng, rounds, count = np.random.default_rng(1), 6_000, 3
    seen = dict.fromkeys(free, 0)
    for _ in range(rounds):
        found = pairs_of(random_pairs(taken, count, rng))
        assert len(found) == count
        for pair in found:
            seen[pair] += 1
    expected = rounds * count / len(free)
    deviation = (rounds * (count / len(free)) * (1 - count / len(free))) ** 0.5
    assert max(abs(number - expected) for number in seen.values()) < 4 * deviation


@pytest.mark.parametrize("count", [0, 1, 5, 6, 7])
def test_all_free_pairs_can_be_drawn(count):
    taken = matrix({(0, 0), (0, 1), (1, 2), (2, 0), (2, 3)}, (3, 4))
    found = random_pairs(taken, count, np.random.default_rng(2))
    assert found.nnz == count
    assert not pairs_of(found) & pairs_of(taken)


def test_pairs_are_numbered_by_user_then_item():
    held = matrix({(0, 3), (2, 1), (2, 2)}, (3, 4))
    assert flat_pairs(held).tolist() == [3, 9, 10]


def test_behaviours_have_streams_of_their_own():
    train = {b: matrix({(u, u % ITEMS) for u in range(USERS)}) for b in BEHAVIORS}
    found = added_pairs("x", train, train, 0.5, seed=4)
    assert pairs_of(found["view"]) != pairs_of(found["cart"])
    without = added_pairs("x", {b: train[b] for b in ("view", "buy")}, train, 0.5, seed=4)
    assert pairs_of(without["view"]) == pairs_of(found["view"])
