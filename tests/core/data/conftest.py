"""Small data sets and the places of the real ones."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from core.data.writing import DatasetContent, Provenance
from core.home import Home

REAL = Path(__file__).resolve().parents[3] / "../shared/data"

Row = tuple[int, int, str, str]


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(tmp_path / "home")


@pytest.fixture
def content() -> Callable[..., DatasetContent]:
    """A content of the given (user, item, behavior, split) rows."""

    def make(
        rows: list[Row], *, users: int = 5, items: int = 7, behaviors: tuple[str, ...] = ("view", "buy")
    ):
        frame = pd.DataFrame(rows, columns=["user", "item", "behavior", "split"])
        return DatasetContent(
            provenance=Provenance(("multi_behavior",), "by hand", "test", 1, "as-given"),
            behaviors=behaviors,
            interactions=frame.astype({"user": np.int32, "item": np.int32}),
            users=pd.DataFrame({"original_id": [f"u{n}" for n in range(users)]}),
            items=pd.DataFrame({"original_id": [f"i{n}" for n in range(items)]}),
        )

    return make


@pytest.fixture
def real() -> Callable[[str], Path]:
    """The folder of a real data set beside the checkout; skips the test where it is absent."""

    def find(name: str) -> Path:
        if not (REAL / name).is_dir():
            pytest.skip(f"the real data set {name} is not beside the checkout ({REAL})")
        return REAL / name

    return find
