"""The leakage audit of a profile in words: what was counted, whether it harms a result, and what to do."""

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Literal

import pandas as pd

from dashboard import words
from dashboard.data_profile import behaviors

Told = Mapping[str, Any]
Verdict = Literal["fine", "watch", "leak", "unknown"]
SIGNS: dict[Verdict, str] = {"fine": "✓ fine", "watch": "◆ watch", "leak": "✕ leak", "unknown": "? unknown"}
_GRAVEST_FIRST: tuple[Verdict, ...] = ("leak", "watch", "unknown", "fine")
# shares from which something is worth a word
NOTABLE_SEEN, NOTABLE_COLD, NOTABLE_GAP = 0.05, 0.05, 0.1
# below this share of the users, those whose behaviours can be correlated do not speak for the others
ENOUGH_CORRELATED = 0.05
_ROUNDING = 1e-9
_DONE = {
    "view": "viewed",
    "click": "clicked",
    "favorite": "favourited",
    "favourite": "favourited",
    "fav": "favourited",
    "cart": "put in the cart",
    "buy": "bought",
}


@dataclass(frozen=True)
class Finding:
    """One row of the audit. count: None where nothing can be counted; of: what it is a share of."""

    question: str
    count: int | None
    of: int | None
    verdict: Verdict
    advice: str

    @property
    def share(self) -> float | None:
        return self.count / self.of if self.count is not None and self.of else None


def done(behavior: str) -> str:
    """The behaviour as something that was done to an item: `viewed`; `touched under X` for names we do not know."""
    return _DONE.get(behavior, f"touched under {behavior}")


def findings(told: Told) -> list[Finding]:
    """Every question of the audit with its answer. `told`: a profile with interactions."""
    return [*_both_sides(told), *_seen(told), *_cold(told), *_future(told)]


def table(found: list[Finding]) -> pd.DataFrame:
    """The audit as a table, the gravest first: verdict, question, count, share, of, advice."""
    ordered = sorted(found, key=lambda one: _GRAVEST_FIRST.index(one.verdict))
    rows = [{**asdict(one), "share": one.share, "verdict": SIGNS[one.verdict]} for one in ordered]
    return pd.DataFrame(rows, columns=["verdict", "question", "count", "share", "of", "advice"])


def answer(told: Told) -> str:
    """What the data can teach and what a result on it means, in one sentence."""
    test, names = told["test"], behaviors(told)
    target, pairs = names[-1], max(1, told["test"]["pairs"])
    if not test["pairs"]:
        return f"No {target} pair is held out for testing: import it again with another split rule."
    if test["inside_train_target"]:
        inside = f"{test['inside_train_target']:,} of {pairs:,} test pairs ({target})"
        return f"{inside} are also training pairs: on those a result is memory, not prediction."
    cold = test["pairs_absent_from_train_target"] / pairs
    seen = test["seen_under_auxiliary"] / pairs
    if len(names) > 1 and seen >= max(NOTABLE_SEEN, cold):
        return f"{_mostly(test).format(target=target)}: read results against SeenBefore."
    if cold >= NOTABLE_COLD:
        rest = " and auxiliary behaviours" if len(names) > 1 else ""
        return (
            f"{words.percent(cold)} of the test pairs ({target}) are of items that nobody {done(target)} in training: "
            f"only features{rest} can find them."
        )
    if len(names) > 1:
        some, hits = (
            ("None", "every hit") if not seen else (f"Only {words.percent(seen)}", "a hit on the others")
        )
        return f"{some} of the test pairs ({target}) were touched in training: {hits} is a discovery."
    return f"All test pairs ({target}) are new to their user, and {words.percent(1 - cold)} are of items known from training."


def lesson(told: Told) -> str:
    """What the auxiliary behaviours say about the target in training; empty for a single behaviour."""
    names = behaviors(told)
    if len(names) < 2:
        return "There is one behaviour: nothing auxiliary to learn from."
    target, scope = names[-1], told["scopes"]["train"]
    sets = (scope["overlap"] or {}).get("pairs", [])
    bought = sum(count for found, count in sets if target in found)
    alone = sum(count for found, count in sets if found == [target])
    parts = []
    if bought:
        share = words.percent(1 - alone / bought)
        parts.append(f"In training {share} of the {target} pairs also occur under another behaviour")
    if correlated := _correlated(told["correlation"]["mean_of_pairs"]):
        parts.append(correlated)
    gap = _gap(told)
    text = "; ".join(parts) + "." if parts else ""
    text = words.sentence(text)
    if gap is not None and abs(gap) >= NOTABLE_GAP:
        easier = "easier" if gap > 0 else "harder"
        text += f" Validation is {easier} than the test: {_seen_shares(told)}."
    return text


def _correlated(found: Told) -> str:
    """The median correlation, and whose it is; empty where too few users have one.

    found: as from `core.data.profile_correlation.distribution`. The bound is rounded so that it stays true.
    """
    size, middle = found["users"], found.get("median")
    if middle is None or size < 2 or size / (size + found["undefined"]) < ENOUGH_CORRELATED:
        return ""
    of = f"of the {size:,} users whose behaviours can be correlated, half correlate"
    if middle >= 1:
        return f"{of} at 1.00, acting on the same items in every way"
    if middle < 0:
        bound = math.ceil(100 * middle - _ROUNDING) / 100 + 0.0
        return f"{of} at {bound:.2f} or less, acting on other items in every way".replace("-", "−")
    return f"{of} at {math.floor(100 * middle + _ROUNDING) / 100:.2f} or more"


def _both_sides(told: Told) -> list[Finding]:
    audit, target = told["audit"], behaviors(told)[-1]
    test, valid = audit["test"], audit["valid"]
    again = "Import again without `--split as-given`: a pair then keeps its latest split only."
    rows = [
        (f"Test pairs that are training pairs of {target}", test["inside_train_target"], test["pairs"]),
        (
            f"Validation pairs that are training pairs of {target}",
            valid["inside_train_target"],
            valid["pairs"],
        ),
        ("Test pairs that are validation pairs", audit["test_inside_valid"], test["pairs"]),
    ]
    found = [
        Finding(question, count, of, "leak" if count else "fine", again if count else "Held apart.")
        for question, count, of in rows
        if of
    ]
    repeated = audit["repeated"]
    advice = (
        "They weigh a pair more than once. Import again without `--split as-given`."
        if repeated
        else "Every row is there once."
    )
    found.append(Finding("Repeated rows", repeated, audit["rows"], "watch" if repeated else "fine", advice))
    return found


def _seen(told: Told) -> list[Finding]:
    audit, names = told["audit"], behaviors(told)
    if len(names) < 2:
        return []
    test, valid = audit["test"], audit["valid"]
    found = []
    for behavior, count in test["seen_under"].items():
        found.append(_seen_row(f"Test pairs {done(behavior)} in training", count, test["pairs"]))
    if len(names) > 2:
        found.append(
            _seen_row(
                "Test pairs touched in training under any other behaviour",
                test["seen_under_auxiliary"],
                test["pairs"],
            )
        )
    gap = _gap(told)
    if gap is not None:
        apart = abs(gap) >= NOTABLE_GAP
        advice = (
            "The epoch is chosen on another task than the one that is scored. Compare with **Model scored: last epoch** "
            "on the page Train (`--selection last`)."
            if apart
            else "About as many as of the test pairs."
        )
        found.append(
            Finding(
                "Validation pairs touched in training under any other behaviour",
                valid["seen_under_auxiliary"],
                valid["pairs"],
                "watch" if apart else "fine",
                advice,
            )
        )
    return found


def _seen_row(question: str, count: int, of: int) -> Finding:
    if of and count / of >= NOTABLE_SEEN:
        advice = (
            "The task allows it, but it is a repeat. Compare with SeenBefore; read the row of unseen pairs."
        )
        return Finding(question, count, of, "watch", advice)
    return Finding(
        question,
        count,
        of,
        "fine",
        "Hits are discoveries." if not count else "Few: they hardly move a result.",
    )


def _cold(told: Told) -> list[Finding]:
    audit, target = told["audit"], behaviors(told)[-1]
    test, several = audit["test"], len(behaviors(told)) > 1
    cold, colder = test["pairs_absent_from_train_target"], test["pairs_absent_from_all_train"]
    notable = test["pairs"] > 0 and cold / test["pairs"] >= NOTABLE_COLD
    found = [
        Finding(
            f"Test pairs whose item has no {target} pair in training",
            cold,
            test["pairs"],
            "watch" if notable else "fine",
            f"Out of reach of models that learn from {target} alone."
            if cold
            else "Every test item is known.",
        )
    ]
    if several:
        advice = "No model of ids ranks them above chance; this bounds every metric. Only features help."
        found.append(
            Finding(
                "Test pairs whose item has no training pair at all",
                colder,
                test["pairs"],
                "watch" if colder else "fine",
                advice if colder else "Every test item occurs in training.",
            )
        )
    lost = audit["test_users_without_train"]
    found.append(
        Finding(
            "Test users without any training pair",
            lost,
            test["users"],
            "watch" if lost else "fine",
            "They get the same list as everybody." if lost else "Every test user is known.",
        )
    )
    unused = audit["items_without_train"]
    found.append(
        Finding(
            "Items without any training pair",
            unused,
            told["items"],
            "fine",
            "They still compete in a full ranking." if unused else "Every item occurs in training.",
        )
    )
    return found


def _future(told: Told) -> list[Finding]:
    future = told["audit"]["future"]
    question = "Training events later than the same user's test event"
    if future is None:
        return [
            Finding(
                question, None, None, "unknown", "Training or test pairs have no times: it cannot be told."
            )
        ]
    own, anybody = future["after_own_test"], future["after_first_test"]
    kinds = ", ".join(f"{count:,} {name}" for name, count in future["by_behavior"].items() if count)
    return [
        Finding(
            question,
            own,
            future["of"],
            "watch" if own else "fine",
            f"The user's future trains ({kinds}). Say so beside results, or cut the source at the test events."
            if own
            else "Nothing of a user's future trains.",
        ),
        Finding(
            "Training events later than anybody's first test event",
            anybody,
            future["of_all"],
            "watch" if anybody else "fine",
            "Usual when each user's last pair is held out: trends of later days are known to the model."
            if anybody
            else "Training ends before testing begins.",
        ),
    ]


def _gap(told: Told) -> float | None:
    """Share of validation pairs seen before minus that of test pairs; None where there are none of either."""
    valid, test = told["audit"]["valid"], told["audit"]["test"]
    if not valid["pairs"] or not test["pairs"]:
        return None
    return float(
        valid["seen_under_auxiliary"] / valid["pairs"] - test["seen_under_auxiliary"] / test["pairs"]
    )


def _seen_shares(told: Told) -> str:
    parts = []
    for part, name in (("valid", "its"), ("test", "the test")):
        counts = told["audit"][part]
        seen = counts["seen_under_auxiliary"] / counts["pairs"]
        parts.append(f"{words.percent(seen) if seen else 'none'} of {name} pairs")
    return f"{parts[0]} were touched in training under another behaviour, {parts[1]}"


def _mostly(test: Told) -> str:
    """How the seen test pairs were touched most often, and how many under any behaviour where that adds some."""
    behavior, count = max(test["seen_under"].items(), key=lambda entry: entry[1])
    every = test["seen_under_auxiliary"]
    others = f" ({words.percent(every / test['pairs'])} under any other behaviour)" if every > count else ""
    return f"{words.percent(count / test['pairs'])} of the test pairs ({{target}}) were {done(behavior)} in training{others}"
