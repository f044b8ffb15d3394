"""HeCo's folders: what is read, which files are compared, what is repaired and told, what is refused."""

import numpy as np
import pytest
from scipy import sparse
from scipy.sparse import csr_array

from core.data.dataset import open_dataset
from core.data.hetero import UNLABELLED, read_hetero
from core.data.importers.limits import MEGABYTE, Limits
from core.data.importers.node_features import read_node_features
from core.data.importers.preview import preview
from core.data.importers.registry import check_import, detect_layout, import_dataset
from core.data.metapaths import metapath_graph
from core.data.profile_store import fill
from core.errors import DataError
from tests.core.data.importers.graph_folders import (
    AUTHORS,
    LABELS,
    PA,
    PAPERS,
    PS,
    SETTING,
    SUBJECTS,
    WORDS,
    acm,
    dblp,
    joined,
    lines,
    refused,
    stored,
    words,
    write_folder,
)


@pytest.fixture
def folder(tmp_path):
    return lambda changes=None: write_folder(tmp_path / "source", acm(), changes)


def graph_of(home, name: str = "tiny"):
    return read_hetero(open_dataset(home, name).folder)


def test_a_folder_becomes_a_graph(home, folder):
    info = import_dataset(home, "auto", folder(), "tiny")
    assert (info.importer, info.kind, info.behaviors, info.num_users) == ("heco", ("hetero",), (), 0)
    assert (info.nodes, info.target_type) == (
        {"paper": PAPERS, "author": AUTHORS, "subject": SUBJECTS},
        "paper",
    )
    assert info.split_rule == "source's label settings 2"
    graph = graph_of(home)
    assert {relation.key: len(pairs) for relation, pairs in graph.edges.items()} == {
        "paper-pa-author": len(PA),
        "paper-ps-subject": len(PS),
    }
    np.testing.assert_array_equal(graph.labels, LABELS)
    assert graph.class_names == ("0", "1", "2")
    for part, nodes in SETTING.items():
        assert graph.splits[f"{part}_2"].tolist() == nodes
    assert isinstance(graph.features["paper"], csr_array)
    np.testing.assert_array_equal(graph.features["paper"].toarray(), words())
    np.testing.assert_array_equal(graph.features["author"], words(AUTHORS, 2))
    assert (graph.features["paper"].dtype, graph.features["author"].dtype) == (np.float32, np.float32)
    assert (metapath_graph(graph, graph.metapaths["PAP"]).toarray() > 0).sum() == joined(PA).nnz
    assert set(graph.metapaths) == {"PAP", "PSP"}


def test_it_is_profiled_and_the_same_folder_gives_the_same_hash(home, folder):
    first = import_dataset(home, "heco", folder(), "tiny")
    again = import_dataset(home, "heco", folder({"ps.txt": "\n" + lines(PS[::-1])}), "again")
    assert again.content_hash == first.content_hash
    told = fill(home, open_dataset(home, "tiny"))
    assert told["edges"] == {"pa": len(PA), "ps": len(PS)}
    assert told["metapaths"] == {"PAP": joined(PA).nnz, "PSP": joined(PS).nnz}
    assert (told["classes"], told["class_sizes"], told["unlabelled"]) == (3, [5, 4, 4], 0)
    assert told["metapath_facts"]["PSP"]["homophily"] == 1


def test_dblp_begins_its_walks_at_the_second_column(home, tmp_path):
    import_dataset(home, "auto", write_folder(tmp_path / "dblp", dblp()), "tiny")
    graph = graph_of(home)
    assert graph.target_type == "author"
    assert dict(graph.counts) == {"author": 7, "paper": 5, "venue": 2, "term": 11}
    assert graph.metapaths["APCPA"].relations == ("pa", "pc", "pc", "pa")
    np.testing.assert_array_equal(
        metapath_graph(graph, graph.metapaths["APA"]).toarray()[3], [0, 0, 0, 1, 0, 0, 1]
    )
    assert (metapath_graph(graph, graph.metapaths["APTPA"]).toarray() > 0).all()


@pytest.mark.parametrize(("relations", "target"), [(("pa", "pr"), "paper"), (("ma", "md", "mw"), "movie")])
def test_the_relation_files_tell_which_graph_it_is(tmp_path, relations, target):
    files = {f"{name}.txt": lines([(0, 0), (1, 0), (2, 1)]) for name in relations}
    seen = preview(write_folder(tmp_path / "source", files, {"labels.npy": np.array([0, 1, 1])}))
    assert (seen.layout, seen.graph.target) == ("heco", target)


def test_shipped_metapaths_are_compared(home, folder):
    shipped = {
        "pap.npz": joined(PA),
        "psp.npz": joined(PS).astype(float),
        "pos.npz": joined(PS),
        "nei_a.npy": b"\x80",
    }
    notes = import_dataset(home, "heco", folder(shipped), "tiny").notes
    assert f"PAP: {joined(PA).nnz} entries, self-loops included; PAP equals the shipped pap.npz" in notes
    assert f"PSP: {joined(PS).nnz} entries, self-loops included; PSP equals the shipped psp.npz" in notes
    assert "not read: nei_a.npy, pos.npz" in notes


def test_what_was_found_is_told(home, folder):
    notes = import_dataset(home, "heco", folder({"pa.txt": lines([*PA, PA[0], PA[0]])}), "tiny").notes
    for note in (
        "ACM, read from pa.txt, ps.txt, labels.npy",
        f"paper features: {PAPERS} x {WORDS}, sparse: 20 % of it not zero",
        f"author features: {AUTHORS} x 2",
        "subject: no file s_feat.npz, so these nodes have no features",
        "subject: 3 nodes, as the largest number in the relations says",
        "pa: 2 repeated edges removed",
    ):
        assert note in notes


def test_a_dense_matrix_is_read_whatever_its_name_says(home, folder):
    dense = np.arange(AUTHORS * 2, dtype=np.float64).reshape(AUTHORS, 2)
    notes = import_dataset(
        home, "heco", folder({"a_feat.npy": None, "a_feat.npz": stored("x.npy", dense)}), "t"
    ).notes
    assert "a_feat.npz is a dense NumPy matrix, whatever its name says, and was read as one" in notes
    np.testing.assert_array_equal(graph_of(home, "t").features["author"], dense)


@pytest.mark.parametrize("form", ["csr", "csc", "coo"])
def test_every_sparse_form_is_read_and_full_ones_become_dense(tmp_path, form):
    full, thin = np.ones((4, 3), np.int64), words(5, 7)
    for name, matrix in (("full", full), ("thin", thin)):
        sparse.save_npz(tmp_path / f"{name}.npz", sparse.coo_matrix(matrix).asformat(form))
    dense, _ = read_node_features(tmp_path / "full.npz", "paper", Limits())
    kept, _ = read_node_features(tmp_path / "thin.npz", "paper", Limits())
    assert isinstance(dense, np.ndarray)
    assert isinstance(kept, csr_array)
    np.testing.assert_array_equal(dense, full)
    np.testing.assert_array_equal(kept.toarray(), thin)
    assert kept.indices.dtype == np.int32


def test_labels_with_gaps_become_dense_and_missing_ones_stay_out(home, folder):
    labels = np.array([7.0, 2, 9, 7, 2, 9, 7, 2, 9, 7, 2, 9, -1])
    setting = {f"{part}_2.npy": np.array([n for n in nodes if n != 12]) for part, nodes in SETTING.items()}
    info = import_dataset(home, "heco", folder({"labels.npy": labels, **setting}), "tiny")
    graph = graph_of(home)
    assert graph.labels.tolist() == [1, 0, 2] * 4 + [UNLABELLED]
    assert graph.class_names == ("2", "7", "9")
    assert "the labels 2, 7, 9 became the classes 0 to 2, in that order" in info.notes
    assert "1 of 13 target nodes have no label" in info.notes


def test_settings_are_drawn_where_there_are_none_or_others_are_asked_for(home, folder):
    none = dict.fromkeys(f"{part}_2.npy" for part in SETTING)
    asked = import_dataset(home, "heco", folder(), "asked", split="random", seed=3)
    assert asked.split_rule == "random, seed 3: 20 labels per class"
    assert any("were put aside: drawn by seed 3" in note for note in asked.notes)
    for name in none:
        (folder() / name).unlink()
    source = write_folder(folder().parent / "bare", acm(), none)
    drawn = import_dataset(home, "heco", source, "tiny", seed=3)
    assert drawn.split_rule == asked.split_rule
    assert any(note.startswith("no files of label settings: drawn by seed 3") for note in drawn.notes)
    parts = graph_of(home).splits
    assert sorted(np.concatenate(list(parts.values())).tolist()) == list(range(PAPERS))
    np.testing.assert_array_equal(LABELS[parts["train_20"]].tolist().count(0), 2)
    with pytest.raises(DataError, match="no split to keep; use --split random"):
        check_import(home, "heco", source, "other", split="as-given")


def test_other_metapaths_can_be_walked(home, folder):
    import_dataset(home, "heco", folder(), "tiny", metapaths="PSPAP=paper,subject,paper:pa:author,paper")
    graph = graph_of(home)
    assert graph.metapaths["PSPAP"].relations == ("ps", "ps", "pa", "pa")


def test_the_report_counts_a_graph(home, folder):
    report = check_import(home, "auto", folder(), "tiny")
    assert report.lines()[:7] == [
        "23 nodes of 3 types, target type paper; layout heco; split: source's label settings 2",
        "  nodes      13 paper, 7 author, 3 subject",
        "  edges      16 paper-pa-author, 13 paper-ps-subject",
        "  classes    5 in 0, 4 in 1, 4 in 2",
        f"  metapaths  {joined(PA).nnz} PAP, {joined(PS).nnz} PSP",
        "  2 labels   6 train, 3 val, 4 test",
        "  - ACM, read from pa.txt, ps.txt, labels.npy",
    ]


def test_the_first_look_names_every_file(folder):
    seen = preview(folder())
    assert seen.graph is not None
    assert (seen.graph.types, seen.graph.targets) == (("paper", "author", "subject"), ("paper",))
    assert seen.graph.metapaths == "PAP=paper,author,paper; PSP=paper,subject,paper"
    holds = {row[0]: row[1:3] for row in seen.rows}
    assert holds["pa.txt"] == ("edges: paper – author", "")
    assert holds["a_feat.npy"] == ("features of author", "7 x 2")
    assert holds["p_feat.npz"] == ("features of paper", "sparse")
    assert holds["val_2.npy"] == ("2 labels per class: validation nodes", "3")
    assert seen.graph.complaint("paper", seen.graph.metapaths) == ""
    assert "no relation joins paper and venue" in seen.graph.complaint("paper", "PVP=paper,venue,paper")


def labels_with(place: int, value: float) -> np.ndarray:
    labels = LABELS.astype(np.float64)
    labels[place] = value
    return labels


def nodes(part: str, *more: float) -> np.ndarray:
    return np.array([*SETTING[part], *more])


BAD_NUMBERS = words()
BAD_NUMBERS[3, 2] = np.nan
REFUSED = [
    ({"labels.npy": None}, "labels.npy: is missing; it holds one label per node"),
    ({"labels.npy": labels_with(4, np.nan)}, r"labels.npy: row 4 \(from 0\): the label of this paper is nan"),
    (
        {"labels.npy": labels_with(4, 1.5)},
        "the label of this paper is 1.5, as in 1 rows; expected whole numbers",
    ),
    ({"labels.npy": labels_with(4, -2)}, "the label of this paper is -2.0"),
    ({"labels.npy": labels_with(4, 1e300)}, "the label of this paper is 1e"),
    ({"labels.npy": LABELS[:-1]}, "holds 12 labels for 13 nodes of type paper; save one label per node"),
    ({"labels.npy": LABELS.astype(str)}, "labels.npy: holds <U21 values, expected numbers"),
    (
        {"labels.npy": np.eye(3)[LABELS]},
        r"has the shape 13 x 3, expected one label per paper; save numpy.argmax",
    ),
    ({"labels.npy": LABELS.astype(object)}, "labels.npy: holds Python objects, which are never unpickled"),
    ({"labels.npy": np.zeros(PAPERS)}, "the labels hold one class only, expected at least two classes"),
    ({"labels.npy": stored("x.npy", LABELS)[:-9]}, "labels.npy: is cut short"),
    ({"labels.npy": b"no numpy"}, "labels.npy: is no readable NumPy matrix"),
    ({"pa.txt": lines([*PA, (PAPERS, 0)])}, r"pa.txt: row 17: paper 13 is out of range 0..12, .* in 1 rows"),
    ({"pa.txt": "\n\n" + lines([(0, AUTHORS)])}, r"pa.txt: row 3: author 7 is out of range 0..6"),
    ({"pa.txt": lines([(0, 1), (1, -1)])}, "pa.txt: row 2: author id '-1' is not a whole number"),
    ({"pa.txt": "0 1 2\n"}, "row 1: expected 2 columns `paper author` separated by a space, got 3"),
    ({"ps.txt": lines([(0, 20_000_000)])}, r"ps.txt: row 1: subject 20000000 is out of range 0..9999999"),
    ({"pa.txt": ""}, "pa.txt: is empty; remove the file or fill it with `paper author` lines"),
    (
        {"pc.txt": lines(PS)},
        r"its relation files \(pa.txt, pc.txt, ps.txt\) make no published graph; expected one of",
    ),
    ({"p_feat.npz": sparse.csr_matrix(BAD_NUMBERS)}, r"p_feat.npz: node 3, feature 2: the value is nan"),
    ({"a_feat.npy": np.full((AUTHORS, 2), 1e300)}, r"a_feat.npy: row 0, column 0 .*the value is inf"),
    (
        {"a_feat.npy": words(AUTHORS, 2).astype(object)},
        "a_feat.npy: holds Python objects, which are never unpickled",
    ),
    ({"a_feat.npy": np.zeros(AUTHORS)}, "a_feat.npy: has the shape 7, expected nodes x dimensions"),
    (
        {"a_feat.npz": sparse.csr_matrix(words(AUTHORS, 2))},
        "a_feat.npz: lies beside a_feat.npy; keep one of the two",
    ),
    (
        {"a_feat.npy": b"something else"},
        "a_feat.npy: is neither a NumPy matrix nor a sparse archive; save it",
    ),
    ({"p_feat.npz": b"PK\x03\x04broken"}, "p_feat.npz: is no readable numpy archive"),
    ({"p_feat.npz": sparse.csr_matrix(words(PAPERS + 1))}, "holds 13 labels for 14 nodes of type paper"),
    ({"val_2.npy": None}, r"val_2.npy: is missing beside train_2.npy, test_2.npy; bring all three parts"),
    (
        {"val_2.npy": nodes("val", 13)},
        r"val_2.npy: entry 3: paper 13 is out of range 0..12; correct the file",
    ),
    ({"val_2.npy": nodes("val", -1)}, "val_2.npy: entry 3: paper -1 is out of range"),
    ({"val_2.npy": nodes("val", 0.5)}, "val_2.npy: entry 3 is 0.5, expected the number of a node"),
    ({"val_2.npy": nodes("val", 7)}, "val_2.npy: entry 3: paper 7 stands there twice; keep it once"),
    (
        {"val_2.npy": nodes("val", 2)},
        r"val_2.npy: paper 2 is in train_2.npy too, as 1 of its nodes; each node",
    ),
    ({"test_2.npy": nodes("test", 8, 7)}, r"test_2.npy: paper 7 is in val_2.npy too, as 2 of its nodes"),
    ({"val_2.npy": np.array([], int)}, "val_2.npy: holds no node; fill it"),
    ({"val_2.npy": np.ones(PAPERS, bool)}, "val_2.npy: holds a mask of yes and no"),
    (
        {"labels.npy": labels_with(8, -1)},
        r"val_2.npy: entry 2: paper 8 has no label, as 1 of its nodes; label them",
    ),
    (
        {"pap.npz": joined(PS)},
        r"pap.npz: stores 57 entries, PAP as built from the relations \d+, and \d+ are in both; remove",
    ),
    (
        {"psp.npz": joined(PS[:5], 5)},
        r"psp.npz: joins 5 x 5 nodes, PSP has 13 on each side; remove psp.npz to keep",
    ),
]


@pytest.mark.parametrize(("changes", "message"), REFUSED)
def test_bad_folders_are_refused_and_leave_nothing(home, folder, changes, message):
    source = folder()
    for name, content in changes.items():
        (source / name).unlink(missing_ok=True)
        if content is not None:
            (source / name).write_bytes(stored(name, content))
    refused(home, "heco", source, message)


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        ({"target": "buy"}, "layout heco has no behaviors; leave out --behaviors and --target"),
        (
            {"target_type": "author"},
            "its labels belong to the type paper, not 'author'; leave out --target-type",
        ),
        (
            {"metapaths": "PXP=paper,venue,paper"},
            "metapath PXP: no relation joins paper and venue; the relations are: ",
        ),
        (
            {"split": "last"},
            "labelled nodes have no times, so there is no last one; choose --split as-given or random",
        ),
        ({"features": "unit"}, "layout heco has no features to scale; leave out --features"),
    ],
)
def test_what_a_graph_does_not_have_is_refused(home, folder, asked, message):
    refused(home, "heco", folder(), message, **asked)


def test_interactions_have_no_node_types(home, tmp_path):
    (tmp_path / "a.csv").write_text("user,item\n1,2\n1,3\n1,4\n")
    with pytest.raises(
        DataError, match="layout table has no node types; leave out --target-type and --metapaths"
    ):
        check_import(home, "table", tmp_path / "a.csv", "tiny", target_type="paper")


def test_sizes_are_bounded(tmp_path, folder, home):
    refused(home, "heco", tmp_path, r"its relation files \(none\) make no published graph")
    refused(home, "heco", folder() / "pa.txt", "is not a folder; heco reads a folder with relation files")
    sparse.save_npz(tmp_path / "wide.npz", sparse.csr_matrix((1000, 9_000_000)))
    matrix, _ = read_node_features(tmp_path / "wide.npz", "paper", Limits(MEGABYTE))
    assert isinstance(matrix, csr_array)
    sparse.save_npz(tmp_path / "full.npz", sparse.coo_matrix(np.ones((1000, 1000))))
    with pytest.raises(DataError, match="unpacks to more than the 10 MB allowed"):
        read_node_features(tmp_path / "full.npz", "paper", Limits(MEGABYTE))
    assert detect_layout(folder()) == "heco"


@pytest.mark.real_data
@pytest.mark.parametrize(
    ("name", "nodes", "edges", "metapaths", "notes"),
    [
        (
            "acm",
            {"paper": 4_019, "author": 7_167, "subject": 60},
            {"pa": 13_407, "ps": 4_019},
            {"PAP": 57_853, "PSP": 4_338_213},
            ["PAP equals the shipped pap.npz", "PSP equals the shipped psp.npz"],
        ),
        (
            "dblp",
            {"author": 4_057, "paper": 14_328, "venue": 20, "term": 7_723},
            {"pa": 19_645, "pc": 14_328, "pt": 85_810},
            {"APA": 11_113, "APCPA": 5_000_495, "APTPA": 7_043_571},
            ["t_feat.npz is a dense NumPy matrix"],
        ),
    ],
)
def test_real_graphs_have_the_documented_counts(home, real, name, nodes, edges, metapaths, notes):
    info = import_dataset(home, "auto", real(name), name)
    assert info.nodes == nodes
    assert all(any(text in note for note in info.notes) for text in notes)
    told = fill(home, open_dataset(home, name))
    assert (told["nodes"], told["edges"], told["metapaths"]) == (nodes, edges, metapaths)
    assert told["node_splits"]["train_60"] == 60 * told["classes"]
