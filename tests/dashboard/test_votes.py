"""Which path weighs most: votes, means, and ties told as ties."""

import numpy as np
import pytest

from core.findings import Axis, Finding, Kind
from dashboard import relations, votes

USERS = 3


def finding_of(values: np.ndarray) -> Finding:
    """Two behaviours, three users, one item; values: [start, node, relation]."""
    axes = (
        Axis.labelled("start", ("a", "b")),
        Axis.labelled("order", ("2",)),
        Axis.labelled("head", ("1",)),
        Axis("node", USERS + 1, groups={"user": (0, USERS), "item": (USERS, USERS + 1)}),
        Axis.labelled("relation", ("a", "b")),
    )
    stored = values.astype(np.float32)[:, None, None]
    return Finding("relation_attention", "t", "CIGF, Eq. 9", Kind.SIGNED, axes, stored)


def personal() -> Finding:
    """Users 0 and 1 lead with start b over a, user 2 with start a over a."""
    values = np.zeros((2, USERS + 1, 2))
    values[1, 0, 0] = values[1, 1, 0] = 2.0
    values[0, 2, 0] = 1.0
    return finding_of(values)


def shared_by_starts() -> Finding:
    """Every start weighs alike; users 0 and 1 prefer relation b, user 2 relation a."""
    values = np.zeros((2, USERS + 1, 2))
    values[:, :2, 1] = 0.3
    values[:, 2, 0] = 0.1
    return finding_of(values)


def test_the_vote_counts_the_nodes() -> None:
    vote = votes.vote(personal(), "user", "recursive")
    assert (vote.first.label, vote.first.share, vote.nodes) == ("a > b", pytest.approx(2 / 3), 3)
    assert vote.second is not None
    assert (vote.second.label, vote.second.share) == ("a > a", pytest.approx(1 / 3))


def test_target_composition_reads_the_start_first() -> None:
    assert votes.vote(personal(), "user", "target").first.label == "b > a"


def test_starts_that_weigh_alike_tie_instead_of_the_first_winning() -> None:
    vote = votes.vote(shared_by_starts(), "user", "recursive")
    assert (vote.first.label, vote.first.paths) == ("b > any", ("b > a", "b > b"))
    assert vote.first.share == pytest.approx(2 / 3)
    assert vote.second is not None
    assert vote.second.label == "a > any"
    assert votes.vote(shared_by_starts(), "user", "target").first.label == "any > b"


def test_rounding_does_not_break_a_tie() -> None:
    values = np.zeros((2, USERS + 1, 2), dtype=np.float32)
    values[:, :, 1] = 0.3
    values[1, :, 1] = np.nextafter(np.float32(0.3), np.float32(1))
    assert len(votes.vote(finding_of(values), "user", "recursive").first.paths) == 2


def test_negative_weights_vote_for_the_largest() -> None:
    values = -np.ones((2, USERS + 1, 2))
    values[1, :, 1] = -0.5
    assert votes.vote(finding_of(values), "user", "recursive").first.label == "b > b"


def test_the_largest_mean_names_its_ties() -> None:
    table = relations.attention_table(shared_by_starts(), "user")
    ballot, mean = votes.largest_mean(table, "recursive")
    assert (ballot.label, len(ballot.paths)) == ("b > any", 2)
    assert mean == pytest.approx(0.2)


def test_other_ties_are_listed_and_cut() -> None:
    pairs = [("a", "a"), ("b", "b"), ("a", "b"), ("b", "a")]
    assert votes.tied_label(pairs[:2], ("a", "b"), "recursive") == "a > a = b > b"
    assert votes.tied_label(pairs, ("a", "b"), "recursive").endswith("= 1 more")


def test_attention_that_is_the_same_for_all_nodes_is_told_apart_from_personal_attention() -> None:
    nodes = relations.node_attention(personal(), "user")
    deviation = np.mean([nodes[k, 0, :, b].std() for k in range(2) for b in range(2)])
    assert votes.personal_ratio(personal(), "user") == pytest.approx(deviation / np.abs(nodes).mean())
    assert votes.personal_ratio(finding_of(np.ones((2, USERS + 1, 2))), "user") < votes.IMPERSONAL


@pytest.mark.parametrize(
    ("attention", "said"),
    [
        ("global", "One weight for all by design"),
        ("node", "orders and start behaviours"),
        ("node+layer", "tie"),
    ],
)
def test_variants_say_what_their_attention_leaves_out(attention, said) -> None:
    assert said in votes.by_design(attention)


def test_full_attention_leaves_nothing_out() -> None:
    assert votes.by_design("node+behavior+layer") == ""
    assert "tie" not in votes.by_design("node+behavior")
