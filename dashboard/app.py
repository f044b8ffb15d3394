"""Entry of the dashboard: puts the root on sys.path, keeps the supervisor alive, lists the pages; nothing more."""

import sys
from pathlib import Path

import streamlit as st

ROOT = Path(__file__).resolve().parents[1]
if str(ROOT) not in sys.path:
    sys.path.insert(0, str(ROOT))


def main() -> None:
    """Draw the chosen page."""
    from dashboard import readers, states
    from dashboard.navigation import SECTIONS, page_file
    from dashboard.panels.background import keep_supervisor

    st.set_page_config(page_title="RelScope", page_icon=str(ROOT / "assets" / "icon.svg"), layout="wide")
    st.logo(str(ROOT / "assets" / "logo.svg"), icon_image=str(ROOT / "assets" / "icon.svg"), size="large")
    st.html(ROOT / "assets" / "style.css")
    pages = {
        section: [
            st.Page(page_file(name), title=title, icon=icon, default=name == "home")
            for name, title, icon in entries
        ]
        for section, entries in SECTIONS.items()
    }
    st.navigation(pages).run()
    with states.guarded():  # after the page: nobody should wait for a process to start before the first word
        keep_supervisor(readers.home())


main()
