"""What the Data page says, tabulates and draws of a heterogeneous graph."""

import numpy as np
import pandas as pd
import pytest

from core.data.dataset import open_dataset
from core.data.profile_store import fill
from core.home import Home
from dashboard import data_graph
from dashboard.data_comparison import comparison_row, comparison_table
from dashboard.figures.metapaths import homophily_bars
from tests.dashboard.stored_runs import tiny_demo


@pytest.fixture
def home(tmp_path) -> Home:
    return Home(tmp_path)


TOLD = {
    "name": "acm",
    "kind": ["hetero"],
    "nodes": {"paper": 40, "author": 70, "subject": 6},
    "isolated": {"paper": 0, "author": 3, "subject": 0},
    "target_type": "paper",
    "edges": {"pa": 130, "ps": 40},
    "edge_ends": {"pa": ["paper", "author"], "ps": ["paper", "subject"]},
    "classes": 3,
    "class_names": ["db", "ml", "se"],
    "class_sizes": [19, 9, 10],
    "unlabelled": 2,
    "metapaths": {"PAP": 580, "PSP": 800},
    "metapath_facts": {
        "PAP": {"walk": ["paper", "author", "paper"], "density": 0.3625, "homophily": 0.808, "alone": 6},
        "PSP": {"walk": ["paper", "subject", "paper"], "density": 0.5, "homophily": 0.39, "alone": 0},
    },
    "homophily_by_chance": 0.36,
    "node_features": {"paper": [40, 19]},
    "node_feature_density": {"paper": 0.045},
    "node_splits": {"train_20": 10, "val_20": 7, "test_20": 8, "train_5": 3, "val_5": 4, "test_5": 4},
}


def told(**changes):
    return TOLD | changes


def facts(**homophily):
    return {name: TOLD["metapath_facts"][name] | {"homophily": value} for name, value in homophily.items()}


def test_it_answers_what_the_graph_is_and_what_its_metapaths_say() -> None:
    assert data_graph.answer(TOLD) == (
        "A graph for node classification: 116 nodes of 3 types, 170 edges, 3 classes of paper."
    )
    assert data_graph.lesson(TOLD) == (
        "Of the pairs that a metapath joins, so many are of one class: PAP 80.8 %, PSP 39.0 %; of any two paper nodes 36.0 %. "
        "PAP says most about them, and joins 6 of 40 nodes to no other. PSP hardly differs from chance."
    )


def test_metapaths_that_say_nothing_are_told_as_such() -> None:
    said = data_graph.lesson(told(metapath_facts=facts(PAP=0.37, PSP=0.2)))
    assert said.endswith("No metapath says much about the classes: features must.")
    assert data_graph.lesson(told(metapath_facts=facts(PAP=None, PSP=None))) == ""
    assert data_graph.lesson(told(homophily_by_chance=None)) == ""


def test_nodes_relations_and_metapaths_are_tables() -> None:
    nodes = data_graph.node_table(TOLD).set_index("type")
    assert nodes.loc["paper", ["nodes", "features", "target"]].tolist() == [40, 19, True]
    assert nodes.loc["author", "without an edge"] == 3
    assert np.isnan(nodes.loc["author", "features"])
    relations = data_graph.relation_table(TOLD).set_index("relation")
    assert relations.loc["pa", "joins"] == "paper – author"
    assert relations.loc["pa", ["per source", "per destination"]].tolist() == [3.25, 130 / 70]
    metapaths = data_graph.metapath_table(TOLD).set_index("metapath")
    assert metapaths.loc["PSP", "walk"] == "paper – subject – paper"
    assert metapaths.loc["PAP", ["pairs", "density", "homophily", "alone"]].tolist() == [
        580,
        0.3625,
        0.808,
        6,
    ]


def test_classes_and_settings_are_tables() -> None:
    classes = data_graph.class_table(TOLD)
    assert classes["class"].tolist() == ["db", "ml", "se", "no label"]
    assert classes["share"].iloc[0] == 0.5
    assert "no label" not in data_graph.class_table(told(unlabelled=0))["class"].tolist()
    settings = data_graph.setting_table(TOLD)
    assert settings.to_dict("list") == {
        "labels per class": [5, 20],
        "training": [3, 10],
        "validation": [4, 7],
        "test": [4, 8],
    }
    assert data_graph.labelled(TOLD) == "5 and 20"
    assert data_graph.labelled(told(node_splits={})) == "none"


def test_bars_are_as_long_as_the_homophily_and_chance_is_marked() -> None:
    figure = homophily_bars(data_graph.metapath_table(told(metapath_facts=facts(PAP=0.8, PSP=None))), 0.36)
    (bars,) = figure.data
    assert (list(bars.y), list(bars.x)) == (["PAP"], [0.8])
    assert "joins 36 % of all pairs" in bars.text[0]
    assert figure.layout.shapes[0].x0 == 0.36
    assert not homophily_bars(data_graph.metapath_table(TOLD), None).layout.shapes
    empty = homophily_bars(data_graph.metapath_table(told(metapath_facts={})), 0.36)
    assert "No metapath joins two nodes with a label" in empty.layout.annotations[0].text


def test_graphs_stand_beside_interactions(home) -> None:
    tiny_demo(home)
    demo = open_dataset(home, "demo")
    row = comparison_row(fill(home, demo))
    assert row["nodes"] == sum(demo.info.nodes.values())
    assert row["users"] == demo.info.num_users
    alone = comparison_row(TOLD)
    assert (alone["nodes"], alone["edges"], alone["classes"]) == (116, 170, 3)
    assert "users" not in alone
    unknown = demo.info.model_copy(update={"behaviors": (), "target": None})
    (missing,) = comparison_table([unknown], {"demo": None}).to_dict("records")
    assert missing["nodes"] == row["nodes"]
    assert pd.isna(missing["users"])


@pytest.mark.parametrize("name", ["IUI", "ISI"])
def test_the_demos_metapaths_know_the_planted_classes(home, name) -> None:
    tiny_demo(home)
    profile = fill(home, open_dataset(home, "demo"))
    found = profile["metapath_facts"][name]["homophily"]
    chance = profile["homophily_by_chance"]
    assert (found > chance + 0.1) == (name != "ISI")
