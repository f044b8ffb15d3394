"""Small profiles of data sets written by hand, for tests of what is said and drawn about them."""

import numpy as np
import pandas as pd

from core.data.dataset import open_dataset, write_dataset
from core.data.profile_store import fill
from core.data.writing import DatasetContent, Provenance
from core.home import Home

Row = tuple[int, int, str, str, int]
# user, item, behaviour, split, time
ROWS: list[Row] = [
    (0, 1, "view", "train", 10),
    (0, 2, "view", "train", 11),
    (0, 3, "view", "train", 30),
    (1, 1, "view", "train", 12),
    (1, 4, "view", "train", 13),
    (2, 4, "view", "train", 14),
    (0, 1, "cart", "train", 15),
    (0, 2, "cart", "train", 11),
    (1, 5, "cart", "train", 16),
    (0, 1, "buy", "train", 17),
    (0, 4, "buy", "train", 18),
    (1, 1, "buy", "train", 9),
    (1, 5, "buy", "train", 19),
    (2, 6, "buy", "train", 20),
    (1, 4, "buy", "valid", 21),
    (0, 3, "buy", "test", 22),
    (2, 1, "buy", "test", 23),
]
FUNNEL = ("view", "cart", "buy")


def hand_made(
    home: Home,
    rows: list[Row] | None = None,
    name: str = "small",
    *,
    behaviors: tuple[str, ...] = FUNNEL,
    timed: bool = True,
    notes: tuple[str, ...] = (),
) -> None:
    """Store `rows` as a data set of 5 users and 7 items."""
    columns = ["user", "item", "behavior", "split", "timestamp"]
    frame = pd.DataFrame(ROWS if rows is None else rows, columns=columns)
    frame = frame.astype({"user": np.int32, "item": np.int32, "timestamp": np.int64})
    content = DatasetContent(
        provenance=Provenance(("multi_behavior",), "by hand", "test", 1, "as-given", notes),
        behaviors=behaviors,
        interactions=frame if timed else frame.drop(columns="timestamp"),
        users=pd.DataFrame({"original_id": [f"u{n}" for n in range(5)]}),
        items=pd.DataFrame({"original_id": [f"i{n}" for n in range(7)]}),
    )
    write_dataset(home, name, content)


def told(home: Home, rows: list[Row] | None = None, **changes: object) -> dict[str, object]:
    """The profile of `rows`."""
    hand_made(home, rows, **changes)  # type: ignore[arg-type]
    return fill(home, open_dataset(home, str(changes.get("name", "small"))))
