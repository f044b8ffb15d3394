"""RecBole's atomic files: what is read, what is repaired and told, what is refused."""

from pathlib import Path

import numpy as np
import pytest

from core.data.dataset import open_dataset
from core.data.importers.columns import ColumnMap
from core.data.importers.registry import check_import, detect_layout, import_dataset
from core.data.ranking import ranking_data
from core.errors import DataError

INTER = (
    "user_id:token\titem_id:token\trating:float\ttimestamp:float\n"
    'u1\t"x\t5\t100.0\n'
    "u1\ty\t3\t200.5\n"
    "u1\tz\t4\t300\n"
    "10\ty\t4\t1e2\n"
    "10\tz\t4\t50\n"
)
ITEM = 'item_id:token\tmovie_title:token_seq\tclass:token_seq\n"x\t"Great" Escape, The\tDrama War\nz\t\tWar\nq\tQuiz\tTV\n'


@pytest.fixture
def folder(tmp_path):
    def make(**files: str) -> Path:
        source = tmp_path / "source"
        source.mkdir()
        for name, text in files.items():
            (source / name.replace("_", ".")).write_text(text)
        return source

    return make


def test_ids_are_tokens_and_items_keep_title_and_category(home, folder):
    info = import_dataset(home, "auto", folder(ml_inter=INTER, ml_item=ITEM, ml_user="user_id:token\n"), "ml")
    assert (info.importer, info.behaviors, info.split_rule) == ("recbole", ("interaction",), "last by time")
    dataset = open_dataset(home, "ml")
    assert dataset.users()["original_id"].tolist() == ["10", "u1"]
    items = dataset.items()
    assert items["original_id"].tolist() == ['"x', "y", "z"]
    assert items["title"].tolist() == ['"Great" Escape, The', "", ""]
    assert items["category"].tolist() == ["Drama War", "", "War"]
    rows = dataset.interactions().set_index(["user", "item"])
    assert rows.loc[(1, 1), "timestamp"] == 200
    assert rows.loc[(1, 2), "split"] == "test"
    assert rows.loc[(0, 1), "split"] == "test"
    assert "ml.item: 1 items without an interaction were left out" in info.notes
    assert "ml.item: 1 items with an interaction are not described" in info.notes
    assert "1 times lost their fractions of a second" in info.notes


def test_blank_lines_before_the_header_are_no_rows(home, folder):
    import_dataset(home, "auto", folder(ml_inter="\n\n" + INTER, ml_item="\n" + ITEM), "ml")
    dataset = open_dataset(home, "ml")
    assert dataset.users()["original_id"].tolist() == ["10", "u1"]
    assert dataset.items()["title"].tolist() == ['"Great" Escape, The', "", ""]


def test_an_item_described_twice_keeps_the_last_description(home, folder):
    info = import_dataset(home, "auto", folder(ml_inter=INTER, ml_item=ITEM + "z\tZoo\tTV\n"), "ml")
    assert open_dataset(home, "ml").items()["title"].tolist()[2] == "Zoo"
    assert any("1 items are described repeatedly" in note for note in info.notes)


@pytest.mark.parametrize("item", ["item_id:token\tprice:float\n", None])
def test_items_without_words_are_only_ids(home, folder, item):
    import_dataset(home, "auto", folder(ml_inter=INTER, **({"ml_item": item} if item else {})), "ml")
    assert open_dataset(home, "ml").items().columns.tolist() == ["original_id"]


def test_a_benchmark_split_is_kept(home, folder):
    header = "user_id:token\titem_id:token\n"
    parts = {
        "ml_train_inter": "a\tx\na\ty\nb\tx\n",
        "ml_valid_inter": "a\tz\n",
        "ml_test_inter": "b\tz\na\tx\n",
    }
    source = folder(**{name: header + rows for name, rows in parts.items()}, ml_item=ITEM)
    info = import_dataset(home, "recbole", source, "ml")
    assert info.split_rule == "source's test pairs"
    data = ranking_data(open_dataset(home, "ml"))
    np.testing.assert_array_equal(data.train["interaction"].toarray(), [[0, 1, 0], [1, 0, 0]])
    np.testing.assert_array_equal(data.valid.toarray(), [[0, 0, 1], [0, 0, 0]])
    np.testing.assert_array_equal(data.test.toarray(), [[1, 0, 0], [0, 0, 1]])
    assert "interaction: 1 train pairs that are also test pairs kept in test only" in info.notes
    (source / "ml.valid.inter").unlink()
    assert check_import(home, "auto", source, "other").split_rule.startswith(
        "source's test pairs, validation"
    )


def test_labels_of_zero_are_no_interactions(home, folder):
    text = "user_id:token\titem_id:token\tlabel:float\nu\tx\t1.0\nu\ty\t0.0\nu\ty\t1\nu\tz\t0\nv\tz\t0\n"
    info = import_dataset(home, "auto", folder(ml_inter=text), "ml", split="as-given")
    assert (info.num_users, info.num_items) == (1, 2)
    assert "3 rows whose label is 0 are no interactions and were left out" in info.notes


def test_behaviors_and_mappings_are_read_as_in_any_table(home, folder):
    text = "u:token\ti:token\tbehavior:token\nu\tx\tclick\nu\tx\tbuy\nu\ty\tbuy\nu\tz\tBuy It\n"
    source = folder(ml_inter=text)
    report = check_import(
        home, "auto", source, "ml", columns=ColumnMap("u", "i:token", "behavior"), target="buy"
    )
    assert report.behaviors == ("buy_it", "click", "buy")
    assert "behavior 'Buy It' is called buy_it" in report.notes


def test_one_file_alone_is_read_too(home, folder):
    source = folder(ml_inter=INTER) / "ml.inter"
    assert detect_layout(source) == "recbole"
    assert import_dataset(home, "auto", source, "ml").num_users == 2


def test_untyped_files_are_another_layout(folder):
    with pytest.raises(DataError, match="fits no known layout"):
        detect_layout(folder(ml_inter="userID\titemID\trating\n1\t2\t1\n"))


HEADER = "user_id:token\titem_id:token\n"


@pytest.mark.parametrize(
    ("files", "message"),
    [
        ({}, "expected one NAME.inter, .* found: none"),
        (
            {"a_inter": INTER, "b_inter": INTER},
            r"expected one NAME.inter, .*found: a.inter, b.inter; name the one file",
        ),
        ({"a_inter": INTER, "a_train_inter": INTER, "a_test_inter": INTER}, "expected one NAME.inter"),
        ({"a_train_inter": INTER}, "expected one NAME.inter, or NAME.train.inter and NAME.test.inter"),
        (
            {"a_train_inter": INTER, "b_test_inter": INTER},
            "the parts of a benchmark split have different names",
        ),
        (
            {"a_train_inter": INTER, "a_test_inter": HEADER + "u\tx\n"},
            r"a.test.inter: its fields .* differ from those",
        ),
        ({"a_inter": "user_id:token\titem_id\nu\tx\n"}, "a.inter: the field 'item_id' has no type of token,"),
        ({"a_inter": "user_id,item_id\nu,x\n"}, "the field 'user_id,item_id' has no type"),
        ({"a_inter": HEADER + "u\tx\nu\n"}, "a.inter: row 3: has 1 columns where the header has 2"),
        ({"a_inter": HEADER + "u\tx\n\tx\n"}, "a.inter: row 3: user id is missing"),
        ({"a_inter": HEADER}, "a.inter: has no rows below its header"),
        (
            {"a_inter": "user_id:token\titem_id:token\tlabel:float\nu\tx\tyes\n"},
            "row 2: label 'yes' is no number",
        ),
        ({"a_inter": INTER, "a_item": "item_id:token\ttitle:token\nx\n"}, "a.item: row 2: has 1 columns"),
    ],
)
def test_bad_files_are_refused_and_leave_nothing(home, folder, files, message):
    with pytest.raises(DataError, match=message):
        import_dataset(home, "recbole", folder(**files), "ml")
    assert not home.root.exists()


def test_rows_that_are_all_negative_leave_no_target(home, folder):
    text = "user_id:token\titem_id:token\tlabel:float\nu\tx\t0\n"
    with pytest.raises(DataError, match="the target behavior 'interaction' has no pairs"):
        import_dataset(home, "recbole", folder(a_inter=text), "ml")
