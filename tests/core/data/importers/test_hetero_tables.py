"""Graphs as tables: what is read, how ids become numbers, what is repaired and told, what is refused."""

import numpy as np
import pandas as pd
import pytest
from scipy import sparse

from core.data.dataset import open_dataset
from core.data.hetero import UNLABELLED, read_hetero
from core.data.importers.preview import preview
from core.data.importers.registry import check_import, detect_layout, import_dataset
from tests.core.data.importers.graph_folders import (
    AUTHORS,
    LABELS,
    PA,
    PAPERS,
    PS,
    joined,
    refused,
    stored,
    tables,
    words,
    write_folder,
)


@pytest.fixture
def folder(tmp_path):
    return lambda changes=None: write_folder(tmp_path / "source", tables(), changes)


def graph_of(home, name: str = "tiny"):
    return read_hetero(open_dataset(home, name).folder)


def pairs(graph, key: str) -> set[tuple[int, int]]:
    return {
        tuple(pair)
        for relation, found in graph.edges.items()
        if relation.key == key
        for pair in found.tolist()
    }


def test_tables_become_a_graph(home, folder):
    info = import_dataset(home, "auto", folder(), "tiny")
    assert (info.importer, info.kind, info.target_type) == ("hetero", ("hetero",), "paper")
    assert info.nodes == {"paper": PAPERS, "author": AUTHORS, "venue": 3}
    graph = graph_of(home)
    assert pairs(graph, "paper-written_by-author") == set(PA)
    assert pairs(graph, "venue-shows-paper") == {(subject, paper) for paper, subject in PS}
    assert graph.class_names == ("db", "ml", "se")
    assert graph.labels.tolist() == [*LABELS[:12].tolist(), UNLABELLED]
    np.testing.assert_array_equal(graph.features["author"][:, 0], np.arange(AUTHORS) / 2)
    assert set(graph.features) == {"author"}
    assert graph.nodes["paper"].iloc[3].tolist() == ["p3", "About p3, in short"]
    assert graph.nodes["venue"]["original_id"].tolist() == ["10", "20", "30"]
    assert {name: walk.types for name, walk in graph.metapaths.items()} == {
        "PAP": ("paper", "author", "paper"),
        "PVP": ("paper", "venue", "paper"),
    }


def test_what_was_found_is_told(home, folder):
    notes = import_dataset(home, "hetero", folder(), "tiny").notes
    for note in (
        "no metapaths were told, so every relation of paper is walked there and back: PAP=paper,author,paper; "
        "PVP=paper,venue,paper",
        "paper.csv: not read: year",
        "author features: 7 x 1",
        "without features: paper, venue",
        "1 of 13 target nodes have no label",
        f"PAP: {joined(PA).nnz} entries, self-loops included",
    ):
        assert note in notes
    assert any(note.startswith("no files of label settings: drawn by seed 0") for note in notes)


def test_tables_may_lie_side_by_side(home, folder, tmp_path):
    import_dataset(home, "hetero", folder(), "tiny")
    flat = {name.rpartition("/")[2]: content for name, content in tables().items()}
    beside = write_folder(tmp_path / "flat", flat, {"train_2.csv": None, "notes.txt": "hello"})
    assert detect_layout(beside) == "hetero"
    assert (
        import_dataset(home, "auto", beside, "flat").content_hash
        == open_dataset(home, "tiny").info.content_hash
    )


def test_the_settings_file_names_target_and_metapaths_and_options_override_it(home, folder):
    said = {"target": "paper", "metapaths": {"PVPAP": ["paper", "venue", "paper:written_by:author", "paper"]}}
    source = folder({"hetero.json": said})
    import_dataset(home, "auto", source, "tiny")
    walk = graph_of(home).metapaths["PVPAP"]
    assert walk.relations == ("shows", "shows", "written_by", "written_by")
    report = check_import(home, "auto", source, "other", metapaths=" PAP = paper , author , paper ; ")
    assert report.graph is not None
    assert list(report.graph.metapaths) == ["PAP"]


def test_another_type_can_be_the_target(home, folder):
    authors = pd.DataFrame({"id": [f"a{n}" for n in range(AUTHORS)], "label": [3, 1, 3, 1, 3, 1, 3]})
    source = folder({"nodes/author.tsv": authors})
    refused(
        home,
        "auto",
        source,
        r"several tables of nodes have a column 'label' \(author, paper\); name the one to learn",
    )
    info = import_dataset(home, "auto", source, "tiny", target_type="author")
    graph = graph_of(home)
    assert (info.target_type, graph.class_names, graph.labels.tolist()) == (
        "author",
        ("1", "3"),
        [1, 0, 1, 0, 1, 0, 1],
    )
    assert list(graph.metapaths) == ["APA"]
    assert "paper.csv: not read: year, label" in info.notes


def test_features_may_come_as_a_file(home, folder):
    matrix = words()
    import_dataset(home, "hetero", folder({"paper_feat.npz": sparse.csr_matrix(matrix)}), "tiny")
    np.testing.assert_array_equal(graph_of(home).features["paper"].toarray(), matrix)


@pytest.mark.parametrize(
    ("values", "names", "labels"),
    [
        (["10", "9", "", "9.0"], ("9", "10"), [1, 0, -1, 0]),
        ([1.0, 0.0, None, 1.0], (), [1, 0, -1, 1]),
        (["-1", "0", "1", "1"], (), [-1, 0, 1, 1]),
        (["b ", "nan", "a", "NULL"], ("a", "b"), [1, -1, 0, -1]),
        (["-3", "x", "-3", "x"], ("-3", "x"), [0, 1, 0, 1]),
    ],
)
def test_labels_are_texts_or_numbers_and_may_be_missing(home, tmp_path, values, names, labels):
    rows = pd.DataFrame({"id": range(12), "label": (values * 3)})
    edges = pd.DataFrame({"source": range(12), "destination": [0, 1] * 6})
    for ending in ("csv", "parquet"):
        files = {f"paper.{ending}": rows, "author.csv": "id\n0\n1\n", f"paper-by-author.{ending}": edges}
        import_dataset(home, "hetero", write_folder(tmp_path / ending, files), ending)
        graph = graph_of(home, ending)
        assert graph.labels.tolist() == labels * 3
        assert graph.classes == names


def test_label_settings_name_nodes_by_their_ids(home, folder):
    setting = {"train": ["p0", "p1", "p2", "p4"], "val": ["p3"], "test": ["p11", "p5"]}
    files = {f"splits/{part}_1.csv": pd.DataFrame({"id": ids}) for part, ids in setting.items()}
    info = import_dataset(home, "hetero", folder(files), "tiny")
    assert info.split_rule == "source's label settings 1"
    assert "train_1 holds 1 to 2 nodes per class, not 1 of each" in info.notes
    assert graph_of(home).splits["test_1"].tolist() == [5, 11]
    for part, ids, message in (
        ("test", ["p5", "p12"], "test_1.csv: row 3: paper 'p12' has no label, as 1 of its nodes"),
        ("test", ["p5", "p5"], "test_1.csv: row 3: paper 'p5' stands there twice"),
        ("test", ["p5", "p3"], r"test_1.csv: paper 'p3' is in val_1.csv too"),
        ("val", ["p77"], r"val_1.csv: row 2: paper 'p77' is not among the nodes of paper.csv"),
    ):
        changed = folder({**files, f"splits/{part}_1.csv": pd.DataFrame({"id": ids})})
        with pytest.raises(Exception, match=message):
            check_import(home, "hetero", changed, "other")


def test_a_relation_within_one_type_is_walked_forwards(home, folder):
    cites = pd.DataFrame({"source": ["p0", "p1"], "destination": ["p1", "p2"]})
    source = folder({"edges/paper-cites-paper.csv": cites})
    import_dataset(home, "hetero", source, "tiny")
    graph = graph_of(home)
    assert graph.metapaths["PP"].types == ("paper", "paper")
    report = check_import(home, "hetero", source, "other", metapaths="PPP=paper,paper,paper")
    assert report.graph is not None
    assert report.graph.metapaths == {"PPP": 1}


def test_the_first_look_shows_columns_and_what_would_be_walked(folder):
    source = folder({"paper_feat.npy": words(), "hetero.json": {"target": "paper"}})
    seen = preview(source)
    assert (seen.layout, seen.columns) == ("hetero", ("file", "holds", "columns or shape", "size"))
    holds = {row[0]: row[1:3] for row in seen.rows}
    assert holds["paper.csv"] == ("nodes: paper", "id, title, label, year")
    assert holds["venue-shows-paper.parquet"] == ("edges: venue – paper", "source, destination")
    assert holds["paper_feat.npy"] == ("features of paper", "13 x 5")
    assert holds["hetero.json"] == ("target type and metapaths", "")
    assert seen.graph.metapaths == "PAP=paper,author,paper; PVP=paper,venue,paper"
    several = folder(
        {"nodes/venue.parquet": pd.DataFrame({"id": [10, 20, 30], "label": [0, 1, 1]}), "hetero.json": {}}
    )
    assert (preview(several).graph.targets, preview(several).graph.target) == (("paper", "venue"), None)
    assert preview(several, target_type="venue").graph.metapaths == "VPV=venue,paper,venue"


def papers(**changes) -> pd.DataFrame:
    return tables()["nodes/paper.csv"].assign(**changes)


def edges(row: int, **ends) -> pd.DataFrame:
    frame = tables()["edges/paper-written_by-author.csv"]
    for column, end in ends.items():
        frame.loc[row, column] = end
    return frame


WRITTEN = "edges/paper-written_by-author.csv"
REFUSED = [
    (
        {WRITTEN: edges(4, destination="a99")},
        r"paper-written_by-author.csv: row 6: author 'a99' is not among the nodes of author.tsv, as in 1 rows; add it there",
    ),
    ({WRITTEN: edges(0, source="")}, "row 2: source id is missing"),
    (
        {WRITTEN: edges(0).rename(columns={"source": "from"})},
        "has no column 'source' .*its columns are: from, dest",
    ),
    ({WRITTEN: "source,destination\n"}, "has no rows below its header"),
    ({WRITTEN: "source,destination\np1\n"}, "row 2: has 1 columns where the header has 2"),
    (
        {"edges/paper-cites.csv": edges(0)},
        "paper-cites.csv: is called like no relation; expected <source>-<relation>",
    ),
    ({"edges/paper-By-author.csv": edges(0)}, "node type or relation 'By' is not allowed"),
    (
        {"edges/paper-by-writer.csv": edges(0)},
        "joins nodes of type 'writer', of which there is no table; the types are",
    ),
    (
        {"edges/author-shows-paper.csv": edges(0)},
        "the relation shows is in author-shows-paper.csv too; give each",
    ),
    (
        {"edges/paper-written_by-author.tsv": edges(0)},
        "paper-written_by-author.tsv: lies beside paper-written_by-author.csv",
    ),
    (
        {"nodes/paper.csv": papers(id=["p0", "p1", *["p2"] * 11])},
        "row 5: paper 'p2' stands in row 4 already, as 10 rows",
    ),
    ({"nodes/paper.csv": papers(id=["", *"abcdefghijkl"])}, "paper.csv: row 2: node id is missing"),
    (
        {"nodes/paper.csv": papers().drop(columns="id")},
        "paper.csv: has no column 'id' .*its columns are: title, label",
    ),
    (
        {"nodes/paper.csv": papers().drop(columns="label")},
        "no table of nodes has a column 'label', so there are no classes",
    ),
    ({"nodes/paper.csv": papers(label="")}, "the labels hold no label, expected at least two classes"),
    (
        {"nodes/paper.csv": papers(label=["x" * 101, *"abababababab"])},
        "is 101 letters long, at most 100 are a class",
    ),
    (
        {"nodes/author.tsv": "id\tf_h\na0\tlong\n"},
        "author.tsv: row 2: f_h 'long' is no number; fill it with one",
    ),
    ({"nodes/author.tsv": "id\tf_h\na0\t0.5\na1\t\n"}, "author.tsv: row 3: f_h '' is no number"),
    (
        {"nodes/author.tsv": "id\tf_h\na0\t1e300\n"},
        r"author.tsv: row 2: f_h is 1e\+300, which float32 cannot hold",
    ),
    (
        {"nodes/venue.parquet": pd.DataFrame({"id": [[1], [2]]})},
        "column 'id' holds list values.* save it as numbers or texts",
    ),
    ({"nodes/venue.parquet": b"PAR1 broken"}, "venue.parquet: is truncated or damaged Parquet"),
    ({"nodes/Venue.csv": "id\nx\n"}, "node type 'Venue' is not allowed"),
    (
        {"author_feat.npy": words(AUTHORS, 2)},
        r"the table author.tsv has features too, in its columns f_\*; keep one",
    ),
    (
        {"paper_feat.npy": words(PAPERS - 1)},
        "paper_feat.npy: has 12 rows for 13 nodes in paper.csv; row i describes",
    ),
    (
        {"paper_feat.npy": words(), "nodes/paper_feat.npz": words()},
        "there is paper_feat.npy too; keep one of the two",
    ),
    ({"hetero.json": "{"}, "hetero.json: is no JSON"),
    ({"hetero.json": {"goal": "paper"}}, "hetero.json: expected .* and nothing else; correct it"),
    ({"hetero.json": {"target": 3}}, "hetero.json: expected texts as in"),
    (
        {"hetero.json": {"target": "movie"}},
        "there is no node type 'movie'; the types are: author, paper, venue",
    ),
    (
        {"hetero.json": {"target": "venue"}},
        "venue.parquet: has no column 'label', so there are no classes to learn",
    ),
    (
        {"hetero.json": {"metapaths": {"PWP": ["paper", "writer", "paper"]}}},
        "hetero.json: metapath PWP: no relation joins paper and writer; .* there, or override it with --metapaths",
    ),
    (
        {"splits/train_20.csv": "id\np1\n"},
        "val_20.csv: is missing beside train_20.csv; bring all three parts",
    ),
]


@pytest.mark.parametrize(("changes", "message"), REFUSED)
def test_bad_tables_are_refused_and_leave_nothing(home, folder, changes, message):
    refused(home, "hetero", folder(changes), message)


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        (
            {"target_type": "movie"},
            "there is no node type 'movie'; the types are: author, paper, venue: correct",
        ),
        (
            {"target_type": "venue"},
            "has no column 'label', so there are no classes to learn; add it, or name another",
        ),
        ({"target_type": "Paper!"}, "target type 'Paper!' is not allowed"),
        (
            {"metapaths": "PAV=paper,author,venue"},
            "goes from paper to venue, expected from paper back to paper",
        ),
        ({"metapaths": "PAP"}, "metapaths 'PAP': cannot read 'PAP'; expected 'PAP=paper,author,paper"),
        ({"behaviors": ["buy"]}, "layout hetero has no behaviors; leave out --behaviors and --target"),
    ],
)
def test_bad_requests_are_refused(home, folder, asked, message):
    refused(home, "hetero", folder(), message, **asked)


def test_folders_without_nodes_or_edges_say_what_is_missing(home, folder, tmp_path):
    source = folder()
    refused(
        home,
        "hetero",
        source / "nodes" / "paper.csv",
        "is not a folder; hetero reads a folder with nodes/<type>",
    )
    (tmp_path / "a" / "nodes").mkdir(parents=True)
    (tmp_path / "a" / "edges").mkdir()
    refused(home, "auto", tmp_path / "a", r"has no table nodes/<type>.csv; bring one per type")
    (tmp_path / "a" / "nodes" / "paper.csv").write_bytes(stored("x.csv", papers()))
    refused(
        home,
        "auto",
        tmp_path / "a",
        r"has no table edges/<source>-<relation>-<destination>.csv; bring one per rel",
    )
