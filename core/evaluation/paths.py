"""From a relation path to its instances: which items and users carry a recommendation, and how strongly (no torch).

U users, I items, S start behaviours, O orders with attention, R relations.
"""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.sparse import csr_array

from core.catalog.cigf import CIGFConfig
from core.data.ranking import RankingData
from core.errors import ConfigError
from core.findings import Finding

Floats = NDArray[np.float64]
HOPS = 3


def path_instances(
    data: RankingData,
    attention: Finding,
    config: CIGFConfig,
    path: Sequence[str],
    user: int,
    item: int,
    limit: int = 20,
) -> pd.DataFrame:
    """The strongest instances user -b1-> item' -b2-> user' -b3-> item of the relation `path` = (b1, b2, b3).

    The strength of an instance is what CIGF multiplies along it (Eqs. 8 to 10): normalised adjacency and attention per
    hop. The user's representation reaches min(3, L) hops; hops beyond are taken from the item's representation, so with
    L = 2 the instance is a user path of two hops that meets an item path of one. A head with separate inputs (MESI) scores
    only representations of the same start together: there, instances reach the score where both parts share their start. `attention` is the finding
    relation_attention, heads are summed.
    Returns columns `hop 1` (item), `hop 2` (user), `hop 3` (item), `strength`, `share` of the total absolute strength
    over all instances, sorted by absolute strength; `attrs["instances"]` is their number. Raises ConfigError if the path
    does not have three known behaviours, or L = 1 (no path of three hops), or user or item does not exist.
    """
    _check(data, config, path, user, item)
    matrices = {b: data.train[b] for b in data.behaviors}
    first, second, third = path
    items = matrices[first][[user]].indices.astype(np.int64)
    users = csr_array(matrices[third][:, [item]].T).indices.astype(np.int64)
    between = csr_array(matrices[second][users][:, items]).tocoo()
    via_user, via_item = users[between.row], items[between.col]
    strength = _adjacency(matrices[first], config, np.full(len(via_item), user), via_item, from_user=True)
    strength *= _adjacency(matrices[second], config, via_user, via_item, from_user=False)
    strength *= _adjacency(
        matrices[third], config, via_user, np.full(len(via_user), item), from_user=config.num_layers >= HOPS
    )
    strength *= _attention_along(data, attention, config, path, user, via_item)
    table = pd.DataFrame(
        {"hop 1": via_item, "hop 2": via_user, "hop 3": np.full(len(via_item), item), "strength": strength}
    )
    total = float(np.abs(strength).sum())
    table["share"] = np.abs(strength) / total if total else 0.0
    table = table.iloc[np.argsort(-np.abs(strength), kind="stable")[:limit]].reset_index(drop=True)
    table.attrs["instances"] = len(strength)
    return table


def _check(data: RankingData, config: CIGFConfig, path: Sequence[str], user: int, item: int) -> None:
    if len(path) != HOPS or any(b not in data.behaviors for b in path):
        raise ConfigError(
            f"path {' > '.join(path)!r}: expected three of the behaviours {', '.join(data.behaviors)}"
        )
    if config.num_layers < 2:
        raise ConfigError(
            "num_layers = 1 has no paths over several behaviours; train with num_layers of 2 or more"
        )
    if not 0 <= user < data.num_users or not 0 <= item < data.num_items:
        raise ConfigError(
            f"user {user} or item {item} does not exist: expected a user below {data.num_users} and an item below {data.num_items}"
        )


def _adjacency(
    matrix: csr_array, config: CIGFConfig, users: NDArray[np.int64], items: NDArray[np.int64], from_user: bool
) -> Floats:
    """Normalised adjacency of existing pairs, read from the user's row or from the item's row."""
    user_degree = np.maximum(np.diff(matrix.indptr)[users], 1).astype(np.float64)
    item_degree = np.maximum(np.bincount(matrix.indices, minlength=matrix.shape[1])[items], 1).astype(
        np.float64
    )
    row, column = (user_degree, item_degree) if from_user else (item_degree, user_degree)
    scale = {
        "left": 1 / row,
        "right": 1 / column,
        "symmetric": 1 / np.sqrt(row * column),
        "none": np.ones_like(row),
    }
    return scale[config.normalization]


def _attention_along(
    data: RankingData,
    attention: Finding,
    config: CIGFConfig,
    path: Sequence[str],
    user: int,
    via_item: NDArray[np.int64],
) -> Floats:
    """Product of the attentions that the user's part of the path carries, one value per instance.

    Recursive composition: each node applies its own attention, of the order counted from the far end, and the last
    behaviour of the part is the start. Target composition: the user's attention weighs hops 2 and 3, and the first
    behaviour is the start.
    """
    assert isinstance(attention.values, np.ndarray)
    weights = attention.values.sum(2)  # [S, O, N, R]
    hops = [data.behaviors.index(b) for b in path][: min(HOPS, config.num_layers)]
    product = np.ones(len(via_item))
    if config.composition == "target":
        for hop in range(1, len(hops)):
            product *= weights[hops[0], hop - 1, user, hops[hop]]
        return product
    start, length = hops[-1], len(hops)
    product *= weights[start, length - 2, user, hops[0]]
    if length == HOPS:
        product *= weights[start, 0, data.num_users + via_item, hops[1]]
    return product
