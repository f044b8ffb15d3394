"""Writes small, valid run folders through core's own writers, for tests of pages and readers."""

from collections.abc import Sequence
from itertools import product
from typing import Any

import numpy as np
import pandas as pd

from core.data.dataset import DatasetInfo, open_dataset
from core.data.planted import write_demo
from core.files import write_json, write_with
from core.findings import Axis, Finding, History, Kind, save_finding, save_history, summary_over_nodes
from core.home import Home
from core.recipe import Recipe, make_recipe
from core.runs.folder import Failure, RunFolder, create_run
from core.runs.metrics import MetricWriter

NOW = 1_760_000_000.0
BEHAVIORS = ("view", "favorite", "cart", "buy")
SNAPSHOTS = (1, 3, 5)


def tiny_demo(home: Home, name: str = "demo") -> DatasetInfo:
    """The smallest planted data set."""
    return write_demo(home, name, num_users=211, num_items=131)


def recipe(data: DatasetInfo, system: str = "cigf", **changes: Any) -> Recipe:
    return make_recipe(data.name, data.content_hash, system, planted=data.planted, **changes)


def queued_run(home: Home, data: DatasetInfo, run_id: str = "queued-run", **changes: Any) -> RunFolder:
    return create_run(home, recipe(data, **changes), run_id)


def running_run(home: Home, data: DatasetInfo, run_id: str = "running-run", **changes: Any) -> RunFolder:
    """A run in its third of five epochs, with metrics and a log."""
    run = create_run(home, recipe(data, **({"overrides": {"epochs": 5}} | changes)), run_id)
    write_metrics(run, epochs=3)
    run.log.write_text("epoch 1\nepoch 2\nepoch 3\n", encoding="utf-8")
    run.update_status(
        state="running",
        started=NOW,
        heartbeat=NOW,
        epoch=3,
        device="cpu",
        slot="cpu:0",
        threads=2,
    )
    return run


def failed_run(home: Home, data: DatasetInfo, run_id: str = "failed-run", **changes: Any) -> RunFolder:
    run = running_run(home, data, run_id, **changes)
    failure = Failure(
        message="loss became NaN at step 12; lower learning_rate", traceback="Traceback: secret detail"
    )
    run.update_status(state="failed", finished=NOW + 30, error=failure.model_dump())
    return run


def done_run(home: Home, data: DatasetInfo, run_id: str = "done-run", **changes: Any) -> RunFolder:
    """A finished CIGF run with results, findings, histories, per-user ranks and recommendations."""
    run = create_run(home, recipe(data, **({"overrides": {"epochs": 5}} | changes)), run_id)
    write_metrics(run, epochs=5)
    run.log.write_text("epoch 5\ndone\n", encoding="utf-8")
    write_json(run.path / "environment.json", {"commit": "abc", "packages": {"torch": "2"}, "command": "..."})
    write_results(home, run)
    config = run.recipe().config
    if run.recipe().system == "cigf" and config["encoder"] == "cigcn" and config["num_layers"] > 1:
        write_findings(run, data, config["num_layers"])
    if run.recipe().system == "cigf":
        write_experts(run, data)
    run.update_status(state="done", started=NOW, finished=NOW + 65, epoch=5, device="cpu", slot="cpu:0")
    return run


def write_metrics(run: RunFolder, epochs: int) -> None:
    writer = MetricWriter(run.metrics)
    for epoch in range(1, epochs + 1):
        losses = {f"loss/bpr_{b}": 0.7 / epoch + 0.01 * k for k, b in enumerate(BEHAVIORS)}
        total = {"loss/l2": 0.02, "loss/total": sum(losses.values()) + 0.02}
        cost = {"seconds/epoch": 0.5, "memory/host": 4e8}
        valid = {"valid/hr@10": 0.1 * epoch**0.5, "valid/ndcg@10": 0.05 * epoch**0.5}
        writer.write(epoch * 6, epoch, losses | total | cost | valid)
    writer.close()


def write_results(home: Home, run: RunFolder) -> None:
    """result.json, per_user.parquet and recommendations.npz; user 0's test item is recommended first."""
    about = run.recipe()
    rows = open_dataset(home, about.dataset).interactions()
    tested = rows[(rows["behavior"] == "buy") & (rows["split"] == "test")]
    items = {int(user): [int(i) for i in part] for user, part in tested.groupby("user")["item"]}
    users = np.array(sorted(items), dtype=np.int32)
    num_items = open_dataset(home, about.dataset).info.num_items
    first = np.array([items[int(user)][0] for user in users])
    recommended = (first[:, None] + np.arange(20)[None, :] + (np.arange(len(users)) % 3)[:, None]) % num_items
    write_with(
        run.path / "recommendations.npz",
        lambda file: np.savez(
            file,
            users=users,
            items=recommended.astype(np.int32),
            scores=np.tile(np.linspace(1, 0, 20, dtype=np.float32), (len(users), 1)),
        ),
    )
    frame = pd.DataFrame(
        {
            "protocol": about.protocol.key,
            "user": users,
            "num_train": 3,
            "num_test": [len(items[int(user)]) for user in users],
            "items": [items[int(user)] for user in users],
            "ranks": [[1] * len(items[int(user)]) for user in users],
            "seen": [[True] * len(items[int(user)]) for user in users],
            "hr@10": 1.0,
            "ndcg@10": 0.5,
        }
    )
    write_with(run.path / "per_user.parquet", frame.to_parquet)
    metrics = {"hr@5": 0.21, "hr@10": 0.3125, "ndcg@5": 0.1, "ndcg@10": 0.1802}
    result = {
        "protocol": about.protocol.model_dump(),
        "selection": about.selection,
        "fit_on": about.fit_on,
        "epoch": 4,
        "num_users": len(users),
        "metrics": metrics,
        "seen": {"pairs": 100, **metrics},
        "unseen": {"pairs": 20, **{name: value / 3 for name, value in metrics.items()}},
    }
    write_json(run.path / "result.json", {"protocols": {about.protocol.key: result}})


def attention_finding(
    users: int,
    items: int,
    orders: Sequence[str],
    behaviors: Sequence[str] = BEHAVIORS,
    heads: int = 1,
    seed: int = 5,
) -> Finding:
    """Random signed attention; users weigh the second behaviour most at the lowest order from the last start."""
    rng = np.random.default_rng(seed)
    shape = (len(behaviors), len(orders), heads, users + items, len(behaviors))
    values = rng.normal(0.05, 0.15, shape).astype(np.float32)
    values[-1, 0, :, :users, 1] += 1.0
    axes = (
        Axis.labelled("start", behaviors),
        Axis.labelled("order", orders),
        Axis.labelled("head", [str(head + 1) for head in range(heads)]),
        Axis("node", users + items, groups={"user": (0, users), "item": (users, users + items)}),
        Axis.labelled("relation", behaviors),
    )
    return Finding("relation_attention", "Attention over relations", "CIGF, Eq. 9", Kind.SIGNED, axes, values)


def paths_finding(order: int, behaviors: Sequence[str] = BEHAVIORS, seed: int = 6) -> Finding:
    rng = np.random.default_rng(seed + order)
    labels = [" > ".join(path) for path in product(behaviors, repeat=order)]
    axes = (Axis.labelled("target", ("user", "item")), Axis.labelled("path", labels))
    values = rng.normal(0.02, 0.1, (2, len(labels)))
    support = rng.integers(10, 90_000, (2, len(labels))).astype(float)
    return Finding(
        f"relation_paths_{order}", "Paths", "CIGF, Eq. 9 and Table 6", Kind.SIGNED, axes, values, support
    )


def attention_history(finding: Finding, epochs: Sequence[int] = SNAPSHOTS) -> History:
    summary = summary_over_nodes(finding)
    values = np.stack([np.asarray(summary.values) * (epoch / epochs[-1]) for epoch in epochs])
    return History(finding.key, summary.kind, summary.axes, np.array(epochs), values)


def write_findings(run: RunFolder, data: DatasetInfo, num_layers: int) -> None:
    orders = [str(order) for order in range(2, num_layers + 1)]
    finding = attention_finding(data.num_users, data.num_items, orders, data.behaviors)
    save_finding(run.findings, finding)
    save_history(run.findings, attention_history(finding))
    for order in range(2, num_layers + 1):
        save_finding(run.findings, paths_finding(order, data.behaviors))


def gates_finding(
    tasks: Sequence[str] = BEHAVIORS, experts: Sequence[str] = BEHAVIORS, pairs: int = 23, seed: int = 7
) -> Finding:
    """Random gates; every task leans most on the last expert, and user 10 + p has pair p."""
    rng = np.random.default_rng(seed)
    leaning = np.where(np.arange(len(experts)) == len(experts) - 1, 9.0, 2.0)
    axes = (
        Axis.labelled("task", tasks),
        Axis.labelled("pair", [f"{10 + pair}:{pair}" for pair in range(pairs)]),
        Axis.labelled("expert", experts),
    )
    values = rng.dirichlet(leaning, (len(tasks), pairs))
    return Finding("expert_gates", "Expert gates by task", "CIGF, Eq. 15", Kind.SHARE, axes, values)


def conflict_finding(tasks: Sequence[str] = BEHAVIORS, cosine: float = -0.2) -> Finding:
    """Every pair of tasks at the same cosine."""
    values = np.full((len(tasks), len(tasks)), cosine)
    np.fill_diagonal(values, 1.0)
    axes = (Axis.labelled("task", tasks), Axis.labelled("other_task", tasks))
    return Finding("gradient_conflict", "Conflict", "CIGF, Section 3.3", Kind.SIGNED, axes, values)


def write_experts(run: RunFolder, data: DatasetInfo) -> None:
    """Gradient conflict, and gates where the head has some, with a history each: even gates first, then as they end."""
    config = run.recipe().config
    conflict = conflict_finding(data.behaviors)
    save_finding(run.findings, conflict)
    stacked = np.stack([-conflict.values, conflict.values, conflict.values])
    save_history(
        run.findings, History(conflict.key, conflict.kind, conflict.axes, np.array(SNAPSHOTS), stacked)
    )
    if config["head"] not in ("mesi", "mmoe", "ple"):
        return
    titles = (
        data.behaviors
        if config["head"] == "mesi"
        else [f"expert {e + 1}" for e in range(len(data.behaviors))]
    )
    finding = gates_finding(data.behaviors, titles)
    save_finding(run.findings, finding)
    even = np.full_like(finding.values, 1 / len(titles))
    stacked = np.stack([even, (even + finding.values) / 2, finding.values])
    save_history(run.findings, History(finding.key, finding.kind, finding.axes, np.array(SNAPSHOTS), stacked))
