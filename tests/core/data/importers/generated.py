"""Generated sources for every layout that is read without pickles: mostly sound, with now and then something wrong."""

import gzip
import io
import zipfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from hypothesis import strategies as st

from core.data.importers.columns import ColumnMap

MAX_MB = 1
T = 1_430_000_000


@dataclass(frozen=True)
class Source:
    """One generated source: file name -> content, and what is asked of the import. alone: a file, not a folder."""

    files: dict[str, bytes]
    alone: bool
    layout: str = "auto"
    asked: dict[str, Any] = field(default_factory=dict)

    def write(self, folder: Path) -> Path:
        """Store the files below `folder`; the path to import."""
        for name, content in self.files.items():
            (folder / name).write_bytes(content)
        return folder / next(iter(self.files)) if self.alone else folder


def usually(common: Any, rare: Any, one_in: int = 10) -> Any:
    """`common`, and once in a while `rare`, so that most sources get far before something is wrong with them."""
    return st.integers(1, one_in).flatmap(lambda number: rare if number == one_in else common)


def one_of(*values: Any) -> Any:
    return st.sampled_from(values)


def nine(values: Any) -> Any:
    return st.lists(values, min_size=9, max_size=9)


ODD_IDS = one_of(
    "", "NaN", "-1", "1.0", "1.5", " 7", "007", "1e9", "9" * 19, "9" * 30, "anna", "zoë", "0x1F", '"', "\x00"
)
ODD_BEHAVIORS = one_of("Add To Cart", "Buy", "1", "-1", "", "购买", "x" * 90)
ODD_TIMES = one_of(
    "1430000000000", "2015-04-25", "2015-04-25T10:00:00Z", "20150425", "-5", "", "soon", "1e9", "1e60", "nan"
)
CELLS = {
    "user": usually(st.integers(0, 5).map(str), st.one_of(ODD_IDS, st.text(max_size=5)), 60),
    "item": usually(st.integers(0, 9).map(str), st.one_of(ODD_IDS, st.text(max_size=5)), 60),
    "event": usually(one_of("buy", "view"), st.one_of(ODD_BEHAVIORS, st.text(max_size=5)), 60),
    "time": usually(st.integers(T, T + 9).map(str), st.one_of(ODD_TIMES, st.integers(0, 2**63).map(str)), 60),
}
NAMES = st.one_of(
    one_of("user", "item", "event", "time", "user_id", "uid", "product", "rating", "", "a", "label"),
    st.text(max_size=4),
)
HEADERS = usually(st.just(list(CELLS)), st.lists(NAMES, max_size=6), 6)
GOOD_COLUMNS = {
    "user": nine(st.integers(0, 3)).map(pa.array),
    "item": nine(st.integers(0, 9).map(float)).map(pa.array),
    "event": nine(one_of("buy", "view")).map(lambda values: pa.array(values).dictionary_encode()),
    "time": nine(st.integers(0, 2**30)).map(lambda values: pa.array(values, pa.timestamp("s", "UTC"))),
}
ODD_COLUMNS = st.one_of(
    nine(st.one_of(st.none(), st.integers(-1, 2**40))).map(lambda values: pa.array(values, pa.int64())),
    nine(st.one_of(st.none(), st.floats(width=64))).map(lambda values: pa.array(values, pa.float64())),
    nine(st.integers(0, 2**64 - 1)).map(lambda values: pa.array(values, pa.uint64())),
    nine(CELLS["user"].filter(str.isprintable)).map(lambda values: pa.array(values, pa.large_string())),
    nine(st.integers(0, 2**40)).map(lambda values: pa.array(values, pa.timestamp("ms"))),
    nine(st.integers(-9, 40_000)).map(lambda values: pa.array(values, pa.date32())),
    st.just(pa.array([[1], [2], None] * 3)),
    st.just(pa.array([{"a": 1}] * 9)),
    st.just(pa.array([b"\xff"] * 9)),
    st.just(pa.array([True, False, None] * 3)),
    st.just(pa.nulls(9)),
)
MAPS = usually(
    st.none(),
    st.one_of(
        st.just(ColumnMap("user", "item")),
        st.builds(ColumnMap, NAMES, NAMES, st.one_of(st.none(), NAMES), st.one_of(st.none(), NAMES)),
    ),
    6,
)
PLAIN_ASKED = {
    "behaviors": usually(st.none(), one_of(["view", "buy"], ["buy"], ["nothing"]), 6),
    "target": usually(st.none(), one_of("buy", "view", "interaction"), 6),
    "split": one_of(None, "as-given", "last", "random"),
}
TABLE_ASKED = {"columns": MAPS, **PLAIN_ASKED}


@st.composite
def mangled(draw: st.DrawFn, contents: st.SearchStrategy[bytes]) -> bytes:
    """`contents` as they are, or cut, with bytes changed, put in or left out, or repeated."""
    content = draw(contents)
    way = draw(usually(st.just("not"), one_of("cut", "change", "insert", "repeat", "drop"), 4))
    place = draw(st.integers(0, max(0, len(content) - 1)))
    piece = draw(st.binary(min_size=1, max_size=8))
    if way == "cut":
        return content[:place]
    if way == "change":
        return content[:place] + piece + content[place + len(piece) :]
    if way == "insert":
        return content[:place] + piece + content[place:]
    if way == "drop":
        return content[:place] + content[place + len(piece) :]
    return content * 2 if way == "repeat" else content


@st.composite
def delimited_texts(draw: st.DrawFn) -> bytes:
    """A table as text in some dialect; now and then an odd row, odd line ends or another encoding."""
    header = draw(HEADERS)
    row = st.tuples(*(CELLS.get(name, st.text(max_size=4)) for name in header)).map(list)
    rows = draw(st.lists(row, max_size=20))
    rows += draw(usually(st.just([]), st.lists(st.lists(st.text(max_size=3), max_size=5), max_size=1)))
    separator = draw(one_of(",", ";", "\t", "|"))
    quote = draw(st.booleans())
    lines = [
        separator.join('"' + cell.replace('"', '""') + '"' if quote else cell for cell in cells)
        for cells in [header, *rows]
    ]
    newline = draw(usually(one_of("\n", "\r\n"), one_of("\r", "\n\n")))
    blank_lines = draw(usually(st.just(0), st.integers(1, 3), 6))
    text = draw(one_of("", "\ufeff")) + newline * blank_lines + newline.join(lines)
    return text.encode(draw(usually(st.just("utf-8"), one_of("utf-16", "utf-8-sig"))), "surrogatepass")


@st.composite
def parquets(draw: st.DrawFn) -> bytes:
    """A Parquet file of nine rows with columns of any type under telling and other names."""
    names = draw(usually(st.just(list(GOOD_COLUMNS)), st.lists(NAMES, min_size=1, max_size=5), 6))
    columns = [draw(usually(GOOD_COLUMNS.get(name, ODD_COLUMNS), ODD_COLUMNS, 15)) for name in names]
    file = io.BytesIO()
    pq.write_table(pa.Table.from_arrays(columns, names=names), file)
    return file.getvalue()


def zipped(name: str, content: bytes) -> bytes:
    """An archive of one member."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(name, content)
    return file.getvalue()


@st.composite
def table_sources(draw: st.DrawFn) -> Source:
    """A table of any form, packing and damage; the layout is named, since the file's name may not tell it."""
    text, binary, noise = delimited_texts(), parquets(), st.binary(max_size=60)
    plain = mangled(usually(st.one_of(text, text, binary), noise, 25))
    members = usually(st.just("a.csv"), one_of("../a.csv", "/a.csv", "b/c", "C:\\x", "a/", "__MACOSX/a"), 4)
    packed = st.one_of(mangled(plain.map(gzip.compress)), mangled(st.builds(zipped, members, plain)))
    name = draw(one_of("t.csv", "t.tsv", "t.parquet", "t.csv.gz", "t.zip", "t"))
    asked = draw(st.fixed_dictionaries({**TABLE_ASKED, "ids": one_of("whole", "text")}))
    return Source({name: draw(usually(plain, packed, 3))}, alone=True, layout="table", asked=asked)


@st.composite
def recbole_sources(draw: st.DrawFn) -> Source:
    """Atomic files, whole or as a benchmark split, with or without an item file of odd titles."""
    typed = ("user_id:token\titem_id:token\ttimestamp:float", "user_id:token\titem_id:token\tlabel:float")
    odd_header = one_of("user_id\titem_id\ttime", "u:token\ti:tok\tx:float", "user_id:token")
    header = draw(usually(one_of(*typed), odd_header))
    token = usually(one_of("a", "b", "c"), st.one_of(one_of("", '"', "x y"), st.text(max_size=4)), 60)
    number = usually(one_of("1", "0", "7.5"), one_of("", "x", "-1", "nan"), 60)
    row = st.tuples(token, token, number).map("\t".join)
    described = st.tuples(token, st.text(max_size=9), st.text(max_size=5)).map("\t".join)

    def file(first: str, rows: Any) -> bytes:
        lines = st.lists(rows, min_size=1, max_size=12).map(lambda body: "\n".join([first, *body]))
        blank = draw(usually(st.just(""), one_of("\n", "\r\n\n"), 6))
        encoded = lines.map(lambda text: (blank + text).encode("utf-8", "surrogatepass"))
        content: bytes = draw(mangled(encoded))
        return content

    parts = ["n.train.inter", "n.valid.inter", "n.test.inter"]
    odd_names = one_of(["n.inter", "m.inter"], ["n.item"], ["n.train.inter"], [*parts, "m.test.inter"])
    names = draw(usually(one_of(["n.inter"], parts, [parts[0], parts[2]]), odd_names))
    files = {name: file(header, row) for name in names}
    if draw(st.booleans()):
        files["n.item"] = file("item_id:token\ttitle:token_seq\tclass:token_seq", described)
    asked = draw(st.fixed_dictionaries(TABLE_ASKED))
    return Source(files, alone=False, layout=draw(one_of("auto", "recbole")), asked=asked)


@st.composite
def pair_sources(draw: st.DrawFn) -> Source:
    """A folder of `user item` files, some of them damaged."""
    pairs = st.lists(st.tuples(st.integers(0, 5), st.integers(0, 5)), min_size=1, max_size=15)
    good = pairs.map(lambda rows: "".join(f"{user} {item}\n" for user, item in rows).encode())
    content = mangled(usually(good, st.binary(max_size=20), 25))
    names = ["train", *draw(st.lists(one_of("valid", "test", "view", "cart"), unique=True))]
    names = draw(usually(st.just(names), st.just([*names[1:], "Odd Name"]), 15))
    files = {f"{name}.txt": draw(content) for name in names}
    asked = draw(st.fixed_dictionaries(PLAIN_ASKED))
    return Source(files, alone=False, layout=draw(one_of("auto", "behavior-text")), asked=asked)


@st.composite
def matrices(draw: st.DrawFn) -> bytes:
    """A sparse matrix of 5 users and 7 items as a numpy archive; now and then a part is odd or missing."""
    count = draw(st.integers(1, 15))
    value = usually(one_of(1, T), one_of(0, -1, 2**40), 60)
    arrays = {
        "format": np.array(draw(usually(st.just(b"coo"), one_of(b"csr", b"dia"), 20))),
        "shape": np.array(draw(usually(st.just((5, 7)), one_of((3, 5), (2**31, 7), (-1, 7), (5,)), 20))),
        "row": np.array(draw(st.lists(st.integers(0, 4), min_size=count, max_size=count)), np.int32),
        "col": np.array(draw(st.lists(st.integers(0, 6), min_size=count, max_size=count)), np.int32),
        "data": np.array(draw(st.lists(value, min_size=count, max_size=count))),
    }
    left_out = draw(usually(st.just(""), one_of(*arrays), 20))
    file = io.BytesIO()
    np.savez_compressed(file, **{name: array for name, array in arrays.items() if name != left_out})
    return file.getvalue()


@st.composite
def matrix_sources(draw: st.DrawFn) -> Source:
    """A folder of sparse matrices, some of them damaged or inconsistent."""
    names = ["train_mat_buy", *draw(st.lists(one_of("train_mat_view", "test_mat", "valid_mat"), unique=True))]
    names = draw(usually(st.just(names), st.just([*names[1:], "train_mat_Ä"]), 15))
    files = {f"{name}.npz": draw(mangled(matrices())) for name in names}
    asked = draw(st.fixed_dictionaries(PLAIN_ASKED))
    return Source(files, alone=False, layout=draw(one_of("auto", "behavior-npz")), asked=asked)


SOURCES = {
    "table": table_sources(),
    "recbole": recbole_sources(),
    "behavior-text": pair_sources(),
    "behavior-npz": matrix_sources(),
}
