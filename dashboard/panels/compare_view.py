"""What the page Compare looks at: the picked runs with recipes and results, and the controls over them."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from core.errors import ConfigError, RelScopeError
from core.home import Home
from core.runs.folder import RunFolder, open_run
from core.runs.summary import RunSummary
from dashboard import compare, readers, selection, states, words
from dashboard.compare import Bench, Entry
from dashboard.compare_tables import metrics_of
from dashboard.figures.palette import DASHES, run_colors
from dashboard.glossary import meaning
from dashboard.layout import row
from dashboard.panels.run_list import ALIVE, run_title
from dashboard.results import metric_title


@dataclass(frozen=True)
class View:
    """The picked runs, in the order they were picked. broken: runs that cannot be read, and why."""

    home: Home
    entries: tuple[Entry, ...]
    broken: tuple[tuple[str, str], ...] = ()
    protocol: str | None = None
    metric: str = ""

    @cached_property
    def benches(self) -> list[Bench]:
        return compare.benches(self.entries, self.protocol) if self.protocol else []

    @cached_property
    def titles(self) -> dict[str, str]:
        """Names of groups by their key; what a whole bench shares is said once, above it."""
        named: dict[str, str] = {}
        for bench in self.benches:
            named |= compare.titles([group.entries[0] for group in bench.groups])
        return named

    @cached_property
    def run_titles(self) -> dict[str, str]:
        """Names of single runs, with their seed."""
        return compare.titles(self.entries, with_seed=True)

    @cached_property
    def looks(self) -> dict[str, tuple[str, str]]:
        """Colour and dash of each run, by its place among those picked."""
        ids = [entry.run_id for entry in self.entries]
        colors = run_colors(ids)
        return {run_id: (colors[run_id], DASHES[place % len(DASHES)]) for place, run_id in enumerate(ids)}

    @property
    def data_names(self) -> dict[str, str]:
        return {entry.recipe.dataset_hash: entry.recipe.dataset for entry in self.entries}

    @property
    def is_alive(self) -> bool:
        return any(entry.summary.state in ALIVE for entry in self.entries)


def pick_runs(home: Home) -> View:
    """The picker of several runs, as wide as the page because their names are long, and what the picked ones say."""
    runs = {run.run_id: run for run in readers.runs(home)}

    def title(run_id: str) -> str:
        return f"{words.STATE_SIGNS[runs[run_id].state][0]} {run_title(runs[run_id])}"

    chosen = selection.pick_many(
        "runs", "Runs to compare", list(runs), title=title, help=meaning("compared runs")
    )
    return load(home, [runs[run_id] for run_id in chosen])


def load(home: Home, picked: Sequence[RunSummary]) -> View:
    """Recipes and results of the picked runs; what cannot be read is named, not raised."""
    entries, broken = [], []
    for summary in picked:
        try:
            entries.append(_entry(open_run(home, summary.run_id), summary))
        except RelScopeError as error:
            broken.append((run_title(summary), states.readable(error)))
    return View(home, tuple(entries), tuple(broken))


def _entry(run: RunFolder, summary: RunSummary) -> Entry:
    environment = run.environment() or {}
    return Entry(summary, run.recipe(), readers.results(run), str(environment.get("git_commit") or ""))


def controls(view: View) -> View:
    """One row: under which protocol and in which metric the runs are compared."""
    offered = compare.protocols(view.entries)
    if not offered:
        return view
    cells = row("controls", "compare", (4, 3, 3))

    def title(key: str) -> str:
        sharing = sum(key in entry.results for entry in view.entries)
        return f"{key}: {sharing} of {words.count(len(view.entries), 'run')}"

    with cells[0]:
        protocol = selection.pick(
            "under", "Protocol", offered, default=offered[0], title=title, help=meaning("protocol")
        )
    chosen = View(view.home, view.entries, view.broken, protocol)
    names = sorted_metrics(chosen.benches)
    with cells[1]:
        metric = selection.pick("metric", "Metric", names, title=metric_title) if names else ""
    return View(view.home, view.entries, view.broken, protocol, metric)


def sorted_metrics(benches: Sequence[Bench]) -> list[str]:
    """The metrics that some bench can compare, in the order of the first."""
    return list(dict.fromkeys(name for bench in benches for name in metrics_of(bench)))


def about_bench(view: View, bench: Bench) -> str:
    """On what a figure of `bench` rests, for saved pictures."""
    stand = bench.footing
    data = compare.data_name(stand.data_hash, view.data_names)
    trained = words.trained_on(bench.task, stand.fit_on, stand.auxiliary_noise)
    about = ", ".join(filter(None, (data, trained)))
    return f"{about}; {stand.protocol}: {protocol_words(stand.protocol)}"


def context(view: View) -> str:
    """Which of the picked runs stand in the first table, their data and protocol, in one line."""
    compared = view.benches[0].entries if view.benches else view.entries
    data = dict.fromkeys(entry.recipe.dataset for entry in compared)
    picked = len(view.entries)
    count = words.count(picked, "run")
    parts = [count if len(compared) == picked else f"{len(compared)} of {count}", "data: " + ", ".join(data)]
    if view.protocol:
        parts.append(f"protocol {view.protocol}: {protocol_words(view.protocol)}")
    return states.plain(" · ".join(parts))


def protocol_words(key: str) -> str:
    try:
        return words.protocol(key)
    except ConfigError:
        return "a protocol that this version does not know"
