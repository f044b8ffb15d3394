"""Metapaths as typed, and what they mean among the relations of a graph."""

import pytest

from core.data.hetero import Metapath, Relation
from core.data.importers.walks import MOST_STEPS, default_walks, parse_walks, resolved, written
from core.errors import DataError

BY, SHOWS = Relation("paper", "by", "author"), Relation("venue", "shows", "paper")
CITES, QUOTES = Relation("paper", "cites", "paper"), Relation("paper", "quotes", "paper")


def walks(typed: str, *relations: Relation) -> dict[str, Metapath]:
    return resolved(parse_walks(typed), relations or (BY, SHOWS), "paper")


def test_relations_are_found_where_one_alone_joins_two_types():
    found = walks("PAP=paper,author,paper; PVPAP = paper , venue, paper,author,paper;")
    assert found == {
        "PAP": Metapath(("paper", "author", "paper"), ("by", "by")),
        "PVPAP": Metapath(("paper", "venue", "paper", "author", "paper"), ("shows", "shows", "by", "by")),
    }


def test_relations_are_named_where_several_join_two_types():
    found = walks("PP=paper:cites:paper:quotes:paper,author,paper", BY, CITES, QUOTES)
    assert found["PP"].relations == ("cites", "quotes", "by", "by")
    with pytest.raises(
        DataError,
        match="cites and quotes both join paper and paper; say which in --metapaths, as in paper:cites:paper",
    ):
        walks("PP=paper,paper", BY, CITES, QUOTES)


def test_what_is_written_is_read_again():
    relations = (BY, SHOWS, CITES, QUOTES)
    found = walks("A=paper,author,paper:quotes:paper; B=paper:cites:paper,venue,paper", *relations)
    assert written(found, relations) == "A=paper,author,paper:quotes:paper; B=paper:cites:paper,venue,paper"
    assert walks(written(found, relations), *relations) == found


def test_by_default_every_relation_of_the_target_is_walked_there_and_back():
    found = default_walks(
        (BY, Relation("paper", "in", "area"), SHOWS, CITES, Relation("venue", "of", "area")), "paper"
    )
    assert {name: walk.relations for name, walk in found.items()} == {
        "by": ("by", "by"),  # two would be called PAP
        "in": ("in", "in"),
        "PVP": ("shows", "shows"),
        "PP": ("cites",),
    }


@pytest.mark.parametrize(
    ("typed", "message"),
    [
        ("PAP", "metapaths 'PAP': cannot read 'PAP'; expected 'PAP=paper,author,paper"),
        ("PAP=", "cannot read 'PAP='"),
        (" ; ", "names none"),
        ("A=paper,author,paper; A=paper,venue,paper", "names A twice; rename one"),
        ("A=paper,,paper", "metapath A: cannot read ''; expected a type, or type:relation:type"),
        ("A=paper:by,paper", "metapath A: cannot read 'paper:by'"),
        ("A=paper", "metapath A: goes over 1 types, expected 2 to 9"),
        ("A=" + ",".join(["paper"] * (MOST_STEPS + 2)), "goes over 10 types"),
        ("A-B=paper,author,paper", "metapath 'A-B' is not allowed as a name"),
        (
            "; ".join(f"A{n}=paper,author,paper" for n in range(21)),
            "21 metapaths are more than the 20 allowed",
        ),
        (
            "A=author,paper,author",
            "goes from author to author, expected from paper back to paper, the target type",
        ),
        (
            "A=paper,writer,paper",
            "no relation joins paper and writer; the relations are: paper-by-author, venue-shows-paper",
        ),
        ("A=paper:in:author,paper", "no relation called 'in' joins paper and author"),
    ],
)
def test_what_cannot_be_walked_is_told(typed, message):
    with pytest.raises(DataError, match=message) as caught:
        walks(typed)
    assert "--metapaths" in str(caught.value)
