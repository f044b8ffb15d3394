"""Paired tests between groups of runs on the users, or the test nodes, that they share, read from their folders.

Run as a process of its own it answers a page: reading results per user and testing them takes a second and 100 MB that a
server does without. G groups, U users or nodes, C classes.
"""

import json
import sys
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.errors import RelScopeError, RunError
from core.evaluation.statistics import Floats, PairedTest, against_first
from core.runs.folder import RunFolder

Ints = NDArray[np.int64]


def compared(
    groups: Sequence[Sequence[RunFolder]], protocol: str, metric: str
) -> tuple[list[PairedTest], int]:
    """The first group against each other one, and the number of users left out since not every run evaluated them.

    A group counts with the mean of its runs, user by user; under Micro-F1 with so many labels per class, node by node.
    Raises RunError, DataError.
    """
    size = labels_per_class(metric)
    if size is None:
        values_GU, dropped = shared_users(
            [[user_values(run, protocol, metric) for run in runs] for runs in groups]
        )
    else:
        values_GU, dropped = shared_users(
            [[node_values(run, protocol, size) for run in runs] for runs in groups], "test nodes"
        )
    return against_first(values_GU), dropped


def labels_per_class(metric: str) -> int | None:
    """The label setting of a metric that has a value for every test node, 20 of `micro_f1@20`; None for all others."""
    name, _, size = metric.partition("@")
    return int(size) if name == "micro_f1" and size.isdecimal() else None


def node_values(run: RunFolder, protocol: str, size: int) -> tuple[Ints, Floats]:
    """Test nodes of `run` with `size` labels per class, rising, and the share of classifiers that put each in its class; the
    mean over nodes is Micro-F1. Raises RunError without any."""
    import pyarrow.parquet as pq

    path = run.path / "per_node.parquet"
    filters = [("protocol", "=", protocol), ("labels_per_class", "=", size)]
    try:
        table = pq.read_table(path, columns=["node", "label", "votes"], filters=filters)
    except FileNotFoundError:
        table = None
    except (OSError, ValueError) as error:
        raise RunError(f"{path}: cannot be read ({error}); evaluate the run again to write it") from error
    if table is None or not len(table):
        raise RunError(
            f"{run.run_id} keeps no votes per node with {size} labels per class under {protocol}, so it cannot be tested; "
            f"score the run under {protocol} again, or leave it out"
        )
    votes_UC = np.stack(table["votes"].to_numpy())
    nodes, label = table["node"].to_numpy().astype(np.int64), table["label"].to_numpy()
    right = votes_UC[np.arange(len(nodes)), label] / votes_UC.sum(1)
    order = np.argsort(nodes, kind="stable")
    return nodes[order], right[order]


def user_values(run: RunFolder, protocol: str, metric: str) -> tuple[Ints, Floats]:
    """Users of `run` with a value of `metric` under `protocol`, rising, and the values. Raises RunError without any."""
    import pyarrow.compute as pc
    import pyarrow.parquet as pq

    path = run.path / "per_user.parquet"
    try:
        with pq.ParquetFile(path) as file:
            stored = file.schema_arrow.names
            wanted = [name for name in ("protocol", "user", metric) if name in stored]
            table = file.read(columns=wanted)
    except FileNotFoundError:
        wanted, table = [], None
    except (OSError, ValueError) as error:
        raise RunError(
            f"{path}: cannot be read ({error}); resume or repeat the run to write it again"
        ) from error
    if table is None or len(wanted) < 3:
        raise _nothing_stored(run, protocol, metric)
    rows = table.filter(pc.field("protocol") == protocol).drop_null()
    users = rows["user"].to_numpy().astype(np.int64)
    values = rows[metric].to_numpy().astype(np.float64)
    kept = np.flatnonzero(np.isfinite(values))
    if not len(kept):
        raise _nothing_stored(run, protocol, metric)
    order = kept[np.argsort(users[kept], kind="stable")]
    return users[order], values[order]


def _nothing_stored(run: RunFolder, protocol: str, metric: str) -> RunError:
    return RunError(
        f"{run.run_id} keeps no {metric} per user under {protocol}, so it cannot be tested; "
        f"score the run under {protocol} again, or leave it out"
    )


def shared_users(groups: Sequence[Sequence[tuple[Ints, Floats]]], what: str = "users") -> tuple[Floats, int]:
    """Means [G, U] over each group's runs of the users that every run evaluated, and the number of all other users.

    groups: per run its users, rising and distinct, and their values. what: how an error calls them. Raises RunError below two
    shared users.
    """
    everyone = [users for runs in groups for users, _ in runs]
    common, union = everyone[0], everyone[0]
    for users in everyone[1:]:
        common, union = np.intersect1d(common, users), np.union1d(union, users)
    if len(common) < 2:
        raise RunError(
            f"the picked runs share {len(common)} evaluated {what}; a paired test needs two or more: "
            "pick runs of the same data"
        )
    means = [
        np.mean([values[np.searchsorted(users, common)] for users, values in runs], axis=0) for runs in groups
    ]
    return np.stack(means), len(union) - len(common)


def answer(asked: bytes) -> dict[str, Any]:
    """What `compared` says of a question in JSON: groups (run folders as paths), protocol, metric."""
    question = json.loads(asked)
    groups = [[RunFolder(Path(path)) for path in paths] for paths in question["groups"]]
    try:
        tests, dropped = compared(groups, question["protocol"], question["metric"])
    except RelScopeError as error:
        return {"refused": str(error)}
    return {"tests": [asdict(test) for test in tests], "dropped": dropped}


if __name__ == "__main__":
    sys.stdout.write(json.dumps(answer(sys.stdin.buffer.read())))
