"""The slider over a run's snapshots: an earlier epoch, or the scored model."""

import streamlit as st

from core.findings import History
from dashboard import selection
from dashboard.glossary import meaning
from dashboard.moments import SCORED


def pick_epoch(history: History | None, scored: int | None) -> int | None:
    """The picked snapshot of `history`, None for the scored model; says so where there are no two to pick from.

    scored: the epoch of that model, where known.
    """
    epochs = [str(int(epoch)) for epoch in history.epochs] if history is not None else []
    if len(epochs) < 2:
        st.caption("No snapshots over time: only the trained model is shown.", help=meaning("snapshot"))
        return None
    last = f"scored model (epoch {scored})" if scored else "latest snapshot"
    chosen = selection.pick(
        "epoch",
        "Epoch",
        [*epochs, SCORED],
        default=SCORED,
        title=lambda e: last if e == SCORED else f"epoch {e}",
        widget="slider",
        help=meaning("snapshot"),
    )
    return None if chosen == SCORED else int(chosen)
