"""MB-GMN's folders of pickles: what is read, what is repaired, what is refused."""

import pickle
from pathlib import Path

import numpy as np
import pytest
import scipy.sparse
from scipy.sparse import csr_matrix

from core.data.dataset import open_dataset
from core.data.importers import mbgmn
from core.data.importers.mbgmn import detect, read_test_items
from core.data.importers.registry import detect_layout, import_dataset
from core.data.ranking import ranking_data
from core.errors import DataError

T = 1_430_000_000
SHAPE = (3, 5)


def matrix(entries: dict[tuple[int, int], float], dtype: type = np.float64, shape=SHAPE) -> csr_matrix:
    rows, columns = zip(*entries, strict=True)
    return csr_matrix((np.array(list(entries.values()), dtype), (rows, columns)), shape=shape)


VIEW = matrix({(0, 0): 1, (0, 1): 1, (1, 2): 1, (2, 0): 1})
BUY = matrix({(0, 0): 1, (0, 1): 1, (1, 2): 1, (1, 0): 1, (2, 0): 1})
GOOD = {"trn_pv": VIEW, "trn_buy": BUY, "tst_int": [4, None, 3]}


class Hostile:
    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self):
        return (open, (str(self.path), "w"))


@pytest.fixture
def folder(tmp_path):
    def make(_protocol: int = 4, **changes: object) -> Path:
        source = tmp_path / "source"
        source.mkdir()
        for name, stored in {**GOOD, **changes}.items():
            name = name.replace("__", ".")
            if stored is not None:
                data = stored if isinstance(stored, bytes) else pickle.dumps(stored, _protocol)
                (source / name).write_bytes(data)
        return source

    return make


def left_behind(home) -> list[str]:
    return [entry.name for entry in home.datasets.iterdir()] if home.datasets.is_dir() else []


def test_ones_are_pairs_and_the_list_tests(home, folder):
    info = import_dataset(home, "auto", folder(), "tiny")
    assert (info.num_users, info.num_items, info.behaviors) == (3, 5, ("pv", "buy"))
    assert info.importer == "mbgmn"
    assert info.split_rule == "source's test pairs, validation random, seed 0"
    data = ranking_data(open_dataset(home, "tiny"))
    np.testing.assert_array_equal(data.test.toarray(), [[0, 0, 0, 0, 1], [0, 0, 0, 0, 0], [0, 0, 0, 1, 0]])
    np.testing.assert_array_equal(data.train["pv"].toarray(), VIEW.toarray())
    np.testing.assert_array_equal((data.train["buy"] + data.valid).toarray(), BUY.toarray())
    assert data.valid.nnz == 2  # users 0 and 1 have two purchases
    assert "read trn_pv, trn_buy" in info.notes
    assert any("not unix seconds" in note for note in info.notes)


@pytest.mark.parametrize("protocol", [2, 3, 4, 5])
@pytest.mark.parametrize("kind", ["csr_matrix", "csc_matrix", "coo_matrix", "lil_matrix", "csr_array"])
def test_every_kind_and_protocol_gives_the_same_data_set(home, folder, kind: str, protocol: int):
    changed = getattr(scipy.sparse, kind)
    listed = np.array([4, None, 3], dtype=object)
    source = folder(protocol, trn_pv=changed(VIEW), trn_buy=changed(BUY), tst_int=listed)
    info = import_dataset(home, "mbgmn", source, "tiny", seed=5)
    for name, stored in GOOD.items():
        (source / name).write_bytes(pickle.dumps(stored))
    plain = import_dataset(home, "mbgmn", source, "plain", seed=5)
    assert info.content_hash == plain.content_hash


def test_unix_seconds_become_times_and_hold_out_the_last(home, folder):
    view = matrix({(0, 0): T, (1, 2): T + 1})
    buy = matrix({(0, 0): T + 9, (0, 1): T + 8, (1, 2): T + 3})
    info = import_dataset(home, "mbgmn", folder(trn_pv=view, trn_buy=buy), "tiny")
    assert info.split_rule == "source's test pairs, validation last by time"
    dataset = open_dataset(home, "tiny")
    times = dataset.interactions().set_index(["behavior", "user", "item"])["timestamp"]
    assert times["pv", 1, 2] == T + 1
    assert ranking_data(dataset).valid.nonzero()[1].tolist() == [0]


def test_the_form_of_later_code_is_read_too(home, folder):
    source = folder(
        trn_pv=None,
        trn_buy=None,
        tst_int=None,
        train_mat_view__pkl=VIEW,
        train_mat_buy__pkl=BUY,
        test_mat__pkl=matrix({(0, 4): 1, (2, 3): 1}),
        valid_mat__pkl=matrix({(1, 4): 1}),
        meta_multi_single_beh_user_index_shuffle=b"never opened",
    )
    assert detect_layout(source) == "mbgmn"
    data = ranking_data(open_dataset(home, import_dataset(home, "auto", source, "tiny").name))
    assert data.behaviors == ("view", "buy")
    assert [part.tolist() for part in data.test.nonzero()] == [[0, 2], [4, 3]]
    assert [part.tolist() for part in data.valid.nonzero()] == [[1], [4]]


def test_without_test_items_the_split_holds_some_out(home, folder):
    info = import_dataset(home, "mbgmn", folder(tst_int=None), "tiny")
    assert info.split_rule == "random, seed 0"


def test_behaviors_choose_files_and_order(home, folder):
    source = folder(trn_cart=VIEW, trn_broken=b"never opened")
    info = import_dataset(home, "mbgmn", source, "tiny", behaviors=["pv", "cart", "buy"])
    assert info.behaviors == ("pv", "cart", "buy")
    with pytest.raises(DataError, match="no file for the behavior 'fav'; found files for: broken, cart, pv"):
        import_dataset(home, "mbgmn", source, "other", behaviors=["fav", "buy"])


def test_stored_zeros_and_pairs_both_trained_and_tested_are_repaired_and_told(home, folder):
    zeros = BUY.copy()
    zeros.data[0] = 0
    info = import_dataset(home, "mbgmn", folder(trn_buy=zeros, tst_int=[1, None, 3]), "tiny")
    assert "trn_buy: 1 stored zeros are no interactions and were removed" in info.notes
    assert any("1 train pairs that are also test pairs" in note for note in info.notes)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"trn_buy": None}, r"trn_buy: is missing; found behaviors: pv; name the target with --target"),
        ({"trn_buy": b""}, r"trn_buy: is no readable pickle .*copy or export it again"),
        (
            {"trn_buy": b"10 7\n"},
            r"trn_buy: holds the instruction POP_MARK, .*check that it is the right file",
        ),
        ({"trn_buy": pickle.dumps(BUY)[:-40]}, r"trn_buy: is no readable pickle"),
        ({"trn_buy": [1, 2]}, r"trn_buy: holds a list, expected a scipy sparse matrix"),
        ({"trn_buy": {"a": 1}}, r"trn_buy: holds a dict, expected"),
        ({"trn_buy": BUY.toarray()}, r"trn_buy: holds an array that is no simple list"),
        ({"trn_buy": scipy.sparse.dok_matrix(BUY)}, r"trn_buy: asks for 'copyreg\._reconstructor'"),
        ({"trn_buy": BUY * np.nan}, r"trn_buy: entry 0: user 0, item 0 has the value nan"),
        ({"trn_buy": -BUY}, r"trn_buy: entry 0: user 0, item 0 has the value -1"),
        ({"trn_buy": BUY * 0.5}, r"has the value 0\.5; expected 1, a count, or unix seconds"),
        ({"trn_buy": csr_matrix(SHAPE)}, r"trn_buy: has no entries"),
        ({"trn_pv": matrix({(0, 0): 1}, shape=(4, 5))}, r"shape .* differs from .* export all behaviors"),
        ({"trn_buy__pkl": BUY}, r"trn_buy\.pkl: a second file of the behavior 'buy' beside trn_buy"),
        ({"trn_Bad-name": VIEW}, r"behavior 'Bad-name' is not allowed"),
        ({"test_mat__pkl": VIEW}, r"has both tst_int and test_mat"),
        ({"tst_int": BUY}, r"tst_int: holds a matrix, .*rename it to test_mat\.pkl"),
        ({"tst_int": [4, None]}, r"tst_int: holds 2 entries for 3 users"),
        ({"tst_int": [None] * 3}, r"tst_int: no user has a test item"),
        (
            {"tst_int": [4, None, 5]},
            r"entry 2: the test item of user 2 is 5, expected .* within 0\.\.4 or None",
        ),
        ({"tst_int": [4, None, -1]}, r"entry 2: the test item of user 2 is -1"),
        ({"tst_int": [4, None, float("nan")]}, r"entry 2: the test item of user 2 is nan"),
        ({"tst_int": [4, None, float("inf")]}, r"entry 2: the test item of user 2 is inf"),
        ({"tst_int": [4, None, 1.5]}, r"entry 2: the test item of user 2 is 1\.5"),
        ({"tst_int": [4, None, True]}, r"entry 2: the test item of user 2 is of type bool"),
        ({"tst_int": [4, None, "3"]}, r"entry 2: the test item of user 2 is of type str"),
        ({"tst_int": [4, None, [3]]}, r"entry 2: the test item of user 2 is of type list"),
        ({"tst_int": [4, None, 10**5000]}, r"entry 2: the test item of user 2 is of type int"),
        ({"tst_int": b"\x80\x04]"}, r"tst_int: is no readable pickle"),
    ],
)
def test_bad_folders_are_refused_and_leave_nothing(home, folder, changes, message):
    with pytest.raises(DataError, match=message):
        import_dataset(home, "mbgmn", folder(**changes), "tiny")
    assert left_behind(home) == []


@pytest.mark.parametrize("name", ["trn_pv", "trn_buy", "tst_int"])
def test_a_hostile_pickle_in_any_place_does_nothing(home, folder, tmp_path, name: str):
    owned = tmp_path / "owned"
    with pytest.raises(DataError, match=rf"{name}: asks for '_?io\.open'"):
        import_dataset(home, "mbgmn", folder(**{name: Hostile(owned)}), "tiny")
    assert not owned.exists()
    assert left_behind(home) == []


@pytest.mark.parametrize("broken", ["indices", "indptr", "shape"])
def test_indices_that_do_not_fit_are_refused(home, folder, broken: str):
    bad = BUY.copy()
    if broken == "indices":
        bad.indices[3] = 7
    elif broken == "indptr":
        bad.indptr[1] = 4
        bad.indptr[2] = 1
    else:
        vars(bad)["_shape"] = (3, 1 << 40)
    with pytest.raises(DataError, match=rf"trn_buy: .*{broken if broken != 'indices' else 'out of range'}"):
        import_dataset(home, "mbgmn", folder(trn_buy=bad), "tiny")
    assert left_behind(home) == []


def test_matrices_of_too_many_pairs_are_refused(home, folder, monkeypatch):
    monkeypatch.setattr(mbgmn, "_MOST_PAIRS", 4)
    with pytest.raises(DataError, match="trn_buy: holds more than 4 pairs"):
        import_dataset(home, "mbgmn", folder(), "tiny")


def test_whole_floats_are_items(folder):
    rows = read_test_items(folder(tst_int=np.array([4.0, 0.0, 3.0])) / "tst_int", SHAPE)
    assert rows["item"].tolist() == [4, 0, 3]
    assert rows["user"].tolist() == [0, 1, 2]


def test_other_folders_are_not_taken_for_this_layout(tmp_path):
    (tmp_path / "train_mat_view.npz").touch()
    (tmp_path / "train.txt").touch()
    assert not detect(tmp_path)
    assert not detect(tmp_path / "train.txt")
    with pytest.raises(DataError, match="is not a folder"):
        mbgmn.read(tmp_path / "nowhere", mbgmn.ImportOptions())
