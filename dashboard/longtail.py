"""Metrics by popularity of items and by activity of users, one run minus another, as tables and in words. Pure.

Source: EGRA, Figure 2 (Long-Tail Evaluation) for the groups of items.
"""

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from core.evaluation.groups import Grouping, mean_interval
from core.evaluation.item_groups import Floats, Ints, ItemGroups
from core.evaluation.statistics import PairedTest
from dashboard import paired, words
from dashboard.compare_tables import GAP
from dashboard.results import metric_title

HEAD, TAIL = "head", "tail"
# A group of so few users proves little, whatever its interval says.
FEW_USERS = 50
_COLUMNS = ["name", "group", "title", "undefined", "mean", "low", "high", "size", "pairs", "items"]
Values = Sequence[tuple[Ints, Floats]]


@dataclass(frozen=True, eq=False)
class Groups:
    """How test pairs are cut. of: items or users. titles [G]: of each group. group: of each test pair, [P]. items: items with
    a test pair per group, [G]; pairs: test pairs per group, [G]. members: items or users of the data in each group, [G].
    """

    of: str
    titles: list[str]
    group: Ints
    pairs: Ints
    items: Ints
    members: Ints

    @property
    def count(self) -> int:
        return len(self.titles)


def by_popularity(groups: ItemGroups, items_P: Ints) -> Groups:
    """A test pair belongs to the group of its item."""
    return _groups("items", item_titles(groups), groups.group[items_P], items_P, groups.items())


def by_activity(grouping: Grouping, activity_U: Ints, users_P: Ints, items_P: Ints) -> Groups:
    """A test pair belongs to the group of its user. grouping: of the users tested, in rising order of their number."""
    users = np.unique(users_P)
    group = grouping.group[np.searchsorted(users, users_P)]
    activity = activity_U[users]
    titles = []
    for place in range(grouping.count):
        own = activity[grouping.group == place]
        titles.append(span(int(own.min()), int(own.max())) if len(own) else "nobody")
    return _groups("users", titles, group, items_P, grouping.sizes())


def _groups(of: str, titles: list[str], group: Ints, items_P: Ints, members: Ints) -> Groups:
    count = len(titles)
    pairs = np.bincount(group, minlength=count).astype(np.int64)
    width = 1 + int(items_P.max(initial=0))
    tested = np.bincount(np.unique(group * width + items_P) // width, minlength=count)
    return Groups(of, titles, group, pairs, tested.astype(np.int64), members)


def item_titles(groups: ItemGroups) -> list[str]:
    """`head: 57 to 92`, `2: 30 to 56`, ..., `tail: 0 to 4`: the training pairs of the items in each group."""
    if groups.count == 1:
        return [f"all: {span(*groups.ranges()[0])}"]
    names = [HEAD, *map(str, range(2, groups.count)), TAIL]
    return [f"{name}: {span(*ends)}" for name, ends in zip(names, groups.ranges())]


def span(low: int, high: int) -> str:
    """`7`, or `4 to 7`."""
    return f"{low:,}" if low == high else f"{low:,} to {high:,}"


def short(title: str) -> str:
    """The name of a group of items without its range."""
    return title.partition(":")[0]


def averaged(seeds: Sequence[Values]) -> Values:
    """One system's values by group over several seeds, user by user; all seeds have the same users."""
    return [
        (parts[0][0], np.mean([values for _, values in parts], axis=0)) for parts in zip(*seeds, strict=True)
    ]


def seed_differences(first: Sequence[Values], second: Sequence[Values]) -> pd.DataFrame:
    """The first run minus the second per group and pair of seeds: columns seed (its place), group, difference; nothing for a
    single pair, which is the difference itself."""
    rows = [
        (seed, group, float((one - other).mean()))
        for seed, (left, right) in enumerate(zip(first, second, strict=True))
        for group, ((_, one), (_, other)) in enumerate(zip(left, right, strict=True))
        if len(one) and len(first) > 1
    ]
    return pd.DataFrame(rows, columns=["seed", "group", "difference"])


def value_table(named: Mapping[str, Values], groups: Groups) -> pd.DataFrame:
    """A metric per run and group with 95 % intervals over users: columns name, group, title, undefined, mean, low, high, size
    (users), pairs, items (with a test pair)."""
    rows = [
        (
            name,
            place,
            groups.titles[place],
            False,
            *mean_interval(values),
            len(users),
            int(groups.pairs[place]),
            int(groups.items[place]),
        )
        for name, of_run in named.items()
        for place, (users, values) in enumerate(of_run)
    ]
    return pd.DataFrame(rows, columns=_COLUMNS)


def difference_table(tests: Sequence[PairedTest | None], groups: Groups) -> pd.DataFrame:
    """The first run minus the second per group that has two users or more: the columns of `paired.test_table` (p-values after
    Holm's correction over the groups), and place and title. Groups without a test are left out."""
    places = [place for place, test in enumerate(tests) if test is not None]
    table = paired.test_table(
        [groups.titles[p] for p in places], [test for test in tests if test is not None]
    )
    return table.rename(columns={"group": "title"}).assign(group=places)


def small_groups(table: pd.DataFrame) -> dict[str, int]:
    """Title and users of each group that has fewer than FEW_USERS."""
    groups = table.drop_duplicates("group")
    few = groups[groups["size"] < FEW_USERS]
    return dict(zip(few["title"], few["size"].astype(int)))


def alone_sentence(table: pd.DataFrame, name: str, metric: str) -> str:
    """How the metric moves from head to tail in one run: `Under **EASE** NDCG@10 falls from .1512 (head) to .0004 (tail).`

    table: the rows of that run, as from `value_table`.
    """
    known = table[table["mean"].notna()]
    title = metric_title(metric)
    if len(known) < 2:
        said = words.score(float(known["mean"].iloc[0])) if len(known) else "unknown"
        return f"Under **{name}** {title} is {said}; its test pairs lie in one group, so there is no head and tail to compare."
    first, last = known.iloc[0], known.iloc[-1]
    apart = first["high"] < last["low"] or last["high"] < first["low"]
    way = "falls" if last["mean"] < first["mean"] else "rises"
    moves = f"{way} from" if apart else "goes from"
    open_ = "" if apart else "; their 95 % intervals overlap, or one has none"
    return (
        f"Under **{name}** {title} {moves} {words.score(float(first['mean']))} ({short(first['title'])}) to "
        f"{words.score(float(last['mean']))} ({short(last['title'])}){open_}."
    )


def against_sentence(table: pd.DataFrame, one: str, other: str, metric: str, count: int) -> str:
    """Who gains and who loses when `one` replaces `other`. table: as from `difference_table`; count: of all groups."""
    rows = {int(row["group"]): row for row in table.to_dict("records")}
    lead = f"With **{one}** in place of **{other}**"
    if count < 2:
        return f"{lead} {_move('**all items**', rows.get(0), metric)}."
    tail = _move("the **long tail**", rows.get(count - 1), metric)
    head = _move("**popular items**", rows.get(0), metric)
    return f"{lead} {tail}, and {head}{_between(rows, count)}."


def _move(who: str, row: Mapping[Hashable, Any] | None, metric: str) -> str:
    is_one = who.endswith("tail**")
    if row is None:
        return f"{who} cannot be tested"
    if row["verdict"] == paired.NOT_SHOWN:
        told = f"{'shows' if is_one else 'show'} no clear difference"
    else:
        told = ("gain" if row["verdict"] == "ahead" else "lose") + ("s" if is_one else "")
    ends = f"{words.signed(row['low'])} to {words.signed(row['high'])}"
    return f"{who} {told} ({words.signed(row['difference'])} {metric_title(metric)}, 95{GAP}% {ends})"


def _between(rows: Mapping[int, Mapping[Hashable, Any]], count: int) -> str:
    """`; of the 3 groups between, 1 gains and 2 show no clear difference`, or `; all 3 groups between gain`."""
    inner = [str(rows[place]["verdict"]) for place in range(1, count - 1) if place in rows]
    if len(inner) < 2:
        return ""
    verbs = {
        "ahead": ("gain", ""),
        "behind": ("lose", ""),
        paired.NOT_SHOWN: ("show", " no clear difference"),
    }
    told = [
        (inner.count(verdict), verb + ("s" if inner.count(verdict) == 1 else "") + rest)
        for verdict, (verb, rest) in verbs.items()
        if verdict in inner
    ]
    if untested := count - 2 - len(inner):
        told.append((untested, "cannot be tested"))
    if len(told) == 1:
        return f"; all {len(inner)} groups between {told[0][1]}"
    parts = [f"{n} {verb}" for n, verb in told]
    return f"; of the {count - 2} groups between, {', '.join(parts[:-1])} and {parts[-1]}"
