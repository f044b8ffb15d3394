"""Tables: what is read, what is repaired and told, what is refused."""

import csv
import gzip
import io
import random
import re
import zipfile
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from core.data.dataset import open_dataset
from core.data.importers import parquet_table, text_table
from core.data.importers.columns import ColumnMap
from core.data.importers.preview import SHOWN_ROWS, preview
from core.data.importers.registry import check_import, detect_layout, import_dataset
from core.data.ranking import ranking_data
from core.data.splits import NO_TIME
from core.errors import DataError
from core.home import Home

T = 1_430_000_000
EVENTS = (
    "visitorid,itemid,event,timestamp\n"
    "10,7,view,1430000000\n"
    "10,8,Add To Cart,1430000010\n"
    "10,8,buy,1430000020\n"
    "10,900,buy,1430000030\n"
    "10,7,buy,1430000040\n"
    "20,7,buy,1430000050\n"
)


@pytest.fixture
def stored(tmp_path):
    def make(text: str | bytes, name: str = "events.csv") -> Path:
        path = tmp_path / name
        path.write_bytes(text.encode() if isinstance(text, str) else text)
        return path

    return make


@pytest.fixture
def frame_of(home):
    """The rows of a table as (user, item, behavior, timestamp), with the original ids."""

    def read(source: Path, **asked) -> list[tuple]:
        import_dataset(home, "table", source, "tiny", split="as-given", replace=True, **asked)
        dataset = open_dataset(home, "tiny")
        rows = dataset.interactions()
        rows["user"] = dataset.users()["original_id"].to_numpy()[rows["user"]]
        rows["item"] = dataset.items()["original_id"].to_numpy()[rows["item"]]
        rows["behavior"] = rows["behavior"].astype(str)
        columns = ["user", "item", "behavior", *(["timestamp"] if "timestamp" in rows else [])]
        return sorted(rows[columns].itertuples(index=False, name=None))

    return read


def left_behind(home: Home) -> list[str]:
    return [entry.name for entry in home.root.rglob("*")] if home.root.is_dir() else []


def zipped(**members: bytes) -> bytes:
    """An archive without time stamps, so that every collection of the tests names them alike."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(zipfile.ZipInfo(name), content, zipfile.ZIP_DEFLATED)
    return file.getvalue()


def parquet(**columns) -> bytes:
    return parquet_of(pa.table(columns), row_group_size=3)


def parquet_of(table: pa.Table, **options) -> bytes:
    file = io.BytesIO()
    pq.write_table(table, file, compression="zstd", store_schema=False, write_statistics=False, **options)
    return file.getvalue()


def test_columns_are_detected_ids_become_dense_and_labels_are_made(home, stored):
    info = import_dataset(home, "auto", stored(EVENTS), "tiny")
    assert (info.importer, info.kind, info.behaviors) == (
        "table",
        ("multi_behavior",),
        ("add_to_cart", "view", "buy"),
    )
    assert info.split_rule == "last by time"
    assert info.notes[:3] == (
        "text separated by comma",
        "columns detected: user = visitorid, item = itemid, behavior = event, time = timestamp",
        "behavior 'Add To Cart' is called add_to_cart",
    )
    dataset = open_dataset(home, "tiny")
    assert dataset.users()["original_id"].tolist() == ["10", "20"]
    assert dataset.items()["original_id"].tolist() == ["7", "8", "900"]
    data = ranking_data(dataset)
    np.testing.assert_array_equal(data.test.toarray(), [[1, 0, 0], [0, 0, 0]])
    np.testing.assert_array_equal(data.valid.toarray(), [[0, 0, 1], [0, 0, 0]])
    np.testing.assert_array_equal(data.train["buy"].toarray(), [[0, 1, 0], [1, 0, 0]])


@pytest.mark.parametrize("separator", [",", "\t", ";", "|"])
@pytest.mark.parametrize("newline", ["\n", "\r\n"])
@pytest.mark.parametrize("mark", ["", "\ufeff"])
def test_every_dialect_reads_alike(stored, frame_of, separator, newline, mark):
    expected = frame_of(stored(EVENTS))
    text = mark + EVENTS.replace(",", separator).replace("\n", newline)
    assert frame_of(stored(text, "other.txt")) == expected
    assert len(expected) == 6


def test_every_packing_reads_alike(stored, frame_of):
    expected = frame_of(stored(EVENTS))
    plain = EVENTS.encode()
    columns = pd.read_csv(io.StringIO(EVENTS)).to_dict("list")
    assert frame_of(stored(gzip.compress(plain), "events.csv.gz")) == expected
    two_members = gzip.compress(plain[:50]) + gzip.compress(plain[50:])
    assert frame_of(stored(two_members, "events.tsv.gz")) == expected
    assert frame_of(stored(zipped(**{"data/events.csv": plain}), "events.zip")) == expected
    from_a_mac = zipped(**{"events.csv": plain, "__MACOSX/._events.csv": b"\x00\x05"})
    assert frame_of(stored(from_a_mac, "mac.zip")) == expected
    assert frame_of(stored(parquet(**columns), "events.parquet")) == expected
    assert frame_of(stored(zipped(**{"events.parquet": parquet(**columns)}), "parquet.zip")) == expected


def test_quotes_may_hold_separators_and_line_breaks(stored, frame_of):
    text = 'title,user_id,item_id\n"a, ""b""\nc",1,5\n,2,"6"\n\n"x",3,7\n'
    assert frame_of(stored(text)) == [
        ("1", "5", "interaction"),
        ("2", "6", "interaction"),
        ("3", "7", "interaction"),
    ]


@pytest.mark.parametrize("blank", ["\n", "\r\n\r\n", "\r", "\ufeff\n"])
def test_blank_lines_before_the_header_are_no_rows(stored, frame_of, blank):
    text = blank + "user,item,event\nann,7,view\nann,8,buy\n\nbob,x\n"
    with pytest.raises(DataError, match=f"row {text.splitlines().index('bob,x') + 1}: has 2 columns"):
        frame_of(stored(text), ids="text")
    found = frame_of(stored(text.replace("bob,x", "bob,7,buy")), ids="text")
    assert found == [("ann", "7", "view"), ("ann", "8", "buy"), ("bob", "7", "buy")]


def test_a_header_over_several_lines_is_no_row(stored, frame_of):
    source = stored('\n"us\ner",item\nann,7\nbob,8\n')
    found = frame_of(source, ids="text", columns=ColumnMap("us\ner", "item"))
    assert found == [("ann", "7", "interaction"), ("bob", "8", "interaction")]


def test_without_a_behavior_column_the_target_names_all_rows(stored, frame_of):
    source = stored("user,item\n1,5\n")
    assert frame_of(source) == [("1", "5", "interaction")]
    assert frame_of(source, target="buy") == [("1", "5", "buy")]
    assert frame_of(source, behaviors=["play"]) == [("1", "5", "play")]


def test_a_mapping_goes_before_detection(stored, frame_of):
    source = stored("user,item,w,x\n1,5,11,12\n")
    assert frame_of(source, columns=ColumnMap("w", "x")) == [("11", "12", "interaction")]


def test_behaviors_select_and_order(home, stored):
    source = stored(EVENTS)
    info = import_dataset(home, "table", source, "tiny", behaviors=["view", "buy"])
    assert info.behaviors == ("view", "buy")
    assert "add_to_cart: 1 rows left out, as --behaviors asks" in info.notes
    info = import_dataset(home, "table", source, "other", behaviors=["view", "add_to_cart", "buy"])
    assert info.behaviors == ("view", "add_to_cart", "buy")


def test_users_and_items_of_rows_left_out_are_no_part_of_the_data(home, stored):
    source = stored(EVENTS + "99,55,view,1430000050\n")
    assert import_dataset(home, "table", source, "tiny", behaviors=["buy"]).num_users == 2


@pytest.mark.parametrize(
    ("cells", "seconds", "note"),
    [
        (["1430000000", "1430000001"], [T, T + 1], None),
        (["1430000000123", "1430000001999"], [T, T + 1], "times are milliseconds"),
        (["1430000000123456", "1430000001999999"], [T, T + 1], "times are microseconds"),
        (["1430000000123456789", "1430000001999999999"], [T, T + 1], "times are nanoseconds"),
        (["1430000000.0", "1430000001.75"], [T, T + 1], "1 times lost their fractions of a second"),
        (["1.43e9", "1430000001"], [T, T + 1], None),
        (["2015-04-25T22:13:20", "2015-04-25 22:13:21"], [T, T + 1], "times are dates"),
        (["2015-04-25T22:13:20.9Z", "2015-04-26T00:13:21+02:00"], [T, T + 1], "times are dates"),
        (["1970-01-01", "2015-04-25"], [0, 1_429_920_000], "times are dates"),
        (["20150425", "20150426"], [1_429_920_000, 1_430_006_400], "written like 20140930"),
        (["20150425", "20151399"], [20_150_425, 20_151_399], None),
        (["0", "7"], [0, 7], None),
        (["", "1430000001"], [NO_TIME, T + 1], "1 rows have no time"),
        (["NaN", " 1430000001 "], [NO_TIME, T + 1], "1 rows have no time"),
        (["", ""], [NO_TIME, NO_TIME], "2 rows have no time"),
    ],
)
def test_times_become_unix_seconds(home, stored, frame_of, cells, seconds, note):
    source = stored("user,item,time\n" + "".join(f"{row},5,{cell}\n" for row, cell in enumerate(cells)))
    assert [row[3] for row in frame_of(source)] == seconds
    notes = open_dataset(home, "tiny").info.notes
    assert any(note in told for told in notes) if note else not any("time" in told for told in notes[2:])


@pytest.mark.parametrize("kind", [pa.date32(), pa.date64()])
def test_parquet_dates_become_unix_seconds(stored, frame_of, kind):
    times = pa.array([datetime(2015, 4, 25), None], pa.timestamp("s")).cast(pa.date32()).cast(kind)
    content = parquet_of(pa.table({"user": [1, 2], "item": [5, 6], "time": times}))
    assert [row[3] for row in frame_of(stored(content, "t.parquet"))] == [1_429_920_000, NO_TIME]


def test_parquet_columns_of_every_honest_type_read_alike(stored, frame_of):
    moments = [datetime.fromtimestamp(T + row, UTC) for row in range(3)]
    expected = [(str(row), str(5 + row), "buy", T + row) for row in range(3)]
    users = (
        [0, 1, 2],
        [0.0, 1.0, 2.0],
        ["0", "1", "2"],
        pa.array([0, 1, 2], pa.uint8()),
        pa.array(["0", "1", "2"], pa.large_string()),
    )
    zoned = pa.array(moments, pa.timestamp("ns", "Europe/Berlin"))
    times = (
        [T, T + 1, T + 2],
        [T + 0.5, T + 1.0, T + 2.0],
        zoned,
        zoned.cast(pa.timestamp("s", "UTC")),
        zoned.cast(pa.int64()),
    )
    for user, time in zip(users, times, strict=True):
        item = pa.array(["5", "6", "7"]).dictionary_encode()
        source = stored(parquet(user=user, item=item, behavior=["buy"] * 3, ts=time), "t.parquet")
        assert frame_of(source) == expected


def test_one_long_value_under_many_rows_is_not_unpacked(home, stored):
    rows, long = 1_009, "x" * (1 << 20)
    note = pa.DictionaryArray.from_arrays(pa.array(np.zeros(rows, np.int32)), pa.array([long]))
    ids, parts = pa.array(np.arange(rows)), pa.array([[long], *[None] * (rows - 1)])
    content = parquet_of(pa.table({"user": ids, "item": ids, "note": note, "parts": parts}))
    source = stored(content, "bomb.parquet")
    pool, before = pa.proxy_memory_pool(pa.default_memory_pool()), pa.default_memory_pool()
    pa.set_memory_pool(pool)
    try:
        seen = preview(source)
        import_dataset(home, "table", source, "tiny", split="as-given")
        with pytest.raises(DataError, match=r"column 'note' holds a value of 1,048,576 bytes.*with --map"):
            check_import(home, "table", source, "other", columns=ColumnMap("note", "item"), ids="text")
    finally:
        pa.set_memory_pool(before)
    assert pool.max_memory() < 32 << 20
    assert seen.columns == ("user", "item", "note", "parts")
    assert len(seen.rows) == SHOWN_ROWS
    assert seen.rows[3] == ("3", "3", "x" * 200, "(list)")


def test_repeated_texts_are_unpacked_a_few_rows_at_a_time(stored, frame_of, monkeypatch):
    monkeypatch.setattr(parquet_table, "_DECODED_BYTES", 700)
    names = [f"{letter * 200}" for letter in "abcde"]
    users = [names[row % 5] for row in range(31)]
    content = parquet_of(pa.table({"user": users, "item": [str(row) for row in range(31)]}))
    found = frame_of(stored(content, "t.parquet"), ids="text")
    assert found == sorted((user, str(row), "interaction") for row, user in enumerate(users))
    packed = stored(gzip.compress(content), "t.parquet.gz")
    assert frame_of(packed, ids="text") == found
    bad = parquet_of(pa.table({"user": users, "item": [*map(str, range(29)), "", "30"]}))
    with pytest.raises(DataError, match="row 30: item id is missing"):
        frame_of(stored(bad, "bad.parquet"), ids="text")


def test_too_little_memory_is_no_damage(stored, frame_of, monkeypatch):
    def full(*asked, **options):
        raise MemoryError("realloc of size 4294967296 failed")

    monkeypatch.setattr(parquet_table.pq, "ParquetFile", full)
    with pytest.raises(DataError, match=r"t\.parquet: does not fit into the memory"):
        frame_of(stored(parquet(user=[1], item=[2]), "t.parquet"))


def test_whole_numbers_in_other_forms_are_repaired_and_told(home, stored):
    source = stored("user,item\n1.0, 5\n2,6.\n007,5\n")
    info = import_dataset(home, "table", source, "tiny", split="as-given")
    assert "user: 2 ids written like 12.0, ' 12' or 012 were read as whole numbers" in info.notes
    assert "item: 2 ids written like 12.0, ' 12' or 012 were read as whole numbers" in info.notes
    assert open_dataset(home, "tiny").users()["original_id"].tolist() == ["1", "2", "7"]


def test_text_ids_are_trimmed_and_sorted(home, stored):
    text = "user,item\nzoë,b 1\n anna ,9\nanna,10\nnana,9\n"
    info = import_dataset(home, "table", stored(text), "tiny", ids="text", split="as-given")
    assert open_dataset(home, "tiny").users()["original_id"].tolist() == ["anna", "nana", "zoë"]
    assert open_dataset(home, "tiny").items()["original_id"].tolist() == ["10", "9", "b 1"]
    assert "user: 1 ids lost spaces around them or a trailing '.0'" in info.notes


REFUSED = [
    ("", "is empty"),
    ("\n\n", "is empty"),
    ("user,item\n", "has no rows"),
    ("user,item", "has no rows below its header"),
    ("abc\n1\n", "the first row has one column only"),
    ("user;item,x\n", "no column is clearly"),
    ("1,5\n1,6\n", r"the first row \(1, 5\) looks like data"),
    ("user,price\n1,5\n", "no column is clearly the item; its columns are: user, price; .*--map"),
    (
        "user,uid,item\n1,1,5\n",
        r"several columns may be the user \(user, uid\); its columns are: user, uid, item",
    ),
    ("user,item,item\n1,5,6\n", "several columns may be the item"),
    ("user,item\n1,5\n2\n", r"row 3: has 1 columns where the header has 2 \(user, item\)"),
    ("user,item\n1,5\n\n2,6,7\n", "row 4: has 3 columns"),
    ('user,item,t\n1,5,"a\nb"\n2,6\n', "row 4: has 2 columns"),
    (
        "user,item\n1,5\nanna,6\n",
        "row 3: user id 'anna' is no whole number; read ids as text with --ids text",
    ),
    ("user,item\n1,5\n2,\n", r"row 3: item id is missing \(empty\); fill it or remove the row"),
    ("user,item\n1,5\nNaN,6\n", r"row 3: user id is missing \(NaN\)"),
    ("user,item\n1,5\n-2,6\n", "row 3: user id '-2' is negative"),
    ("user,item\n1,5\n1.5,6\n", "row 3: user id '1.5' is no whole number; choose the column that holds ids"),
    ("user,item\n1,5\n1e30,6\n", "row 3: user id '1e30' is too large"),
    ("user,item\n1,5\n9223372036854775808,6\n", "row 3: user id '9223372036854775808' is too large"),
    ("user,item\n1,5\n0x1F,6\n", "row 3: user id '0x1F' is no whole number"),
    ("user,item\n1,5\n٣,6\n", "row 3: user id '٣' is no whole number"),
    ('user,item,t\n1,5,"a\n\nb"\n\nx,6,\n', "row 6: user id 'x'"),
    ("user,item,event\n1,5,buy\n1,6,\n", "row 3: behavior is missing"),
    ("user,item,event\n1,5,buy\n1,6,购买\n", "row 3: behavior '购买' holds no letter"),
    (
        "user,item,event\n1,5,buy\n1,6,Buy\n",
        "row 3: behaviors 'buy' and 'Buy' would both be called buy; rename",
    ),
    ("user,item,event\n1,5,1\n1,6,-1\n", "row 3: behaviors '1' and '-1' would both be called behavior_1"),
    ("user,item,event\n" + "".join(f"1,5,e{n}\n" for n in range(60)), "row 52: .*more than 50 different"),
    (
        "user,item,event\n1,5,view\n1,6,cart\n",
        r"several behaviors \(cart, view\) and none is called 'buy'; .*--target",
    ),
    (
        "user,item,time\n1,5,7\n1,6,soon\n",
        "row 3: time 'soon' differs in form from those before",
    ),
    ("user,item,time\n1,5,soon\n", "row 2: time 'soon' cannot be read; expected unix seconds"),
    ("user,item,time\n1,5,2015-04-25\n1,5,2015-13-25\n", "row 3: time '2015-13-25' cannot be read"),
    ("user,item,time\n1,5,2015-04-25\n1,5,1430000000\n", "row 3: time '1430000000' differs in form"),
    ("user,item,time\n1,5,-7\n", "row 2: time '-7' is negative"),
    ("user,item,time\n1,5,1960-01-01\n", "row 2: time lies before 1970"),
    (
        "user,item,time\n1,5,1430000000\n1,6,1430000000000\n",
        "row 3: time 1430000000000 is of the size of milliseconds",
    ),
    ("user,item,time\n1,5,1e60\n", "row 2: time '1e60' is out of range"),
    ("user,item\n1,\udcff\n".encode("utf-8", "surrogateescape"), "is no UTF-8 text; save it as CSV in UTF-8"),
    ("user,item\nzoë,5\n".encode("latin-1"), "is no UTF-8 text"),
    ("user,item\n1,5\n".encode("utf-16"), "is no UTF-8 text"),
    (b"\x00\x01\x02\x03" * 50, "is no UTF-8 text"),
    ("user,item\n1,5\n1,5\n", "no user has two 'interaction' pairs"),
    (gzip.compress(EVENTS.encode(), mtime=0)[:60], "is truncated or damaged"),
    (b"\x1f\x8b" + b"\x00" * 20, "is truncated or damaged"),
    (b"PAR1" + b"\x00" * 20, "is truncated or damaged Parquet"),
    (parquet(user=[1, 2], item=[5, 6])[:-9], "is truncated or damaged Parquet"),
    (parquet(user=[1, 2, 3], item=[5, None, 6]), r"row 2: item id is missing \(empty\)"),
    (parquet(user=[1, 2, 3], item=[5.0, 6.0, float("nan")]), r"row 3: item id is missing \(nan\)"),
    (parquet(user=[1, 2, 3, -1], item=[5] * 4), "row 4: user id '-1' is negative"),
    (parquet(user=[1.0, 2.5], item=[5] * 2), "row 2: user id '2.5' is no whole number"),
    (parquet(user=[1.0, 1e17], item=[5] * 2), r"row 2: user id '1e\+17' is too large to be exact"),
    (parquet(user=[True, False], item=[5] * 2), "row 1: user column holds bool values, expected ids"),
    (parquet(user=[[1], [2]], item=[5] * 2), "column 'user' holds list"),
    (
        parquet(user=pa.array([1, 2**63], pa.uint64()), item=[5] * 2),
        "row 2: user id '9223372036854775808' is too",
    ),
    *(
        (
            parquet(user=[1, 2], item=[5, 6], time=pa.array([0, far], kind)),
            "row 2: time lies after the year 5138; correct it or leave it empty",
        )
        for far, kind in (
            (10**11, pa.timestamp("s")),
            (2**52, pa.timestamp("s", "UTC")),
            (10**14, pa.timestamp("ms")),
            (10**17, pa.timestamp("us")),
            (6_585_500, pa.date32()),
            (568_971_820_800_000, pa.date64()),
        )
    ),
    ("user,item,time\n1,5,5138-01-01\n1,6,5139-01-01\n", "row 3: time lies after the year 5138"),
    (parquet(user=[1, 2], item=[5, 6], time=[True, False]), "row 1: time column holds bool values"),
    (parquet(user=pa.array([], pa.int64()), item=pa.array([], pa.int64())), "has no rows"),
    (
        zipped(**{"a.csv": b"user,item\n", "b.csv": b"user,item\n"}),
        r"holds 2 files \(a.csv, b.csv\), expected exactly one",
    ),
    (zipped(), r"holds 0 files \(nothing\)"),
    (zipped(**{"../a.csv": b"user,item\n"}), r"the member '../a.csv' points outside of the archive"),
    (zipped(**{"/etc/a.csv": b"user,item\n"}), r"the member '/etc/a.csv' points outside"),
    (zipped(**{"C:\\a.csv": b"user,item\n"}), "points outside"),
    (zipped(**{"a.csv.gz": gzip.compress(EVENTS.encode(), mtime=0)}), "is no UTF-8 text"),
    (zipped(**{"a.csv": EVENTS.encode()})[:-30], "is no readable zip archive"),
]


@pytest.mark.parametrize(("content", "message"), REFUSED)
def test_bad_tables_are_refused_and_leave_nothing(home, stored, content, message):
    source = stored(content, "bad.csv")
    for act in (import_dataset, check_import):
        with pytest.raises(DataError, match=message) as caught:
            act(home, "table", source, "tiny")
        assert "bad.csv" in str(caught.value) or "no user has two" in str(caught.value)
    assert left_behind(home) == []


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        (
            {"columns": ColumnMap("nobody", "itemid")},
            "has no column 'nobody' for the user; its columns are: visitorid",
        ),
        ({"columns": ColumnMap("visitorid", "visitorid")}, "one column is mapped twice"),
        (
            {"target": "share"},
            "no rows of the target behavior 'share'; found: add_to_cart, buy, view; .*--target",
        ),
        ({"behaviors": ["share", "buy"]}, "no rows of the behavior 'share'; found: .*; correct --behaviors"),
        ({"target": "Buy It"}, "behavior 'Buy It' is not allowed"),
        ({"max_mb": 0}, "--max-size 0: expected a whole number"),
        ({"ids": "text", "layout": "behavior-text"}, "has no columns to map and whole-number ids"),
        ({"name": "../../x"}, "data set name '../../x' is not allowed"),
    ],
)
def test_bad_requests_are_refused_and_leave_nothing(home, stored, asked, message):
    request = {"layout": "table", "name": "tiny", **asked}
    with pytest.raises(DataError, match=message):
        import_dataset(home, request.pop("layout"), stored(EVENTS), request.pop("name"), **request)
    assert left_behind(home) == []


@pytest.mark.parametrize("text", ["", " ", "nan", "NaN", "null", "NULL", "none", "None", "NA", "n/a", "<NA>"])
def test_texts_that_mean_missing_are_refused_as_ids(home, stored, text):
    source = stored(f"user,item\na,5\nb,{text}\n")
    told = rf"row 3: item id is missing \({re.escape(text.strip()) or 'empty'}\); fill it or remove the row"
    with pytest.raises(DataError, match=told):
        import_dataset(home, "table", source, "tiny", ids="text")
    atomic = stored(f"user_id:token\titem_id:token\na\t5\nb\t{text}\n", "t.inter")
    with pytest.raises(DataError, match=told):
        import_dataset(home, "recbole", atomic, "tiny")


def test_folders_and_spreadsheets_are_told_from_tables(home, stored, tmp_path):
    with pytest.raises(DataError, match="is a folder, expected a file"):
        import_dataset(home, "table", tmp_path, "tiny")
    with pytest.raises(DataError, match="is a spreadsheet; save it as CSV"):
        import_dataset(home, "table", stored(zipped(**{"xl/workbook.xml": b"<x/>"}), "a.xlsx"), "tiny")


def test_a_locked_archive_is_refused(home, stored):
    content = bytearray(zipped(**{"a.csv": EVENTS.encode()}))
    for mark, place in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        content[content.find(mark) + place] |= 1
    with pytest.raises(DataError, match="is encrypted; pack the table without a password"):
        import_dataset(home, "table", stored(bytes(content), "locked.zip"), "tiny")


@pytest.mark.parametrize(
    "name", ["a.csv", "a.tsv", "a.txt", "a.parquet", "a.pq", "a.csv.gz", "A.TSV.GZ", "a.zip"]
)
def test_a_table_is_detected_by_its_name(stored, name):
    assert detect_layout(stored("", name)) == "table"


def test_a_truncated_table_of_any_length_reads_or_is_refused(home, stored):
    for content in (
        gzip.compress(EVENTS.encode(), mtime=0),
        zipped(**{"a.csv": EVENTS.encode()}),
        parquet(user=[1, 1, 1], item=[5, 6, 7]),
    ):
        for length in range(0, len(content), 7):
            with pytest.raises(DataError, match=r"cut\.csv"):
                import_dataset(home, "table", stored(content[:length], "cut.csv"), "tiny")
    assert left_behind(home) == []


def test_the_dry_run_tells_what_the_import_does(home, stored):
    source = stored(EVENTS + "10,7,view,1430000000\n")
    report = check_import(home, "auto", source, "tiny")
    assert left_behind(home) == []
    info = import_dataset(home, "auto", source, "tiny")
    assert (report.layout, report.users, report.items) == ("table", info.num_users, info.num_items)
    assert (report.behaviors, report.notes, report.split_rule) == (
        info.behaviors,
        info.notes,
        info.split_rule,
    )
    assert report.pairs == {
        "add_to_cart": {"train": 1},
        "view": {"train": 1},
        "buy": {"train": 2, "valid": 1, "test": 1},
    }
    assert "view: 1 repeated pairs removed" in report.notes
    with pytest.raises(DataError, match="exists"):
        check_import(home, "auto", source, "tiny")


def test_progress_rises_to_one_in_sentences(home, stored, monkeypatch):
    monkeypatch.setattr(text_table, "_BLOCK", 1 << 14)
    monkeypatch.setattr(text_table, "_BATCH_ROWS", 1 << 12)
    told: list[tuple[float, str]] = []
    import_dataset(
        home,
        "auto",
        stored(EVENTS + EVENTS[33:] * 10_000),
        "tiny",
        progress=lambda share, text: told.append((share, text)),
    )
    shares = [share for share, _ in told]
    assert shares == sorted(shares)
    assert shares[-1] == 1.0
    assert len({text.split()[0] for _, text in told}) >= 3
    assert any(0 < share < 0.7 for share in shares)


@pytest.mark.parametrize("seed", range(30))
@pytest.mark.parametrize("form", ["csv", "parquet"])
def test_random_tables_read_like_a_plain_loop(home, stored, frame_of, monkeypatch, seed, form):
    """Small blocks put borders of batches everywhere; the loop knows nothing of batches, codes or Arrow."""
    monkeypatch.setattr(text_table, "_BLOCK", 256)
    monkeypatch.setattr(text_table, "_BATCH_ROWS", 5)
    monkeypatch.setattr(parquet_table, "_BATCH_ROWS", 5)
    monkeypatch.setattr("core.data.importers.identities._MERGE_FROM", 3)
    rng = random.Random(seed)
    as_text = rng.random() < 0.5
    wanted = rng.choice([None, ["view", "buy"], ["buy"]])
    largest = rng.choice([9, 2**40])
    records = [
        (
            f"u{rng.randrange(9)}" if as_text else str(rng.randrange(largest)),
            f"é {rng.randrange(11)}" if as_text else str(rng.randrange(13)),
            rng.choice(["view", "Buy", "PV"]),
            str(T + rng.randrange(100)),
        )
        for _ in range(60)
    ] + [("u1" if as_text else "1", "é 1" if as_text else "1", "Buy", str(T))]
    rng.shuffle(records)
    expected = sorted(
        (user, item, behavior.lower(), int(time))
        for user, item, behavior, time in records
        if wanted is None or behavior.lower() in wanted
    )
    if form == "csv":
        file = io.StringIO(newline="")
        writer = csv.writer(
            file, delimiter=rng.choice(",;\t|"), quoting=rng.choice([csv.QUOTE_ALL, csv.QUOTE_MINIMAL])
        )
        writer.writerows([("user_id", "item_id", "event", "ts"), *records])
        source = stored(file.getvalue())
    else:
        columns = dict(
            zip(("user_id", "item_id", "event", "ts"), map(list, zip(*records, strict=True)), strict=True)
        )
        source = stored(parquet(**columns), "t.parquet")
    ids = "text" if as_text else "whole"
    assert frame_of(source, ids=ids, behaviors=wanted) == expected
