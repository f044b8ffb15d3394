"""What the Import page works out: names, funnels, what is missing, and remedies in its own words."""

import re
import shlex

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.arguments import parser_for
from core.cli import ACTS
from core.data.import_folder import ImportRequest, ImportSummary, Source
from core.data.importers.columns import parse_map
from core.home import Home
from dashboard import importing
from dashboard.navigation import ROOT


def origin(*names: str, path: str | None = None) -> Source:
    return Source(path=path, names=names, size=0)


@pytest.mark.parametrize(
    ("source", "taken", "name"),
    [
        (origin("Bestellungen_März_2024.csv"), set(), "bestellungen_marz_2024"),
        (origin("events.csv.gz"), {"events"}, "events-2"),
        (origin("events.tsv"), {"events", "events-2"}, "events-3"),
        (origin("view.txt", "train.txt"), set(), "uploaded"),
        (origin("x", path="/data/Tmall 2015"), set(), "tmall_2015"),
        (origin("x", path="/data/retail.v2.inter"), set(), "retail_v2"),
        (origin("日本.csv"), set(), "uploaded"),
        (origin("2024.csv"), set(), "2024"),
    ],
)
def test_a_name_is_suggested_that_can_be_taken(source, taken, name):
    assert importing.suggested_name(source, taken) == name


@given(st.text(min_size=1, max_size=90), st.booleans())
def test_any_file_name_suggests_an_allowed_name(tmp_path_factory, text, is_path):
    source = origin(text, path=f"/{text}" if is_path else None)
    name = importing.suggested_name(source, set())
    assert importing.name_complaint(Home(tmp_path_factory.getbasetemp()), name) == ""


@pytest.mark.parametrize("bad", ["../../x", "", "a/b", ".x", "x" * 81, "a b", "x..y"])
def test_a_name_that_cannot_be_a_folder_is_complained_about(tmp_path, bad):
    assert importing.name_complaint(Home(tmp_path), bad)
    request = ImportRequest(name=bad)
    (told,) = importing.problems(Home(tmp_path), request, mapped=False, target_known=True)
    assert told.startswith("Name: ")


@pytest.mark.parametrize(
    ("labels", "ordered", "target"),
    [
        (["buy", "add_to_cart", "view", "favorite"], ("view", "favorite", "add_to_cart", "buy"), "buy"),
        (["transaction", "addtocart", "view"], ("view", "addtocart", "transaction"), "transaction"),
        (["pv", "tip"], ("pv", "tip"), None),
        (["rating"], ("rating",), "rating"),
        (["view", "odd", "buy", ""], ("view", "odd", "buy"), "buy"),
        ([], (), None),
    ],
)
def test_behaviors_are_ordered_like_a_funnel(labels, ordered, target):
    found = importing.found_behaviors(labels)
    assert (found.labels, found.target) == (ordered, target)


def test_what_the_form_lacks_is_told_one_by_one(tmp_path):
    home = Home(tmp_path)
    home.dataset("old").mkdir(parents=True)
    request = ImportRequest(name="old", columns={"item": "x", "time": "x"})
    told = importing.problems(home, request, mapped=True, target_known=False)
    assert [line.split(":")[0][:30] for line in told] == [
        "Choose the column of the user.",
        "The column 'x' is chosen twice",
        "Choose the target",
        "There is a data set 'old' alre",
    ]
    fine = ImportRequest(name="old", columns={"user": "u", "item": "i"}, replace=True)
    assert importing.problems(home, fine, mapped=True, target_known=True) == []


@given(st.lists(st.sampled_from(["a", "a (2)", "a → user", " ", "", "b", "x" * 70]), max_size=7))
def test_headings_are_distinct_whatever_a_file_calls_its_columns(columns):
    shown = importing.headings(columns, {"a": "user"})
    assert len(set(shown)) == len(columns)
    assert all(heading.strip() for heading in shown)
    assert importing.headings(["Wann", "Wer"], {"Wer": "user"}) == ["Wann", "Wer → user"]


def test_counts_and_sentence_tell_the_same(tmp_path):
    pairs = {"view": {"train": 11}, "cart": {"train": 7}, "buy": {"train": 5, "valid": 3, "test": 2}}
    summary = ImportSummary(users=13, items=17, pairs=pairs, split_rule="last by time")
    table = importing.counts_table(summary)
    assert table.to_dict("list") == {
        "behaviour": ["view", "cart", "buy"],
        "training": [11, 7, 5],
        "validation": [0, 0, 3],
        "test": [0, 0, 2],
        "pairs": [11, 7, 10],
    }
    assert importing.summary_sentence(summary) == ("13 users, 17 items and 28 pairs under view, cart and buy")


@pytest.mark.parametrize(
    ("said", "shown"),
    [
        ("x; say which is which with --map user=COL,item=COL", "x; choose them below"),
        (
            "x; read ids as text with --ids text, or choose another column",
            "x; set 'Ids' to text, or choose another column",
        ),
        (
            "x; ids are whole numbers from 0 up, or use --ids text",
            "x; ids are whole numbers from 0 up, or set 'Ids' to text",
        ),
        ("x; name another with --target", "x; name another below"),
        ("x; correct --behaviors", "x; correct the behaviours below"),
        ("x; use --split random", "x; split by 'random'"),
        ("x; use --split as-given to keep", "x; split by 'as given, untouched' to keep"),
        ("x; choose another name or pass --replace", "x; choose another name or replace it"),
        (
            "f: fits no known layout; name one of table, behavior-text",
            "f: fits no known layout; choose the layout below",
        ),
        ("x; raise the limit with --max-size 300", "x; import it on the command line with --max-size 300"),
        (
            "layout table has no features to scale; leave out --features",
            "layout table has no features to scale; leave 'Features' as given",
        ),
        ("x; export it again", "x; export it again"),
    ],
)
def test_remedies_speak_of_the_form(said, shown):
    assert importing.in_form(said) == shown


def test_no_remedy_of_an_importer_keeps_an_option_of_the_command_line():
    folder = ROOT / "core" / "data"
    texts = [
        text
        for path in (*(folder / "importers").glob("*.py"), folder / "splits.py", folder / "writing.py")
        for text in re.findall(r'"([^"\n]*--[a-z][^"\n]*)"', path.read_text())
        if not re.match(r"--(map|max-size|target)\b", text) and "leave out --map and --ids" not in text
    ]
    assert len(texts) > 15
    for text in texts:
        assert "--" not in importing.in_form(text).replace("--max-size", ""), text


@pytest.mark.parametrize(
    "columns",
    [
        {"user": "Besucher", "item": "Artikel-Nr", "time": "Wann genau"},
        {"user": "who, really", "item": "what=which", "behavior": "a,b=c", "time": "'when'"},
        {"user": "who ", "item": " what"},
    ],
)
def test_the_command_says_what_the_form_says(columns):
    request = ImportRequest(
        layout="table",
        name="mine",
        columns=columns,
        ids="text",
        features="unit",
        behaviors=("view", "buy"),
        split="random",
        seed=7,
        replace=True,
    )
    words = shlex.split(importing.command(request, "März 2024.csv"))
    args = parser_for(ACTS).parse_args(words[3:])
    assert (args.layout, args.source, args.name, args.ids) == ("table", "März 2024.csv", "mine", "text")
    assert parse_map(args.map).roles == request.columns
    assert (args.behaviors, args.split, args.seed, args.replace) == ("view,buy", "random", 7, True)
    assert args.features == "unit"
    plain = importing.command(ImportRequest(name="mine", target="buy"), "/data/x.csv")
    assert plain == "python -m core import auto /data/x.csv --name mine --target buy"


@pytest.mark.parametrize(
    ("names", "alone"),
    [
        (["a.csv"], True),
        (["A.CSV.GZ"], True),
        (["a.inter"], True),
        (["train.txt"], False),
        (["a.csv", "b.csv"], False),
    ],
)
def test_a_single_table_is_read_at_once(names, alone):
    assert importing.is_table(names) == alone


def test_many_files_are_counted_not_listed():
    names = [f"train_mat_{letter}.npz" for letter in "abcdefghi"]
    said = importing.origin_sentence(Source(path=None, names=tuple(names), size=2_000_000), "behavior-npz")
    assert said.endswith("and 3 more, 2 MB, read as one sparse matrix per behaviour")
    assert importing.origin_sentence(origin("x", path="/data/x"), "table") == "/data/x, read as one table"
