"""The heterogeneous view and its metapath graphs against slow loops."""

import itertools
import json

import numpy as np
import pytest

from core.data.content_hash import ContentHash
from core.data.hetero import HeteroContent, Metapath, Relation, read_hetero
from core.data.metapaths import metapath_graph, stored_entries
from core.errors import DataError

PAPERS, AUTHORS, VENUES = 7, 5, 3
WRITTEN = Relation("paper", "written_by", "author")
SHOWN = Relation("venue", "shows", "paper")
COUNTS = {"paper": PAPERS, "author": AUTHORS, "venue": VENUES}
PAP = Metapath(("paper", "author", "paper"), ("written_by", "written_by"))
APVPA = Metapath(
    ("paper", "author", "paper", "venue", "paper"), ("written_by", "written_by", "shows", "shows")
)


def view(**changes) -> HeteroContent:
    rng = np.random.default_rng(3)
    written = np.unique(np.stack([rng.integers(0, PAPERS, 9), rng.integers(0, AUTHORS, 9)], 1), axis=0)
    shown = np.stack([rng.integers(0, VENUES, PAPERS), np.arange(PAPERS)], axis=1)
    fields = {
        "target_type": "paper",
        "counts": COUNTS,
        "edges": {SHOWN: shown.astype(np.int32), WRITTEN: written.astype(np.int32)},
        "features": {"paper": rng.random((PAPERS, 11), dtype=np.float32)},
        "labels": np.arange(PAPERS) % 2,
        "splits": {"train_20": np.array([0, 1]), "test_20": np.array([5, 6])},
        "metapaths": {"PAP": PAP, "PAPVP": APVPA},
    }
    return HeteroContent(**{**fields, **changes})


def slow_walks(content: HeteroContent, walk: Metapath) -> np.ndarray:
    joined = {}
    for relation, pairs in content.edges.items():
        for source, destination in pairs.tolist():
            joined[relation.name, relation.source, source, destination] = True
            joined[relation.name, relation.destination, destination, source] = True
    walks = np.zeros((PAPERS, PAPERS))
    for nodes in itertools.product(*(range(COUNTS[kind]) for kind in walk.types)):
        steps = zip(walk.relations, walk.types, nodes, nodes[1:], strict=False)
        walks[nodes[0], nodes[-1]] += all(joined.get(step, False) for step in steps)
    return walks


@pytest.mark.parametrize("walk", [PAP, APVPA])
def test_metapath_graphs_count_walks(walk):
    content = view()
    expected = slow_walks(content, walk)
    np.testing.assert_array_equal(metapath_graph(content, walk).toarray(), expected)
    assert stored_entries(content, walk) == np.count_nonzero(expected)


def test_repeated_edges_count_once():
    content = view()
    twice = {relation: np.concatenate([pairs, pairs]) for relation, pairs in content.edges.items()}
    np.testing.assert_array_equal(
        metapath_graph(view(edges=twice), PAP).toarray(), metapath_graph(content, PAP).toarray()
    )


def test_unknown_steps_are_named():
    with pytest.raises(DataError, match=r"no relation 'cites' joins paper and paper; .*venue-shows-paper"):
        metapath_graph(view(), Metapath(("paper", "paper"), ("cites",)))
    with pytest.raises(DataError, match="has no step"):
        metapath_graph(view(), Metapath(("paper",), ()))


def test_what_is_written_comes_back(tmp_path):
    content, digest = view(), ContentHash()
    content.write(tmp_path, digest)
    found = read_hetero(tmp_path)
    assert (found.target_type, dict(found.counts), found.metapaths) == ("paper", COUNTS, content.metapaths)
    np.testing.assert_array_equal(found.labels, content.labels)
    for name in ("edges", "features", "splits"):
        stored, written = getattr(found, name), getattr(content, name)
        assert set(stored) == set(written)
        for key in written:
            np.testing.assert_array_equal(stored[key], written[key])
    assert (tmp_path / "edges" / "paper-written_by-author.parquet").is_file()
    again = ContentHash()
    (tmp_path / "again").mkdir()
    found.write(tmp_path / "again", again)
    assert again.hexdigest() == digest.hexdigest()


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (
            {"counts": {**COUNTS, "author": 2}},
            r"relation paper-written_by-author: author out of range 0\.\.1",
        ),
        ({"features": {"paper": np.zeros((6, 2), np.float32)}}, "6 feature rows for 7 nodes"),
        ({"labels": np.zeros(3, np.int64)}, "3 labels for 7 nodes"),
        ({"splits": {"train_20": np.array([7])}}, r"split train_20: node out of range 0\.\.6"),
        (
            {
                "edges": {
                    r: np.zeros((1, 2), np.int32)
                    for r in (WRITTEN, Relation("venue", "written_by", "author"))
                }
            },
            "relation names must differ",
        ),
    ],
)
def test_inconsistent_views_are_refused(changes, message):
    with pytest.raises(DataError, match=message):
        view(**changes)


@pytest.mark.parametrize("damage", ["missing", "text", "keys", "npy"])
def test_damaged_views_are_told(tmp_path, damage):
    view().write(tmp_path, ContentHash())
    if damage == "missing":
        (tmp_path / "labels.npy").unlink()
    elif damage == "npy":
        (tmp_path / "labels.npy").write_bytes(b"\x93NUMPY")
    else:
        (tmp_path / "nodes.json").write_text("{" if damage == "text" else json.dumps({"types": {}}))
    with pytest.raises(DataError, match="heterogeneous view is damaged"):
        read_hetero(tmp_path)


@pytest.mark.real_data
def test_acm_metapaths_have_the_documented_entries(real):
    folder = real("acm")
    pairs = {name: np.loadtxt(folder / f"{name}.txt", dtype=np.int32) for name in ("pa", "ps")}
    content = HeteroContent(
        target_type="paper",
        counts={"paper": 4019, "author": 7167, "subject": 60},
        edges={
            Relation("paper", "pa", "author"): pairs["pa"],
            Relation("paper", "ps", "subject"): pairs["ps"],
        },
        features={},
        labels=np.zeros(4019, np.int64),
        splits={},
        metapaths={},
    )
    assert stored_entries(content, Metapath(("paper", "author", "paper"), ("pa", "pa"))) == 57_853
    assert stored_entries(content, Metapath(("paper", "subject", "paper"), ("ps", "ps"))) == 4_338_213
