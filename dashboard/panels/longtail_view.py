"""What the page Long tail looks at: a run, the one that it is held against, and every test pair with its rank under both."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from core.errors import DataError
from core.evaluation.item_groups import ItemGroups, ItemRule, item_groups
from core.findings import Array
from core.home import Home
from core.runs.summary import RunSummary
from dashboard import longtail_readers, readers, selection, states, words
from dashboard.compare import Entry
from dashboard.glossary import meaning
from dashboard.item_facts import item_facts
from dashboard.layout import row
from dashboard.longtail_readers import TrainedCounts
from dashboard.panels import run_story
from dashboard.panels.longtail_sides import (
    Side,
    entries_of,
    pick_against,
    seeds_in_words,
    sides_of,
    with_ranks,
)
from dashboard.results import metric_order, metric_title

MEASURED = ("hr", "recall", "ndcg")
RULES: dict[str, str] = {"equal_mass": "training pairs", "equal_number": "numbers of items"}


@dataclass(frozen=True)
class View:
    """The picked run and what is picked beside it. users, items: [P], of every test pair that all runs have; dropped: how many
    test pairs some run lacks. rule: how items are cut. titles: of the items."""

    home: Home
    own: Entry
    sides: tuple[Side, ...]
    protocol: str
    metric: str
    rule: ItemRule
    counts: TrainedCounts
    titles: Sequence[str]
    users: Array
    items: Array
    dropped: int = 0

    @property
    def k(self) -> int:
        return int(self.metric.partition("@")[2])

    @property
    def own_candidates(self) -> bool:
        """Whether every test item was ranked among candidates of its own."""
        return self.protocol.partition(":")[0] == "sampled99"

    @property
    def one(self) -> Side:
        return self.sides[0]

    @property
    def other(self) -> Side | None:
        return self.sides[1] if len(self.sides) > 1 else None

    @property
    def item_groups(self) -> ItemGroups:
        return item_groups(self.counts.items, self.rule)

    def name(self, part: str) -> str:
        """The file name of a figure."""
        against = f"-against-{self.other.entries[0].run_id}" if self.other else ""
        return f"longtail-{part}-{self.metric.replace('@', '-at-')}-{self.own.run_id}{against}"


def is_tested(summary: RunSummary) -> bool:
    """Whether the run has results of a ranking."""
    return any(map(_is_measured, (name for metrics in summary.results.values() for name in metrics)))


def load(home: Home, summary: RunSummary) -> View | None:
    """The controls and what they pick; None, with the reason on the page, where there is nothing to group.

    Raises RunError or DataError if a file is damaged.
    """
    if run_story.embeds_nodes(summary):
        run_story.nodes_instead(summary, "popular and rare items")
        return None
    if not is_tested(summary):
        _untested(summary)
        return None
    (own,) = entries_of(home, [summary]) or (None,)
    if own is None:  # what cannot be read of it has been told
        return None
    data = readers.dataset(home, own.recipe.dataset)
    if data.info.content_hash != own.recipe.dataset_hash:
        raise DataError(
            f"the data set {data.info.name!r} has changed since this run was trained, so its items cannot be told apart; "
            "train the run again on the data as they are"
        )
    protocol, metric, rule, against = _controls(home, own)
    sides = sides_of(home, own, against, protocol)
    named = with_ranks(home, sides, protocol)
    if named is None:
        states.empty(
            "The ranks of this run's test pairs are gone from its folder",
            "Score it again on its page; that takes a moment.",
            "runs",
            "Open the run's page",
            run=own.run_id,
        )
        return None
    users, items, sides, dropped = named
    counts = longtail_readers.trained_counts(data, own.recipe.fit_on)
    titles = item_facts(data).names
    return View(home, own, sides, protocol, metric, rule, counts, titles, users, items, dropped)


def _untested(summary: RunSummary) -> None:
    reasons = {
        "queued": ("Not trained yet", "The run waits for a free slot. Its test results appear here."),
        "running": ("Still training", "Items and users can be told apart once the run has been tested."),
        "failed": ("The run failed before it was tested", "Its page says why and lets you resume it."),
        "cancelled": ("The run was cancelled before it was tested", "Resume it on its page."),
        "done": (
            "This run ranked no items",
            "Only recommenders are tested on pairs of users and items. Pick one of them in the sidebar.",
        ),
    }
    title, advice = reasons[summary.state]
    states.empty(title, advice, "runs", "Open the run's page", run=summary.run_id)


def _controls(home: Home, own: Entry) -> tuple[str, str, ItemRule, str]:
    """Protocol, metric, how items are cut, and the run held against this one."""
    cells = row("controls", "longtail", (2, 2, 3, 5))
    mine = own.recipe.protocol.key
    offered = sorted(
        (key for key in own.results if any(_measured(own, key))), key=lambda key: (key != mine, key)
    )
    with cells[0]:
        protocol = selection.pick("under", "Protocol", offered, help=meaning("protocol"))
    with cells[1]:
        names = sorted(_measured(own, protocol), key=metric_order)
        main = own.recipe.protocol.main_metric
        metric = selection.pick("metric", "Metric", names, default=main, title=metric_title)
    with cells[2]:
        cut = selection.pick(
            "popularity",
            "Cut items by equal",
            list(RULES),
            title=RULES.__getitem__,
            widget="segments",
            help=meaning("popularity group"),
        )
    with cells[3]:
        against = pick_against(home, own, protocol)
    return protocol, metric, "equal_number" if cut == "equal_number" else "equal_mass", against


def _measured(own: Entry, protocol: str) -> list[str]:
    return list(filter(_is_measured, own.results[protocol]["metrics"]))


def _is_measured(name: str) -> bool:
    metric, _, cut = name.partition("@")
    return metric in MEASURED and cut.isdigit()


def context(view: View) -> str:
    """One line: data, protocol, what was trained on, both systems and their seeds, how many pairs were tested."""
    recipe = view.own.recipe
    parts = [f"protocol {view.protocol}", f"trained on {words.fit_on(recipe.fit_on, recipe.auxiliary_noise)}"]
    if view.other:
        parts += [f"{view.one.name} against {view.other.name}", seeds_in_words(view.one, view.other)]
    parts += [words.count(len(view.users), "test pair"), words.count(len(np.unique(view.users)), "user")]
    parts += [f"{words.count(view.dropped, 'pair')} that not every run was tested on left out"] * bool(
        view.dropped
    )
    return states.plain(" · ".join(parts))
