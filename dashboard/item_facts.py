"""What a data set says of its items: a readable name each, and their categories where it has some. Cached, read only."""

from collections.abc import Iterable
from dataclasses import dataclass

import streamlit as st

from core.data.dataset import Dataset
from dashboard.readers import Stamp, stamp


@dataclass(frozen=True, eq=False)
class ItemFacts:
    """names [I]: the title, otherwise the source's id. categories [I]: empty where unknown; None where there are none at all."""

    names: list[str]
    categories: list[str] | None


# Titles longer than this would push the other columns of a table out of sight.
_LONG, _LONG_WIDTH = 30, 260


def name_width(names: Iterable[str]) -> int | None:
    """The width of a table's column for these names, in pixels; None where it fits them by itself."""
    return _LONG_WIDTH if any(len(name) > _LONG for name in names) else None


def item_facts(data: Dataset) -> ItemFacts:
    """Shared between sessions: read it, never write into it. Raises DataError."""
    return _item_facts(data, str(data.folder), stamp(data.folder / "items.parquet"))


@st.cache_resource(max_entries=4, show_spinner="Reading the items")
def _item_facts(_data: Dataset, folder: str, written: Stamp) -> ItemFacts:
    items = _data.items()
    names = items["original_id"].astype(str)
    if "title" in items:
        titles = items["title"].astype("string").str.strip()
        names = names.where((titles.isna() | (titles == "")).to_numpy(bool), titles)
    categories = None
    if "category" in items:
        found = [str(label) for label in items["category"].astype("string").fillna("")]
        categories = found if any(found) else None
    return ItemFacts([str(name) for name in names], categories)
