"""Which column is what: names, content, and the mapping typed on the command line."""

import pytest

from core.data.importers.columns import ColumnMap, detected_map, parse_map, unread_note
from core.data.importers.labels import label_of
from core.errors import DataError

IDS, WORDS = ["1", "2"], ["anna", "bert"]
EVENTS, DATES, SECONDS = (
    ["view", "Add To Cart"],
    ["2015-04-25", "2015-04-26T10:00:00Z"],
    ["1430000000", "1430000009"],
)
PRICES = ["9.99", "5"]


@pytest.mark.parametrize(
    ("columns", "expected"),
    [
        (
            "timestamp visitorid event itemid transactionid",
            ColumnMap("visitorid", "itemid", "event", "timestamp"),
        ),
        ("userId movieId rating timestamp", ColumnMap("userId", "movieId", None, "timestamp")),
        (
            "user_id item_id cat_id seller_id time_stamp action_type",
            ColumnMap("user_id", "item_id", "action_type", "time_stamp"),
        ),
        (
            "event_time event_type product_id category_id brand price user_id user_session",
            ColumnMap("user_id", "product_id", "event_type", "event_time"),
        ),
        ("Customer-ID SKU", ColumnMap("Customer-ID", "SKU")),
        ("reviewerID asin overall unixReviewTime", ColumnMap("reviewerID", "asin", None, "unixReviewTime")),
        (
            "user_id:token item_id:token timestamp:float",
            ColumnMap("user_id:token", "item_id:token", None, "timestamp:float"),
        ),
    ],
)
def test_names_in_use_are_known(columns, expected):
    names = columns.split()
    mapping, note = detected_map("t.csv", names, [PRICES] * len(names))
    assert mapping == expected
    assert note.startswith("columns detected: user = ")


@pytest.mark.parametrize(
    ("columns", "samples", "expected"),
    [
        (["user", "item", "y"], [WORDS, IDS, EVENTS], ColumnMap("user", "item", "y")),
        (["user", "item", "y", "price"], [WORDS, IDS, EVENTS, PRICES], ColumnMap("user", "item", "y")),
        (["user", "item", "x"], [IDS, IDS, DATES], ColumnMap("user", "item", None, "x")),
        (["user", "item", "x"], [IDS, IDS, SECONDS], ColumnMap("user", "item", None, "x")),
        (["user", "item", "x"], [IDS, IDS, IDS], ColumnMap("user", "item")),
        (["user", "item", "x", "y"], [IDS, IDS, DATES, SECONDS], ColumnMap("user", "item")),
        (["user", "item", "x"], [IDS, IDS, ["", ""]], ColumnMap("user", "item")),
    ],
)
def test_content_decides_where_one_column_alone_fits(columns, samples, expected):
    mapping, note = detected_map("t.csv", columns, samples)
    assert mapping == expected
    found = set(mapping.roles.values()) - {"user", "item"}
    assert all(f"= {name} (by its content)" in note for name in found)


@pytest.mark.parametrize(
    ("columns", "samples", "message"),
    [
        (["a", "b"], [IDS, IDS], "t.csv: no column is clearly the user; its columns are: a, b; .*--map"),
        (["user", "x"], [IDS, IDS], "no column is clearly the item; its columns are: user, x; .*--map"),
        (["x", "item", "y"], [WORDS, IDS, EVENTS], "no column is clearly the user"),
        (
            ["user", "customer", "item"],
            [IDS, IDS, IDS],
            r"several columns may be the user \(user, customer\)",
        ),
        (["user", "item", "date", "ts"], [IDS] * 4, r"several columns may be the time \(date, ts\)"),
        (["user", "user", "item"], [IDS] * 3, "several columns may be the user"),
        (["7", "8.5", "-3"], [IDS] * 3, "looks like data, not like names of columns; add a first row"),
        (["A2132", "B00SKUB15", "5.0", "item"], [IDS] * 4, "looks like data"),
        (["", ""], [IDS] * 2, r"its columns are: \(no name\), \(no name\)"),
        ([f"c{n}" for n in range(40)], [IDS] * 40, "c29, and 10 more"),
    ],
)
def test_open_choices_are_refused_with_the_columns(columns, samples, message):
    with pytest.raises(DataError, match=message):
        detected_map("t.csv", columns, samples)


def test_a_typed_mapping_is_parsed():
    assert parse_map("user=a,item=b") == ColumnMap("a", "b")
    assert parse_map(" item=b c, user=a=d,behaviour=e ,time=f") == ColumnMap("a=d", "b c", "e", "f")


def test_repeated_mappings_name_columns_with_commas():
    assert parse_map(["user=who, really", "behaviour=a,b=c", "item= x"]) == ColumnMap(
        "who, really", " x", "a,b=c"
    )
    assert parse_map(["user=a,item=b"]) == ColumnMap("a", "b")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (["user=a,item=b", "time=c"], "names no item column; .*repeat it with one ROLE=COL each"),
        (["user=a", "user=b"], "cannot read 'user=b'"),
        (["user=a", "item"], "cannot read 'item'"),
        ("", "cannot read ''; expected user=COL,item=COL"),
        ("user=a", "names no item column"),
        ("item=a,time=b", "names no user column"),
        ("user=a,item=b,price=c", "cannot read 'price=c'"),
        ("user=a,user=b,item=c", "cannot read 'user=b'"),
        ("user=a,item=", "cannot read 'item='"),
        ("user=a,item", "cannot read 'item'"),
    ],
)
def test_a_bad_mapping_is_refused(text, message):
    with pytest.raises(DataError, match=message):
        parse_map(text)


@pytest.mark.parametrize(
    ("value", "label"),
    [
        ("view", "view"),
        ("Add To Cart", "add_to_cart"),
        ("AddToCart", "add_to_cart"),
        ("PV", "pv"),
        ("add-to-cart!", "add_to_cart"),
        (" Événement ", "evenement"),
        ("1", "behavior_1"),
        ("1.0", "behavior_1"),
        ("2nd view", "2nd_view"),
        ("购买", ""),
        ("!?", ""),
        ("", ""),
    ],
)
def test_labels_are_what_can_name_a_behavior(value, label):
    assert label_of(value) == label


@pytest.mark.parametrize(
    ("columns", "mapping", "expected"),
    [
        ("user item", ColumnMap("user", "item"), ""),
        ("user item price", ColumnMap("user", "item"), "not read: price"),
        (
            "userId movieId rating timestamp",
            ColumnMap("userId", "movieId", None, "timestamp"),
            "not read: rating; low values of rating count as interactions too: filter the file if they should not",
        ),
        ("user item rating event", ColumnMap("user", "item", "event"), "not read: rating"),
        (
            "u i overall:float x",
            ColumnMap("u", "i"),
            "not read: overall:float, x; low values of overall count as interactions too: filter the file if they should "
            "not",
        ),
        (
            "user item Book-Rating",
            ColumnMap("user", "item"),
            "not read: Book-Rating; low values of Book-Rating count as interactions too: filter the file if they should "
            "not",
        ),
    ],
)
def test_columns_that_nobody_reads_are_named(columns, mapping, expected):
    assert unread_note(columns.split(), mapping) == expected
