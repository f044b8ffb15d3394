"""Small, valid SRGFormer and LGMRec runs: hyperedges, attention over histories and branches, written through core's own writers."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from core.data.dataset import DatasetInfo, open_dataset
from core.findings import Axis, Finding, Kind, Links, save_finding, save_history
from core.home import Home
from core.runs.folder import RunFolder
from tests.dashboard import stored_runs
from tests.dashboard.stored_levels import history

MODALITIES, EDGES, SAMPLE = ("image", "text"), 3, 101
SIDES = ("user", "item")
BRANCHES = {
    "srgformer": ("collaborative", "modal", "transformer", "hypergraph"),
    "lgmrec": ("collaborative", "modal", "hypergraph"),
}


def node_axis(users: int, items: int) -> Axis:
    return Axis("node", users + items, groups={"user": (0, users), "item": (users, users + items)})


def membership(chosen_MN: np.ndarray, users: int, *, edges: int = EDGES, largest: float = 0.94) -> Finding:
    """Every node gives `largest` to the hyperedge chosen for it, the rest evenly to the others. chosen_MN: one row per modality."""
    modalities, nodes = chosen_MN.shape
    values = np.full((modalities, nodes, edges), (1 - largest) / (edges - 1), dtype=np.float32)
    np.put_along_axis(values, chosen_MN[..., None], largest, axis=-1)
    axes = (
        Axis.labelled("modality", MODALITIES[:modalities]),
        node_axis(users, nodes - users),
        Axis.labelled("hyperedge", [str(edge + 1) for edge in range(edges)]),
    )
    return Finding(
        "hyperedge_membership", "Membership", "SRGFormer, Section III.C.1", Kind.SHARE, axes, values
    )


def defining_items(found: Finding, most: int = 20) -> Finding:
    """Of each hyperedge the items that belong to it most; an item's weight falls with its number."""
    start, stop = found.axis("node").groups["item"]
    values = np.asarray(found.values)[:, start:stop]
    pull = values * (1 - 0.5 * np.arange(stop - start) / (stop - start))[:, None]
    order = np.argsort(-pull, axis=1, kind="stable")[:, :most].transpose(0, 2, 1)
    weight = np.take_along_axis(pull.transpose(0, 2, 1), order, axis=2)
    labels = [f"{m} {k}" for m in found.axis("modality").labels for k in found.axis("hyperedge").labels]
    axes = (Axis.labelled("hyperedge", labels), Axis("item", stop - start))
    links = Links(
        np.arange(len(labels) + 1) * order.shape[2],
        order.ravel().astype(np.int32),
        weight.ravel().astype(np.float32),
    )
    return Finding(
        "hyperedge_items",
        "Defining items",
        "SRGFormer, Section III.C.1",
        Kind.LINK,
        axes,
        links,
        None,
        "By weight.",
    )


def attention(
    user_E: np.ndarray,
    item_E: np.ndarray,
    popularity_I: np.ndarray,
    users: int,
    powers: Sequence[float] = (1.0, 0.0),
) -> list[Finding]:
    """Top interactions, one finding per head over the sample, entropies. Head h attends by popularity to the power powers[h]."""
    length_U = np.bincount(user_E, minlength=users)
    indptr = np.concatenate([[0], np.cumsum(length_U)])
    heads = []
    for power in powers:
        weight_E = popularity_I[item_E].astype(float) ** power
        heads.append(weight_E / np.bincount(user_E, weight_E, users)[user_E])
    share_HE = np.stack(heads)
    axes = (Axis("user", users), Axis("item", len(popularity_I)))

    def links(key: str, kept_E: np.ndarray, value_E: np.ndarray) -> Finding:
        counts = np.bincount(user_E[kept_E], minlength=users)
        rows = Links(
            np.concatenate([[0], np.cumsum(counts)]),
            item_E[kept_E].astype(np.int32),
            value_E[kept_E].astype(np.float32),
        )
        return Finding(key, "Attention", "SRGFormer, Section III.C.2", Kind.LINK, axes, rows)

    order = np.lexsort((-share_HE.mean(axis=0), user_E))
    place = np.arange(len(order)) - indptr[user_E[order]]
    sampled = np.isin(user_E, np.flatnonzero(length_U)[:SAMPLE])
    entropy = np.bincount(user_E, -(share_HE * np.log(share_HE)).mean(axis=0), users)
    nodes = (Axis("node", users, groups={"user": (0, users)}),)
    return [
        links("history_attention", order[place < 5], share_HE.mean(axis=0)),
        *(
            links(f"history_attention_{h + 1}", np.flatnonzero(sampled), share)
            for h, share in enumerate(share_HE)
        ),
        Finding(
            "attention_entropy",
            "Entropy",
            "SRGFormer, Section III.C.2",
            Kind.AMOUNT,
            nodes,
            np.maximum(entropy, 0.0),
            length_U,
        ),
    ]


def branches(system: str, users: int, items: int, *, idle: float | None = None) -> list[Finding]:
    """The modal branch gives 60 % to users and 50 % to items, the others share the rest; idle: part of the last one instead."""
    names = BRANCHES[system]
    values = np.empty((len(names), 2))
    for column, modal in enumerate((0.6, 0.5)):
        last = idle if idle is not None else (1 - modal) / (len(names) - 1)
        values[:, column] = (1 - modal - last) / (len(names) - 2)
        values[1, column], values[-1, column] = modal, last
    axes = (Axis.labelled("branch", names), Axis.labelled("side", SIDES))
    support = np.array([[users, items]] * len(names))
    return [
        Finding("branch_norm", "Length", "Eq. 15", Kind.AMOUNT, axes, 2 * np.abs(values), support),
        Finding("branch_contribution", "Part", "Eq. 15", Kind.SIGNED, axes, values, support),
    ]


def chosen_by_category(home: Home, data: DatasetInfo, seed: int = 3) -> np.ndarray:
    """The first modality's hyperedges follow the items' categories exactly, the second one's chance; users follow chance."""
    rng = np.random.default_rng(seed)
    chosen = rng.integers(0, EDGES, (len(MODALITIES), data.num_users + data.num_items))
    code = open_dataset(home, data.name).items()["category"].astype("category").cat.codes.to_numpy()
    chosen[0, data.num_users :] = code % EDGES
    return chosen


def training_pairs(home: Home, data: DatasetInfo) -> tuple[np.ndarray, np.ndarray]:
    """Users and items of the target's training pairs, rising."""
    rows = open_dataset(home, data.name).interactions()
    rows = rows[(rows["behavior"] == data.behaviors[-1]) & (rows["split"] == "train")]
    pairs = rows[["user", "item"]].drop_duplicates().sort_values(["user", "item"])
    return pairs["user"].to_numpy(np.int64), pairs["item"].to_numpy(np.int64)


def findings(home: Home, data: DatasetInfo, system: str, config: dict[str, Any]) -> list[Finding]:
    """What a run with these settings states."""
    users, items = data.num_users, data.num_items
    local = config["beta"] if system == "srgformer" else config["alpha"]
    names = branches(system, users, items)
    found = list(names)
    if local or config["hcl_weight"]:
        member = membership(chosen_by_category(home, data), users)
        found += [member, defining_items(member)]
    if system == "srgformer" and config["alpha"]:
        user_E, item_E = training_pairs(home, data)
        found += attention(user_E, item_E, np.bincount(item_E, minlength=items), users)
    return found


def structure_run(
    home: Home, data: DatasetInfo, run_id: str = "srgformer-run", system: str = "srgformer", **changes: Any
) -> RunFolder:
    """A finished SRGFormer or LGMRec run."""
    run = stored_runs.done_run(home, data, run_id, system=system, **changes)
    for finding in findings(home, data, system, run.recipe().config):
        save_finding(run.findings, finding)
        if finding.kind is not Kind.LINK:
            save_history(run.findings, history(finding))
    return run
