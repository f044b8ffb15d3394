"""Rows of a page: side by side where there is room, stacked where there is not (the widths are in assets/style.css)."""

from collections.abc import Sequence
from typing import Literal

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

Kind = Literal["controls", "pair", "split"]


def row(kind: Kind, name: str, weights: Sequence[float]) -> Sequence[DeltaGenerator]:
    """Cells beside each other. controls: small inputs; pair: figures; split: a page's main part and its side.

    name: unique on the page.
    """
    with st.container(key=f"{kind}-{name}"):
        return st.columns(
            list(weights), gap="medium" if kind == "split" else "small", vertical_alignment="top"
        )
