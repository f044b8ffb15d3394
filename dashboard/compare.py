"""Which runs may be compared: results on one footing share a table, runs that differ in the seed alone share a row. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from core.catalog.systems import CATALOG
from core.errors import ConfigError
from core.protocol import FitOn, Task, parse_protocol
from core.recipe import Recipe
from core.runs.summary import RunSummary
from dashboard import words

MOST_SETTINGS_IN_A_TITLE = 2
DOES: dict[Task, str] = {"ranking": "ranks items", "nodes": "embeds nodes"}
SCORES: dict[Task, str] = {"ranking": "rankings of items", "nodes": "embeddings of nodes"}


@dataclass(frozen=True)
class Entry:
    """A picked run: its recipe and its stored results by protocol. commit: of the code that trained it, if known."""

    summary: RunSummary
    recipe: Recipe
    results: Mapping[str, Mapping[str, Any]]
    commit: str = ""

    @property
    def run_id(self) -> str:
        return self.summary.run_id

    @property
    def task(self) -> Task:
        """To rank items, or to embed nodes."""
        return self.recipe.protocol.task


@dataclass(frozen=True)
class Footing:
    """What two results must share to stand in one table. is_optimistic: the epoch was chosen on test data.
    auxiliary_noise: share of random pairs that were added in training."""

    data_hash: str
    protocol: str
    fit_on: FitOn
    is_optimistic: bool
    auxiliary_noise: float = 0.0


@dataclass(frozen=True)
class Group:
    """Runs that share everything but the seed: one row of a table, named by its first run."""

    entries: tuple[Entry, ...]

    @property
    def key(self) -> str:
        return self.entries[0].run_id

    @property
    def seeds(self) -> list[int]:
        return [entry.recipe.seed for entry in self.entries]


@dataclass(frozen=True)
class Bench:
    """The groups whose results compare with each other."""

    footing: Footing
    groups: tuple[Group, ...]

    @property
    def task(self) -> Task:
        """What these runs learned; a protocol scores one task alone."""
        return self.groups[0].entries[0].task

    @property
    def entries(self) -> list[Entry]:
        return [entry for group in self.groups for entry in group.entries]


def protocols(entries: Sequence[Entry]) -> list[str]:
    """Protocols under which runs have results, the one that most of them share first; then by the runs' own protocol."""
    own = [entry.recipe.protocol.key for entry in entries]
    counts: dict[str, int] = {}
    for entry in entries:
        for key in entry.results:
            counts[key] = counts.get(key, 0) + 1
    return sorted(counts, key=lambda key: (-counts[key], -own.count(key), key))


def footing(entry: Entry, protocol: str) -> Footing:
    """On what the run's result under `protocol` stands. Results of older versions do not repeat the recipe."""
    result, recipe = entry.results[protocol], entry.recipe
    return Footing(
        str(result.get("dataset_hash") or recipe.dataset_hash),
        protocol,
        result.get("fit_on") or recipe.fit_on,
        (result.get("selection") or recipe.selection) == "test_as_published",
        result.get("auxiliary_noise", recipe.auxiliary_noise),
    )


def benches(entries: Sequence[Entry], protocol: str) -> list[Bench]:
    """The picked runs with a result under `protocol`, apart where they stand on different footings; the largest first."""
    found: dict[Footing, list[Entry]] = {}
    for entry in entries:
        if protocol in entry.results:
            found.setdefault(footing(entry, protocol), []).append(entry)
    parts = [Bench(stand, tuple(groups(members))) for stand, members in found.items()]
    return sorted(parts, key=lambda bench: -len(bench.groups))


def groups(entries: Sequence[Entry]) -> list[Group]:
    """Runs that differ in the seed alone belong together; a repeat of the same seed starts a row of its own."""
    rows: dict[tuple[str, int], list[Entry]] = {}
    for entry in entries:
        about, repeat = _all_but_seed(entry.recipe), 0
        while any(entry.recipe.seed == other.recipe.seed for other in rows.get((about, repeat), [])):
            repeat += 1
        rows.setdefault((about, repeat), []).append(entry)
    return [Group(tuple(members)) for members in rows.values()]


def _all_but_seed(recipe: Recipe) -> str:
    """Everything that decides what is learned except the seed; preset and variant are names for settings."""
    parts = (recipe.system, sorted(recipe.config.items()), recipe.dataset_hash, recipe.protocol.key)
    return repr((*parts, recipe.fit_on, recipe.selection, recipe.auxiliary_noise))


def apart(one: Footing, other: Footing, names: Mapping[str, str]) -> list[str]:
    """Why results on `other` do not compare with those on `one`, in words. names: content hash -> data set."""
    reasons = []
    if one.data_hash != other.data_hash:
        mine, theirs = (data_name(stand.data_hash, names) for stand in (one, other))
        reasons.append(f"other data: {theirs} instead of {mine}")
    if one.protocol != other.protocol:
        reasons.append(f"protocol {other.protocol} instead of {one.protocol}")
    mine, theirs = (words.fit_on(stand.fit_on, stand.auxiliary_noise) for stand in (one, other))
    if mine != theirs:
        reasons.append(f"trained on {theirs} instead of {mine}")
    if one.is_optimistic != other.is_optimistic:
        rule = "test data, which is optimistic" if other.is_optimistic else "data other than the test pairs"
        reasons.append(f"the epoch was chosen on {rule}")
    return reasons


def data_name(data_hash: str, names: Mapping[str, str]) -> str:
    return f"{names.get(data_hash, 'unknown data')} (content {data_hash[:8]})"


def missing_result(entry: Entry, protocol: str) -> str:
    """Why a run has no result under `protocol`, in words."""
    run = entry.summary
    if (other := protocol_task(protocol)) and other != entry.task:
        return f"it {DOES[entry.task]}; {protocol} scores {SCORES[other]}"
    if entry.results:
        return f"scored under {', '.join(sorted(entry.results))}, not under {protocol}"
    if run.state == "running":
        return f"still training, epoch {run.epoch:,} of {run.epochs:,}"
    return {"queued": "waiting in the queue", "done": "no test result is stored"}.get(
        run.state, f"{run.state} before it was tested"
    )


def protocol_task(key: str) -> Task | None:
    """The task that a protocol scores; None for one that this version does not know."""
    try:
        return parse_protocol(key).task
    except ConfigError:
        return None


def titles(entries: Sequence[Entry], with_seed: bool = False) -> dict[str, str]:
    """A short name per run: its system, then only what tells it from the others; equal names get the end of the id."""
    varied = {
        part: len({_value(entry, part) for entry in entries}) > 1
        for part in ("preset", "dataset", "fit_on", "selection", "protocol")
    }
    told = {entry.run_id: _title(entry, entries, varied, with_seed) for entry in entries}
    every = list(told.values())
    return {
        run_id: title if every.count(title) == 1 else f"{title} ({run_id[-4:]})"
        for run_id, title in told.items()
    }


def _title(entry: Entry, others: Sequence[Entry], varied: Mapping[str, bool], with_seed: bool) -> str:
    recipe = entry.recipe
    known = CATALOG.get(recipe.system)
    parts = [known.title if known else recipe.system, (recipe.variant or "").replace("_", " ")]
    differing = _differing(entry, others)
    parts += [_setting(name, recipe.config[name]) for name in differing[:MOST_SETTINGS_IN_A_TITLE]]
    if len(differing) > MOST_SETTINGS_IN_A_TITLE:
        parts.append(f"+{len(differing) - MOST_SETTINGS_IN_A_TITLE} more")
    if varied["preset"] and any(
        other.recipe.system == recipe.system and other.recipe.preset != recipe.preset for other in others
    ):
        parts.append(recipe.preset)
    parts += [_value(entry, part) for part in ("dataset",) if varied[part]]
    parts += [words.fit_on(recipe.fit_on)] if varied["fit_on"] and recipe.fit_on != "train" else []
    parts += [f"{words.noise(recipe.auxiliary_noise)} noise"] if recipe.auxiliary_noise else []
    parts += ["optimistic"] if recipe.selection == "test_as_published" else []
    parts += [f"seed {recipe.seed}"] if with_seed else []
    return " · ".join(filter(None, parts))


def _differing(entry: Entry, others: Sequence[Entry]) -> list[str]:
    """Settings in which runs of this system and variant differ."""
    peers = [
        other.recipe.config
        for other in others
        if (other.recipe.system, other.recipe.variant) == (entry.recipe.system, entry.recipe.variant)
    ]
    own = entry.recipe.config
    names = [name for name in own if any(peer.get(name) != own[name] for peer in peers)]
    return sorted(names, key=lambda name: name == "epochs")


def _value(entry: Entry, part: str) -> str:
    value = getattr(entry.recipe, part)
    return value.key if part == "protocol" else str(value)


def _setting(name: str, value: Any) -> str:
    return f"{name}={value:g}" if isinstance(value, float) else f"{name}={str(value)[:16]}"
