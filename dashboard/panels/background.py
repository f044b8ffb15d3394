"""What must run behind the pages: the supervisor that starts queued runs."""

from pathlib import Path

import streamlit as st

from core.home import Home
from core.runs import launch


def keep_supervisor(home: Home) -> None:
    """Start the supervisor if none lives; asked at most twice a minute, however often pages rerun."""
    _ensure(str(home.root))


@st.cache_resource(ttl=30, max_entries=4, show_spinner=False)
def _ensure(root: str) -> str:
    launch.ensure_supervisor(Home(Path(root)))
    return root
