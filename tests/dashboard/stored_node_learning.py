"""Small, valid runs of node models: scores, votes, clusters, a map and findings, written as core's own writers write them."""

from typing import Any

import numpy as np
import pandas as pd

from core.data.dataset import DatasetInfo, open_dataset
from core.data.hetero import read_hetero
from core.files import write_json, write_with
from core.findings import Axis, Finding, Kind, save_finding, save_history
from core.home import Home
from core.runs.folder import RunFolder, create_run
from core.runs.metrics import MetricWriter
from core.runs.projections import projection_file
from tests.dashboard import stored_runs
from tests.dashboard.stored_levels import history

METAPATHS = ("IUI", "IBI", "ITI", "ISI")
LAYERS = ("layer 1", "layer 2", "mean", "scale", "decoder")
CLASSIFIERS = 4
RATES = {20: 0.6, 40: 0.8, 60: 0.9}


def attention(first: tuple[float, ...] = (0.2, 0.5, 0.2, 0.1)) -> Finding:
    values = np.full((len(LAYERS), len(METAPATHS)), 0.25, dtype=np.float32)
    values[0] = first
    axes = (Axis.labelled("layer", LAYERS), Axis.labelled("metapath", METAPATHS))
    return Finding(
        "semantic_attention", "Attention over metapaths", "HAN, Eqs. 7 and 8", Kind.SHARE, axes, values
    )


def learned(nodes: int, *, kl: float = 1.5, variational: float = 0.7) -> list[Finding]:
    """What an HGCVAE run states, means over nodes of `kl` nats and a nearest variational negative at `variational`."""
    node, dim = Axis("node", nodes), Axis("dim", 3)
    negatives = Axis.labelled("negative", ("dropout", "variational"))

    def made(key: str, kind: Kind, axes: tuple[Axis, ...], values: Any) -> Finding:
        return Finding(key, key.replace("_", " "), "HGCVAE", kind, axes, np.asarray(values, dtype=np.float32))

    kinds = Axis.labelled("negative", ("dropout", "variational", "positive"))
    return [
        attention(),
        made("kl", Kind.AMOUNT, (node,), np.full(nodes, kl)),
        made("latent_mean", Kind.POINT, (node, dim), np.ones((nodes, 3))),
        made(
            "negative_hardness",
            Kind.SIGNED,
            (kinds, Axis.labelled("statistic", ("mean", "q95", "max"))),
            [[0.1, 0.5, 0.8], [0.0, 0.4, variational], [0.9, 0.95, 0.99]],
        ),
        made(
            "false_negatives",
            Kind.RATE,
            (negatives, Axis.labelled("counted", ("rows", "weight in the loss"))),
            [[0.25, 0.7], [0.25, 0.3]],
        ),
        made("negative_tables", Kind.AMOUNT, (negatives,), [4, 16]),
        made(
            "mask_rate",
            Kind.RATE,
            (Axis.labelled("part", ("masked", "mask token", "own features", "another node's")),),
            [0.5, 0.35, 0.15, 0.0],
        ),
        made("reconstruction", Kind.AMOUNT, (Axis.labelled("feature_group", ("all features",)),), [0.8]),
    ]


def node_run(
    home: Home,
    data: DatasetInfo,
    run_id: str = "node-run",
    *,
    findings: list[Finding] | None = None,
    **changes: Any,
) -> RunFolder:
    """A finished run: a share RATES of the classifiers is right about every test node, the others take it for the next class;
    clusters are the classes, but for every tenth node."""
    about = stored_runs.recipe(data, **({"system": "hgcvae", "overrides": {"epochs": 5}} | changes))
    run = create_run(home, about, run_id)
    view = read_hetero(open_dataset(home, data.name).folder)
    classes = len(view.class_names)
    writer = MetricWriter(run.metrics)
    for epoch in range(1, 6):
        writer.write(epoch, epoch, {"loss/kl": 1.0, "loss/total": 6.0 / epoch, "valid/micro_f1": 0.1 * epoch})
    writer.close()
    votes = pd.concat([_votes(view, size, rate, classes) for size, rate in RATES.items()], ignore_index=True)
    votes.assign(protocol="heco").to_parquet(run.path / "per_node.parquet", index=False)
    labels = view.labels.astype(np.int32)
    nodes = np.arange(len(labels), dtype=np.int32)
    cluster = np.where(nodes % 10, labels, (labels + 1) % classes).astype(np.int32)
    clusters = pd.DataFrame({"protocol": "heco", "node": nodes, "label": labels, "cluster": cluster})
    clusters.to_parquet(run.path / "clusters.parquet", index=False)
    write_json(
        run.path / "result.json", {"protocols": {"heco": _entry(data, view.class_names, about.protocol)}}
    )
    for finding in learned(len(labels)) if findings is None else findings:
        save_finding(run.findings, finding)
        save_history(run.findings, history(finding))
    points = np.stack([labels + 0.01 * nodes, labels % 2], 1).astype(np.float32)
    write_with(
        run.embeddings / "h.npz", lambda file: np.savez(file, values=points, node_type=np.array("item"))
    )
    mapped = pd.DataFrame({"node": nodes, "x": points[:, 0], "y": points[:, 1]})
    write_with(projection_file(run, "h", "pca"), mapped.to_parquet)
    run.update_status(
        state="done", started=stored_runs.NOW, finished=stored_runs.NOW + 65, epoch=5, device="cpu"
    )
    return run


def _votes(view: Any, size: int, rate: float, classes: int) -> pd.DataFrame:
    nodes = view.splits[f"test_{size}"]
    label = view.labels[nodes]
    votes = np.zeros((len(nodes), classes), dtype=np.int32)
    right = round(rate * 10)
    votes[np.arange(len(nodes)), label] = right
    votes[np.arange(len(nodes)), (label + 1) % classes] += 10 - right
    columns = {"labels_per_class": size, "node": nodes, "label": label, "predicted": votes.argmax(1)}
    return pd.DataFrame(columns).astype(np.int32).assign(votes=list(votes))


def _entry(data: DatasetInfo, classes: tuple[str, ...], protocol: Any) -> dict[str, Any]:
    repeats: dict[str, list[float]] = {"nmi": [0.7, 0.72], "ari": [0.6, 0.64]}
    for metric in ("micro_f1", "macro_f1", "auc"):
        for size, rate in RATES.items():
            repeats[f"{metric}@{size}"] = [rate + 0.01 * place for place in range(CLASSIFIERS)]
        repeats[metric] = np.mean([repeats[f"{metric}@{size}"] for size in RATES], axis=0).tolist()
    return {
        "protocol": protocol.model_dump(mode="json"),
        "selection": "loss",
        "fit_on": "train",
        "auxiliary_noise": 0.0,
        "epoch": 5,
        "num_nodes": data.num_items,
        "metrics": {name: float(np.mean(values)) for name, values in repeats.items()},
        "spread": {name: float(np.std(values)) for name, values in repeats.items()},
        "repeats": repeats,
        "classes": list(classes),
        "settings": {str(size): [80, 30, 30] for size in RATES},
        "dataset_hash": data.content_hash,
        "seconds": 1.0,
    }
