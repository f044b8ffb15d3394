"""Which run stands against the one shown, over which seeds, and why another may not. Pure."""

from collections.abc import Mapping, Sequence

from core.runs.summary import RunSummary
from dashboard import compare
from dashboard.compare import Entry, Group

NOBODY = "-"
_SAME = ("dataset_hash", "fit_on", "auxiliary_noise")


def rivals(own: RunSummary, runs: Sequence[RunSummary], protocol: str) -> list[RunSummary]:
    """The other finished runs that were tested on the same data under `protocol`, after training on the same pairs."""
    return [
        run
        for run in runs
        if run.run_id != own.run_id
        and run.state == "done"
        and protocol in run.results
        and all(getattr(run, name) == getattr(own, name) for name in _SAME)
        and _is_optimistic(run) == _is_optimistic(own)
    ]


def _is_optimistic(run: RunSummary) -> bool:
    return run.selection == "test_as_published"


def default_rival(own: RunSummary, offered: Sequence[RunSummary]) -> str:
    """Whom a reader would ask for first: the run that `own` went on from; the full model where `own` is a variant; another
    system with the same seed; then any other system, then any. NOBODY where none is offered.
    """

    def rank(run: RunSummary) -> tuple[bool, bool, bool, bool]:
        is_full = bool(own.variant) and run.system == own.system and not run.variant
        return (
            run.run_id != own.parent,
            not (is_full and run.seed == own.seed),
            run.system == own.system,
            run.seed != own.seed,
        )

    return min(offered, key=rank).run_id if offered else NOBODY


def siblings(own: RunSummary, runs: Sequence[RunSummary], protocol: str) -> list[RunSummary]:
    """Runs that seem to differ from `own` in the seed alone, `own` first; their recipes tell for sure (`paired_by_seed`)."""
    same = ("system", "selection", "preset", "variant", "protocol", "changes")
    others = [
        run
        for run in rivals(own, runs, protocol)
        if run.seed != own.seed and all(getattr(run, name) == getattr(own, name) for name in same)
    ]
    return [own, *others]


def paired_by_seed(
    one: Entry, other: Entry, entries: Sequence[Entry]
) -> tuple[tuple[Entry, ...], tuple[Entry, ...]]:
    """The runs to average on either side: one per seed that both settings have, in the same order.

    The two runs alone where they differ in the seed alone, or where the seeds that both have leave out one of the two, since
    nothing should be drawn without the runs that were picked.
    """
    mine, theirs = _by_seed(one, entries), _by_seed(other, entries)
    seeds = sorted(mine.keys() & theirs.keys())
    alike = any(entry.run_id == other.run_id for entry in mine.values())
    if alike or one.recipe.seed not in seeds or other.recipe.seed not in seeds:
        return (one,), (other,)
    return tuple(mine[seed] for seed in seeds), tuple(theirs[seed] for seed in seeds)


def _by_seed(own: Entry, entries: Sequence[Entry]) -> Mapping[int, Entry]:
    first: Group = compare.groups([own, *(entry for entry in entries if entry.run_id != own.run_id)])[0]
    return {entry.recipe.seed: entry for entry in first.entries}


def refusal(own: Entry, other: Entry, protocol: str, names: Mapping[str, str]) -> str:
    """Why `other` may not stand against `own` under `protocol`, empty where it may. names: content hash -> data set."""
    if other.run_id == own.run_id:
        return "a run does not differ from itself"
    if protocol not in other.results:
        missing = compare.missing_result(other, protocol)
        elsewhere = own.recipe.dataset_hash != other.recipe.dataset_hash
        return f"other data: {other.recipe.dataset}; {missing}" if elsewhere else missing
    return "; ".join(compare.apart(compare.footing(own, protocol), compare.footing(other, protocol), names))
