"""Titles and categories of items from a table that describes them, whatever its columns are called."""

from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from core.data.importers.tables import Table

_IDENTITIES = ("itemid", "item", "iid")
_TITLES = ("title", "itemtitle", "movietitle", "producttitle", "booktitle", "itemname", "name", "productname")
_CATEGORIES = (
    "category",
    "categories",
    "maincategory",
    "itemcategory",
    "genre",
    "genres",
    "class",
    "categoryid",
)


def described_items(table: Table, items: Any, lacking: str) -> tuple[pd.DataFrame, list[str]]:
    """Title and category of each of `items` (original ids as texts, an Arrow array), and notes.

    Ids stand in a column called item_id or alike, else in the first. lacking: what items outside of the data lack, for
    the notes: `an interaction`. Raises DataError if the table cannot be read.
    """
    fields = {column.split(":")[0].replace("_", "").lower(): column for column in reversed(table.columns)}
    identity = next((fields[field] for field in _IDENTITIES if field in fields), table.columns[0])
    wanted = {
        "title": next((fields[field] for field in _TITLES if field in fields), None),
        "category": next((fields[field] for field in _CATEGORIES if field in fields), None),
    }
    stated = {name: field for name, field in wanted.items() if field is not None and field != identity}
    if not stated:
        return undescribed(len(items)), [f"{table.path.name}: has no title and no category"]
    texts = {name: np.full(len(items), "", dtype=object) for name in stated}
    seen = np.zeros(len(items), np.int64)
    unknown = 0
    for (ids, *cells), _ in table.batches([identity, *stated.values()]):
        place = pc.index_in(pc.utf8_trim_whitespace(ids).cast(pa.large_string()), value_set=items)
        unknown += place.null_count
        known = pc.is_valid(place)
        positions = place.drop_null().to_numpy(zero_copy_only=False)
        for column, values in zip(texts.values(), cells, strict=True):
            column[positions] = values.filter(known).to_numpy(zero_copy_only=False)
        seen += np.bincount(positions, minlength=len(items))
    told = {
        f"items without {lacking} were left out": unknown,
        f"items with {lacking} are not described": int((seen == 0).sum()),
        "items are described repeatedly, the last description counts": int((seen > 1).sum()),
    }
    notes = [f"{table.path.name}: {count:,} {text}" for text, count in told.items() if count]
    return pd.DataFrame(texts, dtype="str"), notes


def undescribed(count: int) -> pd.DataFrame:
    """As many items of which nothing is known."""
    return pd.DataFrame(index=range(count))
