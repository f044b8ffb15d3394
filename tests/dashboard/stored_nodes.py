"""Writes small run folders of systems that embed nodes, for tests of pages and readers."""

from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from core.data.dataset import DatasetInfo
from core.files import write_json
from core.home import Home
from core.runs.folder import RunFolder, create_run
from core.runs.metrics import MetricWriter
from tests.dashboard.stored_runs import NOW, recipe

SIZES = (20, 40)
CLASSIFIERS = 5
TESTED = 23
CLASSES = ("0", "1", "2")
LOSSES = {"contrastive": 2.0, "esce": 0.5}


def node_run(
    home: Home,
    data: DatasetInfo,
    run_id: str,
    *,
    right: float = 0.8,
    system: str = "hgcvae",
    **changes: Any,
) -> RunFolder:
    """A finished run of a system that embeds nodes. right: the share of test nodes that most classifiers are right about."""
    about = recipe(data, system, **changes)
    run = create_run(home, about, run_id)
    trained = "epochs" in about.config
    if trained:
        write_metrics(run)
    run.log.write_text("done\n", encoding="utf-8")
    write_node_results(run, right, epoch=5 if trained else 0)
    run.update_status(state="done", started=NOW, finished=NOW + 65, epoch=5 if trained else 0, device="cpu")
    return run


def write_metrics(run: RunFolder, epochs: int = 5) -> None:
    writer = MetricWriter(run.metrics)
    for epoch in range(1, epochs + 1):
        losses = {f"loss/{name}": start / epoch for name, start in LOSSES.items()}
        losses["loss/total"] = sum(losses.values())
        valid = {f"valid/{metric}": 0.6 + 0.05 * epoch for metric in ("micro_f1", "macro_f1", "micro_f1@20")}
        writer.write(epoch, epoch, losses | valid | {"seconds/epoch": 0.5, "memory/host": 4e8})
    writer.close()


def write_node_results(run: RunFolder, right: float, epoch: int) -> None:
    """result.json and per_node.parquet. Four of five classifiers are right about the first nodes, one about the others."""
    about = run.recipe()
    label = np.arange(TESTED) % len(CLASSES)
    is_right = np.arange(TESTED) < round(right * TESTED)
    votes = np.zeros((TESTED, len(CLASSES)), np.int32)
    votes[np.arange(TESTED), label] = np.where(is_right, CLASSIFIERS - 1, 1)
    votes[np.arange(TESTED), (label + 1) % len(CLASSES)] = np.where(is_right, 1, CLASSIFIERS - 1)
    micro = float(votes[np.arange(TESTED), label].mean() / CLASSIFIERS)
    metrics = {"micro_f1": micro, "macro_f1": micro - 0.01, "auc": 0.9, "nmi": 0.5, "ari": 0.4}
    metrics |= {f"{name}@{size}": metrics[name] for size in SIZES for name in ("micro_f1", "macro_f1", "auc")}
    tables = [
        pa.table(
            {
                "protocol": [about.protocol.key] * TESTED,
                "labels_per_class": np.full(TESTED, size, np.int32),
                "node": np.arange(TESTED, dtype=np.int32) + size,
                "label": label.astype(np.int32),
                "predicted": votes.argmax(1).astype(np.int32),
                "votes": pa.array(votes.tolist(), pa.list_(pa.int32())),
            }
        )
        for size in SIZES
    ]
    pq.write_table(pa.concat_tables(tables), run.path / "per_node.parquet")
    entry = {
        "protocol": about.protocol.model_dump(),
        "selection": about.selection,
        "fit_on": about.fit_on,
        "auxiliary_noise": 0.0,
        "epoch": epoch,
        "num_nodes": 131,
        "metrics": metrics,
        "spread": dict.fromkeys(metrics, 0.02),
        "repeats": {name: [value] * CLASSIFIERS for name, value in metrics.items()},
        "classes": list(CLASSES),
        "settings": {str(size): [3 * size, 11, TESTED] for size in SIZES},
        "dataset_hash": about.dataset_hash,
    }
    write_json(run.path / "result.json", {"protocols": {about.protocol.key: entry}})
