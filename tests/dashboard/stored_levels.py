"""Small, valid HGIB runs: levels, edges and fusion as findings with histories, written through core's own writers."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from core.data.dataset import DatasetInfo
from core.files import read_json, write_json
from core.findings import Axis, Finding, History, Kind, save_finding, save_history, summary_over_nodes
from core.home import Home
from core.runs.folder import RunFolder
from tests.dashboard import stored_runs
from tests.dashboard.stored_runs import SNAPSHOTS

AUXILIARY, TARGET = ("view", "favorite", "cart"), "buy"
BEHAVIORS = (*AUXILIARY, TARGET)
COMPONENTS = (*(f"{b} and {TARGET}" for b in AUXILIARY), *(f"{b} without {TARGET}" for b in AUXILIARY))
HIERARCHIES: dict[str, tuple[str, ...]] = {
    "full": ("all behaviours", *BEHAVIORS, *COMPONENTS),
    "without_component": ("all behaviours", *BEHAVIORS),
    "without_behavior": ("all behaviours", *COMPONENTS),
    "flat": ("all behaviours",),
}
DIMS, BINS, PAIRS = 7, 5, 97
SIDES = ("user", "item")


def abundance(
    graphs: Sequence[str] = HIERARCHIES["full"], start: float = 6.0, step: float = -0.25
) -> Finding:
    """Falls by a quarter from level to level for users; items have a tenth less."""
    levels = ("initial", *graphs, "output")
    users = start + step * np.arange(len(levels))
    axes = (Axis.labelled("level", levels), Axis.labelled("side", SIDES))
    values = np.stack([users, 0.9 * users], axis=1)
    return Finding("information_abundance", "Abundance", "HGIB, Section 5.8", Kind.AMOUNT, axes, values)


def singular_values(graphs: Sequence[str] = HIERARCHIES["full"]) -> Finding:
    """Level l falls by the factor 1 / (l + 2) from rank to rank; the last value of every table is padding."""
    levels = ("initial", *graphs, "output")
    decay = (1 / (np.arange(len(levels)) + 2))[:, None, None]
    values = np.repeat(decay ** np.arange(DIMS)[None, None], 2, axis=1)
    values[..., -1] = 0
    rank = Axis.labelled("rank", [str(place + 1) for place in range(DIMS)])
    axes = (Axis.labelled("level", levels), Axis.labelled("side", SIDES), rank)
    return Finding("singular_values", "Singular values", "HGIB, Section 5.8", Kind.AMOUNT, axes, values)


def hsic(graphs: Sequence[str] = HIERARCHIES["full"]) -> Finding:
    """The first level depends most, items twice as much as users."""
    pairs = [f"{'initial' if place == 0 else graphs[0]} > {graph}" for place, graph in enumerate(graphs)]
    users = 0.01 / (1 + np.arange(len(pairs)))
    axes = (Axis.labelled("level_pair", pairs), Axis.labelled("side", SIDES))
    values = np.stack([users, 2 * users], axis=1)
    return Finding(
        "hsic", "HSIC", "HGIB, Section 4.3", Kind.AMOUNT, axes, values, np.full(values.shape, PAIRS)
    )


def preservation(levels: Sequence[str] = ("all behaviours", *BEHAVIORS), worst: float = 4.0) -> Finding:
    """The first level loses `worst` nats, each later one half a nat less."""
    values = worst - 0.5 * np.arange(len(levels))
    axes = (Axis.labelled("level", levels),)
    support = np.full(values.shape, PAIRS)
    return Finding("preservation", "Preservation", "HGIB, Section 4.3", Kind.AMOUNT, axes, values, support)


def keep_rate(graphs: Sequence[str] = HIERARCHIES["full"], least: float = 0.8) -> Finding:
    """The last graph keeps `least` of its edges in training, half of the rest more without noise; graph g has 1000 (g + 1)."""
    rates = np.ones((len(graphs), 2))
    rates[-1] = least, (1 + least) / 2
    edges = 1000 * (1 + np.arange(len(graphs)))
    axes = (Axis.labelled("graph", graphs), Axis.labelled("noise", ("training", "evaluation")))
    support = np.stack([edges, edges], axis=1)
    return Finding("edge_keep_rate", "Kept", "HGIB, Eq. 10", Kind.RATE, axes, rates, support)


def weight_histogram(graphs: Sequence[str] = HIERARCHIES["full"]) -> Finding:
    """Every graph has half of its edges in the first bin and half in the last."""
    counts = np.zeros((len(graphs), BINS))
    counts[:, 0] = counts[:, -1] = 500 * (1 + np.arange(len(graphs)))
    bins = [f"{low:.2f} to {low + 0.2:.2f}" for low in np.arange(BINS) / BINS]
    axes = (Axis.labelled("graph", graphs), Axis.labelled("bin", bins))
    return Finding("edge_weight_histogram", "Weights", "HGIB, Eq. 10", Kind.AMOUNT, axes, counts)


def noise_detection(
    graphs: Sequence[str] = HIERARCHIES["full"][:-1], area: float = 0.7, by_users: float = 0.6
) -> Finding:
    """Every graph holds 101 noise edges; weights reach `area`, dealt at random 0.5, the number of users `by_users`."""
    values = np.tile([area, 0.5, by_users], (len(graphs), 1))
    scorers = ("edge weight", "dealt at random", "users of the item")
    axes = (Axis.labelled("graph", graphs), Axis.labelled("scorer", scorers))
    support = np.full(values.shape, 101)
    return Finding("noise_detection", "Noise", "HGIB, Eq. 10; our audit", Kind.RATE, axes, values, support)


def pruning_precision(graphs: Sequence[str] = HIERARCHIES["full"][:-1]) -> Finding:
    """The first graph prunes 40 edges, of which half are noise; no other graph prunes any."""
    values = np.tile([0.0, 0.1, 0.0], (len(graphs), 1))
    values[0] = 0.5, 0.1, 0.2
    support = np.tile([0, 1000, 100], (len(graphs), 1))
    support[0, 0] = 40
    measures = ("noise among pruned", "noise among all", "noise that is pruned")
    axes = (Axis.labelled("graph", graphs), Axis.labelled("measure", measures))
    return Finding("pruning_precision", "Pruned", "HGIB, Eq. 10; our audit", Kind.RATE, axes, values, support)


def fusion(stage: int, sources: Sequence[str], users: int, items: int, seed: int = 11) -> Finding:
    """Random shares; users lean on the first source, items on the last."""
    rng = np.random.default_rng(seed + stage)
    leaning = np.ones((users + items, len(sources)))
    leaning[:users, 0] = leaning[users:, -1] = 6
    values = np.stack([rng.dirichlet(row) for row in leaning]).astype(np.float32)
    node = Axis("node", users + items, groups={"user": (0, users), "item": (users, users + items)})
    asked = "behaviours" if stage == 1 else "component graphs"
    return Finding(
        f"fusion_attention_{stage}",
        f"Attention of the fusion over {asked}",
        "HGIB, Section 4.5",
        Kind.SHARE,
        (node, Axis.labelled("source", sources)),
        values,
    )


def history(finding: Finding, scale: Sequence[float] = (0.5, 0.75, 1.0)) -> History:
    """Three snapshots that grow towards the finding; rates and shares stand still."""
    summary = summary_over_nodes(finding)
    values = np.asarray(summary.values, dtype=float)
    grows = finding.kind is Kind.AMOUNT
    stacked = np.stack([values * (factor if grows else 1.0) for factor in scale])
    return History(finding.key, summary.kind, summary.axes, np.array(SNAPSHOTS), stacked)


def findings(data: DatasetInfo, config: dict[str, Any], *, noise: bool) -> list[Finding]:
    """What a run with these settings states."""
    graphs = HIERARCHIES[config["hierarchy"]]
    found = [abundance(graphs), singular_values(graphs), hsic(graphs)]
    if config["hierarchy"] != "flat":
        found.append(preservation([graph for graph in graphs if graph not in COMPONENTS]))
    if config["refinement"] != "none":
        found += [keep_rate(graphs), weight_histogram(graphs)]
        found += (
            [noise_detection(graphs[:-1] or graphs), pruning_precision(graphs[:-1] or graphs)]
            if noise
            else []
        )
    stages = [[g for g in graphs if g in BEHAVIORS], [g for g in graphs if g in COMPONENTS]]
    for number, sources in enumerate([stage for stage in stages if len(stage) > 1], 1):
        found.append(fusion(number, sources, data.num_users, data.num_items))
    return found


def levels_run(
    home: Home,
    data: DatasetInfo,
    run_id: str = "hgib-run",
    *,
    noise: bool = True,
    score: float = 0.18,
    **changes: Any,
) -> RunFolder:
    """A finished HGIB run. score: its main metric. noise: whether its data knew its noise."""
    run = stored_runs.done_run(home, data, run_id, **({"system": "hgib"} | changes))
    for finding in findings(data, run.recipe().config, noise=noise):
        save_finding(run.findings, finding)
        if finding.key not in ("noise_detection", "pruning_precision"):
            save_history(run.findings, history(finding))
    set_score(run, score)
    return run


def set_score(run: RunFolder, score: float) -> None:
    """Give the run another main metric."""
    recipe = run.recipe()
    stored = read_json(run.path / "result.json")
    stored["protocols"][recipe.protocol.key]["metrics"][recipe.protocol.main_metric] = score
    write_json(run.path / "result.json", stored)
