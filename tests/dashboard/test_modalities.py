"""What a fusion takes from each modality, against loops over nodes; 7 users, 11 items."""

import numpy as np
import pytest

from dashboard import modalities
from dashboard.alignment import SPREAD
from dashboard.information import Stated
from tests.dashboard import stored_alignment as made

USERS, ITEMS = 7, 11
BOUNDS = {"user": (0, USERS), "item": (USERS, USERS + ITEMS)}


@pytest.fixture
def stated() -> Stated:
    finding = made.attention(USERS, ITEMS)
    return Stated(finding, made.history(finding))


def test_the_spread_of_the_scored_model_is_that_of_its_nodes(stated) -> None:
    table = modalities.spread(stated, None)
    assert len(table) == 4
    for side, bounds in BOUNDS.items():
        for place, modality in enumerate(made.MODALITIES):
            own = stated.finding.values[slice(*bounds), place]
            row = table[(table["side"] == side) & (table["modality"] == modality)].iloc[0]
            assert row["mean"] == pytest.approx(sum(own) / len(own))
            assert row["nodes"] == len(own)
            for name, quantile in (("q05", 0.05), ("median", 0.5), ("q95", 0.95)):
                assert row[name] == pytest.approx(np.quantile(own, quantile))


def test_a_snapshot_gives_what_it_stored(stated) -> None:
    history = stated.history
    history.values[1] = np.arange(history.values[1].size).reshape(history.values[1].shape)
    table = modalities.spread(stated, 3)
    row = table[(table["side"] == "item") & (table["modality"] == "image")].iloc[0]
    assert row[list(SPREAD.values())].tolist() == history.values[1][1, 1].tolist()
    assert len(modalities.over_epochs(stated)) == 3 * 4


def test_a_finding_without_snapshots_has_no_epochs(stated) -> None:
    assert modalities.over_epochs(Stated(stated.finding, None)).empty


@pytest.mark.parametrize(
    ("leaning", "alarmed"), [((500.0, 1.0), {"text"}), ((3.0, 1.0), set()), ((1.0, 900.0), {"image"})]
)
def test_a_modality_that_takes_all_is_told_for_both_sides(leaning, alarmed) -> None:
    finding = made.attention(USERS, ITEMS, leaning=leaning)
    found = modalities.takes_all(modalities.spread(Stated(finding, None), None))
    assert {taken.modality for taken in found} == alarmed
    assert len(found) == 2 * len(alarmed)


def test_a_single_modality_takes_all_by_design() -> None:
    finding = made.attention(USERS, ITEMS, leaning=(1.0,))
    assert modalities.takes_all(modalities.spread(Stated(finding, None), None)) == []


def test_who_leads_and_when_nobody_does(stated) -> None:
    table = modalities.spread(stated, None)
    lead = modalities.lead(table, "user")
    assert (lead.modality, lead.is_even) == ("text", False)
    assert lead.share == pytest.approx(stated.finding.values[:USERS, 0].mean())
    assert modalities.lead(table.assign(mean=[0.504, 0.496] * 2), "user").is_even


def test_decided_nodes_give_one_modality_nearly_everything() -> None:
    values = np.array([[0.96, 0.04], [0.5, 0.5], [0.01, 0.99], [0.95, 0.05]])
    assert modalities.decided(values) == 0.5
