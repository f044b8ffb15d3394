"""What can be done with a run: look at it, cancel, resume, clone, delete."""

import streamlit as st

from core.catalog.systems import system
from core.errors import RelScopeError
from core.home import Home
from core.recipe import Recipe
from core.runs import launch
from core.runs.folder import RunFolder, Status, delete_run
from dashboard import node_readers, readers, states
from dashboard.forms import assignments
from dashboard.navigation import go
from dashboard.panels.run_list import DELETED

_NOTICE = "run-notice"
# what a run may have learned: its finding, the page that shows it, and the button that leads there
_LEARNED = (
    ("relation_attention", "relations", "See its relations", ":material/hub:"),
    ("expert_gates", "experts", "See its experts", ":material/groups:"),
    ("information_abundance", "information", "See its levels", ":material/layers:"),
    ("branch_contribution", "structure", "See its structure", ":material/workspaces:"),
    ("alignment_degree", "alignment", "See its alignment", ":material/join_inner:"),
)


def notice() -> None:
    """Say what the last action did, once."""
    text = st.session_state.pop(_NOTICE, None)
    if text:
        st.toast(text)


def actions(home: Home, run: RunFolder, status: Status, *, cancelling: bool) -> None:
    """One row of buttons; those that make no sense in the run's state are left out. cancelling: it was told to stop."""
    with st.container(horizontal=True):
        for key, page, label, icon in _LEARNED:
            if readers.has_finding(run, key) and st.button(label, type="primary", icon=icon):
                go(page, run=run.run_id)
        if node_readers.is_scored(run) and st.button(
            "See its nodes",
            type="primary",
            icon=":material/scatter_plot:",
            help="Classes, clusters, and what it learned",
        ):
            go("nodes", run=run.run_id)
        if links_items(run) and st.button(
            "See what links its items", icon=":material/join_inner:", help="The page Alignment"
        ):
            go("alignment", run=run.run_id)
        if run.has_ranks and st.button(
            "See its long tail",
            icon=":material/trending_down:",
            help="Its results by popularity of items and by activity of users",
        ):
            go("longtail", run=run.run_id)
        if status.state in ("queued", "running") and st.button(
            "Cancelling…" if cancelling else "Cancel",
            icon=":material/stop_circle:",
            key=f"cancel:{run.run_id}",
            disabled=cancelling,
        ):
            with st.spinner("Cancelling…"):
                launch.cancel(home, run.run_id)
            _tell("Cancelling; a running epoch may take a moment to stop.")
        resume_help = (
            "Continues from the last checkpoint."
            if run.is_resumable
            else "No checkpoint yet: starts from the beginning."
        )
        if status.state in ("failed", "cancelled") and st.button(
            "Resume", icon=":material/resume:", help=resume_help
        ):
            launch.requeue(home, run.run_id)
            _tell("Queued again.")
        if st.button(
            "Clone", icon=":material/content_copy:", help="Opens the training form with these settings"
        ):
            go("train", **clone_address(run.recipe()))
        if status.state not in ("queued", "running") and st.button("Delete", icon=":material/delete:"):
            _confirm_delete(home, run)


def links_items(run: RunFolder) -> bool:
    """Whether the page Alignment shows a run that states no alignment: it links items by their features."""
    return any(run.findings.glob("item_links_raw_*.json")) and not readers.has_finding(
        run, "alignment_degree"
    )


def clone_address(recipe: Recipe) -> dict[str, str | list[str]]:
    """The address of the training form filled like `recipe`."""
    named = system(recipe.system).resolve(recipe.preset, recipe.variant).model_dump()
    changed = {name: value for name, value in recipe.config.items() if named.get(name) != value}
    address: dict[str, str | list[str]] = {
        "dataset": recipe.dataset,
        "system": recipe.system,
        "preset": recipe.preset,
        "variant": recipe.variant or "none",
        "protocol": recipe.protocol.key,
        "fit_on": recipe.fit_on,
        "selection": recipe.selection,
        "device": recipe.device,
        "seeds": str(recipe.seed),
        "noise": f"{recipe.auxiliary_noise:.6f}".rstrip("0").rstrip("."),
    }
    return address | ({"set": assignments(changed)} if changed else {})


@st.dialog("Delete this run?")
def _confirm_delete(home: Home, run: RunFolder) -> None:
    st.markdown(
        f"`{run.run_id}`\n\nIts metrics, findings, checkpoints and log go for good. "
        "The data set and all other runs stay."
    )
    with st.container(horizontal=True):
        sure = st.button(
            "Delete for good",
            type="primary",
            icon=":material/delete:",
            on_click=_delete,
            args=(home, run.run_id),
        )
        if sure or st.button("Keep it"):
            st.rerun()


def _delete(home: Home, run_id: str) -> None:
    try:
        delete_run(home, run_id)
    except RelScopeError as error:
        st.session_state[_NOTICE] = states.plain(str(error))
        return
    st.session_state[DELETED] = run_id
    st.session_state[_NOTICE] = "Deleted."


def _tell(text: str) -> None:
    st.session_state[_NOTICE] = text
    st.rerun(scope="app")
