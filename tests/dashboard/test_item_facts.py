"""Names and categories of items, with and without titles."""

import pandas as pd

from core.data.dataset import open_dataset
from core.files import write_with
from core.home import Home
from dashboard.item_facts import item_facts, name_width
from tests.dashboard import stored_runs


def test_titles_name_items_and_the_sources_ids_those_without(tmp_path) -> None:
    home = Home(tmp_path)
    data = open_dataset(home, stored_runs.tiny_demo(home).name)
    items = data.items()
    facts = item_facts(data)
    assert facts.names == items["title"].tolist()
    assert facts.categories == items["category"].tolist()

    def rewritten(table: pd.DataFrame) -> None:
        write_with(data.folder / "items.parquet", table.to_parquet)

    rewritten(items.assign(title=[None, "  ", *items["title"][2:]], category=[None, *items["category"][1:]]))
    facts = item_facts(data)
    assert facts.names == [*items["original_id"][:2], *items["title"][2:]]
    assert facts.categories == ["", *items["category"][1:]]
    rewritten(items[["original_id"]])
    facts = item_facts(data)
    assert facts.names == items["original_id"].tolist()
    assert facts.categories is None


def test_long_names_get_a_width() -> None:
    assert name_width(["short", "x" * 30]) is None
    assert name_width(["short", "x" * 31]) == 260
