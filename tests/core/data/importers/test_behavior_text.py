"""Behaviour text files: what is read, what is repaired, what is refused."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from core.data.dataset import open_dataset
from core.data.importers.pair_lines import read_pairs
from core.data.importers.registry import detect_layout, import_dataset
from core.data.ranking import ranking_data
from core.errors import DataError
from core.home import Home

GOOD = {
    "view": "10 7\n10 8\n20 7\n30 900\n",
    "cart": "10 7\n20 7\n",
    "train": "10 7\n10 8\n20 7\n20 900\n",
    "valid": "20 900\n",
    "test": "10 900\n",
}


@pytest.fixture
def folder(tmp_path):
    def make(**changes: str | bytes | None) -> Path:
        source = tmp_path / "source"
        source.mkdir()
        for name, text in {**GOOD, **changes}.items():
            if text is not None:
                (source / f"{name}.txt").write_bytes(text.encode() if isinstance(text, str) else text)
        return source

    return make


def left_behind(home: Home) -> list[str]:
    return [entry.name for entry in home.datasets.iterdir()] if home.datasets.is_dir() else []


def test_ids_become_dense_and_stay_known(home, folder):
    info = import_dataset(home, "behavior-text", folder(), "tiny")
    dataset = open_dataset(home, "tiny")
    assert dataset.users()["original_id"].tolist() == ["10", "20", "30"]
    assert dataset.items()["original_id"].tolist() == ["7", "8", "900"]
    assert info.behaviors == ("view", "cart", "buy")
    assert (info.importer, info.kind) == ("behavior-text", ("multi_behavior",))
    data = ranking_data(dataset)
    np.testing.assert_array_equal(data.train["view"].toarray(), [[1, 1, 0], [1, 0, 0], [0, 0, 1]])
    np.testing.assert_array_equal(data.train["buy"].toarray(), [[1, 1, 0], [1, 0, 0], [0, 0, 0]])
    np.testing.assert_array_equal(data.valid.toarray(), [[0, 0, 0], [0, 0, 1], [0, 0, 0]])
    np.testing.assert_array_equal(data.test.toarray(), [[0, 0, 1], [0, 0, 0], [0, 0, 0]])


def test_valid_pairs_inside_train_are_held_out_and_told(home, folder):
    info = import_dataset(home, "auto", folder(), "tiny")
    assert info.notes == ("buy: 1 train pairs that are also valid pairs kept in valid only",)


def test_as_given_keeps_the_leak(home, folder):
    import_dataset(home, "behavior-text", folder(), "tiny", split="as-given")
    assert ranking_data(open_dataset(home, "tiny")).train["buy"].nnz == 4


def test_missing_validation_is_drawn_by_seed(home, folder):
    source = folder(valid=None)
    info = import_dataset(home, "behavior-text", source, "tiny", seed=4)
    assert info.split_rule == "source's test pairs, validation random, seed 4"
    assert ranking_data(open_dataset(home, "tiny")).valid.nnz == 2


def test_the_order_of_ids_is_numeric_and_blank_lines_are_skipped(home, folder):
    source = folder(view="\ufeff9 7\r\n\r\n 100\t7 \n9 7\n")
    info = import_dataset(home, "behavior-text", source, "tiny")
    assert open_dataset(home, "tiny").users()["original_id"].tolist() == ["9", "10", "20", "100"]
    assert "view: 1 repeated pairs removed" in info.notes


def test_behaviors_choose_files_and_order(home, folder):
    source = folder()
    info = import_dataset(home, "behavior-text", source, "tiny", behaviors=["cart", "purchase"])
    assert (info.behaviors, info.target) == (("cart", "purchase"), "purchase")
    info = import_dataset(home, "behavior-text", source, "named", target="order")
    assert info.behaviors == ("view", "cart", "order")


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"cart": "10 7\n20\n"}, r"cart\.txt: row 2: expected 2 columns .* got 1"),
        ({"cart": "10 7 3\n"}, r"cart\.txt: row 1: expected 2 columns .* got 3"),
        ({"cart": "10,7\n"}, r"cart\.txt: row 1: expected 2 columns"),
        ({"cart": "user item\n10 7\n"}, r"cart\.txt: row 1: user id 'user' is not a whole number .* header"),
        ({"cart": "10 7\n\n10 abc\n"}, r"cart\.txt: row 3: item id 'abc'"),
        ({"cart": "-1 7\n"}, r"cart\.txt: row 1: user id '-1'"),
        ({"cart": "1.0 7\n"}, r"cart\.txt: row 1: user id '1\.0'"),
        ({"cart": "nan 7\n"}, r"cart\.txt: row 1: user id 'nan'"),
        ({"cart": "10 99999999999999999999\n"}, r"cart\.txt: row 1: item id '9999"),
        ({"cart": b"10 \xff\xfe\n"}, r"cart\.txt: row 1: item id"),
        ({"cart": "10 \u0663\n"}, r"cart\.txt: row 1: item id"),
        ({"cart": ""}, r"cart\.txt: is empty"),
        ({"test": "\n\n"}, r"test\.txt: is empty"),
        ({"train": ""}, r"train\.txt: is empty"),
        ({"train": None}, r"train\.txt: is missing"),
        ({"buy": "1 2\n"}, r"buy\.txt: the target 'buy' is read from train\.txt.* --target"),
        ({"Read Me": "1 2\n"}, "Read Me.* is not allowed"),
        ({"train": "10 900\n"}, "no training pair of the target 'buy' is left"),
    ],
)
def test_bad_sources_are_refused_and_leave_nothing(home, folder, changes, message):
    with pytest.raises(DataError, match=message):
        import_dataset(home, "behavior-text", folder(**changes), "tiny")
    assert left_behind(home) == []


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            {"behaviors": ["view", "like", "buy"]},
            r"no file for the behavior 'like'; found files for: cart, view",
        ),
        ({"behaviors": ["view", "buy"], "target": "cart"}, "the target 'cart' must come last"),
        ({"behaviors": ["view", "view", "buy"]}, "expected distinct names"),
        ({"behaviors": []}, "expected distinct names"),
        ({"behaviors": ["../x", "buy"]}, "not allowed"),
        ({"target": "Buy"}, "not allowed"),
        ({"split": "last"}, r"'last' needs a time .* --split random"),
    ],
)
def test_bad_options_are_refused_and_leave_nothing(home, folder, arguments, message):
    with pytest.raises(DataError, match=message):
        import_dataset(home, "behavior-text", folder(), "tiny", **arguments)
    assert left_behind(home) == []


def test_a_taken_name_is_refused_before_the_source_is_read(home, folder, tmp_path):
    import_dataset(home, "behavior-text", folder(), "tiny")
    with pytest.raises(DataError, match=r"'tiny' exists .* --replace"):
        import_dataset(home, "behavior-text", tmp_path / "nowhere", "tiny")
    assert import_dataset(home, "behavior-text", tmp_path / "source", "tiny", replace=True).name == "tiny"
    assert left_behind(home) == ["tiny"]


def test_missing_sources_and_unknown_layouts_are_told(home, tmp_path, folder):
    with pytest.raises(DataError, match="is not a folder"):
        import_dataset(home, "behavior-text", tmp_path / "nowhere", "tiny")
    with pytest.raises(DataError, match="does not exist"):
        import_dataset(home, "auto", tmp_path / "nowhere", "tiny")
    with pytest.raises(
        DataError, match=r"unknown layout 'xml'; expected auto or one of table, behavior-text, behavior-npz"
    ):
        import_dataset(home, "xml", folder(), "tiny")
    (tmp_path / "empty").mkdir()
    with pytest.raises(DataError, match="fits no known layout"):
        detect_layout(tmp_path / "empty")
    (tmp_path / "source" / "train_mat_buy.npz").touch()
    with pytest.raises(DataError, match="fits several layouts"):
        detect_layout(tmp_path / "source")


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.one_of(
        st.binary(max_size=80),
        st.lists(st.text(alphabet="0123456789 \t\n\r-.eEx\x00\x0b\x1c\ufeff٣", max_size=30), max_size=6).map(
            lambda lines: "\n".join(lines).encode()
        ),
    )
)
def test_any_bytes_are_pairs_or_a_data_error(tmp_path, data):
    path = tmp_path / "view.txt"
    path.write_bytes(data)
    try:
        pairs = read_pairs(path)
    except DataError as error:
        complaint = str(error)
    else:
        complaint = ""
        assert pairs.shape[1] == 2
        assert pairs.min() >= 0
    assert not complaint or str(path) in complaint


@pytest.mark.real_data
def test_taobao_has_the_documented_counts(home, real):
    info = import_dataset(home, "auto", real("taobao"), "taobao")
    assert (info.num_users, info.num_items) == (15_449, 11_953)
    assert info.behaviors == ("view", "cart", "buy")
    dataset = open_dataset(home, "taobao")
    data = ranking_data(dataset)
    assert {b: m.nnz for b, m in data.train.items()} == {"view": 873_954, "cart": 195_476, "buy": 76_731}
    assert (data.valid.nnz, data.test.nnz) == (15_449, 15_449)
    assert (np.diff(data.valid.indptr) == 1).all()
    assert (np.diff(data.test.indptr) == 1).all()
    assert int((np.diff(data.train["buy"].indptr) == 1).sum()) == 2_775
    assert data.test.multiply(data.train["view"]).nnz == 12_650
    assert data.test.multiply(data.train["cart"]).nnz == 3_381
    unseen = data.popularity()[data.test.indices] == 0
    assert (int(unseen.sum()), len(np.unique(data.test.indices[unseen]))) == (222, 145)
    with_valid = ranking_data(dataset, "train+valid")
    unseen = with_valid.popularity()[data.test.indices] == 0
    assert (int(unseen.sum()), len(np.unique(data.test.indices[unseen]))) == (89, 59)
    seen = np.concatenate([data.train["view"].indices, data.train["cart"].indices])
    assert np.isin(data.test.indices, seen).all()
    original = dataset.items()["original_id"].astype(int).to_numpy()
    assert original[data.train["cart"].indices].max() == 11_941
    assert original[data.train["view"].indices].max() == 11_953
