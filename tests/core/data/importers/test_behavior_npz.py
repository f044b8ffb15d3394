"""Behaviour matrices: what is read, what is repaired, what is refused."""

import zipfile
from pathlib import Path

import numpy as np
import pytest
import scipy.sparse
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from scipy.sparse import coo_array, csc_array, csr_array

from core.data.dataset import open_dataset
from core.data.importers.behavior_npz import read_sparse
from core.data.importers.limits import MEGABYTE, Limits
from core.data.importers.registry import import_dataset
from core.data.info import MAX_BEHAVIORS
from core.data.ranking import ranking_data
from core.data.splits import NO_TIME
from core.errors import DataError

T = 1_430_000_000
SHAPE = (3, 5)


def matrix(entries: dict[tuple[int, int], float], dtype: type = np.int64, shape=SHAPE) -> csr_array:
    rows, columns = zip(*entries, strict=True)
    return csr_array((np.array(list(entries.values()), dtype), (rows, columns)), shape=shape)


VIEW = matrix({(0, 0): T, (0, 1): T + 1, (1, 2): T, (2, 0): T + 5})
BUY = matrix({(0, 0): T + 9, (0, 1): T + 9, (1, 2): T + 3, (1, 0): T + 7, (2, 0): T})
TEST = matrix({(0, 4): 1.0, (2, 3): 1.0}, np.float64)
GOOD = {"train_mat_view": VIEW, "train_mat_buy": BUY, "test_mat": TEST}


@pytest.fixture
def folder(tmp_path):
    def make(**changes) -> Path:
        source = tmp_path / "source"
        source.mkdir()
        for name, stored in {**GOOD, **changes}.items():
            path = source / f"{name}.npz"
            if isinstance(stored, bytes):
                path.write_bytes(stored)
            elif isinstance(stored, dict):
                np.savez(path, **stored)
            elif stored is not None:
                scipy.sparse.save_npz(path, stored)
        return source

    return make


def parts(values=BUY, **changes) -> dict[str, np.ndarray]:
    """The arrays that scipy stores for a csr matrix, some of them changed."""
    stored = {"format": np.array(b"csr"), "shape": np.array(values.shape), "data": values.data}
    changed = {**stored, "indices": values.indices, "indptr": values.indptr, **changes}
    return {name: array for name, array in changed.items() if array is not None}


def left_behind(home) -> list[str]:
    return [entry.name for entry in home.datasets.iterdir()] if home.datasets.is_dir() else []


def test_values_are_times_and_validation_is_the_last_buy(home, folder):
    info = import_dataset(home, "auto", folder(), "tiny")
    assert (info.num_users, info.num_items, info.behaviors) == (3, 5, ("view", "buy"))
    assert info.split_rule == "source's test pairs, validation last by time"
    dataset = open_dataset(home, "tiny")
    rows = dataset.interactions()
    times = rows.set_index(["behavior", "user", "item"])["timestamp"]
    assert times["view", 0, 1] == T + 1
    assert times["buy", 0, 4] == NO_TIME
    data = ranking_data(dataset)
    # users 0 and 1 have two buys; user 0's tie at the last second goes to the larger item
    assert set(zip(*(part.tolist() for part in data.valid.nonzero()), strict=True)) == {(0, 1), (1, 0)}
    assert data.train["buy"].nnz == 3
    assert data.test.nnz == 2


@pytest.mark.parametrize("kind", [csc_array, coo_array])
def test_all_three_formats_read_alike(home, folder, kind):
    import_dataset(home, "behavior-npz", folder(), "csr")
    source = home.root.parent / "source"
    for name, stored in GOOD.items():
        scipy.sparse.save_npz(source / f"{name}.npz", kind(stored))
    info = import_dataset(home, "behavior-npz", source, "other")
    assert info.content_hash == open_dataset(home, "csr").info.content_hash


def test_ones_are_no_times(home, folder):
    ones = {name: matrix(dict.fromkeys(zip(*m.nonzero(), strict=True), 1)) for name, m in GOOD.items()}
    info = import_dataset(home, "behavior-npz", folder(**ones), "tiny")
    assert "timestamp" not in open_dataset(home, "tiny").interactions()
    assert info.split_rule.endswith("validation random, seed 0")
    assert any("not unix seconds" in note for note in info.notes)


def test_flags_are_accepted(home, folder):
    flags = {name: m.astype(np.bool_) for name, m in GOOD.items()}
    import_dataset(home, "behavior-npz", folder(**flags), "tiny")


def test_stored_zeros_and_repeats_are_repaired_and_told(home, folder):
    zero = csr_array((np.array([T, 0]), np.array([0, 1]), np.array([0, 2, 2, 2])), shape=SHAPE)
    twice = coo_array((np.array([T + 4, T + 2]), (np.array([1, 1]), np.array([3, 3]))), shape=SHAPE)
    source = folder(train_mat_cart=twice, test_mat=csr_array(zero.astype(bool).astype(int)))
    info = import_dataset(home, "behavior-npz", source, "tiny")
    assert "test_mat.npz: 1 stored zeros are no interactions and were removed" in info.notes
    assert "cart: 1 repeated pairs removed" in info.notes
    rows = open_dataset(home, "tiny").interactions()
    assert rows.loc[rows["behavior"] == "cart", "timestamp"].tolist() == [T + 2]


@pytest.mark.parametrize(
    ("stored", "message"),
    [
        (b"", "is no readable numpy archive"),
        (b"PK\x03\x04 not really", "is no readable numpy archive"),
        ({"data": np.array([{"a": 1}], dtype=object)}, "never unpickled"),
        (parts(data=np.array([object()] * 5, dtype=object)), "never unpickled"),
        (parts(format=None), "format 'missing' is not csr, csc or coo"),
        (parts(format=np.array(b"dia")), "format 'dia'"),
        (parts(indptr=None), "lacks the array 'indptr'"),
        (parts(shape=np.array([3, 5, 7])), "is not \\(users, items\\)"),
        (parts(shape=np.array([0, 5])), "is not \\(users, items\\)"),
        (parts(shape=np.array([10_000_001, 5])), "is not \\(users, items\\)"),
        (parts(indices=np.array([0, 1, 2, 0, 5])), r"entry 4: item 5 is out of range 0\.\.4"),
        (parts(indices=np.array([0, 1, -2, 0, 1])), r"entry 2: item -2 is out of range"),
        (parts(indices=np.array([0.0, 1, 2, 0, 1])), "'indices' is float64"),
        (parts(indptr=np.array([0, 4, 2, 5])), "'indptr' does not rise"),
        (parts(indptr=np.array([0, 2, 9, 5])), "'indptr' does not rise"),
        (parts(indptr=np.array([0, 2, 5])), "'indptr' does not rise"),
        (parts(data=BUY.data[:4]), "do not match"),
        (parts(data=np.array([1.0, np.nan, 1, 1, 1])), r"entry 1: user 0, item 1 has the value nan"),
        (parts(data=np.array([1.0, 1, 0.5, 1, 1])), r"entry 2: user 1, item \d has the value 0.5"),
        (parts(data=np.array([1, 1, 1, -T, 1])), r"entry 3: user 1, item \d has the value -"),
        (parts(data=BUY.data * 1000), "divide milliseconds by 1000"),
        (parts(data=np.array(["a"] * 5)), "expected numbers"),
        (csr_array(SHAPE, dtype=np.int64), "has no entries"),
        (matrix({(0, 0): T}, shape=(4, 5)), r"shape \(4, 5\) differs from \(3, 5\)"),
        (None, r"train_mat_buy\.npz: is missing; found behaviors: view; .*--target"),
    ],
)
def test_bad_archives_are_refused_and_leave_nothing(home, folder, stored, message):
    with pytest.raises(DataError, match=f"train_mat_buy.npz: .*{message}|{message}") as caught:
        import_dataset(home, "behavior-npz", folder(train_mat_buy=stored), "tiny")
    assert "train_mat_buy.npz" in str(caught.value)
    assert left_behind(home) == []


def test_truncated_archives_are_refused_at_every_length(home, folder):
    source = folder()
    path = source / "train_mat_buy.npz"
    whole = path.read_bytes()
    for length in range(0, len(whole), 37):
        path.write_bytes(whole[:length])
        with pytest.raises(DataError, match=r"train_mat_buy\.npz"):
            import_dataset(home, "behavior-npz", source, "tiny")
    assert left_behind(home) == []


def test_archives_that_unpack_to_too_much_are_refused(folder):
    nowhere = np.zeros(2_000_000, np.int32)
    alike = coo_array((np.ones(2_000_000), (nowhere, nowhere)), shape=SHAPE)
    path = folder(train_mat_buy=alike) / "train_mat_buy.npz"
    assert path.stat().st_size < MEGABYTE
    with pytest.raises(DataError, match=r"unpacks to more than the 20 MB allowed; .*--max-size 4"):
        read_sparse(path, Limits(2 * MEGABYTE))
    assert len(read_sparse(path).row) == 2_000_000


def test_files_over_the_limit_are_refused(home, folder):
    source = folder()
    (source / "train_mat_buy.npz").write_bytes(b"P" * (MEGABYTE + 1))
    with pytest.raises(DataError, match=r"train_mat_buy.npz: holds 1 MB, more than the 1 MB .*--max-size 2"):
        import_dataset(home, "behavior-npz", source, "tiny", max_mb=1)
    assert left_behind(home) == []


def test_headers_that_claim_huge_arrays_are_refused(folder):
    source = folder()
    path = source / "train_mat_buy.npz"
    with zipfile.ZipFile(path, "w") as archive:
        header = b"{'descr': '<f8', 'fortran_order': False, 'shape': (10000000000000000,), }"
        padded = header + b" " * (-(len(header) + 11) % 64) + b"\n"
        archive.writestr("data.npy", b"\x93NUMPY\x01\x00" + len(padded).to_bytes(2, "little") + padded)
    with pytest.raises(DataError, match="no readable numpy archive"):
        read_sparse(path)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(position=st.integers(0, 5000), value=st.integers(0, 255))
def test_any_changed_byte_gives_a_matrix_or_a_data_error(tmp_path, position, value):
    path = tmp_path / "changed.npz"
    np.savez(path, **parts())
    stored = bytearray(path.read_bytes())
    stored[position % len(stored)] = value
    path.write_bytes(stored)
    try:
        found = read_sparse(path)
    except DataError as error:
        complaint = str(error)
    else:
        complaint = ""
        assert found.row.max() < found.shape[0]
        assert found.column.max() < found.shape[1]
    assert not complaint or str(path) in complaint


def test_a_missing_folder_is_told(home, tmp_path):
    with pytest.raises(DataError, match="is not a folder"):
        import_dataset(home, "behavior-npz", tmp_path / "nowhere", "tiny")


@pytest.mark.real_data
def test_retail_rocket_has_the_documented_counts(home, real):
    source = real("retail_rocket")
    info = import_dataset(home, "auto", source, "rocket")
    assert (info.num_users, info.num_items, info.behaviors) == (2_174, 30_113, ("view", "cart", "buy"))
    data = ranking_data(open_dataset(home, "rocket"))
    assert {b: m.nnz for b, m in data.train.items()} == {"view": 75_374, "cart": 12_456, "buy": 8_666}
    assert (data.valid.nnz, data.test.nnz) == (885, 2_174)
    everywhere = sum(np.bincount(m.indices, minlength=data.num_items) for m in data.train.values())
    everywhere += np.bincount(data.valid.indices, minlength=data.num_items)
    assert int((everywhere[data.test.indices] == 0).sum()) == 211
    assert all(data.test.multiply(data.train[b]).nnz == 0 for b in ("view", "cart"))
    buys = csr_array(scipy.sparse.load_npz(source / "train_mat_buy.npz"))
    ties = 0
    for user in np.flatnonzero(np.diff(buys.indptr) >= 2):
        own = slice(buys.indptr[user], buys.indptr[user + 1])
        last = buys.data[own] == buys.data[own].max()
        ties += int(last.sum() > 1)
        held = data.valid.indices[data.valid.indptr[user] : data.valid.indptr[user + 1]]
        assert held.tolist() == [buys.indices[own][last].max()]
    assert ties == 631


def test_more_behaviors_than_can_be_imported_are_refused_and_some_of_them_read(home, folder):
    many = {f"train_mat_b{number}": VIEW for number in range(131)}
    source = folder(**many)
    names = [f"b{number}" for number in range(MAX_BEHAVIORS)]
    with pytest.raises(DataError, match=r"holds 133 behaviors, at most 50 can be imported; .*--behaviors"):
        import_dataset(home, "auto", source, "tiny")
    with pytest.raises(DataError, match="holds 51 behaviors, at most 50"):
        import_dataset(home, "auto", source, "tiny", behaviors=[*names, "buy"])
    assert left_behind(home) == []
    info = import_dataset(home, "auto", source, "tiny", behaviors=[*names[1:], "buy"])
    assert info.behaviors == (*names[1:], "buy")
