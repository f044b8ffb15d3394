"""What a comparison shows: metrics per group with their spread over seeds, settings that differ, curves of each run. Pure."""

from collections.abc import Mapping, Sequence

import pandas as pd

from core.evaluation.statistics import spread
from core.protocol import Selection
from dashboard import words
from dashboard.compare import Bench, Entry, Group
from dashboard.results import is_accuracy, metric_order

PARTS = {
    "all": "all test pairs",
    "seen": "pairs seen before",
    "unseen": "pairs never seen before",
}
BEST, SECOND = 1, 2
GAP = "\u00a0"  # keeps a number and its spread on one line
SIGNS = {BEST: "①", SECOND: "②"}
PANELS = {"all": "all", "seen": "seen before", "unseen": "never seen"}
MISSING = "–"
_RULES: dict[Selection, str] = {
    "valid": "best on validation",
    "loss": "lowest training loss",
    "last": "last",
    "test_as_published": "best on TEST (optimistic)",
}
MEASURED = ["group", "metric", "part", "seeds", "mean", "deviation", "low", "high", "place"]


def metrics_of(bench: Bench, part: str = "all") -> list[str]:
    """Accuracy metrics that every run of the bench has, the leading ones first."""
    stored = [set(_numbers(entry, bench, part)) for entry in bench.entries]
    return sorted(filter(is_accuracy, set.intersection(*stored)), key=metric_order)


def values_of(group: Group, protocol: str, metric: str, part: str) -> list[float]:
    """The metric of every seed, where each run has it."""
    found = [_result_part(entry, protocol, part).get(metric) for entry in group.entries]
    return [float(value) for value in found if value is not None]


def measured(bench: Bench, metrics: Sequence[str], parts: Sequence[str] = ("all",)) -> pd.DataFrame:
    """One row per group, metric and part: columns MEASURED; `place` is BEST, SECOND or 0.

    Means that agree to the four decimals shown share a place; a group of one has no place.
    """
    rows = []
    for part in parts:
        for metric in metrics:
            found = []
            for group in bench.groups:
                values = values_of(group, bench.footing.protocol, metric, part)
                if len(values) == len(group.entries):
                    about = spread(values)
                    found.append((group.key, about))
            places = _places([about.mean for _, about in found])
            rows += [
                (key, metric, part, s.size, s.mean, s.deviation, s.low, s.high, place)
                for (key, s), place in zip(found, places)
            ]
    return pd.DataFrame(rows, columns=MEASURED)


def ranked(bench: Bench, metric: str) -> list[Group]:
    """The groups that have the metric, the best first."""
    table = measured(bench, [metric]).sort_values("mean", ascending=False, kind="stable")
    groups = {group.key: group for group in bench.groups}
    return [groups[key] for key in table["group"]]


def file_part(text: str) -> str:
    """`text` as a part of a file name."""
    return "".join(sign if sign.isalnum() else "-" for sign in text)


def _places(means: Sequence[float]) -> list[int]:
    shown = [round(mean, 4) for mean in means]
    best = sorted(set(shown), reverse=True)
    if len(shown) < 2 or len(best) < 2:
        return [0] * len(shown)
    second = SECOND if shown.count(best[0]) == 1 else 0
    return [BEST if value == best[0] else second if value == best[1] else 0 for value in shown]


def _result_part(entry: Entry, protocol: str, part: str) -> Mapping[str, float | None]:
    stored = entry.results[protocol].get("metrics" if part == "all" else part)
    return stored if isinstance(stored, Mapping) else {}


def _numbers(entry: Entry, bench: Bench, part: str) -> list[str]:
    found = _result_part(entry, bench.footing.protocol, part)
    return [name for name, value in found.items() if value is not None]


def cell(mean: float, deviation: float) -> str:
    """`.5962 ± .0021`, or the mean alone for one seed."""
    return words.score(mean) + ("" if deviation != deviation else f"{GAP}±{GAP}{words.score(deviation)}")


def interval(low: float, high: float) -> str:
    return MISSING if low != low else f"{words.score(low)} to {words.score(high)}"


def seeds_of(group: Group) -> str:
    """`1 (0)` or `3 (0, 1, 2)`: how many, and which."""
    return f"{len(group.entries)} ({', '.join(map(str, sorted(group.seeds)))})"


def epochs_of(group: Group, protocol: str) -> str:
    """By which rule the scored epochs were chosen, and which they are: `best on validation: 40, 35`."""
    results = [entry.results[protocol] for entry in group.entries]
    epochs = [str(result["epoch"]) for result in results if result.get("epoch")]
    if not epochs:
        return "no epochs"
    return f"{_RULES[group.entries[0].recipe.selection]}: {', '.join(epochs)}"


def settings_table(
    entries: Sequence[Entry], titles: Mapping[str, str], *, only_differing: bool
) -> pd.DataFrame:
    """Settings as rows and runs as columns; what a system does not have is a dash. First column `setting`."""
    told = {titles[entry.run_id]: _provenance(entry) | _settings(entry) for entry in entries}
    names = dict.fromkeys(name for values in told.values() for name in values)
    rows = {name: [values.get(name, MISSING) for values in told.values()] for name in names}
    if only_differing:
        rows = {name: values for name, values in rows.items() if len(set(values)) > 1}
    frame = pd.DataFrame.from_dict(rows, orient="index", columns=list(told), dtype=object)
    return frame.rename_axis("setting").reset_index()


def _provenance(entry: Entry) -> dict[str, str]:
    recipe, run = entry.recipe, entry.summary
    return {
        "system": recipe.system,
        "preset": recipe.preset,
        "variant": recipe.variant or "none",
        "seed": str(recipe.seed),
        "data": recipe.dataset,
        "data content": recipe.dataset_hash[:8],
        "own protocol": recipe.protocol.key,
        "trained on": words.fit_on(recipe.fit_on, recipe.auxiliary_noise)
        if entry.task == "ranking"
        else MISSING,
        "scored epoch": words.selection(recipe.selection),
        "device": run.device or run.slot or recipe.device,
        "code (commit)": entry.commit[:10] or MISSING,
    }


def _settings(entry: Entry) -> dict[str, str]:
    return {name.replace("_", " "): str(value) for name, value in entry.recipe.config.items()}


def along_epochs(metrics: pd.DataFrame, term: str) -> pd.DataFrame:
    """One run's `term`: columns epoch, seconds (trained until then), value; several steps of an epoch are averaged.

    metrics: rows of metrics.jsonl. Seconds add up over the epochs; they are missing where no epoch was timed.
    """
    rows = metrics[metrics["name"] == term]
    found = rows.groupby("epoch", sort=True)["value"].mean().reset_index()
    timed = metrics[metrics["name"] == "seconds/epoch"].groupby("epoch")["value"].mean().sort_index()
    seconds = timed.cumsum().reindex(found["epoch"].to_numpy(), method="ffill").to_numpy()
    return found.assign(seconds=seconds)[["epoch", "seconds", "value"]]
