"""Small, valid EGRA, MGCN and FREEDOM runs: alignment, fusion and item links as findings with histories, written by core's writers."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from core.data.dataset import DatasetInfo
from core.findings import (
    Axis,
    Finding,
    History,
    Kind,
    Links,
    save_finding,
    save_history,
    summary_over_nodes,
)
from core.home import Home
from core.runs.folder import RunFolder
from tests.dashboard import stored_runs
from tests.dashboard.stored_runs import SNAPSHOTS

MODALITIES = ("text", "image")
OURS, MGCN = "EGRA (reconstruction)", "MGCN, behaviour-aware fuser"


def node_axis(users: int, items: int) -> Axis:
    return Axis("node", users + items, groups={"user": (0, users), "item": (users, users + items)})


def degree(users: int, items: int, now: tuple[float, float] = (0.9, 0.7), seed: int = 3) -> Finding:
    """Cosines around 0.9 for users and 0.7 for items."""
    rng = np.random.default_rng(seed)
    values = np.repeat(now, (users, items)) + rng.uniform(-0.05, 0.05, users + items)
    return Finding(
        "alignment_degree",
        "Agreement",
        f"{OURS}, bi-level weights",
        Kind.SIGNED,
        (node_axis(users, items),),
        values,
    )


def weight(users: int, items: int, seed: int = 4) -> Finding:
    """Around 1, which is the mean of each side."""
    rng = np.random.default_rng(seed)
    values = rng.uniform(0.8, 1.2, users + items)
    values[:users] /= values[:users].mean()
    values[users:] /= values[users:].mean()
    axes = (node_axis(users, items),)
    return Finding("alignment_weight", "Weight", f"{OURS}, entity-wise weights", Kind.AMOUNT, axes, values)


def quantiles(weights: Finding) -> Finding:
    labels = ("0.05", "0.25", "0.5", "0.75", "0.95")
    axes = (Axis.labelled("side", ("user", "item")), Axis.labelled("quantile", labels))
    bounds = weights.axes[0].groups
    values = np.stack(
        [np.quantile(weights.values[slice(*bounds[s])], [float(q) for q in labels]) for s in bounds]
    )
    return Finding("alignment_weight_quantiles", "Spread", f"{OURS}, weights", Kind.AMOUNT, axes, values)


def schedule(value: float = 0.1) -> Finding:
    axes = (Axis.labelled("loss", ("alignment",)),)
    return Finding("lambda", "Lambda", f"{OURS}, epoch-wise weights", Kind.AMOUNT, axes, np.array([value]))


def attention(
    users: int, items: int, source: str = OURS, leaning: Sequence[float] = (3.0, 1.0), seed: int = 5
) -> Finding:
    """Shares of every node, drawn around `leaning`, one entry per modality."""
    rng = np.random.default_rng(seed)
    axes = (node_axis(users, items), Axis.labelled("modality", MODALITIES[: len(leaning)]))
    return Finding(
        "modality_attention", "Attention", source, Kind.SHARE, axes, rng.dirichlet(leaning, users + items)
    )


def gate(users: int, items: int, source: str = OURS, seed: int = 6) -> Finding:
    rng = np.random.default_rng(seed)
    axes = (node_axis(users, items), Axis.labelled("modality", MODALITIES))
    return Finding(
        "preference_gate", "Gate", source, Kind.RATE, axes, rng.uniform(0.3, 0.6, (users + items, 2))
    )


def links(name: str, items: int, steps: Sequence[int], source: str = OURS) -> Finding:
    """Item i is linked to i + s for every step, round the corner; the first step has the largest cosine."""
    index = (np.arange(items)[:, None] + np.array(steps)[None]) % items
    value = np.tile(0.9 - 0.1 * np.arange(len(steps)), items)
    axis = Axis("item", items)
    return Finding(
        f"item_links_{name}",
        f"Items linked by {name}",
        f"{source}, graph of {name}",
        Kind.LINK,
        (axis, axis),
        Links(
            np.arange(items + 1, dtype=np.int64) * len(steps),
            index.ravel().astype(np.int32),
            value.astype(np.float32),
        ),
        None,
        "Nearest first.",
    )


def history(finding: Finding, scale: Sequence[float] = (0.5, 0.75, 1.0)) -> History:
    """Three snapshots that grow towards the finding; shares and rates stand still."""
    summary = summary_over_nodes(finding)
    grows = finding.key in ("alignment_degree", "lambda")
    values = np.stack([np.asarray(summary.values, dtype=float) * (f if grows else 1.0) for f in scale])
    return History(finding.key, summary.kind, summary.axes, np.array(SNAPSHOTS), values)


def raw_links(items: int, source: str = OURS) -> list[Finding]:
    """Text shares two of three neighbours with the behaviour graph, images none."""
    return [links("raw_text", items, (1, 2, 5), source), links("raw_image", items, (7, 11, 13), source)]


def store(run: RunFolder, findings: Sequence[Finding]) -> None:
    """The findings, and snapshots of all but links."""
    for finding in findings:
        save_finding(run.findings, finding)
        if not isinstance(finding.values, Links):
            save_history(run.findings, history(finding))


def mgcn_run(home: Home, data: DatasetInfo, run_id: str = "mgcn-run", **changes: Any) -> RunFolder:
    """A finished MGCN run: fusion and raw links."""
    run = stored_runs.done_run(home, data, run_id, **({"system": "mgcn"} | changes))
    users, items = data.num_users, data.num_items
    store(run, [attention(users, items, MGCN), gate(users, items, MGCN), *raw_links(items, MGCN)])
    return run


def freedom_run(home: Home, data: DatasetInfo, run_id: str = "freedom-run") -> RunFolder:
    """A finished FREEDOM run: raw links alone."""
    run = stored_runs.done_run(home, data, run_id, system="freedom")
    store(run, raw_links(data.num_items, "FREEDOM, Eqs. 1 to 4"))
    return run


def egra_run(
    home: Home,
    data: DatasetInfo,
    run_id: str = "egra-run",
    *,
    parent: str | None = "mgcn-run",
    **changes: Any,
) -> RunFolder:
    """A finished EGRA run, as its settings make it. parent: the run that it tells to build on."""
    run = stored_runs.done_run(home, data, run_id, **({"system": "egra"} | changes))
    config, users, items = run.recipe().config, data.num_users, data.num_items
    weights = weight(users, items)
    if config["entity_weights"] == "off":
        weights = Finding(
            weights.key, weights.title, weights.source, weights.kind, weights.axes, np.ones(users + items)
        )
    found = [
        degree(users, items),
        weights,
        quantiles(weights),
        schedule(config["lambda_max"]),
        attention(users, items),
        gate(users, items),
    ]
    if config["behavior_links"] != "none":
        found.append(links("behavior", items, (1, 2, 3)))
    store(run, [*found, *raw_links(items)])
    if config["behavior_links"] == "pretrained" and parent:
        run.update_status(parent=parent)
    return run
