"""The first look at a source: columns, rows, the mapping that is clear, and what is not."""

import gzip
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from core.data.importers.columns import ColumnMap
from core.data.importers.limits import MEGABYTE, Limits
from core.data.importers.preview import SHOWN_ROWS, preview
from core.errors import DataError

HEAD = "visitorid,itemid,event\n"


@pytest.fixture
def stored(tmp_path):
    def make(text: str | bytes, name: str = "events.csv") -> Path:
        path = tmp_path / name
        path.write_bytes(text.encode() if isinstance(text, str) else text)
        return path

    return make


def test_a_table_shows_its_first_rows_and_what_they_are(stored):
    seen = preview(stored(HEAD + "1,5,view\n2,6,Add To Cart\n" + "3,7,view\n" * 50))
    assert (seen.layout, seen.columns) == ("table", ("visitorid", "itemid", "event"))
    assert (len(seen.rows), seen.rows[1]) == (SHOWN_ROWS, ("2", "6", "Add To Cart"))
    assert seen.mapping == ColumnMap("visitorid", "itemid", "event")
    assert (seen.ids, seen.behaviors) == ("whole", ("view", "Add To Cart"))
    assert seen.notes[0] == "text separated by comma"


@pytest.mark.parametrize(
    ("rows", "ids"),
    [
        ("anna,5,view\nbert,6,view\n", "text"),
        ("1,x7,view\n", "text"),
        ("anna,5,view\n7,6,view\n", "whole"),
        ("1.0,-5,view\n", "whole"),
        ("", "whole"),
    ],
)
def test_ids_are_texts_where_a_whole_column_is(stored, rows, ids):
    assert preview(stored(HEAD + rows)).ids == ids


def test_a_mapping_told_is_looked_at_under_it(stored):
    source = stored("a,b,c\nanna,5,PV\n")
    unclear = preview(source)
    assert unclear.mapping is None
    assert any("no column is clearly the user; its columns are: a, b, c" in note for note in unclear.notes)
    told = preview(source, columns=ColumnMap("a", "b", "c"))
    assert (told.mapping, told.ids, told.behaviors) == (ColumnMap("a", "b", "c"), "text", ("PV",))
    with pytest.raises(DataError, match="has no column 'd' for the user"):
        preview(source, columns=ColumnMap("d", "b"))


def test_no_more_than_the_head_is_read(stored):
    """The gzip file breaks off after two megabytes of good rows, which the head does not reach."""
    text = HEAD.encode() + b"".join(b"%d,%d,view\n" % (row, row * 7919 % 104729) for row in range(300_000))
    packed = gzip.compress(text)
    assert len(text) > 3 * MEGABYTE
    assert len(preview(stored(packed[: len(packed) * 4 // 5], "events.csv.gz")).rows) == SHOWN_ROWS


def test_dates_beyond_pythons_show_their_type(tmp_path):
    far = pa.array([10**9], pa.int32()).cast(pa.date32())
    pq.write_table(pa.table({"user": [1], "item": [5], "day": far}), tmp_path / "far.parquet")
    assert preview(tmp_path / "far.parquet").rows == (("1", "5", "(date32[day])"),)


def test_ragged_rows_show_as_they_are(stored):
    assert preview(stored(HEAD + "1,5\n1,5,view,9\n")).rows == (("1", "5"), ("1", "5", "view", "9"))


@pytest.mark.parametrize(
    ("content", "name", "message"),
    [
        (b"", "a.csv", "is empty"),
        (b"\xff\xfe\x00", "a.csv", "is no UTF-8 text"),
        (b"PAR1", "a.parquet", "is truncated or damaged Parquet"),
        (b"user,item\n", "a.doc", "fits no known layout"),
        (b"x" * (MEGABYTE + 1), "a.csv", "more than the 1 MB allowed"),
    ],
)
def test_what_cannot_be_read_is_refused(stored, content, name, message):
    with pytest.raises(DataError, match=message):
        preview(stored(content, name), limits=Limits(MEGABYTE))


def test_folders_show_their_files(tmp_path):
    (tmp_path / "train.txt").write_text("1 5\n2 6\n")
    (tmp_path / "view.txt").write_text("1 5\n")
    seen = preview(tmp_path)
    assert (seen.layout, seen.columns) == ("behavior-text", ("file", "user", "item"))
    assert seen.rows == (("train.txt", "1", "5"), ("train.txt", "2", "6"), ("view.txt", "1", "5"))
    assert (seen.mapping, seen.behaviors) == (None, ("view",))


def test_matrices_are_listed_without_being_opened(tmp_path):
    (tmp_path / "train_mat_buy.npz").write_bytes(b"no archive")
    seen = preview(tmp_path)
    assert (seen.layout, seen.rows) == ("behavior-npz", (("train_mat_buy.npz", "10 bytes"),))


def test_atomic_files_show_typed_columns_and_text_ids(tmp_path):
    (tmp_path / "ml.inter").write_text("user_id:token\titem_id:token\n1\t5\n")
    seen = preview(tmp_path)
    assert (seen.layout, seen.ids) == ("recbole", "text")
    assert seen.mapping == ColumnMap("user_id:token", "item_id:token")
