"""The second step of an import: the first rows, what they are taken for, and how they shall be stored."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pandas as pd
import streamlit as st

from core.data.import_folder import ImportJob, ImportRequest
from core.home import Home
from dashboard import importing, states, words
from dashboard.glossary import meaning
from dashboard.layout import row
from dashboard.panels.import_bring import settings_kept
from dashboard.panels.import_graph import graph_fields
from dashboard.panels.import_look import look

if TYPE_CHECKING:
    from core.data.importers.preview import Preview

NO_COLUMN = "– none –"
_SEEDS_BELOW = 2**31


@dataclass(frozen=True)
class Entered:
    """What the form says, and what it still lacks."""

    request: ImportRequest
    problems: tuple[str, ...]


def form(home: Home, job: ImportJob, seen: "Preview") -> Entered:
    """Draw the form, filled with what was said before or detected, and return what it says now."""
    said = job.draft()
    if said is None and (said := _said_before(seen)):
        st.caption("Filled in as for the file that was refused before.")
    mapped = seen.layout in importing.MAPPED
    rows = st.container()
    columns = _columns(job, seen, said) if mapped else None
    with rows:
        first_rows(seen, columns or {})
    ids, target, known = "whole", None, True
    others: tuple[str, ...] = ()
    target_type, metapaths, graph = graph_fields(job, seen, said)
    if seen.graph is None and (columns is None or is_complete(columns)):
        seen = look(job, columns)
        ids = _ids(job, seen, said, columns) if columns and seen.layout == "table" else seen.ids
        target, others = _behaviors(job, seen, said, columns)
        known = bool(target) or not _needs_target(seen, columns)
    features = _features(job, said) if seen.layout in importing.FEATURED else "as-given"
    fields = _storing(home, job, said, is_graph=seen.graph is not None)
    behaviors = (*others, target) if others and target else None
    request = ImportRequest(
        layout=seen.layout,
        columns=columns,
        ids=ids,
        features=features,
        target_type=target_type,
        metapaths=metapaths,
        behaviors=behaviors,
        target=None if behaviors else target,
        **fields,
    )
    job.write_draft(request)
    lacking = importing.problems(home, request, mapped=mapped, target_known=known, graph=graph)
    return Entered(request, tuple(lacking))


def _said_before(seen: "Preview") -> ImportRequest | None:
    """What the form said of refused data, if these have the same layout and columns: the corrected file, most likely."""
    kept = settings_kept()
    if kept is not None and kept.layout == seen.layout and seen.graph is not None:
        return kept
    if kept is None or kept.layout != seen.layout or not kept.columns:
        return None
    return kept if set(kept.columns.values()) <= set(seen.columns) else None


def is_complete(columns: dict[str, str]) -> bool:
    """Whether user and item have a column, and no column has two roles."""
    return set(importing.REQUIRED) <= set(columns) and len(set(columns.values())) == len(columns)


def first_rows(seen: "Preview", columns: dict[str, str]) -> None:
    """The head of the data as a table; a mapped column says what it is taken for."""
    role_of = {name: importing.ROLES[role].lower() for role, name in columns.items()}
    width = len(seen.columns)
    cells = [(*line[:width], *[""] * (width - len(line))) for line in seen.rows]
    names = importing.headings(seen.columns, role_of)
    frame = pd.DataFrame(cells, columns=names)
    shown = (
        words.count(len(frame), "file")
        if seen.columns[:1] == ("file",) and "size" in seen.columns
        else f"The first {words.count(len(frame), 'row')}"
    )
    st.caption(f"{shown}: {states.plain(_notes(seen, columns))}.")
    st.dataframe(
        frame, hide_index=True, height=min(36 * (len(frame) + 1), 288), alt="The first rows of the data"
    )


def _notes(seen: "Preview", columns: dict[str, str]) -> str:
    shown = [note for note in seen.notes if not (columns and "say which is which" in note)]
    return "; ".join(importing.in_form(note) for note in shown)


def _columns(job: ImportJob, seen: "Preview", said: ImportRequest | None) -> dict[str, str]:
    """Four selectors; the columns chosen, by role."""
    detected = seen.mapping.roles if seen.mapping else seen.clear
    start = said.columns if said and said.columns is not None else detected
    chosen: dict[str, str] = {}
    names = list(dict.fromkeys(name for name in seen.columns if name))
    for cell, (role, label) in zip(row("controls", "columns", (1, 1, 1, 1)), importing.ROLES.items()):
        required = role in importing.REQUIRED
        options = names if required else [NO_COLUMN, *names]
        value = start.get(role, None if required else NO_COLUMN)
        with cell:
            picked = st.selectbox(
                label,
                options,
                index=options.index(value) if value in options else None,
                placeholder="Choose a column",
                key=f"column:{role}:{job.token}",
                help=meaning(f"{role} column"),
            )
        if picked and picked != NO_COLUMN:
            chosen[role] = picked
    return chosen


def _ids(job: ImportJob, seen: "Preview", said: ImportRequest | None, columns: dict[str, str] | None) -> Any:
    """Whether ids are whole numbers or texts; proposed anew where other columns hold them."""
    of = (columns or {}).get("user", ""), (columns or {}).get("item", "")
    same = (
        said is not None
        and said.columns is not None
        and of == tuple(said.columns.get(r, "") for r in ("user", "item"))
    )
    kinds = ["whole", "text"]
    proposed = said.ids if said is not None and same else seen.ids
    return st.segmented_control(
        "Ids",
        kinds,
        default=proposed,
        required=True,
        format_func={"whole": "whole numbers", "text": "text"}.__getitem__,
        key=f"ids:{job.token}:{of}",
        help=meaning("ids"),
    )


def _features(job: ImportJob, said: ImportRequest | None) -> Any:
    """The scale that features are brought to."""
    return st.segmented_control(
        "Features",
        list(importing.SCALES),
        default=said.features if said else "as-given",
        required=True,
        format_func=importing.SCALES.__getitem__,
        key=f"features:{job.token}",
        help=meaning("feature scale"),
    )


def _needs_target(seen: "Preview", columns: dict[str, str] | None) -> bool:
    return seen.layout in importing.MAPPED and "behavior" in (columns or {})


def _behaviors(
    job: ImportJob, seen: "Preview", said: ImportRequest | None, columns: dict[str, str] | None
) -> tuple[str | None, tuple[str, ...]]:
    """The target and the other behaviours in funnel order. Of layouts that name them in their files only the target is asked."""
    from core.data.importers.labels import label_of

    column = (columns or {}).get("behavior", "")
    found = importing.found_behaviors(map(label_of, seen.behaviors))
    key = f"{job.token}:{column}"
    same = said is not None and (said.columns or {}).get("behavior", "") == column
    before = (
        (said.behaviors or ((said.target,) if said.target else ())) if said is not None and same else None
    )
    options = list(dict.fromkeys((*found.labels, *(before or ()))))
    left, right = row("controls", f"behaviors-{job.token[:6]}", (1, 3))
    with left:
        is_alone = columns is not None or seen.layout in importing.FEATURED
        named = "interaction" if is_alone else "buy"  # where no column names it
        proposed = found.target if _needs_target(seen, columns) else named
        target = before[-1] if before else proposed
        options = list(dict.fromkeys((*options, *([target] if target else []))))
        target = st.selectbox(
            "Target",
            options,
            index=options.index(target) if target in options else None,
            placeholder="Choose the target",
            accept_new_options=True,
            key=f"target:{key}",
            help=meaning("target"),
        )
    if not found.labels:
        return target, ()
    with right:
        start = before or found.labels
        rest = [label for label in options if label != target]
        others = st.multiselect(
            "Other behaviours, in the order of the funnel",
            rest,
            default=[label for label in start if label in rest],
            accept_new_options=True,
            key=f"others:{key}:{target}",
            help=meaning("funnel order"),
        )
    return target, tuple(others)


def _storing(home: Home, job: ImportJob, said: ImportRequest | None, *, is_graph: bool) -> dict[str, Any]:
    """Name, split rule and seed."""
    taken = {entry.name for entry in home.datasets.iterdir()} if home.datasets.is_dir() else set()
    cells = row("controls", "storing", (4, 4, 2))
    with cells[0]:
        start = said.name if said else importing.suggested_name(job.origin(), taken)
        name = st.text_input("Name of the data set", start, key=f"name:{job.token}")
        name = (name or "").strip()
    with cells[1]:
        titles = importing.GRAPH_SPLIT_RULES if is_graph else importing.SPLIT_RULES
        rules = list(titles)
        rule = st.selectbox(
            "Label settings" if is_graph else "Held out for testing",
            rules,
            index=rules.index(said.split or "") if said and (said.split or "") in rules else 0,
            format_func=titles.__getitem__,
            key=f"split:{job.token}",
            help=meaning("label settings" if is_graph else "split rule"),
        )
    with cells[2]:
        seed = st.number_input(
            "Seed",
            min_value=0,
            max_value=_SEEDS_BELOW - 1,
            value=said.seed if said else 0,
            step=1,
            key=f"seed:{job.token}",
            help=meaning("split seed"),
        )
    replace = False
    if name in taken:
        replace = st.toggle(
            f"Replace the data set {states.plain(name)} that is stored already",
            value=bool(said and said.replace),
            key=f"replace:{job.token}",
        )
    return {"name": name, "split": rule or None, "seed": int(seed or 0), "replace": replace}
