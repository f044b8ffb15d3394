"""Which data set a page shows, and its profile: read if stored, else counted by another process while the page waits."""

from typing import Any

import streamlit as st

from core.data import profile_store
from core.data.dataset import DatasetInfo, damaged_datasets
from core.errors import DataError
from core.home import Home
from dashboard import readers, selection, states, words


def pick_dataset(home: Home) -> DatasetInfo | None:
    """The picker in the sidebar; None where there are no data sets. One that is asked for and does not exist is not
    replaced: the page says so and ends here.
    """
    found = {info.name: info for info in readers.datasets(home)}
    if not found:
        return None
    default = "demo" if "demo" in found else next(iter(found))
    with st.sidebar:
        name = selection.pick_or_none("dataset", "Data", list(found), default=default)
    if name is None:
        asked = selection.asked("dataset") or ""
        complaint = damaged_datasets(home).get(asked)
        if complaint:
            raise DataError(complaint)
        st.warning(
            "It may have been removed, or the address has a mistake. Pick another one in the sidebar.",
            title=f"There is no data set '{states.plain(asked[:80])}'",
            icon=":material/search_off:",
        )
        st.stop()
    return found[name]


def profile_or_wait(home: Home, info: DatasetInfo) -> dict[str, Any] | None:
    """The profile of `info`; None after drawing how far its counting is, which this starts where nobody has."""
    told = readers.data_profile(home, info)
    if told is None:
        _counting(home, info)
    return told


@st.fragment(run_every=1.0)
def _counting(home: Home, info: DatasetInfo) -> None:
    """How far the counting is; draws the page anew when it is done."""
    with states.guarded():
        now = profile_store.standing(home, info)
        if now.state == "stored":
            st.rerun(scope="app")
        if now.state == "failed":
            _failed(home, info, now.said)
            return
        readers.start_profile(home, info)
        st.progress(now.share, text=f"Profiling {states.plain(info.name)}: {now.said or 'starting'}")
        st.caption(
            "Another process counts it once; every page reads what it stored. A million pairs take seconds."
        )


def _failed(home: Home, info: DatasetInfo, why: str) -> None:
    what, _, remedy = words.command(why).rpartition("; ")
    body = states.plain(what or remedy)
    if what:
        body += f"\n\n**What to do:** {states.plain(remedy[:1].upper() + remedy[1:])}"
    st.error(body, title=f"{states.plain(info.name)} could not be profiled", icon=":material/error:")
    if st.button("Try again", icon=":material/refresh:", key=f"profile-again:{info.name}"):
        readers.start_profile(home, info, again=True)
        st.rerun(scope="app")
