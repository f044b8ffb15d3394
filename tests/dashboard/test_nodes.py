"""Scores, confusion, clusters and nodes as tables; findings of node models over the epochs; their alarms and sentences."""

import numpy as np
import pandas as pd
import pytest

from core.errors import RunError
from dashboard import node_alarms, node_learning, node_words, nodes
from dashboard.figures.nodes import NEGATIVE_LOOKS as LOOKS
from dashboard.figures.nodes import bounded, class_cells, node_map, setting_scores, stacked_parts
from dashboard.information import Stated
from tests.dashboard import stored_node_learning
from tests.dashboard.stored_levels import history

TITLES = ["red", "green", "blue"]


def per_node() -> pd.DataFrame:
    """Four test nodes of setting 20: all right, divided, all wrong, and one of another class."""
    return pd.DataFrame(
        {
            "protocol": "heco",
            "labels_per_class": [20, 20, 20, 20, 40],
            "node": [7, 2, 5, 3, 7],
            "label": [0, 0, 1, 2, 0],
            "predicted": [0, 1, 2, 2, 0],
            "votes": [[4, 0, 0], [1, 3, 0], [0, 0, 4], [0, 0, 4], [4, 0, 0]],
        }
    )


def stated(finding) -> Stated:
    return Stated(finding, history(finding))


def entry() -> dict:
    values = {f"{m}@{s}": [0.8, 0.9] for m in nodes.METRICS for s in (20, 60)}
    return {
        "settings": {"60": [1, 1, 1], "20": [1, 1, 1]},
        "classes": ["0", "graphs"],
        "repeats": values | {"nmi": [0.5, 0.7]},
        "metrics": dict.fromkeys(values, 0.85) | {"nmi": 0.6},
        "spread": dict.fromkeys(values, 0.05),
    }


def test_scores_are_told_by_setting_with_their_spread():
    table = nodes.score_table(entry())
    assert table["labels"].tolist() == [20, 20, 20, 60, 60, 60]
    assert set(table["metric"]) == {"Micro-F1", "Macro-F1", "AUC"}
    assert table["mean"].tolist() == pytest.approx([0.85] * 6)
    assert table["deviation"].tolist() == pytest.approx([0.05] * 6)
    figure = setting_scores(table)
    assert [trace.name for trace in figure.data if trace.type == "scatter"] == ["Micro-F1", "Macro-F1", "AUC"]
    assert nodes.cluster_scores(entry())["mean"].tolist() == pytest.approx([0.6])


def test_an_entry_without_scores_draws_a_reason():
    assert setting_scores(nodes.score_table({})).layout.annotations
    with pytest.raises(RunError, match="names no classes"):
        nodes.class_titles({})


def test_classes_by_number_are_called_classes():
    assert nodes.class_titles(entry()) == ["class 0", "graphs"]


def test_votes_become_shares_of_classifiers():
    votes = nodes.votes_of(per_node(), "heco", 20, 3)
    assert votes["node"].tolist() == [7, 2, 5, 3]
    assert votes["right"].tolist() == [1.0, 0.25, 0.0, 1.0]
    assert votes["votes_1"].tolist() == [0.0, 0.75, 0.0, 0.0]
    assert nodes.votes_of(per_node(), "other", 20, 3).empty
    with pytest.raises(RunError, match="votes for 3 classes where the result names 2"):
        nodes.votes_of(per_node(), "heco", 20, 2)


def test_confusion_is_the_mean_over_nodes_of_a_class():
    votes = nodes.votes_of(per_node(), "heco", 20, 3)
    table = nodes.confusion(votes, TITLES)
    cells = table.pivot(index="row", columns="label", values="value").loc[TITLES, TITLES].to_numpy()
    np.testing.assert_allclose(cells, [[0.625, 0.375, 0], [0, 0, 1], [0, 0, 1]])
    assert nodes.confused(table) == ("green", "blue", 1.0)
    by_class = nodes.class_table(votes, TITLES).set_index("class")
    assert by_class.loc["red", "recall"] == pytest.approx(0.625)
    assert by_class.loc["red", "precision"] == pytest.approx(1.0)
    assert by_class.loc["blue", "precision"] == pytest.approx(0.5)
    assert by_class["test nodes"].tolist() == [2, 1, 1]
    assert class_cells(table, y="true", x="predicted").data[0].z.shape == (3, 3)


def test_without_confusion_nothing_is_most_confused():
    perfect = per_node().assign(votes=[[4, 0, 0], [4, 0, 0], [0, 4, 0], [0, 0, 4], [4, 0, 0]])
    assert nodes.confused(nodes.confusion(nodes.votes_of(perfect, "heco", 20, 3), TITLES)) is None
    assert "every classifier" in node_words.confused_sentence(None)
    assert "10.0 % of **a\\_b** is taken for **c**" in node_words.confused_sentence(("a_b", "c", 0.1))


def test_clusters_are_ordered_by_their_leading_class():
    clusters = pd.DataFrame(
        {"protocol": "heco", "node": range(6), "label": [2, 2, 0, 0, 1, 0], "cluster": [0, 0, 1, 1, 2, 0]}
    )
    table = nodes.cluster_table(clusters, "heco", TITLES)
    assert list(dict.fromkeys(table["row"])) == ["cluster 2", "cluster 3", "cluster 1"]
    assert nodes.purity(table) == pytest.approx(5 / 6)
    assert nodes.purity(table[:0]) == 0.0


def test_mapped_nodes_know_class_cluster_and_verdict():
    places = pd.DataFrame({"node": [2, 3, 5, 7, 8], "x": range(5), "y": range(5)})
    labels = pd.Series([0, 2, 1, 0], index=[2, 3, 5, 7])
    clusters = pd.Series([1, 1, 1, 0], index=[2, 3, 5, 7])
    votes = nodes.votes_of(per_node(), "heco", 20, 3)
    table = nodes.node_table(places, labels, clusters, votes, TITLES, [f"paper {n}" for n in range(9)])
    assert table["name"].tolist() == ["paper 2", "paper 3", "paper 5", "paper 7", "paper 8"]
    assert table["class"].tolist() == ["red", "blue", "green", "red", "none"]
    assert table["cluster"].tolist() == ["cluster 2", "cluster 2", "cluster 2", "cluster 1", "none"]
    assert table["verdict"].tolist() == ["divided", "all right", "all wrong", "all right", "not tested"]
    assert table["predicted"].tolist() == ["green", "blue", "blue", "red", ""]
    figure = node_map(table, "class", [*TITLES, "none"])
    assert [trace.name for trace in figure.data] == ["red (2)", "green (1)", "blue (1)", "none (1)"]
    assert node_map(table[:0], "class", TITLES).layout.annotations


def test_attention_is_told_by_layer_and_over_epochs():
    found = stated(stored_node_learning.attention())
    table = node_learning.metapath_shares(found, None)
    assert node_words.attention_in_short(table) == "its first layer takes 50.0 % from IBI"
    even = node_learning.metapath_shares(stated(stored_node_learning.attention((0.25,) * 4)), None)
    assert node_words.attention_in_short(even) == "its first layer weighs all metapaths alike"
    over = node_learning.shares_over_epochs(found, "layer 1")
    assert over.groupby("name", sort=False)["mean"].first().round(6).to_dict() == {
        "IUI": 0.2,
        "IBI": 0.5,
        "ITI": 0.2,
        "ISI": 0.1,
    }
    assert node_learning.shares_over_epochs(Stated(found.finding, None), "layer 1").empty


def test_planted_noise_is_held_against_an_even_share():
    table = node_learning.metapath_shares(stated(stored_node_learning.attention()), None)
    said = node_words.noise_sentence(table, ("ISI",))
    assert (
        "It gets 10.0 % to 25.0 % of the attention, below the even share of 25.0 % in 1 of 5 layers." in said
    )
    assert node_words.noise_sentence(table, ()) == ""


def test_findings_over_epochs_have_a_line_per_position():
    found = {finding.key: stated(finding) for finding in stored_node_learning.learned(7)}
    hard = node_learning.statistic_over_epochs(found["negative_hardness"], "negative", "statistic", "max")
    assert hard[hard["epoch"] == 5].set_index("name")["mean"].round(4).to_dict() == {
        "dropout": 0.8,
        "variational": 0.7,
        "positive": 0.99,
    }
    kl = node_learning.divergence_over_epochs(found["kl"])
    assert kl["mean"].tolist() == pytest.approx([0.75, 1.125, 1.5])
    assert node_learning.mean_divergence(found["kl"], 3) == pytest.approx(1.125)
    assert node_learning.mean_divergence(found["kl"], None) == pytest.approx(1.5)
    tables = node_learning.parts_over_epochs(found["negative_tables"], "negative")
    figure = stacked_parts(tables, LOOKS, y="tables", epoch=5, mark="scored")
    assert [trace.name for trace in figure.data] == ["variational", "dropout"]
    bounded(figure, 1.0, "here")
    assert figure.layout.shapes[-1].y0 == 1.0
    assert stacked_parts(tables[:0], LOOKS, y="tables", epoch=None, mark="").layout.annotations


def test_alarms_ring_beyond_their_thresholds_alone():
    assert node_alarms.kl_collapse(0.05, 64) is not None
    assert node_alarms.kl_collapse(1.1, 64) is None
    shares = node_learning.metapath_shares(stated(stored_node_learning.attention()), None)
    assert node_alarms.one_metapath(shares) is None
    alone = shares.assign(value=(shares["label"] == "ITI").astype(float))
    assert "ITI" in node_alarms.one_metapath(alone).text
    assert node_alarms.one_metapath(shares[shares["label"] == "ITI"]) is None
    assert node_alarms.clusters_at_chance({"nmi": 0.01}) is not None
    assert node_alarms.clusters_at_chance({"nmi": 0.4}) is None
    assert node_alarms.clusters_at_chance({}) is None
    lost = pd.DataFrame({"class": ["red", "blue"], "recall": [0.01, 0.9]})
    assert "red" in node_alarms.lost_classes(lost).text
    assert node_alarms.lost_classes(lost[1:]) is None
    assert node_alarms.negatives_too_easy({"variational": 0.1, "dropout": 0.9}) is not None
    assert node_alarms.negatives_too_easy({"variational": 0.8, "dropout": 0.9}) is None
    assert node_alarms.negatives_too_easy({"dropout": 0.9}) is None


def test_sentences_are_computed_from_the_run():
    assert (
        node_words.scores_in_short(entry())
        == "Micro-F1 .8500 ± .0500 with 20 labels per class, .8500 ± .0500 with 60"
    )
    assert node_words.scores_in_short({}) == ""
    assert node_words.clusters_in_short({"nmi": 0.6}) == "k-means finds the classes with NMI .6000"
    assert node_words.sentence(["a", "", "b"], None) == "A; b."
    assert node_words.sentence(["a"], 3) == "At epoch 3: a."
    assert node_words.sentence([""], None) == ""
    values = {"variational": {"max": 0.7, "mean": 0.1}, "dropout": {"max": 0.5, "mean": 0.1}}
    assert "come **nearer**" in node_words.hardness_sentence(values)
    assert node_words.hardness_sentence({"dropout": {"max": 0.5, "mean": 0.1}}) == ""
    assert node_words.signed(-0.5) == "−0.50"
