"""Columns that are clear by themselves where the whole mapping is not."""

import pytest

from core.data.importers.columns import clear_columns

TIMES = ["2024-01-08T06:00:33", "2024-01-08T06:01:45"]
EVENTS = ["view", "add to cart"]
NAMES = ["K01", "K02"]


@pytest.mark.parametrize(
    ("columns", "samples", "clear"),
    [
        (
            ["Wann", "Besucher", "Ereignis", "Artikel-Nr"],
            [TIMES, NAMES, EVENTS, NAMES],
            {"behavior": "Ereignis", "time": "Wann"},
        ),
        (["user_id", "a", "b"], [NAMES, NAMES, NAMES], {"user": "user_id"}),
        (["user_id", "uid", "item"], [NAMES, NAMES, NAMES], {"item": "item"}),
        (["a", "b"], [NAMES, NAMES], {}),
        (["a", "b", "c"], [TIMES, TIMES, NAMES], {}),
        ([], [], {}),
    ],
)
def test_only_what_one_column_alone_can_be_is_clear(columns, samples, clear):
    assert clear_columns(columns, samples) == clear
