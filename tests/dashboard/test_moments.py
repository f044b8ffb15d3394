"""Words, tables and file names for the model a view shows."""

import pandas as pd
import pytest

from dashboard.moments import Moment


@pytest.mark.parametrize(
    ("epoch", "scored", "when", "name", "dated"),
    [
        (12, 40, "at epoch 12", "gates-epoch-12-run", 12),
        (None, 40, "of the scored model", "gates-scored-run", 40),
        (None, None, "of the latest snapshot", "gates-latest-run", "latest"),
    ],
)
def test_a_moment_is_said_alike_everywhere(epoch, scored, when, name, dated) -> None:
    moment, table = Moment("run", epoch, scored), pd.DataFrame({"gate": [0.5, 0.25]})
    assert moment.when() == when
    assert moment.name("gates") == name
    assert moment.dated(table)["epoch"].tolist() == [dated] * 2
    assert list(table.columns) == ["gate"]


def test_the_scored_model_is_that_of_the_same_run() -> None:
    assert Moment("run", 12, 40).of_scored() == Moment("run", None, 40)
