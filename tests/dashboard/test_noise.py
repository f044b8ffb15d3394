"""What the noise study says in words, from tables whose answer is known."""

from types import SimpleNamespace

import pandas as pd
import pytest

from core.studies.noise_results import MEASURED, summarised
from dashboard import noise

CLEAN = {"hgib": 0.5, "without_gre": 0.5, "without_comp": 0.4, "lightgcn_m": 0.2}


def measured(losses: dict[str, list[float]], share: float = 0.4) -> pd.DataFrame:
    """Runs of as many seeds as `losses` holds per contestant, each with that loss at `share`."""
    rows = []
    for key, lost in losses.items():
        for seed, loss in enumerate(lost):
            rows += [(key, 0.0, seed, CLEAN[key], "x"), (key, share, seed, CLEAN[key] * (1 - loss), "y")]
    return pd.DataFrame(rows, columns=MEASURED)


def test_the_answer_says_what_is_sure_and_what_is_not() -> None:
    table = measured(
        {
            "hgib": [0.10, 0.11, 0.12],
            "without_gre": [0.20, 0.22, 0.21],
            "without_comp": [0.12, 0.09, 0.13],
            "lightgcn_m": [0.05, 0.06, 0.07],
        }
    )
    own, _, *said = noise.answer(table, "ndcg@10").split("\n")
    assert own == (
        "**With 40 % random auxiliary pairs HGIB loses 11.0 % of its NDCG@10** "
        "(95 % of the loss: 8.5 % to 13.5 %, 3 seeds)."
    )
    assert said[0].startswith(
        "- **Edge refinement helps against noise**: without it 10.0 percentage points more are lost (95 %: +7.5 to "
    )
    assert said[1].startswith(
        "- Whether compression helps is **not shown**: without it the loss differs by +0.3 percentage points (95 %: −"
    )
    assert said[1].endswith("that includes 0.")
    assert said[2].startswith("- LightGCN_M loses 5.0 percentage points less than HGIB (95 %: ")


def test_a_part_that_costs_and_a_rival_that_is_close_are_told() -> None:
    table = measured(
        {
            "hgib": [0.20, 0.22, 0.21],
            "without_gre": [0.10, 0.11, 0.12],
            "lightgcn_m": [0.21, 0.20, 0.22],
        }
    )
    said = noise.answer(table, "ndcg@10")
    assert "**Edge refinement does not help against noise**: without it 10.0 percentage points less" in said
    assert "LightGCN_M and HGIB are **not told apart**" in said
    assert "ompression" not in said


def test_a_loss_that_may_be_none_is_not_sold_as_one() -> None:
    said = noise.answer(measured({"hgib": [-0.02, 0.03, 0.01]}), "ndcg@10")
    assert "−" in said
    assert said.endswith("and that includes no loss at all.\n")
    assert "HGIB gains 2.0 % of its" in noise.answer(measured({"hgib": [-0.02, -0.02]}), "ndcg@10")


def test_one_seed_proves_nothing() -> None:
    said = noise.answer(measured({"hgib": [0.1], "without_gre": [0.3], "lightgcn_m": [0.05]}), "hr@10")
    assert "loses 10.0 % of its HR@10** (one seed)." in said
    assert (
        "- Without edge refinement 20.0 percentage points more are lost, by a single seed, which proves nothing."
        in said
    )
    assert "- LightGCN_M loses 5.0 percentage points less than HGIB, by a single seed" in said


def test_another_share_than_that_of_the_first_sentence_is_named() -> None:
    parts = [
        measured({"hgib": [0.1, 0.12]}, 0.4),
        measured({"hgib": [0.05, 0.06], "without_gre": [0.05, 0.06]}, 0.2),
    ]
    table = pd.concat(parts).drop_duplicates(["contestant", "share", "seed"])
    assert "at 20 % noise" in noise.answer(table, "ndcg@10")


def test_without_a_pair_of_runs_there_is_nothing_to_say() -> None:
    table = measured({"hgib": [0.1]})
    assert noise.answer(table[table["share"] > 0], "ndcg@10") == ""
    assert noise.answer(table[:0], "ndcg@10") == ""


@pytest.mark.parametrize(
    ("states", "said"),
    [
        (["done"] * 3, "3 of 3 runs are done."),
        (["done", "missing"], "1 of 2 runs is done; 1 was never started."),
        (
            ["running", "queued", "queued", "failed", "cancelled", "missing", "missing"],
            "0 of 7 runs are done; 1 trains, 2 wait, 2 failed or were stopped, 2 were never started.",
        ),
    ],
)
def test_how_far_it_is(states, said) -> None:
    assert noise.standing([SimpleNamespace(state=state) for state in states]) == said


def test_the_table_reads_like_a_paper() -> None:
    table = noise.shown_table(summarised(measured({"hgib": [0.1, 0.2], "lightgcn_m": [-0.1]})), "ndcg@10")
    assert list(table.columns) == [
        *("system", "noise", "seeds", "NDCG@10", "95 % of the mean", "loss", "95 % of the loss")
    ]
    rows = table.to_numpy().tolist()
    assert rows[0][:3] + rows[0][5:] == ["HGIB", "0 %", 2, "–", "–"]
    assert rows[1][0:2] + rows[1][5:6] == ["HGIB", "40 %", "15.0 %"]
    assert rows[1][6].startswith("−")
    assert rows[3] == ["LightGCN_M", "40 %", 1, ".2200", "–", "−10.0 %", "–"]
