"""What is written when training ends: results per protocol, ranks per user, recommendations, findings, embeddings."""

import time
from collections.abc import Mapping
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from scipy.sparse import csr_array

from core.data.ranking import RankingData
from core.evaluation.edges import WeighsEdges, edge_findings
from core.evaluation.ranking import RankingResult, evaluate, hidden_pairs, recommend
from core.files import replacing, write_json
from core.findings import save_finding
from core.models.base import Ranker
from core.protocol import Protocol
from core.recipe import Recipe
from core.runs.folder import RunFolder

_RECOMMENDED = 20
_MOST_RECOMMENDED_USERS = 50_000


def write_result(
    run: RunFolder, recipe: Recipe, model: Ranker, data: RankingData, protocol: Protocol, epoch: int
) -> dict[str, Any]:
    """Evaluate on the test pairs under `protocol`, store the means in result.json and the users in per_user.parquet.

    Results under other protocols are kept. Returns the stored entry.
    """
    started = time.monotonic()
    outcome = evaluate(model, data, protocol, "test")
    entry = {
        "protocol": protocol.model_dump(),
        "selection": recipe.selection,
        "fit_on": recipe.fit_on,
        "auxiliary_noise": recipe.auxiliary_noise,
        "epoch": epoch,
        "num_users": len(outcome.users),
        "metrics": outcome.metrics(),
        "seen": outcome.metrics_of_pairs(seen=True),
        "unseen": outcome.metrics_of_pairs(seen=False),
        "dataset_hash": data.content_hash,
        "seconds": time.monotonic() - started,
    }
    _write_users(run, outcome, data)
    stored = run.result() or {"protocols": {}}
    stored["protocols"][protocol.key] = entry
    write_json(run.path / "result.json", stored)
    return entry


def write_learned(
    run: RunFolder,
    recipe: Recipe,
    model: Ranker,
    data: RankingData,
    noise: Mapping[str, csr_array] | None = None,
) -> None:
    """Store the selected model's findings, embeddings and recommendations for the users with test pairs.

    noise: training pairs per behaviour that are known to be noise; a model that weighs edges is held against them.
    """
    found = list(model.findings())
    if noise is not None and isinstance(model, WeighsEdges):
        found += edge_findings(model.edge_weights(), data, noise)
    for finding in found:
        save_finding(run.findings, finding)
    for level, values in model.embed().items():
        with replacing(run.embeddings / f"{level}.npz") as file:
            np.savez(
                file, allow_pickle=False, values=values.cpu().numpy(), num_users=np.array(data.num_users)
            )
    users = np.flatnonzero(np.diff(data.test.indptr)).astype(np.int64)[:_MOST_RECOMMENDED_USERS]
    items, scores = recommend(model, hidden_pairs(data, recipe.protocol, "test"), users, _RECOMMENDED)
    with replacing(run.path / "recommendations.npz") as file:
        arrays = {
            "users": users.astype(np.int32),
            "items": items.astype(np.int32),
            "scores": scores.astype(np.float32),
        }
        np.savez_compressed(file, allow_pickle=False, **arrays)


def _write_users(run: RunFolder, outcome: RankingResult, data: RankingData) -> None:
    """Replace this protocol's rows of per_user.parquet."""
    path = run.path / "per_user.parquet"
    table = _user_table(outcome, data)
    if path.exists():
        before = pq.read_table(path)
        others = before.filter(pc.field("protocol") != outcome.protocol.key)
        table = pa.concat_tables([others, table], promote_options="default")
    with replacing(path) as file:
        pq.write_table(table, file)


def _user_table(outcome: RankingResult, data: RankingData) -> pa.Table:
    trained = np.diff(data.train[data.target].indptr)[outcome.users]
    offsets = pa.array(outcome.indptr, pa.int32())
    columns: dict[str, Any] = {
        "protocol": pa.array([outcome.protocol.key] * len(outcome.users), pa.string()),
        "user": pa.array(outcome.users, pa.int32()),
        "num_train": pa.array(trained, pa.int32()),
        "num_test": pa.array(np.diff(outcome.indptr), pa.int32()),
        "items": pa.ListArray.from_arrays(offsets, pa.array(outcome.items, pa.int32())),
        "ranks": pa.ListArray.from_arrays(offsets, pa.array(outcome.ranks, pa.int32())),
        "seen": pa.ListArray.from_arrays(offsets, pa.array(outcome.seen)),
    }
    columns |= {name: pa.array(values, pa.float32()) for name, values in outcome.per_user.items()}
    return pa.table(columns)
