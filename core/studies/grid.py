"""The grid study: every combination of the values that a system's paper searches, chosen on validation data.

HGIB's is alpha x beta (RecSys 2025, Section 5.6), as `System.search` says.
"""

import json
from collections.abc import Mapping, Sequence
from itertools import product
from typing import Any

import pandas as pd

from core.catalog.systems import CATALOG, system
from core.data.fitting import refuse_unfit
from core.data.info import DatasetInfo
from core.errors import ConfigError
from core.evaluation.statistics import spread
from core.protocol import FitOn, Selection
from core.recipe import Recipe, make_recipe
from core.runs.standing import Cell, steps
from core.runs.summary import RunSummary

SEEDS = (0,)
MEASURED = ["point", "seeds", "valid", "test", "low", "high"]


def grid_study(
    info: DatasetInfo,
    system_key: str,
    *,
    seeds: Sequence[int] = SEEDS,
    preset: str | None = None,
    overrides: Mapping[str, Any] | None = None,
    protocol: str | None = None,
    fit_on: FitOn = "train",
    selection: Selection | None = None,
    device: str = "auto",
) -> tuple[Recipe, ...]:
    """One recipe per seed and point of the grid. overrides: other settings, the same for all.

    Raises ConfigError for a system without a grid, a setting that is both searched and set, a seed given twice, or a
    selection that does not look at validation data, DataError for data that the system cannot learn from.
    """
    search = system(system_key).search
    if not search:
        known = ", ".join(key for key, entry in CATALOG.items() if entry.search)
        raise ConfigError(f"{system_key} has no grid to search: expected one of {known}")
    refuse_unfit(info, system(system_key))
    fixed = next((name for name in overrides or {} if name in search), None)
    if fixed is not None:
        raise ConfigError(f"{fixed} is searched over {', '.join(map(str, search[fixed]))}: do not set it")
    if len(set(seeds)) < len(seeds):
        raise ConfigError(f"seeds {', '.join(map(str, seeds))}: write each seed once")
    planned = tuple(
        make_recipe(
            info.name,
            info.content_hash,
            system_key,
            planted=info.planted,
            preset=preset,
            overrides={**(overrides or {}), **dict(zip(search, point))},
            protocol=protocol,
            fit_on=fit_on,
            selection=selection,
            seed=seed,
            device=device,
        )
        for seed in seeds
        for point in product(*search.values())
    )
    if planned[0].selection != "valid":
        raise ConfigError(
            f"a grid is chosen on validation data, but fit_on {fit_on} with selection {planned[0].selection} does not look "
            "at it; use fit_on train and selection valid"
        )
    return planned


def point_of(recipe: Recipe) -> str:
    """Where in the grid a recipe lies: `alpha 0.5, beta 10`."""
    return ", ".join(f"{name} {recipe.config[name]:g}" for name in system(recipe.system).search)


def in_words(recipe: Recipe) -> str:
    """`HGIB alpha 0.5, beta 10, seed 0`."""
    return f"{system(recipe.system).title} {point_of(recipe)}, seed {recipe.seed}"


def measured(recipes: Sequence[Recipe], cells: Mapping[Cell, RunSummary]) -> pd.DataFrame:
    """Per point the means over its finished seeds of the best validation value and of the test value of the main metric,
    with the test's 95 % interval: columns MEASURED, the best on validation first; points without a validation value last.
    """
    found: dict[str, list[RunSummary]] = {}
    for step in steps(recipes, cells):
        if step.run is not None and step.state == "done" and step.run.main_value is not None:
            found.setdefault(point_of(step.recipe), []).append(step.run)
    rows = []
    for point, runs in found.items():
        test = spread([run.main_value for run in runs if run.main_value is not None])
        valid = [run.best_valid for run in runs if run.best_valid is not None]
        mean_valid = sum(valid) / len(valid) if len(valid) == len(runs) else float("nan")
        rows.append((point, len(runs), mean_valid, test.mean, test.low, test.high))
    return pd.DataFrame(rows, columns=MEASURED).sort_values("valid", ascending=False, ignore_index=True)


def lines(table: pd.DataFrame, metric: str) -> list[str]:
    """`measured` for a terminal: the first line of the body is the choice that validation data makes."""
    said = [
        f"{'settings':28} {'seeds':>5}  {'valid ' + metric:>14}  {'test ' + metric:>14}  {'95 % of the mean':>17}"
    ]
    for row in table.to_dict("records"):
        ends = "" if row["low"] != row["low"] else f"{row['low']:.4f} to {row['high']:.4f}"
        valid = "–" if row["valid"] != row["valid"] else f"{row['valid']:.4f}"
        said.append(
            f"{row['point']:28} {row['seeds']:>5}  {valid:>14}  {row['test']:>14.4f}  {ends:>17}".rstrip()
        )
    return said


def told(table: pd.DataFrame) -> dict[str, Any]:
    """The same for scripts; what is not known is null."""
    return {"rows": json.loads(table.to_json(orient="records"))}
