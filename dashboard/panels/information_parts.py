"""What each part of HGIB contributes, on the Information page: a verdict per claim of the paper, a figure, what is missing."""

from collections.abc import Mapping
from typing import Any

import pandas as pd
import streamlit as st

from core.catalog.base import System
from core.catalog.systems import CATALOG
from core.errors import RelScopeError
from core.runs.folder import open_run
from dashboard import parts, readers, selection, states, words
from dashboard.compare_tables import PARTS, cell, interval
from dashboard.drawing import show
from dashboard.figures.parts import contributions
from dashboard.glossary import meaning
from dashboard.navigation import link
from dashboard.panels.information_view import View
from dashboard.panels.run_actions import clone_address
from dashboard.parts import FAILS, FULL, HOLDS, Standing
from dashboard.results import metric_title
from dashboard.selection import MOST_RUNS

CLAIMS = {HOLDS: ":green-badge[✓ holds]", FAILS: ":red-badge[✕ does not hold]"}
UNSETTLED = ":gray-badge[? not settled]"
VERDICTS = {"helps": "✓ helps", "hurts": "✕ hurts", "not settled": "? not settled", "one seed": "1 seed only"}


def contributed(view: View) -> None:
    """The full model against its own runs without each part, on the same footing and seeds."""
    system = CATALOG.get(view.recipe.system)
    if system is None or view.recipe.system != "hgib":
        st.caption("These parts are HGIB's: pick one of its runs to see what each contributes.")
        return
    metric = view.recipe.protocol.main_metric
    standing = parts.standing(view.summary, system, readers.runs(view.home), metric)
    values = standing.values(metric)
    titles = {name: variant.title for name, variant in system.variants.items()}
    table = parts.parts_table(values, titles)
    _claims(values, table)
    part = selection.pick(
        "part", "Test pairs", list(PARTS), title=PARTS.__getitem__, widget="segments", help=meaning("seen")
    )
    if part == "all":
        _measured(view, table, metric, part)
    elif chosen := standing.values_on(part, metric, _stored(view, standing)):
        _measured(view, parts.parts_table(chosen, titles), metric, part)
    else:
        st.caption(f"The test of {states.plain(view.recipe.dataset)} has no {PARTS[part]}.")
    _told(view, standing)
    _missing(view, system, table, standing)


def _stored(view: View, standing: Standing) -> dict[str, Mapping[str, Any]]:
    """What each run stored of its test under its own protocol."""
    runs = [run for by_seed in standing.runs.values() for run in by_seed.values()]
    return {
        run.run_id: readers.results(open_run(view.home, run.run_id)).get(run.protocol, {}) for run in runs
    }


def _measured(view: View, table: pd.DataFrame, metric: str, part: str) -> None:
    _figure(view, table, metric, part)
    _table(table, metric)


def _claims(values: dict[str, dict[int, float]], table: pd.DataFrame) -> None:
    for claim in parts.claims(values, table):
        badge = CLAIMS.get(claim.verdict, UNSETTLED)
        st.markdown(
            f"{badge} “{states.plain(claim.claim)}”: {states.plain(claim.why)}.", help=meaning("part verdict")
        )


def _about(view: View, metric: str, part: str) -> str:
    recipe = view.recipe
    return (
        f"{metric_title(metric)} over {PARTS[part]}, {recipe.dataset}, protocol {recipe.protocol.key}, trained on {words.fit_on(recipe.fit_on, recipe.auxiliary_noise)}, "
        f"preset {recipe.preset}"
    )


def _figure(view: View, table: pd.DataFrame, metric: str, part: str) -> None:
    if table["difference"].notna().sum() == 0:
        st.caption(
            "No run of the full model shares a seed with a run of a variant yet, so there is no difference to draw."
        )
        return
    title = metric_title(metric)
    over = "" if part == "all" else f" over {PARTS[part]}"
    st.markdown(
        f"**What {title}{over} loses without a part**: the full model minus the variant, seed by seed"
    )
    show(
        contributions(table, x=f"difference in {title}, paired by seed"),
        table,
        name=f"parts-{view.run.run_id}" if part == "all" else f"parts-{view.run.run_id}-{part}",
        source="HGIB, Section 5.4; bars: 95 % interval over seeds (t); right of zero the part helps",
        alt=f"Difference in {title} between the full model and each variant",
        about=_about(view, metric, part),
    )


def _table(table: pd.DataFrame, metric: str) -> None:
    known = table[(table["seeds"] > 0) | (table["variant"] == FULL)]
    told = pd.DataFrame(
        {
            "part": known["part"],
            "verdict": known["verdict"].map(VERDICTS).fillna(known["verdict"]),
            "seeds": known["seeds"],
            "mean": [cell(mean, float("nan")) for mean in known["mean"]],
            "interval": [interval(low, high) for low, high in zip(known["low"], known["high"])],
            "difference": [words.signed(d) if d == d else "–" for d in known["difference"]],
            "difference_interval": [
                f"{words.signed(low)} to {words.signed(high)}" if low == low else "–"
                for low, high in zip(known["difference_low"], known["difference_high"])
            ],
            "pairs": known["pairs"].where(known["variant"] != FULL),
        }
    )
    st.dataframe(
        told,
        hide_index=True,
        placeholder="–",
        column_config=_columns(metric),
        height="content",
        alt="Table of parts",
    )


def _columns(metric: str) -> dict[str, Any]:
    title = metric_title(metric)
    return {
        "part": st.column_config.TextColumn("without"),
        "seeds": st.column_config.NumberColumn("seeds", help=meaning("seed")),
        "mean": st.column_config.TextColumn(title, alignment="right", help=meaning("interval over seeds")),
        "interval": st.column_config.TextColumn("95 % interval", alignment="right"),
        "difference": st.column_config.TextColumn("loses", alignment="right", help=meaning("part verdict")),
        "difference_interval": st.column_config.TextColumn("95 % of the difference", alignment="right"),
        "pairs": st.column_config.NumberColumn("seeds paired"),
        "verdict": st.column_config.TextColumn("verdict", help=meaning("part verdict")),
    }


def _told(view: View, standing: Standing) -> None:
    """On which footing these runs stand, which were left out, and where to test them over users."""
    recipe = view.recipe
    footing = (
        f"Finished runs on {recipe.dataset}, protocol {recipe.protocol.key}, trained on {words.fit_on(recipe.fit_on, recipe.auxiliary_noise)}, "
        f"{words.selection(recipe.selection)}, preset {recipe.preset}, all other settings as in this run"
    )
    left = []
    if standing.apart:
        left.append(f"left out, for they differ in other settings: {words.count(standing.apart, 'run')}")
    if standing.repeated:
        left.append(f"of {words.count(standing.repeated, 'repeated seed')} the latest run counts")
    st.caption(states.plain("; ".join([footing, *left])) + ".")
    ids = [run.run_id for by_seed in standing.runs.values() for run in by_seed.values()]
    if len(ids) > 1:
        link(
            "compare",
            "Test them over users on the page Compare",
            icon=":material/balance:",
            runs=",".join(ids[:MOST_RUNS]),
            under=recipe.protocol.key,
        )


def _missing(view: View, system: System, table: pd.DataFrame, standing: Standing) -> None:
    """For each part without a run: a link to the form filled for it, with the seeds of the full model."""
    absent = parts.missing(table)
    if not absent:
        return
    seeds = ", ".join(map(str, sorted(standing.runs.get(FULL, {})))) or str(view.recipe.seed)
    st.markdown(
        "**Not trained on this footing yet**: the form opens filled in, with the seeds of the full model"
    )
    with st.container(horizontal=True):
        for variant in absent:
            try:
                recipe = parts.recipe_with(view.recipe, system, variant)
            except RelScopeError as error:
                st.caption(states.plain(states.readable(error)))
                return
            title = variant.replace("_", " ") if variant else "the full model"
            address = clone_address(recipe) | {"seeds": seeds}
            link("train", f"Train {title}", icon=":material/model_training:", **address)
