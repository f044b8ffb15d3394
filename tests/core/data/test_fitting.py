"""Systems and data that do not fit are told apart before a run is made."""

import pytest

from core.catalog.systems import CATALOG
from core.cli import main
from core.data.dataset import open_dataset
from core.data.fitting import lacking, refuse_unfit
from core.errors import DataError
from core.home import Home
from tests.dashboard.profiles import hand_made
from tests.dashboard.stored_runs import tiny_demo


def test_the_demo_fits_every_system(home: Home):
    data = tiny_demo(home)
    assert not [key for key, entry in CATALOG.items() if lacking(data, entry)]


def test_interactions_alone_fit_no_system_of_nodes_or_features(home: Home):
    hand_made(home)
    data = open_dataset(home, "small").info
    assert lacking(data, CATALOG["hgcvae"]) == "typed nodes with labels and metapaths"
    assert lacking(data, CATALOG["vbpr"]).startswith("item features")
    with pytest.raises(DataError, match=r"HGCVAE needs typed nodes .*data set 'small' has none"):
        refuse_unfit(data, CATALOG["hgcvae"])


def test_a_graph_alone_fits_no_ranking(home: Home):
    graph = tiny_demo(home).model_copy(update={"behaviors": (), "modalities": (), "kind": ("hetero",)})
    assert lacking(graph, CATALOG["lightgcn"]) == "interactions of users with items"
    assert not lacking(graph, CATALOG["hgcvae"])


@pytest.mark.parametrize("command", [["train", "hgcvae", "small"], ["submit", "hgcvae", "small"]])
def test_the_command_line_refuses_before_it_makes_a_run(home: Home, capsys, command):
    hand_made(home)
    assert main([*command, "--home", str(home.root)]) == 1
    assert "HGCVAE needs typed nodes" in capsys.readouterr().err
    assert not list(home.root.glob("runs/*"))


def test_a_grid_is_refused_for_data_that_the_system_cannot_learn_from(home: Home, capsys):
    hand_made(home)
    arguments = ["study", "grid", "small", "--system", "hgcvae", "--home", str(home.root)]
    assert main(arguments) == 1
    assert "HGCVAE needs typed nodes" in capsys.readouterr().err
