"""Attention over histories as tables, against slow loops."""

from collections import defaultdict
from dataclasses import replace
from math import log

import numpy as np
import pytest

from core.errors import RunError
from core.evaluation.item_groups import item_groups
from core.evaluation.statistics import spread
from core.findings import Finding
from dashboard import histories
from dashboard.histories import MEAN, NEITHER, POPULAR, RARE
from dashboard.information import Stated
from tests.dashboard import stored_structure as stored

USERS, ITEMS = 17, 29
NAMES = [f"item {item}" for item in range(ITEMS)]


@pytest.fixture
def pairs() -> tuple[np.ndarray, np.ndarray]:
    """User 0 has nothing, user u has u distinct items, popular ones more often."""
    rng = np.random.default_rng(3)
    weight = 1 / (1 + np.arange(ITEMS))
    chosen = [np.sort(rng.choice(ITEMS, u, replace=False, p=weight / weight.sum())) for u in range(USERS)]
    return np.repeat(np.arange(USERS), [len(own) for own in chosen]), np.concatenate(chosen).astype(int)


def found_of(pairs, powers=(1.0, 0.0)) -> dict[str, Finding]:
    user, item = pairs
    made = stored.attention(user, item, np.bincount(item, minlength=ITEMS), USERS, powers)
    return {finding.key: finding for finding in made}


def heads(found: dict[str, Finding]) -> histories.Histories:
    return histories.histories([found["history_attention_1"], found["history_attention_2"]])


def test_a_users_history_is_laid_out_by_head_and_sorted(pairs) -> None:
    popularity = np.bincount(pairs[1], minlength=ITEMS)
    table = histories.history_table(heads(found_of(pairs)), 7, NAMES, popularity)
    own = pairs[1][pairs[0] == 7]
    assert sorted(table["item"]) == own.tolist()
    np.testing.assert_allclose(table["head 2"], 1 / 7, rtol=1e-6)
    total = sum(popularity[item] for item in own)
    for row in table.to_dict("records"):
        assert row["head 1"] == pytest.approx(popularity[row["item"]] / total, rel=1e-6)
        assert row["mean"] == pytest.approx((row["head 1"] + row["head 2"]) / 2)
        assert row["relative"] == pytest.approx(7 * row["mean"])
        assert (row["name"], row["trained"]) == (f"item {row['item']}", popularity[row["item"]])
    assert table["mean"].is_monotonic_decreasing


def test_users_outside_of_the_sample_show_their_most_attended_items(pairs) -> None:
    found = found_of(pairs)
    whole = histories.history_table(heads(found), 11, NAMES, None)
    short = histories.shortened_table(found["history_attention"], 11, 11, NAMES, None)
    assert len(short) == 5
    np.testing.assert_allclose(short["mean"], whole["mean"].head(5), rtol=1e-6)
    np.testing.assert_allclose(short["relative"], whole["relative"].head(5), rtol=1e-6)
    assert "trained" not in short


def test_heads_with_other_interactions_are_refused(pairs) -> None:
    found = found_of(pairs)
    first, other = found["history_attention_1"], found["history_attention_2"]
    moved = replace(other, values=replace(other.values, index=other.values.index[::-1].copy()))
    with pytest.raises(RunError, match="other interactions"):
        histories.histories([first, moved])
    with pytest.raises(RunError, match="expected links"):
        histories.histories([found["attention_entropy"]])


def test_lengths_are_those_of_the_sample(pairs) -> None:
    assert heads(found_of(pairs)).lengths() == {u: u for u in range(1, USERS)}


def test_preference_is_a_mean_over_users_of_means_over_their_interactions(pairs) -> None:
    user, item = pairs
    popularity = np.bincount(item, minlength=ITEMS)
    groups = item_groups(popularity, "equal_mass", 3)
    table = histories.preference_table(heads(found_of(pairs)), groups, with_heads=True)
    assert table["name"].unique().tolist() == [MEAN, "head 1", "head 2"]
    for place in range(groups.count):
        by_user = defaultdict(list)
        for u, i in zip(user.tolist(), item.tolist()):
            if u > 1 and groups.group[i] == place:
                total = sum(popularity[j] for w, j in zip(user, item) if w == u)
                by_user[u].append(u * popularity[i] / total)
        expected = spread([sum(own) / len(own) for own in by_user.values()])
        row = table[(table["name"] == "head 1") & (table["group"] == place)].iloc[0]
        assert row["mean"] == pytest.approx(expected.mean, rel=1e-6)
        assert (row["low"], row["high"]) == pytest.approx((expected.low, expected.high), rel=1e-5)
        assert (row["size"], row["pairs"]) == (len(by_user), sum(map(len, by_user.values())))
    even = table[table["name"] == "head 2"]
    np.testing.assert_allclose(even["mean"], 1, rtol=1e-6)
    only = histories.preference_table(heads(found_of(pairs)), groups, with_heads=False)
    assert only["name"].unique().tolist() == [MEAN]


@pytest.mark.parametrize(("power", "verdict"), [(1.0, POPULAR), (-1.0, RARE), (0.0, NEITHER)])
def test_the_verdict_follows_what_attention_follows(pairs, power, verdict) -> None:
    found = heads(found_of(pairs, (power, power)))
    groups = item_groups(np.bincount(pairs[1], minlength=ITEMS), "equal_mass", 3)
    about = histories.preference(found, groups)
    assert about.verdict == verdict
    ends: dict[int, list[float]] = {0: [], groups.count - 1: []}
    for user in np.unique(found.user):
        own = (found.user == user) & (found.length > 1)
        parts = {end: found.share.mean(0)[own & (groups.group[found.item] == end)] for end in ends}
        if all(len(part) for part in parts.values()):
            for end, part in parts.items():
                ends[end].append(float(part.mean() * found.length[own][0]))
    assert about.users == len(ends[0]) > 2
    assert (about.head, about.tail) == pytest.approx(tuple(np.mean(values) for values in ends.values()))
    assert (about.head > about.tail) == (verdict == POPULAR) or verdict == NEITHER


def test_one_group_alone_has_no_preference(pairs) -> None:
    groups = item_groups(np.ones(ITEMS, int))
    assert groups.count == 1
    assert histories.preference(heads(found_of(pairs)), groups) is None


def test_relative_entropy_is_one_for_even_attention_and_unknown_for_one_interaction() -> None:
    entropy = np.array([0.0, 0.0, log(2), log(3) / 2, 0.0])
    relative = histories.relative_entropy(entropy, np.array([0, 1, 2, 3, 4]))
    assert np.isnan(relative[:2]).all()
    assert relative[2:].tolist() == pytest.approx([1, 0.5, 0])


def test_entropy_is_grouped_by_length(pairs) -> None:
    finding = found_of(pairs)["attention_entropy"]
    entropy, length = np.asarray(finding.values), np.asarray(finding.support)
    table = histories.entropy_table(entropy, length)
    assert table["size"].sum() == USERS - 2
    assert table["title"].iloc[0].startswith("2")
    assert table["title"].iloc[-1].endswith(str(USERS - 1))
    start = 2
    for row in table.to_dict("records"):
        own = range(start, start + row["size"])
        assert row["title"] == f"{own[0]} to {own[-1]}"
        assert row["mean"] == pytest.approx(sum(entropy[u] / log(u) for u in own) / len(own))
        assert row["most"] == pytest.approx(sum(log(u) for u in own) / len(own))
        assert row["nats"] == pytest.approx(sum(entropy[u] for u in own) / len(own))
        start += row["size"]


def test_entropy_over_epochs_is_the_mean_and_the_middle_half(pairs) -> None:
    finding = found_of(pairs)["attention_entropy"]
    table = histories.entropy_over_epochs(Stated(finding, stored.history(finding)))
    assert table["epoch"].tolist() == [1, 3, 5]
    values = np.asarray(finding.values)
    assert table["mean"].iloc[-1] == pytest.approx(values.mean(), rel=1e-6)
    assert table["high"].iloc[0] == pytest.approx(np.quantile(values, 0.75) / 2, rel=1e-6)
    assert histories.entropy_over_epochs(Stated(finding, None)).empty


def test_entropy_of_nobody_is_an_empty_table() -> None:
    assert histories.entropy_table(np.zeros(3), np.array([0, 1, 1])).empty
