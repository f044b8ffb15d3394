"""Final metrics as tables: what comes first, what stands apart, what is undefined."""

import pandas as pd
import pytest

from dashboard import results

NAMES = ("coverage", "gini", "hr", "map", "mrr", "ndcg", "popularity", "precision", "recall")
RESULT = {
    "num_users": 7,
    "metrics": {f"{name}@{k}": k / 100 for name in NAMES for k in (5, 10, 20)},
    "unseen": {"pairs": 3, "hr@10": 0.5},
}


def test_hit_rate_ndcg_and_recall_at_10_come_first() -> None:
    columns = list(results.result_table(RESULT).columns)
    assert columns[:8] == ["test on", "size", "HR@10", "NDCG@10", "Recall@10", "HR@5", "NDCG@5", "Recall@5"]
    assert columns[11:14] == ["Precision@10", "MRR@10", "MAP@10"]


def test_what_is_undefined_stays_missing() -> None:
    table = results.result_table(RESULT)
    assert list(table["test on"]) == ["all", "pairs never seen before"]
    assert pd.isna(table["Recall@10"][1])


def test_exposure_has_a_table_of_its_own() -> None:
    assert not [name for name in results.result_table(RESULT).columns if name.lower().startswith("cov")]
    table = results.exposure_table(RESULT)
    assert list(table.columns) == ["first K", "coverage", "gini", "popularity"]
    assert list(table["first K"]) == [5, 10, 20]
    assert table["gini"][1] == 0.1
    assert results.exposure_table({"metrics": {"hr@10": 0.1}}).empty


@pytest.mark.parametrize(
    ("values", "improving"),
    [
        ([0.1, 0.2, 0.3], True),
        ([0.1, 0.3, 0.3], False),
        ([0.3, 0.2, 0.1], False),
        ([0.1, 0.2], False),
        ([], False),
    ],
)
def test_still_improving_when_the_last_of_several_validations_is_the_best(values, improving) -> None:
    valid = pd.DataFrame({"name": "valid/hr@10", "epoch": range(5, 5 + len(values)), "value": values})
    assert results.still_improving(valid, "hr@10") is improving
    assert not results.still_improving(valid, "ndcg@10")


def test_curves_show_the_main_metric_and_what_goes_with_it() -> None:
    assert results.shown_metrics("ndcg@10") == ["ndcg@10", "hr@10", "recall@10"]
    assert results.shown_metrics("recall@20") == ["recall@20", "ndcg@20"]
