"""What is written when a node model is done: results per protocol, predictions per node, clusters, findings, embeddings."""

import time
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from core.data.nodes import NodeData
from core.evaluation.nodes import NodeResult, evaluate_nodes
from core.files import replacing, write_json
from core.findings import save_finding
from core.models.nodes import NodeModel
from core.protocol import Protocol
from core.recipe import Recipe
from core.runs.folder import RunFolder
from core.training.projecting import write_map


def write_result(
    run: RunFolder, recipe: Recipe, model: NodeModel, data: NodeData, protocol: Protocol, epoch: int
) -> dict[str, Any]:
    """Evaluate on the test nodes of every label setting under `protocol`; store means, spread and single repeats in
    result.json, votes per node in per_node.parquet, clusters in clusters.parquet.

    Results under other protocols are kept. Returns the stored entry.
    """
    started = time.monotonic()
    result = evaluate_nodes(model, data, protocol)
    entry = {
        "protocol": protocol.model_dump(),
        "selection": recipe.selection,
        "fit_on": recipe.fit_on,
        "auxiliary_noise": recipe.auxiliary_noise,
        "epoch": epoch,
        "num_nodes": data.num_nodes,
        "metrics": result.metrics(),
        "spread": result.spread(),
        "repeats": {name: values.tolist() for name, values in result.repeats().items()},
        "classes": list(data.classes),
        "settings": {
            str(size): [len(part) for part in (setting.train, setting.valid, setting.test)]
            for size, setting in data.settings.items()
        },
        "dataset_hash": data.content_hash,
        "seconds": time.monotonic() - started,
    }
    _write_table(run, "per_node.parquet", protocol.key, _votes(result, data))
    _write_table(run, "clusters.parquet", protocol.key, _clusters(result, data))
    stored = run.result() or {"protocols": {}}
    stored["protocols"][protocol.key] = entry
    write_json(run.path / "result.json", stored)
    return entry


def write_learned(run: RunFolder, model: NodeModel, data: NodeData) -> None:
    """Store the selected model's findings, embeddings of the target nodes, and a map of these by principal components."""
    for finding in model.findings():
        save_finding(run.findings, finding)
    for level, values in model.embed().items():
        rows = values.cpu().numpy()
        with replacing(run.embeddings / f"{level}.npz") as file:
            np.savez(file, allow_pickle=False, values=rows, node_type=np.array(data.target_type))
        write_map(run, level, "pca", rows)


def _votes(result: NodeResult, data: NodeData) -> dict[str, Any]:
    """One row per setting and test node: its label, how many of the classifiers voted for each class, and the class that
    most voted for (of equals the first)."""
    sizes, nodes, votes = [], [], []
    for size, probe in result.probes.items():
        tested = data.settings[size].test
        counts = np.stack([(probe.predicted == c).sum(0) for c in range(len(data.classes))], 1)
        sizes.append(np.full(len(tested), size, np.int32))
        nodes.append(tested)
        votes.append(counts)
    vote_PC, node_P = np.concatenate(votes).astype(np.int32), np.concatenate(nodes)
    rows = pa.array(np.arange(0, vote_PC.size + 1, vote_PC.shape[1]), pa.int32())
    return {
        "labels_per_class": np.concatenate(sizes),
        "node": node_P.astype(np.int32),
        "label": data.labels[node_P].astype(np.int32),
        "predicted": vote_PC.argmax(1).astype(np.int32),
        "votes": pa.ListArray.from_arrays(rows, pa.array(vote_PC.ravel())),
    }


def _clusters(result: NodeResult, data: NodeData) -> dict[str, Any]:
    known = np.flatnonzero(result.clusters >= 0)
    return {
        "node": known.astype(np.int32),
        "label": data.labels[known].astype(np.int32),
        "cluster": result.clusters[known].astype(np.int32),
    }


def _write_table(run: RunFolder, name: str, protocol: str, columns: dict[str, Any]) -> None:
    """Replace this protocol's rows of a table."""
    path = run.path / name
    count = len(columns["node"])
    table = pa.table({"protocol": pa.array([protocol] * count, pa.string()), **columns})
    if path.exists():
        before = pq.read_table(path)
        table = pa.concat_tables([before.filter(pc.field("protocol") != protocol), table])
    with replacing(path) as file:
        pq.write_table(table, file)
