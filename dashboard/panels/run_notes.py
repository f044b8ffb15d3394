"""Notes and tags of a run: shown under its title, edited in place, never written over somebody else's."""

from collections.abc import Sequence

import streamlit as st

from core.errors import RelScopeError
from core.home import Home
from core.runs.folder import RunFolder, open_run
from core.runs.notes import LONGEST_NOTES, MOST_TAGS, Notes, NotesChanged, read_notes, write_notes
from dashboard import readers, states

_BASE, _NEWER = "notes-base", "notes-newer"


def notes_panel(home: Home, run_id: str) -> None:
    """Tags as pills, notes as text, and a form to change both."""
    run = open_run(home, run_id)
    stored = read_notes(run)
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        for tag in stored.tags:
            st.badge(states.plain(tag), icon=":material/sell:", color="violet")
        with st.popover("Notes and tags", icon=":material/edit_note:", type="tertiary", width="content"):
            _form(run, stored, _known_tags(home))
    if stored.notes:
        st.markdown(states.plain(stored.notes).replace("\n", "  \n"))


def _known_tags(home: Home) -> list[str]:
    return sorted({tag for run in readers.runs(home) for tag in run.tags})


def _form(run: RunFolder, stored: Notes, known: Sequence[str]) -> None:
    tags_key, notes_key, base_key = (f"{name}:{run.run_id}" for name in ("tags", "notes", _BASE))
    if tags_key not in st.session_state:  # opened just now: what is stored is what the writer begins with
        st.session_state[tags_key], st.session_state[notes_key] = list(stored.tags), stored.notes
        st.session_state[base_key] = stored
    base: Notes = st.session_state[base_key]
    with st.form(f"notes-form:{run.run_id}", border=False):
        tags = st.multiselect(
            "Tags",
            list(dict.fromkeys([*known, *st.session_state[tags_key]])),
            key=tags_key,
            accept_new_options=True,
            max_selections=MOST_TAGS,
            placeholder="Pick one or type a new one",
        )
        notes = st.text_area("Notes", key=notes_key, max_chars=LONGEST_NOTES, height=140)
        if st.form_submit_button("Save", type="primary", icon=":material/save:"):
            _save(run, notes, tags, base)
    newer: Notes | None = st.session_state.get(f"{_NEWER}:{run.run_id}")
    if newer is not None:
        _conflict(run, newer, notes, tags)


def _save(run: RunFolder, notes: str, tags: Sequence[str], base: Notes) -> None:
    try:
        written = write_notes(run, notes, tags, expected=base)
    except NotesChanged as error:
        st.session_state[f"{_NEWER}:{run.run_id}"] = error.stored
        return
    except RelScopeError as error:
        states.failed(error)
        return
    _settled(run, written)


def _settled(run: RunFolder, written: Notes) -> None:
    st.session_state[f"{_BASE}:{run.run_id}"] = written
    st.session_state.pop(f"{_NEWER}:{run.run_id}", None)
    readers.forget_runs()
    st.rerun()


def _conflict(run: RunFolder, newer: Notes, notes: str, tags: Sequence[str]) -> None:
    """Both versions, and a choice: neither is lost before somebody has seen it."""
    st.warning(
        "Somebody saved other notes since you opened these. Yours are still in the form above; theirs are:",
        title="Not saved",
        icon=":material/merge:",
    )
    st.code(f"tags: {', '.join(newer.tags) or 'none'}\n\n{newer.notes}", language=None, wrap_lines=True)
    with st.container(horizontal=True):
        if st.button("Replace theirs with mine", key=f"notes-mine:{run.run_id}"):
            _save(run, notes, tags, newer)
        st.button("Take theirs", key=f"notes-theirs:{run.run_id}", on_click=_take, args=(run.run_id, newer))


def _take(run_id: str, newer: Notes) -> None:
    st.session_state[f"tags:{run_id}"], st.session_state[f"notes:{run_id}"] = list(newer.tags), newer.notes
    st.session_state[f"{_BASE}:{run_id}"] = newer
    st.session_state.pop(f"{_NEWER}:{run_id}", None)
