"""The card that takes a newcomer from nothing to a trained model."""

import streamlit as st

from core.data.planted import write_demo
from core.home import Home
from core.recipe import make_recipe
from core.runs import launch
from core.runs.summary import RunSummary
from dashboard import readers, states
from dashboard.glossary import meaning
from dashboard.navigation import go, link
from dashboard.panels.relations_view import is_stored

NAME = "demo"


def demo_card(home: Home, runs: list[RunSummary]) -> None:
    """What the demo is, and the one button that writes its data if need be, queues CIGF and shows the run."""
    done = (run for run in runs if run.dataset == NAME and run.state == "done")
    latest = next((run for run in done if is_stored(home, run.run_id)), None)
    with st.container(border=True):
        st.markdown("**Which behaviours does CIGF rely on, on data whose truth is known?**")
        st.markdown(
            "1,500 made-up shoppers view, favourite, cart and buy 1,000 items. Each belongs to a group whose "
            "purchases follow a different behaviour. Train the model, then see which behaviours it relies on, and "
            "compare its attention with the planted groups.",
        )
        with st.container(horizontal=True, vertical_alignment="center"):
            if st.button(
                "Train CIGF on the demo data", type="primary", icon=":material/play_arrow:", key="demo"
            ):
                with states.guarded(), st.spinner("Preparing the demo data"):
                    run_id = start_demo(home)
                    go("runs", run=run_id)
            if latest:
                link("relations", "See what the last one learned", icon=":material/hub:", run=latest.run_id)
            if NAME in {data.name for data in readers.datasets(home)}:
                link(
                    "train",
                    "Or embed the nodes of its graph",
                    icon=":material/scatter_plot:",
                    dataset=NAME,
                    system="hgcvae",
                )
        st.caption("Under a minute on a laptop's CPU.", help=meaning("planted"))


def start_demo(home: Home) -> str:
    """Write the demo data if there is none, queue CIGF with its small preset, and return the run's id."""
    if NAME not in {data.name for data in readers.datasets(home)}:
        readers.start_profile(home, write_demo(home))
    data = readers.dataset(home, NAME).info
    recipe = make_recipe(data.name, data.content_hash, "cigf", planted=True, preset="small")
    return launch.submit(home, recipe).run_id
