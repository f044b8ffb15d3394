"""Random walks stay on the metapath's relations."""

from dataclasses import replace

import numpy as np

from core.data.hetero import Metapath
from core.data.walks import ENDED, Walker
from tests.core.models import tiny_nodes

DATA = tiny_nodes.small()


def test_every_step_goes_to_a_neighbour_of_the_next_type() -> None:
    longer = Metapath(
        ("paper", "author", "paper", "subject", "paper"), ("written_by", "written_by", "about", "about")
    )
    view = replace(DATA.view, metapaths={"PHP": DATA.view.metapaths["PHP"], "PAPSP": longer})
    by_shelf, by_both = Walker(view).drawn(3, 6, np.random.default_rng(0))
    assert by_shelf.types == ("paper", "shelf") * 3 + ("paper",)
    assert by_both.types == ("paper", "author", "paper", "subject", "paper", "author", "paper")
    pairs = set()
    for relation, edges in view.edges.items():
        for source, destination in edges.tolist():
            pairs |= {
                (relation.source, source, relation.destination, destination),
                (relation.destination, destination, relation.source, source),
            }
    for walks in (by_shelf, by_both):
        assert walks.nodes.shape == (33, 7)
        assert np.bincount(walks.nodes[:, 0]).tolist() == [3] * 11
        for nodes in walks.nodes.tolist():
            for step in range(6):
                assert (walks.types[step], nodes[step], walks.types[step + 1], nodes[step + 1]) in pairs


def test_all_neighbours_are_reached_alike() -> None:
    (walks,) = Walker(replace(DATA.view, metapaths={"PAP": DATA.view.metapaths["PAP"]})).drawn(
        2000, 1, np.random.default_rng(0)
    )
    authors = {a for p, a in next(iter(DATA.view.edges.values())).tolist() if p == 0}
    reached = walks.nodes[walks.nodes[:, 0] == 0, 1]
    assert set(reached.tolist()) == authors
    counts = np.bincount(reached)[sorted(authors)]
    assert abs(counts / 2000 - 1 / len(authors)).max() < 0.05


def test_a_walk_ends_where_nothing_follows() -> None:
    edges = {r: e[e[:, 0] != 4] if r.name == "written_by" else e for r, e in DATA.view.edges.items()}
    view = replace(DATA.view, edges=edges, metapaths={"PAP": DATA.view.metapaths["PAP"]})
    (walks,) = Walker(view).drawn(1, 4, np.random.default_rng(0))
    assert walks.nodes[4].tolist() == [4, *[ENDED] * 4]
    assert (walks.nodes[np.arange(11) != 4] >= 0).all()
