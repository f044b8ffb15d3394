"""One run minus the other in groups of items or users, tested, on the page Long tail."""

import pandas as pd
import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from core.evaluation.item_groups import Floats
from core.evaluation.statistics import PairedTest
from dashboard import longtail, paired, states, words
from dashboard.compare_tables import GAP
from dashboard.drawing import show
from dashboard.figures.longtail import difference_by_group
from dashboard.glossary import meaning
from dashboard.panels.longtail_groups import Cut, about, axis, source, user_cut, values
from dashboard.panels.longtail_view import View
from dashboard.results import metric_title


def by_users(view: View) -> None:
    """The same by activity of users."""
    differences(view, values(view, user_cut(view)))


def differences(view: View, cut: Cut, slot: DeltaGenerator | None = None) -> None:
    """One run minus the other in each group, tested; the answer goes into `slot`. Drawn last, since it may take long."""
    if view.other is None:
        return
    with cut.figure_place:
        holder = st.empty()
        holder.caption(":material/hourglass_empty: Testing on the users of each group…")
        with holder.container(), states.guarded():
            table = _tested(view, cut)
            _difference_figure(view, cut, table)
            if slot is not None:
                names = [states.plain(side.name) for side in view.sides]
                said = longtail.against_sentence(table, names[0], names[1], view.metric, cut.groups.count)
                slot.markdown(said, help=meaning("paired test"))
            with cut.table_place:
                _test_table(table)


def _tested(view: View, cut: Cut) -> pd.DataFrame:
    first, second = (longtail.averaged(cut.values[side.name]) for side in view.sides)
    pairs = [(one, other) for (_, one), (_, other) in zip(first, second, strict=True)]
    return longtail.difference_table(_tests(pairs), cut.groups)


@st.cache_data(max_entries=64, show_spinner="Testing on the users of each group")
def _tests(pairs: list[tuple[Floats, Floats]]) -> list[PairedTest | None]:
    return paired.tested_values(pairs)


def _difference_figure(view: View, cut: Cut, table: pd.DataFrame) -> None:
    assert view.other is not None
    title, groups = metric_title(view.metric), cut.groups
    one, other = (states.plain(side.name) for side in view.sides)
    st.markdown(f"**{one} minus {other}**, in each group", help=meaning("paired test"))
    dots = "; dots: single seeds" if len(view.one.entries) > 1 else ""
    users = cut.table.drop_duplicates("group")["size"]
    show(
        difference_by_group(
            table,
            longtail.seed_differences(*(cut.values[side.name] for side in view.sides)),
            ticks=[f"{name}: {words.count(size, 'user')}" for name, size in zip(groups.titles, users)],
            x=axis(view, groups),
            y=f"difference in {title}",
        ),
        table.assign(reference=view.other.name, metric=view.metric, protocol=view.protocol),
        name=view.name(f"{groups.of}-difference"),
        source=f"{source(groups)}; {one} minus {other}, per user, {_seeds_in_words(view)}; bootstrap over users, 95 %; "
        f"blue up: ahead, orange down: behind, open: not shown{dots}",
        alt=f"Difference in {title} per group of {groups.of} with 95 % intervals around zero",
        about=about(view),
    )


def _seeds_in_words(view: View) -> str:
    count = len(view.one.entries)
    return f"mean over {count} seeds" if count > 1 else "one seed"


def _test_table(table: pd.DataFrame) -> None:
    if table.empty:
        return
    st.table(
        pd.DataFrame(
            {
                "group": table["title"],
                "verdict": table["verdict"],
                "difference": table["difference"].map(words.signed),
                "95 % interval": [
                    f"{words.signed(low)} to {words.signed(high)}"
                    for low, high in zip(table["low"], table["high"])
                ],
                "p, t-test": table["t_p"].map(paired.p_text),
                "p, Wilcoxon": table["wilcoxon_p"].map(paired.p_text),
                "effect size d": [paired.effect_text(value) for value in table["effect"]],
                "users ahead": table["better"].map(_percent),
                "users behind": table["worse"].map(_percent),
                "users": [f"{value:,}" for value in table["users"]],
            }
        ),
        border="horizontal",
        hide_index=True,
    )
    st.caption(
        f"Two-sided paired tests within each group; p-values after Holm's correction for {words.count(len(table), 'group')}. They "
        "cover chance among users, not among seeds.",
        help=meaning("paired test"),
    )


def _percent(share: float) -> str:
    return words.percent(share).replace(" ", GAP)
