"""Entry of the dashboard: warms the server before it listens, draws the chosen page, keeps the supervisor alive.

Streamlit runs this file twice over: once as a module, whose `app` is the server, and for every view as a script.
"""

import sys
from pathlib import Path

import streamlit as st

ROOT = Path(__file__).resolve().parents[1]
if str(ROOT) not in sys.path:
    sys.path.insert(0, str(ROOT))


def main() -> None:
    """Draw the chosen page."""
    from dashboard import readers, states
    from dashboard.address import copy_link
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
    chosen = st.navigation(pages, expanded=True)
    with st.sidebar:
        copy_link()
    chosen.run()
    with states.guarded():  # after the page: nobody should wait for a process to start before the first word
        keep_supervisor(readers.home())


if __name__ == "__main__":
    main()
else:
    from starlette.middleware import Middleware

    from dashboard.assets_at_once import AssetsAtOnce
    from dashboard.warming import warm_up

    warm_up()
    app = st.App(__file__, middleware=[Middleware(AssetsAtOnce)])
