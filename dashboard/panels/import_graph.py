"""What the form of an import asks about a graph of typed nodes: whose classes are learned, and over which metapaths."""

from typing import TYPE_CHECKING

import streamlit as st

from core.data.import_folder import ImportJob, ImportRequest
from dashboard import states
from dashboard.glossary import meaning
from dashboard.layout import row
from dashboard.panels.import_look import look

if TYPE_CHECKING:
    from core.data.importers.graph_look import GraphLook
    from core.data.importers.preview import Preview


def graph_fields(
    job: ImportJob, seen: "Preview", said: ImportRequest | None
) -> tuple[str | None, str | None, str]:
    """The target type and the metapaths typed, each None where the source's are taken, and what is wrong with them."""
    graph = seen.graph
    if graph is None:
        return None, None, ""
    left, right = row("controls", f"graph-{job.token[:6]}", (1, 3))
    with left:
        target = _target(job, graph, said)
    if target is not None and target != graph.target:
        graph = look(job, target_type=target).graph or graph
    same = said is not None and (said.target_type or graph.target) == target
    with right:
        typed = st.text_input(
            "Metapaths",
            (said.metapaths if said is not None and same else None) or graph.metapaths,
            key=f"metapaths:{job.token}:{target}",
            help=meaning("metapaths"),
            disabled=target is None,
        )
    st.caption(f"Relations: {states.plain(', '.join(graph.relations))}.")
    typed = (typed or "").strip()
    is_own = bool(typed) and typed != graph.metapaths
    if target is None:
        return None, None, "choose the target type: the nodes whose classes are learned"
    complaint = graph.complaint(target, typed) if is_own else ""
    return (target if len(graph.targets) > 1 else None), (typed if is_own else None), complaint


def _target(job: ImportJob, graph: "GraphLook", said: ImportRequest | None) -> str | None:
    options = list(graph.targets)
    before = (said.target_type if said else None) or graph.target
    return st.selectbox(
        "Target type",
        options,
        index=options.index(before) if before in options else None,
        placeholder="Choose the target type",
        key=f"target-type:{job.token}",
        help=meaning("target type"),
    )
