"""Closer looks at the levels on the Information page: singular values, dependence on the level before, preservation."""

import streamlit as st

from dashboard import information, states, words
from dashboard.drawing import show
from dashboard.figures.information import Mark, spectra
from dashboard.glossary import meaning
from dashboard.information import extreme
from dashboard.panels.information_levels import levels_beside_epochs
from dashboard.panels.information_view import DEPENDENCE, LEVELLED, PRESERVATION, SPECTRUM, View
from dashboard.panels.run_view import absent


def of_levels(view: View) -> str:
    """Why a run of another system has no levels; empty for those that have."""
    return "" if view.recipe.system in LEVELLED else "This system keeps no levels to measure."


def of_hgib(view: View, what: str) -> str:
    """Why a run of another system lacks `what`; empty for HGIB."""
    return "" if view.hgib is not None else f"{what} is measured for HGIB alone."


def spectrum(view: View) -> None:
    """Singular values of every level, on a logarithmic scale."""
    stated = view.stated(SPECTRUM)
    if stated is None:
        absent(view, "singular values", of_levels(view))
        return
    moment = view.moment_of(stated)
    table = information.spectrum_table(stated, view.side, moment.epoch)
    fallen = information.drops(table)
    if not fallen:
        st.caption("Every table of this run is nil, so there is nothing to draw.")
        return
    st.markdown(
        f"**Singular values of every level's {view.side} table, {moment.when()}**: *{states.plain(fallen[0].level)}* falls "
        f"furthest{_lowest(fallen[0], view.dims)}, *{states.plain(fallen[-1].level)}* least{_lowest(fallen[-1], view.dims)}.",
        help=meaning("singular values"),
    )
    show(
        spectra(table),
        moment.dated(table),
        name=moment.name(f"spectra-{view.side}"),
        source=f"{stated.finding.source}; every line is a level, over its largest singular value",
        alt=f"Lines of the singular values of {view.side_title} by level",
    )


def _lowest(drop: information.Drop, dims: int) -> str:
    """Where a spectrum ends: `, to 21 % of its largest at rank 32`."""
    nil = "" if drop.ranks == dims else ", and is nil from there on"
    return f", to {words.percent(drop.smallest)} of its largest at rank {drop.ranks}{nil}"


def dependence(view: View) -> None:
    """HSIC of each level with the one before it."""
    stated = view.stated(DEPENDENCE)
    if stated is None:
        absent(view, "dependence between levels", of_hgib(view, "Dependence between levels"))
        return
    table = information.dependence_table(stated, view.side, view.moment.epoch)
    most, least = extreme(table, "value"), extreme(table, "value", least=True)
    st.markdown(
        f"*{states.plain(most['level'])}* depends most on the level before it, *{states.plain(most['parent'])}* "
        f"({most['value']:.4f}), *{states.plain(least['level'])}* least ({least['value']:.4f}).{_compression(view)}",
        help=meaning("HSIC"),
    )
    levels_beside_epochs(
        view,
        stated,
        table,
        key="hsic",
        what=f"HSIC of {view.side_title} between each level and the one before",
        axis="HSIC",
        term="HSIC",
        marks=[],
        note="0: independent",
        digits=".4f",
    )


def _compression(view: View) -> str:
    config = view.hgib
    if config is None:
        return ""
    if config.beta == 0:
        return " This run does not press it down: beta is 0."
    return f" L\\_comp presses it down with beta {config.beta:g}."


def preservation(view: View) -> None:
    """What each level loses of the output."""
    stated = view.stated(PRESERVATION)
    if stated is None:
        one = view.hgib is not None and view.hgib.hierarchy == "flat"
        absent(
            view,
            "preservation",
            "No preservation: with one level alone the output *is* that level, so there is nothing to lose."
            if one
            else of_hgib(view, "Preservation"),
        )
        return
    table = information.preservation_table(stated, view.moment.epoch)
    most, guessing = extreme(table, "value"), float(table["guessing"].max())
    least = extreme(table, "value", least=True)
    weight = ""
    if view.hgib is not None:
        weight = f" L\\_pres presses it down with alpha {view.hgib.alpha:g}."
        weight = " This run does not press it down: alpha is 0." if view.hgib.alpha == 0 else weight
    share = f", {words.percent(most['lost'])} of guessing" if guessing == guessing else ""
    st.markdown(
        f"*{states.plain(most['level'])}* loses most of the output ({most['value']:.2f} nats{share}), "
        f"*{states.plain(least['level'])}* least ({least['value']:.2f}).{weight}",
        help=meaning("preservation"),
    )
    levels_beside_epochs(
        view,
        stated,
        table,
        key="preservation",
        what="What each level loses of the output, users plus items",
        axis="InfoNCE (nats)",
        term="preservation",
        marks=[Mark(guessing, "guessing")] if guessing == guessing else [],
        note="0: picks out every row",
        digits=".2f",
    )
