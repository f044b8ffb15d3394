"""What a node model learned over the epochs, on the Nodes page: metapaths, negatives, masks, latent normals."""

import pandas as pd
import streamlit as st

from core.findings import Kind
from dashboard import node_alarms, node_learning, node_readers, node_words, selection, states
from dashboard.drawing import is_dark, show
from dashboard.figures.evolution import lines_over_epochs
from dashboard.figures.finding import finding_cells
from dashboard.figures.nodes import NEGATIVE_LOOKS, PART_LOOKS, bounded, metapath_looks, stacked_parts
from dashboard.figures.palette import BLUE, DASHES, MARKERS
from dashboard.figures.structure import series_looks
from dashboard.glossary import meaning
from dashboard.information import Stated
from dashboard.layout import row
from dashboard.panels.nodes_view import ATTENTION, FALSE, HARDNESS, KL, MASKS, RESTORED, TABLES, View
from dashboard.panels.run_view import absent

_STATISTICS = {"max": "nearest", "q95": "nearest 5 %", "mean": "all"}


def metapaths(view: View) -> None:
    """Attention over metapaths by layer, and one layer's over the epochs."""
    stated = view.stated(ATTENTION)
    if stated is None:
        absent(
            view,
            "attention over metapaths",
            _without(view, "Only HAN's layers weigh metapaths: this system has none."),
        )
        return
    moment = view.moment_of(stated)
    table = node_learning.metapath_shares(stated, moment.epoch)
    left, right = row("pair", "metapaths", (5, 5))
    with left:
        st.markdown(
            f"**What each layer takes from each metapath, {moment.when()}**",
            help=meaning("metapath attention"),
        )
        show(
            finding_cells(table, kind=Kind.SHARE, y="layer", x="metapath", reach=1.0, dark=is_dark()),
            moment.dated(
                table.rename(columns={"row": "layer", "label": "metapath", "value": "share"}).drop(
                    columns="support"
                )
            ),
            name=moment.name("metapath-attention"),
            source=stated.finding.source,
            alt="Heatmap: attention of each layer over metapaths",
        )
        st.caption(states.plain(stated.finding.note))
    with right:
        layer = selection.pick(
            "layer", "Layer over epochs", list(stated.labels("layer")), help=meaning("metapath attention")
        )
        over = node_learning.shares_over_epochs(stated, layer)
        epoch, mark = view.moment.mark()
        figure = lines_over_epochs(
            over,
            looks=metapath_looks(stated.labels("metapath")),
            y="share of attention",
            epoch=epoch,
            mark=mark,
            form=".1%",
        )
        figure.update_yaxes(tickformat=".0%", rangemode="tozero")
        show(
            figure,
            over.drop(columns=["low", "high"]),
            name=f"metapath-attention-epochs-{view.run.run_id}",
            source=stated.finding.source,
            alt=f"Lines: attention of {layer} over metapaths by epoch",
        )
    _planted(view, table)


def _planted(view: View, table: pd.DataFrame) -> None:
    """On planted data: which metapath is noise, and what it gets."""
    noise = node_readers.noise_metapaths(view.data) if view.data is not None else ()
    found = node_words.noise_sentence(table, noise)
    if found:
        st.markdown(f":blue-badge[planted truth] {found}", help=meaning("planted metapath"))


def negatives(view: View) -> None:
    """How near negatives of both kinds come to their anchor, how many share its label, and how many tables there are."""
    hardness = view.stated(HARDNESS)
    if hardness is None:
        is_off = view.recipe.config.get("contrastive_weight") == 0
        design = "No negatives: this run was trained without a contrast." if is_off else ""
        absent(
            view,
            "negatives",
            _without(view, design or "Only HGCVAE draws negatives from its latent normals."),
        )
        return
    statistic = selection.pick(
        "statistic",
        "Negatives",
        list(_STATISTICS),
        title=_STATISTICS.__getitem__,
        widget="segments",
        help=meaning("negative hardness"),
    )
    epoch, mark = view.moment.mark()
    left, right = row("pair", "negatives", (5, 5))
    with left:
        over = node_learning.statistic_over_epochs(hardness, "negative", "statistic", statistic)
        st.markdown(
            "**Cosine to their anchor**, negatives by where they come from", help=meaning("negative hardness")
        )
        show(
            lines_over_epochs(over, looks=NEGATIVE_LOOKS, y="cosine", epoch=epoch, mark=mark, form=".3f"),
            over.drop(columns=["low", "high"]),
            name=f"negative-hardness-{statistic}-{view.run.run_id}",
            source=hardness.finding.source,
            alt="Lines: cosine of negatives and positives to their anchor by epoch",
        )
    with right:
        _false_negatives(view, epoch, mark)
    values = hardness.values(view.moment.epoch)
    told = {
        kind: dict(zip(hardness.labels("statistic"), values[place].tolist(), strict=True))
        for place, kind in enumerate(hardness.labels("negative"))
    }
    st.markdown(node_words.hardness_sentence(told))
    st.caption(states.plain(hardness.finding.note))
    _tables(view, epoch, mark)


def _false_negatives(view: View, epoch: int | None, mark: str) -> None:
    stated = view.stated(FALSE)
    if stated is None:
        st.caption("No label is known, so nobody can tell which negatives are false.")
        return
    over = node_learning.statistic_over_epochs(stated, "negative", "counted", "weight in the loss")
    by_rows = stated.values(view.moment.epoch)[0, stated.labels("counted").index("rows")]
    st.markdown(
        "**Negatives with their anchor's label**, by weight in the loss", help=meaning("false negatives")
    )
    figure = lines_over_epochs(
        over, looks=NEGATIVE_LOOKS, y="share of weight", epoch=epoch, mark=mark, form=".1%"
    )
    figure.update_yaxes(tickformat=".0%", rangemode="tozero")
    if len(over):
        bounded(figure, float(by_rows), "any two nodes")
    show(
        figure,
        over.drop(columns=["low", "high"]),
        name=f"false-negatives-{view.run.run_id}",
        source=stated.finding.source,
        alt="Lines: share of negatives with their anchor's label by epoch",
    )


def _tables(view: View, epoch: int | None, mark: str) -> None:
    stated = view.stated(TABLES)
    if stated is None:
        return
    over = node_learning.parts_over_epochs(stated, "negative")
    st.markdown(
        "**Tables of negatives in use**, one row per node each", help=meaning("progressive negatives")
    )
    show(
        stacked_parts(over, NEGATIVE_LOOKS, y="tables", epoch=epoch, mark=mark),
        over.drop(columns=["low", "high"]),
        name=f"negative-tables-{view.run.run_id}",
        source=stated.finding.source,
        alt="Areas: tables of negatives by where they come from, by epoch",
    )


def masks(view: View) -> None:
    """The mask schedule, and what the decoder misses by feature group."""
    mask, restored = view.stated(MASKS), view.stated(RESTORED)
    if mask is None and restored is None:
        absent(view, "masks", _without(view, "This system masks no features."))
        return
    epoch, mark = view.moment.mark()
    left, right = row("pair", "masks", (5, 5))
    with left:
        if mask is None:
            absent(view, "masks")
        else:
            over = node_learning.parts_over_epochs(mask, "part")
            st.markdown("**Nodes whose features are to be restored**", help=meaning("mask schedule"))
            figure = stacked_parts(over, PART_LOOKS, y="share of all nodes", epoch=epoch, mark=mark)
            figure.update_yaxes(tickformat=".0%")
            show(
                figure,
                over.drop(columns=["low", "high"]),
                name=f"mask-rate-{view.run.run_id}",
                source=mask.finding.source,
                alt="Areas: share of masked nodes by what the encoder sees of them, by epoch",
            )
    with right:
        _restored(view, restored, epoch, mark)


def _restored(view: View, stated: Stated | None, epoch: int | None, mark: str) -> None:
    if stated is None:
        design = (
            ""
            if view.recipe.config.get("esce_weight", 1)
            else "This run restores no features: esce_weight is 0."
        )
        absent(view, "restored features", design)
        return
    over = node_learning.parts_over_epochs(stated, "feature_group")
    groups = list(stated.labels("feature_group"))
    st.markdown(
        "**What the decoder misses**, by how many nodes have a feature", help=meaning("restored features")
    )
    figure = lines_over_epochs(
        over, looks=series_looks(groups), y="1 − cosine", epoch=epoch, mark=mark, form=".3f"
    )
    show(
        figure,
        over.drop(columns=["low", "high"]),
        name=f"reconstruction-{view.run.run_id}",
        source=stated.finding.source,
        alt="Lines: reconstruction error of feature groups by epoch",
    )
    st.caption(states.plain(stated.finding.note))


def latent(view: View) -> None:
    """KL divergence over the epochs with the line below which it counts as collapsed."""
    stated = view.stated(KL)
    if stated is None:
        absent(
            view,
            "latent normals",
            _without(view, "This system, or this variant of it, has no latent normals."),
        )
        return
    over = node_learning.divergence_over_epochs(stated)
    epoch, mark = view.moment.mark()
    st.markdown(
        "**KL divergence from the standard normal**, nats per node; band: middle half of the nodes",
        help=meaning("KL collapse"),
    )
    figure = lines_over_epochs(
        over,
        looks={"KL": (BLUE, DASHES[0], MARKERS[0])},
        y="KL divergence (nats)",
        epoch=epoch,
        mark=mark,
        form=".3f",
    )
    figure.update_yaxes(rangemode="tozero")
    if len(over):
        bounded(figure, node_alarms.COLLAPSED, "collapsed below")
    show(
        figure,
        over,
        name=f"kl-{view.run.run_id}",
        source=stated.finding.source,
        alt="Line: mean KL divergence of the latent normals by epoch",
    )
    st.caption(states.plain(stated.finding.note))


def _without(view: View, reason: str) -> str:
    """The reason by design, but not for a run that has not come to its first snapshot."""
    return reason if view.status.state == "done" else ""
