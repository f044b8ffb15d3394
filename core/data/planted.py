"""The planted demo data: one generator, one seed, and a truth that pages and tests can compare a model with.

The story (items, users, behaviours, tail, time, heterogeneous view) is told in the `planted_*` modules, one part
each. Models read the data set; `truth/` is for pages and tests only. The same seed and sizes give the same content
hash on every platform: all draws come from PCG64, and every real number is rounded before it is stored.
"""

from collections.abc import Iterator

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from core.data.info import DatasetInfo
from core.data.planted_events import BEHAVIORS
from core.data.planted_funnel import Chunk, draw_chunk
from core.data.planted_hetero import NOISE_RELATION, RELATIONS, hetero_view
from core.data.planted_items import Items, draw_items
from core.data.planted_users import DECISIVE_RELATIONS, SEGMENTS, Users, draw_users
from core.data.writing import DatasetWriter, Provenance
from core.errors import DataError
from core.home import Home

VERSION = 1
DEFAULT_SEED = 7
CHUNK = 5_000
_SMALLEST = 48
_LARGEST_USERS = 1_000_000


def write_demo(
    home: Home,
    name: str = "demo",
    *,
    seed: int = DEFAULT_SEED,
    num_users: int = 1_500,
    num_items: int = 1_000,
    replace: bool = False,
    audio: bool = False,
) -> DatasetInfo:
    """Generate and store the demo data set; users are drawn in chunks, so memory does not grow with their number
    beyond the purchases. `audio` adds a third modality.

    Raises DataError if the sizes are out of range or the name exists and `replace` is false.
    """
    if not _SMALLEST <= num_users <= _LARGEST_USERS or num_items < _SMALLEST or seed < 0:
        raise DataError(
            f"demo data of {num_users} users, {num_items} items and seed {seed}: expected {_SMALLEST} to "
            f"{_LARGEST_USERS} users, at least {_SMALLEST} items and a seed of at least 0"
        )
    items = draw_items(stream(seed, 0), num_items, audio=audio)
    purchases: list[NDArray[np.int32]] = []
    with DatasetWriter(home, name, BEHAVIORS, replace=replace) as writer:
        user_ids = [f"user-{user:07d}" for user in range(num_users)]
        item_ids = [f"item-{item:05d}" for item in range(num_items)]
        writer.nodes(
            users=pd.DataFrame({"original_id": user_ids}),
            items=pd.DataFrame(
                {"original_id": item_ids, "title": items.titles, "category": items.category_names}
            ),
        )
        for users, chunk in _chunks(seed, num_users, items):
            writer.interactions(chunk.interactions)
            writer.truth("users", _user_truth(users))
            writer.truth("tail_cases", chunk.tail_cases)
            purchases.append(chunk.training_purchases())
        for modality, matrix in items.features.items():
            writer.features(modality, matrix)
        writer.hetero(hetero_view(stream(seed, 1), items, np.concatenate(purchases), num_users))
        writer.truth("items", _item_truth(items))
        writer.truth("relations", _relation_truth())
        return writer.finish(_provenance(seed, num_users, num_items))


def stream(seed: int, *path: int) -> np.random.Generator:
    """An independent random stream for one part of the story."""
    return np.random.Generator(np.random.PCG64(np.random.SeedSequence([seed, *path])))


def _chunks(seed: int, num_users: int, items: Items) -> Iterator[tuple[Users, Chunk]]:
    for number, first in enumerate(range(0, num_users, CHUNK)):
        rng = stream(seed, 2, number)
        users = draw_users(rng, first, min(CHUNK, num_users - first), items)
        yield users, draw_chunk(rng, users, items)


def _user_truth(users: Users) -> pd.DataFrame:
    segment = np.asarray(SEGMENTS, dtype=object)[users.segment]
    decisive = np.asarray(DECISIVE_RELATIONS, dtype=object)[users.segment]
    numbers = np.arange(users.first, users.first + len(users.segment), dtype=np.int32)
    return pd.DataFrame({"user": numbers, "segment": segment, "decisive_relation": decisive})


def _item_truth(items: Items) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "item": np.arange(len(items.category), dtype=np.int32),
            "category": items.category_names,
            "label": items.label,
            "tail": items.is_tail,
            "misleading_image": items.is_misleading,
        }
    )


def _relation_truth() -> pd.DataFrame:
    names = [relation.name for relation in RELATIONS]
    return pd.DataFrame({"relation": names, "noise": [name == NOISE_RELATION.name for name in names]})


def _provenance(seed: int, num_users: int, num_items: int) -> Provenance:
    return Provenance(
        kind=("multi_behavior", "multimodal", "hetero"),
        source=f"planted demo data, seed {seed}, {num_users} users, {num_items} items",
        importer="planted",
        importer_version=VERSION,
        split_rule="last purchase by time tests, the one before validates, plus planted tail test cases",
        notes=("generated data with a known truth in truth/, which no model reads",),
        planted=True,
    )
