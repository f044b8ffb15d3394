"""Which systems the page Long tail holds against each other, over which seeds, and the ranks of the test pairs they share."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import streamlit as st

from core.findings import Array
from core.home import Home
from core.runs.folder import open_run
from core.runs.ranked_pairs import shared_pairs
from core.runs.summary import RunSummary
from dashboard import compare, longtail_readers, opponents, readers, selection, states
from dashboard.compare import Entry
from dashboard.glossary import meaning
from dashboard.opponents import NOBODY
from dashboard.panels import compare_view
from dashboard.panels.run_list import run_title


@dataclass(frozen=True)
class Side:
    """One of the two systems: the runs (seeds) that its values are averaged over, and the rank of every test pair in each."""

    name: str
    entries: tuple[Entry, ...]
    ranks: tuple[Array, ...] = ()

    @property
    def seeds(self) -> list[int]:
        return [entry.recipe.seed for entry in self.entries]


def entries_of(home: Home, summaries: Sequence[RunSummary]) -> tuple[Entry, ...]:
    """Recipes and results; a run that cannot be read is told and left out."""
    found = compare_view.load(home, summaries)
    for title, reason in found.broken:
        st.caption(f":orange-badge[left out] {states.plain(title)}: {states.plain(reason)}")
    return found.entries


def pick_against(home: Home, own: Entry, protocol: str) -> str:
    """The run that this one is held against: any that compares, and whichever else the address asks for, to be refused."""
    runs = {run.run_id: run for run in readers.runs(home)}
    rivals = opponents.rivals(own.summary, list(runs.values()), protocol)
    ids = [run.run_id for run in rivals]
    asked = selection.current("against")
    strangers = [asked] if asked in runs and asked not in (*ids, own.run_id) else []
    chosen = selection.pick(
        "against",
        "Against",
        [*ids, NOBODY, *strangers],
        default=opponents.default_rival(own.summary, rivals),
        title=lambda run_id: "nobody: this run alone" if run_id == NOBODY else run_title(runs[run_id]),
        help=meaning("against"),
    )
    if not rivals:
        st.caption("No other finished run has results on this data and protocol, trained on the same pairs.")
    return chosen


def sides_of(home: Home, own: Entry, against: str, protocol: str) -> tuple[Side, ...]:
    """One side, or two where the run of `against` may be compared; otherwise the reason is told."""
    alone = (Side(compare.titles([own])[own.run_id], (own,)),)
    if against == NOBODY:
        return alone
    runs = readers.runs(home)
    rival = next(run for run in runs if run.run_id == against)
    found = entries_of(home, [rival])
    if not found:
        return alone
    names = {entry.recipe.dataset_hash: entry.recipe.dataset for entry in (own, found[0])}
    if reason := opponents.refusal(own, found[0], protocol, names):
        st.warning(
            f"{states.plain(run_title(rival))} is kept apart: {states.plain(reason)}. This run is shown alone.",
            icon=":material/block:",
        )
        return alone
    like = [*opponents.siblings(own.summary, runs, protocol), *opponents.siblings(rival, runs, protocol)]
    entries = entries_of(home, list({run.run_id: run for run in like}.values()))
    mine, theirs = opponents.paired_by_seed(own, found[0], entries)
    alike = mine[0].recipe.system == theirs[0].recipe.system and mine[0].recipe.seed != theirs[0].recipe.seed
    told = compare.titles([own, found[0]], with_seed=alike)
    return Side(told[own.run_id], mine), Side(told[found[0].run_id], theirs)


def with_ranks(
    home: Home, sides: tuple[Side, ...], protocol: str
) -> tuple[Array, Array, tuple[Side, ...], int] | None:
    """Users and items of the test pairs that every run has, the sides with their ranks, and how many other pairs there are.

    None where the picked run has none; another run without any is told and its whole side left out.
    """
    read, kept = [], []
    for side in sides:
        pairs = [longtail_readers.pairs(open_run(home, e.run_id), protocol) for e in side.entries]
        stored = [one for one in pairs if one is not None]
        if len(stored) == len(pairs):
            read += stored
            kept.append(side)
        elif side is sides[0]:
            return None
        else:
            st.caption(f":orange-badge[left out] {states.plain(side.name)}: it keeps no ranks of test pairs")
    users, items, ranks, dropped = shared_pairs(read)
    ends = np.cumsum([0, *(len(side.entries) for side in kept)])
    ranked = (replace(s, ranks=tuple(ranks[a:b])) for s, a, b in zip(kept, ends, ends[1:]))
    return users, items, tuple(ranked), dropped


def seeds_in_words(one: Side, other: Side) -> str:
    if one.seeds != other.seeds:
        return f"seed {one.seeds[0]} against seed {other.seeds[0]}"
    told = ", ".join(map(str, one.seeds))
    return f"seed {told}" if len(one.seeds) == 1 else f"mean over seeds {told}"
