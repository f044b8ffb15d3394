"""Hyperedges held against the items' categories on the Structure page, and against those of other modalities."""

from collections.abc import Mapping
from itertools import combinations

import pandas as pd
import streamlit as st

from core.findings import Kind
from dashboard import hyperedges, selection, states
from dashboard.agreement import AGREE, IN_PART, NOT, Agreement
from dashboard.drawing import is_dark, show
from dashboard.figures.finding import finding_cells
from dashboard.glossary import meaning
from dashboard.information import Stated
from dashboard.layout import row
from dashboard.learned import cut_long
from dashboard.panels import structure_agreement
from dashboard.panels.run_view import absent
from dashboard.panels.structure_view import View, no_hyperedges
from dashboard.relations import GROUP_TITLES
from dashboard.structure_words import agreement_sentence, number

VERDICTS = {
    AGREE: ":green-badge[✓ holds]",
    IN_PART: ":orange-badge[≈ holds in part]",
    NOT: ":red-badge[✕ does not hold]",
}


def categories(view: View) -> None:
    """Whether hyperedges follow the items' categories, and whether two modalities agree."""
    stated = view.membership()
    if stated is None:
        absent(view, "hyperedges", no_hyperedges(view))
        return
    view.stays("Memberships of single items")
    found = structure_agreement.with_categories(view, stated)
    _claim(view, found)
    _between(view, stated)
    modalities = stated.labels("modality")
    modality, pair = _controls(modalities, found)
    left, right = row("pair", "categories", (1, 1)) if found and pair else [st.container()] * 2
    if found:
        with left:
            _category_cells(view, stated, modality)
    if pair:
        with right:
            _crossed_cells(view, stated, pair)


def _controls(
    modalities: tuple[str, ...], found: Mapping[str, Agreement | None]
) -> tuple[str, tuple[str, str] | None]:
    """Whose hyperedges are held against categories, and which two modalities are laid over each other, if there are two."""
    pairs = {f"{one}-{other}": (one, other) for one, other in combinations(modalities, 2)}
    modality, chosen = modalities[0], next(iter(pairs), None)
    if len(pairs) < 2 and not (found and pairs):
        return modality, pairs[chosen] if chosen else None
    cells = row("controls", "categories", (3, 4, 4))
    if found:
        with cells[0]:
            modality = selection.pick(
                "modality", "Modality", modalities, default=_best(found), widget="segments"
            )
    if len(pairs) > 1:
        with cells[1]:
            chosen = selection.pick("crossed", "Two modalities", list(pairs), widget="segments")
    return modality, pairs[chosen] if chosen else None


def _best(found: Mapping[str, Agreement | None]) -> str | None:
    """The modality whose hyperedges follow categories most."""
    known = {modality: about.adjusted for modality, about in found.items() if about is not None}
    return max(known, key=known.__getitem__, default=None)


def _claim(view: View, found: Mapping[str, Agreement | None]) -> None:
    if not found:
        st.caption("This data set has no categories of items to hold hyperedges against.")
        return
    planted = view.data is not None and view.data.info.planted
    badge = " :violet-badge[planted truth]" if planted else ""
    st.markdown(f"**“Hyperedges align with categories”**{badge}", help=meaning("NMI"))
    lines = [
        f"- {_verdict(about)} {agreement_sentence(modality, about)}" for modality, about in found.items()
    ]
    st.markdown("\n".join(lines))
    if planted:
        st.caption(
            "Categories come from the generator, which also makes features from them; the model never saw them."
        )


def _verdict(about: Agreement | None) -> str:
    return VERDICTS[about.verdict] if about is not None else ":gray-badge[? not known]"


def _between(view: View, stated: Stated) -> None:
    found = structure_agreement.between_modalities(view, stated)
    for one, other in dict.fromkeys((pair[0], pair[1]) for pair in found):
        said = [_told(side, found[one, other, side]) for side in GROUP_TITLES]
        st.markdown(
            f"**Do *{states.plain(one)}* and *{states.plain(other)}* form the same groups?** {' '.join(said)}",
            help=meaning("NMI"),
        )


def _told(side: str, about: Agreement | None) -> str:
    if about is None:
        return f"Of {GROUP_TITLES[side]}, all share one hyperedge."
    told = {AGREE: "yes", IN_PART: "in part", NOT: "no"}[about.verdict]
    return (
        f"For {GROUP_TITLES[side]} :primary[{told}]: NMI {number(about.value)} of {number(about.most)} at best, "
        f"{number(about.random)} at random."
    )


def _category_cells(view: View, stated: Stated, modality: str) -> None:
    start, stop = stated.finding.axis("node").groups["item"]
    known = view.categories(stop - start)
    if known is None:
        return
    shares = hyperedges.shares_of(stated, modality, "item")
    names, code = hyperedges.codes(known)
    shown = names[: hyperedges.MOST_CATEGORIES]
    table = hyperedges.category_table(shares, shown, code, stated.labels("hyperedge"))
    st.markdown(
        f"**Share of each category's items in each *{states.plain(modality)}* hyperedge**",
        help=meaning("membership"),
    )
    _cells(view, stated, table, f"categories-{modality}", ("category", f"{modality} hyperedge"))
    states.sampled(len(shown), len(names), "categories, those with most items")


def _crossed_cells(view: View, stated: Stated, pair: tuple[str, str]) -> None:
    one, other = pair
    most = [hyperedges.chosen(stated, modality, "item") for modality in pair]
    both = (most[0] != hyperedges.NOWHERE) & (most[1] != hyperedges.NOWHERE)
    table = hyperedges.crossed_table(most[0][both], most[1][both], stated.labels("hyperedge"))
    st.markdown(
        f"**Where the items of each *{states.plain(one)}* hyperedge lie by *{states.plain(other)}***",
        help=meaning("mostly"),
    )
    _cells(view, stated, table, f"crossed-{one}-{other}", (f"{one} hyperedge", f"{other} hyperedge"))


def _cells(view: View, stated: Stated, table: pd.DataFrame, name: str, titles: tuple[str, str]) -> None:
    moment = view.moment.of_scored()
    drawn = cut_long(cut_long(table, "label"), "row")
    figure = finding_cells(drawn, kind=Kind.SHARE, y=titles[0], x=titles[1], reach=1.0, dark=is_dark())
    show(
        figure,
        moment.dated(table.rename(columns={"row": titles[0], "label": titles[1], "support": "items"})),
        name=moment.name(name),
        source=f"{stated.finding.source}; rows add up to 100 %",
        alt=f"Heatmap of {titles[0]} by {titles[1]}",
    )
    states.sampled(drawn["label"].nunique(), table["label"].nunique(), "hyperedges, the largest shares")
