"""What the audit says: verdicts, and the sentence at the top of the Data page."""

import pytest

from core.home import Home
from dashboard import data_audit
from tests.dashboard.profiles import ROWS, told


@pytest.fixture
def home(tmp_path) -> Home:
    return Home(tmp_path)


def verdicts(profile) -> dict[str, tuple[str, int | None]]:
    return {one.question: (one.verdict, one.count) for one in data_audit.findings(profile)}


def test_a_repeated_test_pair_is_watched_and_named_by_what_was_done(home) -> None:
    found = verdicts(told(home))
    assert found["Test pairs viewed in training"] == ("watch", 1)
    assert found["Test pairs put in the cart in training"] == ("fine", 0)
    assert found["Test pairs that are training pairs of buy"] == ("fine", 0)
    assert found["Validation pairs touched in training under any other behaviour"] == ("watch", 1)
    assert found["Items without any training pair"] == ("fine", 1)


def test_the_future_that_trains_is_watched(home) -> None:
    found = {one.question: one for one in data_audit.findings(told(home))}
    own = found["Training events later than the same user's test event"]
    assert (own.verdict, own.count) == ("watch", 1)  # user 0 views item 3 at 30, tested at 22
    assert "1 view" in own.advice


def test_without_times_the_future_is_unknown_not_fine(home) -> None:
    found = verdicts(told(home, timed=False))
    assert found["Training events later than the same user's test event"] == ("unknown", None)


def test_test_pairs_inside_training_are_a_leak_and_lead_the_answer(home) -> None:
    profile = told(home, [*ROWS, (0, 3, "buy", "train", 5), (0, 3, "buy", "train", 5)])
    found = verdicts(profile)
    assert found["Test pairs that are training pairs of buy"] == ("leak", 1)
    assert found["Repeated rows"] == ("watch", 1)
    assert "1 of 2 test pairs (buy) are also training pairs" in data_audit.answer(profile)


def test_the_gravest_come_first_in_the_table(home) -> None:
    table = data_audit.table(data_audit.findings(told(home, [*ROWS, (0, 3, "buy", "train", 5)], timed=False)))
    order = [next(v for v, sign in data_audit.SIGNS.items() if sign == text) for text in table["verdict"]]
    assert order[0] == "leak"
    assert order == sorted(order, key=["leak", "watch", "unknown", "fine"].index)
    assert {"leak", "watch", "unknown", "fine"} == set(order)


def test_the_answer_names_the_share_seen_and_what_to_compare_with(home) -> None:
    assert data_audit.answer(told(home)) == (
        "50.0 % of the test pairs (buy) were viewed in training: read results against SeenBefore."
    )


def test_the_answer_adds_what_other_behaviors_have_seen(home) -> None:
    rows = [*ROWS, (3, 1, "cart", "train", 1), (3, 2, "buy", "train", 1), (3, 1, "buy", "test", 9)]
    assert data_audit.answer(told(home, rows)) == (
        "33.3 % of the test pairs (buy) were viewed in training (66.7 % under any other behaviour): "
        "read results against SeenBefore."
    )


def test_cold_items_lead_where_they_weigh_more(home) -> None:
    rows = [*(row for row in ROWS if row[3] != "test"), (0, 0, "buy", "test", 22), (2, 0, "buy", "test", 23)]
    profile = told(home, rows)
    assert "100.0 % of the test pairs (buy) are of items that nobody bought in training" in data_audit.answer(
        profile
    )
    assert verdicts(profile)["Test pairs whose item has no training pair at all"] == ("watch", 2)


def test_true_discoveries_are_told_as_such(home) -> None:
    rows = [*(row for row in ROWS if row[3] != "test"), (2, 1, "buy", "test", 23)]
    assert data_audit.answer(told(home, rows)) == (
        "None of the test pairs (buy) were touched in training: every hit is a discovery."
    )


def test_a_few_repeats_leave_the_other_hits_as_discoveries(home) -> None:
    profile = told(home, [*(row for row in ROWS if row[3] != "test"), (2, 1, "buy", "test", 23)])
    profile["test"] |= {"pairs": 200, "seen_under_auxiliary": 6, "pairs_absent_from_train_target": 0}
    assert data_audit.answer(profile) == (
        "Only 3.0 % of the test pairs (buy) were touched in training: a hit on the others is a discovery."
    )


def test_a_single_behavior_has_no_auxiliary_questions(home) -> None:
    profile = told(home, [row for row in ROWS if row[2] == "buy"], behaviors=("buy",))
    assert not [question for question in verdicts(profile) if "touched" in question]
    assert data_audit.lesson(profile).startswith("There is one behaviour")
    # of the two test items, 3 is never bought in training
    assert "50.0 % of the test pairs (buy) are of items that nobody bought" in data_audit.answer(profile)


def test_a_target_that_is_never_tested_says_so(home) -> None:
    profile = told(home, [row for row in ROWS if row[3] == "train"])
    assert "No buy pair is held out for testing" in data_audit.answer(profile)
    assert data_audit.findings(profile)


def test_the_lesson_tells_how_validation_differs_from_the_test(home) -> None:
    lesson = data_audit.lesson(told(home))
    assert "In training 60.0 % of the buy pairs also occur under another behaviour" in lesson
    assert "Validation is easier than the test: 100.0 % of its pairs" in lesson


@pytest.mark.parametrize(
    ("median", "said"),
    [
        (0.126, "half correlate at 0.12 or more"),
        (0.29, "half correlate at 0.29 or more"),
        (0.0, "half correlate at 0.00 or more"),
        (0.999, "half correlate at 0.99 or more"),
        (1.0, "half correlate at 1.00, acting on the same items in every way"),
        (-0.126, "half correlate at −0.12 or less, acting on other items in every way"),
        (-0.004, "half correlate at 0.00 or less"),
    ],
)
def test_the_lesson_counts_the_users_that_can_be_correlated(home, median, said) -> None:
    profile = told(home)
    profile["correlation"]["mean_of_pairs"] |= {"users": 3_100, "undefined": 12_000, "median": median}
    assert f"of the 3,100 users whose behaviours can be correlated, {said}" in data_audit.lesson(profile)


@pytest.mark.parametrize(("users", "undefined"), [(1, 0), (49, 951), (0, 7)])
def test_too_few_correlated_users_are_not_spoken_of(home, users, undefined) -> None:
    profile = told(home)
    profile["correlation"]["mean_of_pairs"] |= {"users": users, "undefined": undefined}
    assert "correlat" not in data_audit.lesson(profile)


def test_the_lesson_begins_with_a_capital(home) -> None:
    profile = told(home)
    profile["scopes"]["train"]["overlap"] = None
    profile["correlation"]["mean_of_pairs"] |= {"users": 31, "median": 0.2}
    assert data_audit.lesson(profile).startswith("Of the 31 users")


def test_an_unknown_behavior_is_spoken_of_all_the_same() -> None:
    assert data_audit.done("wishlist") == "touched under wishlist"
