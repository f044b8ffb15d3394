"""Nodes: how well embeddings tell classes apart, and what the encoder of a heterogeneous graph learned."""

import streamlit as st

from dashboard import drawing, readers, selection, states
from dashboard.panels import nodes_learning as learning
from dashboard.panels import nodes_view as view
from dashboard.panels.nodes_answer import answer
from dashboard.panels.nodes_classes import classes, clusters
from dashboard.panels.nodes_map import node_maps
from dashboard.panels.nodes_scores import scores
from dashboard.panels.run_list import pick_run, run_title
from dashboard.panels.run_view import context

home = readers.home()
with states.page(
    "How well do embeddings tell classes of nodes apart?",
    "HGCVAE and its baselines embed the labelled nodes of a graph with several types of nodes; frozen embeddings are classified and "
    "clustered.",
):
    summary = pick_run(home, prefer=lambda run: view.is_stored(home, run.run_id))
    if summary is None:
        states.empty(
            "No runs yet",
            "Train HGCVAE on the demo data; it takes about a minute.",
            "train",
            "Set up a run",
            system="hgcvae",
        )
        st.stop()
    line = st.container()
    picked = view.load(home, summary)
    with line:
        drawing.context(f"{states.plain(run_title(summary))} · {context(picked)}")
    view.follow(picked)
    if not view.is_stored(home, summary.run_id):
        view.nothing_yet(picked)
        st.stop()
    answer(picked)
    with states.guarded():
        scores(picked)
    details = {
        "classes": ("Confused classes", classes),
        "clusters": ("Clusters", clusters),
        "map": ("Map", node_maps),
        "metapaths": ("Metapaths", learning.metapaths),
        "negatives": ("Negatives", learning.negatives),
        "masks": ("Masks and features", learning.masks),
        "latent": ("Latent normals", learning.latent),
    }
    shown = selection.pick(
        "nodes", "In detail", list(details), title=lambda d: details[d][0], widget="segments"
    )
    with states.guarded():
        details[shown][1](picked)
