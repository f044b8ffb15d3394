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


OF_NODES = {
    "metrics": {
        "micro_f1": 0.8,
        "micro_f1@20": 0.7,
        "micro_f1@40": 0.9,
        "macro_f1@20": 0.6,
        "auc@40": 0.95,
        "nmi": 0.5,
    },
    "spread": {"micro_f1": 0.01, "micro_f1@20": 0.02},
    "settings": {"20": [60, 11, 23], "40": [120, 13, 29]},
}


def test_metrics_of_nodes_have_their_own_titles_and_order() -> None:
    names = ["auc@40", "nmi", "micro_f1@40", "macro_f1", "micro_f1@20", "micro_f1"]
    titles = [results.metric_title(name) for name in sorted(names, key=results.metric_order)]
    assert titles == ["Micro-F1", "Macro-F1", "NMI", "Micro-F1@20", "Micro-F1@40", "AUC@40"]
    assert all(map(results.is_accuracy, names))
    assert results.beside("macro_f1", names) == ["nmi", "macro_f1", "micro_f1"]
    assert results.beside("ndcg@10", ["hr@10", "hr@1", "ndcg@10"]) == ["hr@10", "ndcg@10"]
    assert results.shown_metrics("micro_f1") == ["micro_f1", "macro_f1"]


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("micro_f1@20", "with 20 labels per class"),
        ("auc", "mean over label settings"),
        ("ari", "over all labelled nodes"),
    ],
)
def test_a_label_setting_in_words(name, said) -> None:
    assert results.setting_title(name) == said


def test_a_row_per_label_setting_and_one_for_their_mean() -> None:
    table = results.setting_table(OF_NODES).set_index("labels per class")
    assert list(table.index) == ["20", "40", "mean"]
    assert list(table.columns[:5]) == ["train", "validate", "test", "Micro-F1", "± Micro-F1"]
    assert table.loc["40", ["train", "validate", "test"]].tolist() == [120, 13, 29]
    assert table.loc["20", "± Micro-F1"] == 0.02
    assert pd.isna(table.loc["40", "± Micro-F1"])
    assert pd.isna(table.loc["mean", "AUC"])
    assert pd.isna(table.loc["mean", "train"])
    assert "NMI" not in table.columns


@pytest.mark.parametrize(
    ("values", "falling"), [([3, 2, 1], True), ([3, 1, 1], False), ([1, 2, 3], False), ([2, 1], False)]
)
def test_still_falling_when_the_last_of_several_losses_is_the_lowest(values, falling) -> None:
    losses = pd.DataFrame({"name": "loss/total", "epoch": range(len(values)), "value": values})
    assert results.still_falling(losses) is falling
    assert not results.still_falling(losses.assign(name="loss/kl"))
