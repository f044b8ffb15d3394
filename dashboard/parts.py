"""What each part of HGIB contributes, from the finished runs on one footing: the full model against each run without a part. Pure.

The differences are paired by seed. Source: HGIB, Section 5.4.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from core.catalog.base import System
from core.evaluation.statistics import Spread, spread
from core.recipe import Recipe, varied
from core.runs.summary import RunSummary
from dashboard import words

FULL = ""
GAP = "\u00a0"
# variant -> what it takes away, in the order of the paper; the first three are its ablation
PAPER = ("without_pres", "without_comp", "without_gre")
PARTS = {
    "without_pres": "L_pres",
    "without_comp": "L_comp",
    "without_gre": "edge refinement",
    "random_pruning": "weights by similarity",
    "without_component_level": "component level",
    "without_behavior_level": "behaviour level",
    "flat": "the hierarchy",
}
HELPS, HURTS, OPEN, SINGLE, MISSING = "helps", "hurts", "not settled", "one seed", "not trained"
HOLDS, FAILS = "holds", "does not hold"
COLUMNS = [
    *("variant", "part", "seeds", "mean", "low", "high"),
    *("pairs", "difference", "difference_low", "difference_high", "verdict"),
]
_SAME = ("system", "dataset_hash", "protocol", "fit_on", "selection", "preset", "auxiliary_noise")


@dataclass(frozen=True)
class Standing:
    """Runs by variant (FULL for the full model) and seed. apart: how many runs on the same data and protocol differ in other
    settings; repeated: how many repeat a seed and are passed over for a later one.
    """

    runs: Mapping[str, Mapping[int, RunSummary]]
    apart: int
    repeated: int

    def values(self, metric: str) -> dict[str, dict[int, float]]:
        """The metric under the runs' own protocol."""
        return {
            variant: {seed: run.results[run.protocol][metric] for seed, run in sorted(by_seed.items())}
            for variant, by_seed in self.runs.items()
        }

    def values_on(
        self, part: str, metric: str, stored: Mapping[str, Mapping[str, Any]]
    ) -> dict[str, dict[int, float]]:
        """The metric over the test pairs of `part`, seen or unseen; runs that have none of these are left out.

        stored: what each run stored of its test under its own protocol, by the run's id.
        """
        found: dict[str, dict[int, float]] = {}
        for variant, by_seed in self.runs.items():
            for seed, run in sorted(by_seed.items()):
                measured = stored.get(run.run_id, {}).get(part)
                value = measured.get(metric) if isinstance(measured, Mapping) else None
                if value is not None:
                    found.setdefault(variant, {})[seed] = float(value)
        return found


def standing(own: RunSummary, system: System, runs: Sequence[RunSummary], metric: str) -> Standing:
    """Which runs stand beside `own` as the full model or as one of its variants.

    Settings decide, not names: those of `own` without its variant's, with the other variant's in their place.
    """
    presets = _preset(system, own.preset)
    base = _settings(own) if own.variant not in system.variants else _without(own, system, presets)
    expected = {
        name: _apart_from(presets, {**base, **variant.patch}) for name, variant in system.variants.items()
    }
    expected = {FULL: base} | {name: settings for name, settings in expected.items() if settings != base}
    found: dict[str, dict[int, RunSummary]] = {}
    apart = repeated = 0
    for run in sorted(runs, key=lambda run: run.created):
        if any(getattr(run, name) != getattr(own, name) for name in _SAME) or run.state != "done":
            continue
        if metric not in run.results.get(run.protocol, {}):
            continue
        settings = _settings(run)
        variant = next((name for name, wanted in expected.items() if wanted == settings), None)
        if variant is None:
            apart += 1
            continue
        by_seed = found.setdefault(variant, {})
        repeated += run.seed in by_seed
        by_seed[run.seed] = run
    return Standing(found, apart, repeated)


def _preset(system: System, preset: str) -> dict[str, Any]:
    return system.resolve(preset if preset in system.presets else "paper", None).model_dump()


def _settings(run: RunSummary) -> dict[str, Any]:
    """The settings in which a run differs from its preset."""
    return {name: new for name, (_, new) in run.changes.items()}


def _apart_from(preset: Mapping[str, Any], settings: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in settings.items() if preset.get(name) != value}


def _without(own: RunSummary, system: System, preset: Mapping[str, Any]) -> dict[str, Any]:
    """The settings of `own` but for those of its variant."""
    patch = system.variants[own.variant].patch
    return {
        name: value for name, value in _settings(own).items() if name not in patch or patch[name] != value
    }


def parts_table(values: Mapping[str, Mapping[int, float]], titles: Mapping[str, str]) -> pd.DataFrame:
    """The full model (first row), every part, and other variants that have runs: columns COLUMNS, NaN where unknown.

    difference: the full model minus the variant, mean over the seeds that both have, with its 95 % interval; above zero
    the part helps. values: variant -> seed -> metric. titles: variant -> name, for those beside PARTS.
    """
    names = [FULL, *PARTS, *(name for name in values if name not in (FULL, *PARTS))]
    rows = []
    for name in names:
        own = values.get(name, {})
        about = spread(list(own.values())) if own else Spread(0, *(np.nan,) * 4)
        paired = differences(values, name)
        moved = spread(paired) if paired and name != FULL else Spread(0, *(np.nan,) * 4)
        rows.append(
            (
                name,
                PARTS.get(name) or titles.get(name, name) if name != FULL else "nothing: the full model",
                about.size,
                about.mean,
                about.low,
                about.high,
                moved.size,
                moved.mean,
                moved.low,
                moved.high,
                "" if name == FULL else _verdict(moved) if own else MISSING,
            )
        )
    return pd.DataFrame(rows, columns=COLUMNS)


def differences(values: Mapping[str, Mapping[int, float]], variant: str, other: str = FULL) -> list[float]:
    """`other` minus `variant`, seed by seed."""
    one, two = values.get(other, {}), values.get(variant, {})
    return [one[seed] - two[seed] for seed in sorted(one.keys() & two.keys())]


def _verdict(moved: Spread) -> str:
    if moved.size < 2:
        return SINGLE if moved.size else MISSING
    return HELPS if moved.low > 0 else HURTS if moved.high < 0 else OPEN


@dataclass(frozen=True)
class Claim:
    """A claim of the paper, whether the runs bear it out, and why in numbers of the metric."""

    claim: str
    verdict: str
    why: str


def claims(values: Mapping[str, Mapping[int, float]], table: pd.DataFrame) -> list[Claim]:
    """What HGIB's Section 5.4 says of its parts, and the control that its Eq. 10 lacks. table: as from `parts_table`."""
    verdicts = dict(zip(table["variant"], table["verdict"]))
    moved = dict(zip(table["variant"], table["difference"]))
    return [
        _every_part(verdicts, moved),
        _costs_most(values),
        _one(
            "which edges get which weight matters",
            verdicts["random_pruning"],
            moved["random_pruning"],
            "dealing the same weights to edges at random",
        ),
    ]


def _every_part(verdicts: Mapping[str, str], moved: Mapping[str, float]) -> Claim:
    found = [verdicts[name] for name in PAPER]
    verdict = HOLDS if set(found) == {HELPS} else FAILS if HURTS in found else OPEN
    said = [
        f"{PARTS[name]} {found_so}" + (f" ({words.signed(moved[name])})" if found_so != MISSING else "")
        for name, found_so in zip(PAPER, found)
    ]
    return Claim("every part helps", verdict, ", ".join(said))


def _costs_most(values: Mapping[str, Mapping[int, float]]) -> Claim:
    claim = "removing L_pres costs most"
    compared: dict[str, Spread] = {}
    for name in PAPER[1:]:
        paired = differences(values, PAPER[0], name)
        if values.get(FULL) and paired:
            compared[name] = spread(paired)
    if len(compared) < len(PAPER) - 1:
        return Claim(
            claim, OPEN, "it takes runs without each of L_pres, L_comp and edge refinement, on the same seeds"
        )
    beaten = [name for name, about in compared.items() if about.size > 1 and about.high < 0]
    own = differences(values, PAPER[0])
    if own and _verdict(spread(own)) == HURTS:
        return Claim(
            claim, FAILS, f"without L_pres the model does better, by {words.signed(-float(np.mean(own)))}"
        )
    won = [name for name, about in compared.items() if about.size > 1 and about.low > 0]
    verdict = FAILS if beaten else HOLDS if len(won) == len(compared) else OPEN
    said = [
        f"{words.signed(about.mean)} more than removing {PARTS[name]}{_interval(about)}"
        for name, about in compared.items()
    ]
    return Claim(claim, verdict, "it costs " + " and ".join(said))


def _one(claim: str, verdict: str, moved: float, what: str) -> Claim:
    named = {HELPS: HOLDS, HURTS: FAILS}
    why = f"no finished run: {what}" if verdict == MISSING else f"{what} costs {words.signed(moved)}"
    return Claim(claim, named.get(verdict, OPEN), why + (" (one seed)" if verdict == SINGLE else ""))


def _interval(about: Spread) -> str:
    if about.size < 2:
        return " (one seed)"
    return f" (95{GAP}% {words.signed(about.low)} to {words.signed(about.high)})"


def missing(table: pd.DataFrame) -> list[str]:
    """Variants of PARTS without a run, FULL among them."""
    known = table[table["seeds"] > 0]["variant"].tolist()
    return [name for name in (FULL, *PARTS) if name not in known]


def recipe_with(recipe: Recipe, system: System, variant: str) -> Recipe:
    """`recipe` as `variant` (FULL for none) and nothing else changed. Raises ConfigError where its preset has left the catalog."""
    touched = {
        name
        for patched in (recipe.variant or FULL, variant)
        if patched in system.variants
        for name in system.variants[patched].patch
    }
    return varied(recipe, variant or None, touched)
