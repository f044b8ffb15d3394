"""What the Structure page says: sentences and alarms, and when an alarm is raised."""

import numpy as np
import pandas as pd
import pytest

from dashboard import branches, hyperedges, structure_alarms, structure_words
from dashboard.agreement import Agreement
from dashboard.histories import NEITHER, POPULAR, Preference
from dashboard.information import Stated
from tests.dashboard import stored_structure as stored

USERS, ITEMS, EDGES = 13, 11, 3
NODES = USERS + ITEMS


def found(value: float, most: float = 0.8) -> Agreement:
    return Agreement(value, 0.01, 0.02, most, 0.005, ITEMS, 200)


def sizes_of(chosen: np.ndarray, largest: float = 0.94) -> tuple[pd.DataFrame, pd.DataFrame]:
    stated = Stated(stored.membership(chosen, USERS, largest=largest), None)
    return hyperedges.size_table(stated, None), hyperedges.sharpness_table(stated)


def spread_out() -> np.ndarray:
    return np.tile(np.arange(NODES) % EDGES, (2, 1))


def test_the_modality_that_follows_categories_most_is_named() -> None:
    said = structure_words.categories_in_short({"image": found(0.15), "text": found(0.5), "audio": None})
    assert said == (
        "hyperedges differ: :primary[those of text follow the items' categories, those of image follow the items' categories in part] "
        "(text: NMI 0.500 of 0.800 at best, 0.010 at random)"
    )
    assert "follow the items' categories in part]" in structure_words.categories_in_short(
        {"image": found(0.2)}
    )
    assert structure_words.categories_in_short({"image": found(0.05), "text": found(0.01)}).startswith(
        "hyperedges :primary[do not follow the items' categories] (image: NMI 0.050"
    )
    assert structure_words.categories_in_short({"image": None}) == ""


def test_modalities_are_compared_on_items() -> None:
    pairs = {("image", "text", "user"): found(0.7), ("image", "text", "item"): found(0.2)}
    said = structure_words.modalities_in_short(pairs)
    assert said.startswith("hyperedges of image and text :primary[agree in part] on items (NMI 0.200")
    assert structure_words.modalities_in_short({}) == ""


def test_attention_is_told_by_what_it_favours_or_how_even_it_is() -> None:
    favours = structure_words.attention_in_short(Preference(1.2, 0.8, 90, POPULAR), 0.95)
    assert (
        favours
        == "attention :primary[favours popular items] (1.20 times an even share for the head, 0.80 for the tail)"
    )
    slightly = structure_words.attention_in_short(Preference(1.02, 0.98, 90, POPULAR), 0.95)
    assert ":primary[slightly favours popular items]" in slightly
    even = structure_words.attention_in_short(Preference(1.0, 1.0, 90, NEITHER), 0.95)
    assert ":primary[close to even]" in even
    assert "neither popular nor rare" in even
    assert "60.0 % as spread out" in structure_words.attention_in_short(None, 0.6)


@pytest.mark.parametrize(
    ("system", "title"), [("srgformer", "hypergraph (local)"), ("lgmrec", "hypergraph (global)")]
)
def test_branches_are_told_for_both_sides(system, title) -> None:
    norm, part = stored.branches(system, USERS, ITEMS, idle=0.05)
    table = branches.branch_table(Stated(part, None), Stated(norm, None), None)
    assert structure_words.branches_in_short(table, system) == (
        "the branch :primary[modal] adds most to users (60.0 %) and to items (50.0 %)"
    )
    assert (
        f"*{title}* least (5.0 %); of items, *modal* adds most (50.0 %)"
        in structure_words.branches_sentence(table, system)
    )
    turned = table.copy()
    turned.loc[(turned["branch"] == "hypergraph") & (turned["side"] == "item"), "contribution"] = 0.9
    assert f"(60.0 %), :primary[{title}] to items (90.0 %)" in structure_words.branches_in_short(
        turned, system
    )


def test_one_sentence_is_made_of_what_is_known() -> None:
    assert structure_words.sentence(["", "one thing", "", "another"], None) == "One thing; another."
    assert structure_words.sentence(["one thing"], 5) == "At epoch 5, one thing."
    assert structure_words.sentence(["", ""], 5) == ""


def test_sizes_and_sharpness_are_told_with_their_ends() -> None:
    chosen = spread_out()
    chosen[1, :15] = 2
    sizes, sharpness = sizes_of(chosen)
    said = structure_words.sizes_sentence(sizes)
    assert said.startswith("The largest hyperedge is *text 3*")
    assert "the smallest *text 1*" in said or "the smallest *text 2*" in said
    told = structure_words.sharpness_sentence(sharpness)
    assert told.startswith("Nearly everybody belongs to one hyperedge alone")
    assert "94.0 % (*image*) and 94.0 % (*text*) for users" in told
    assert told.endswith("an even one is 33.3 %.")
    assert structure_words.sharpness_sentence(sizes_of(chosen, 0.6)[1]).startswith("Memberships are shared")


@pytest.mark.parametrize(
    ("last", "said"),
    [
        ((0.9, 0.88, 0.92), "more even than the shortest"),
        ((0.5, 0.48, 0.52), "more focused than the shortest"),
        ((0.72, 0.68, 0.76), "Length does not clearly matter"),
    ],
)
def test_entropy_is_told_by_length(last, said) -> None:
    rows = [("2", 0.7, 0.66, 0.74), ("9", *last)]
    table = pd.DataFrame(rows, columns=["title", "mean", "low", "high"])
    assert said in structure_words.entropy_sentence(0.8, table)
    assert "80.0 % as spread out" in structure_words.entropy_sentence(0.8, table.iloc[:1])
    assert "99.93 % as spread out" in structure_words.entropy_sentence(0.99934, table.iloc[:1])


@pytest.mark.parametrize(
    ("part", "text"),
    [(0.123, "12.3 %"), (0.0021, "0.21 %"), (-0.0042, "−0.42 %"), (-1e-9, "0.00 %"), (0.0, "0.0 %")],
)
def test_small_and_negative_parts_keep_their_digits_and_sign(part, text) -> None:
    assert structure_words.signed(part) == text


def test_a_hypergraph_collapses_by_side() -> None:
    chosen = spread_out()
    assert structure_alarms.collapsed(sizes_of(chosen, 0.99)[0]) is None
    chosen[1, :USERS] = 1
    alarm = structure_alarms.collapsed(sizes_of(chosen, 0.99)[0])
    assert alarm.name == "Collapsed hypergraph"
    assert "hyperedge 2 of *text* holds 99.0 % of the users**" in alarm.text
    assert structure_alarms.collapsed(sizes_of(chosen, 0.94)[0]) is None, "the alarm begins above 95 %"


def test_memberships_close_to_even_are_told() -> None:
    assert structure_alarms.undecided(sizes_of(spread_out(), 0.41)[1]) is None
    alarm = structure_alarms.undecided(sizes_of(spread_out(), 0.39)[1])
    assert "users by *image*: largest share 39.0 %" in alarm.text
    assert "an even one is 33.3 %" in alarm.text
    alone = pd.DataFrame(
        {"modality": ["image"], "side": ["user"], "largest": [1.0], "even": [1.0], "nodes": [9]}
    )
    assert structure_alarms.undecided(alone) is None, "one hyperedge holds everybody, which is another alarm"


def branch_table(idle: float) -> pd.DataFrame:
    _, part = stored.branches("srgformer", USERS, ITEMS, idle=idle)
    return branches.branch_table(Stated(part, None), None, None)


def test_branches_below_one_percent_are_told_with_their_weight() -> None:
    assert structure_alarms.idle_branches(branch_table(0.011), "srgformer", {"beta": 0.3}) is None
    alarm = structure_alarms.idle_branches(branch_table(0.004), "srgformer", {"beta": 0.3})
    assert "*hypergraph* adds 0.40 % to users, *hypergraph* adds 0.40 % to items" in alarm.text
    assert "Try a larger beta (now 0.3)" in alarm.text
    assert "against the rest" not in alarm.text
    against = structure_alarms.idle_branches(branch_table(-0.1), "srgformer", {"beta": 0.3})
    assert "−10.0 %" in against.text
    assert "points against the rest" in against.text
