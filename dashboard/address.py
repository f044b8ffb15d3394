"""The address of the view on screen, ready to be sent to somebody: every selection is in it (dashboard/selection.py)."""

import streamlit as st

from dashboard.navigation import ROOT

_CHAIN = (
    '<svg width="15" height="15" viewBox="0 0 24 24" fill="none" stroke="currentColor" stroke-width="2" '
    'aria-hidden="true"><path d="M10 14a4 4 0 0 0 6 .5l3-3a4 4 0 0 0-6-6l-1.5 1.5M14 10a4 4 0 0 0-6-.5l-3 3a4 4 0 0 0 6 6'
    'l1.5-1.5"/></svg>'
)
# The server does not know the whole address that the browser shows; the browser copies its own.
_button = st.components.v2.component(
    "copy_link",
    html=f'<div><button title="Copies the address that restores this view">{_CHAIN}<span>Copy link</span></button></div>',
    css=(ROOT / "assets" / "small_buttons.css").read_text(),
    js=(ROOT / "assets" / "copy_link.js").read_text(),
)


def copy_link() -> None:
    """A small button that copies the address of this view."""
    _button(key="copy-link", width="content")
