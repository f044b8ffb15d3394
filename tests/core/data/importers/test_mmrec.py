"""MMRec's folders: what is read, how items keep their rows, what is repaired and told, what is refused."""

import numpy as np
import pytest

from core.data.dataset import open_dataset
from core.data.importers.preview import preview
from core.data.importers.registry import check_import, detect_layout, import_dataset
from core.data.profile_store import fill
from core.data.ranking import ranking_data
from core.errors import DataError
from tests.core.data.importers.mmrec_folders import (
    GOOD,
    HEADER,
    IMAGE,
    ITEMS,
    ROWS,
    TEXT,
    refused,
    text_of,
    told,
    write_folder,
)


@pytest.fixture
def folder(tmp_path):
    return lambda changes=None: write_folder(tmp_path / "source", changes)


def pairs(matrix) -> set[tuple[int, int]]:
    return set(zip(*(part.tolist() for part in matrix.nonzero()), strict=True))


def test_items_are_rows_of_the_features_and_keep_them(home, folder):
    info = import_dataset(home, "auto", folder(), "tiny")
    assert (info.importer, info.kind, info.behaviors) == ("mmrec", ("multimodal",), ("interaction",))
    assert (info.num_users, info.num_items, info.modalities) == (3, ITEMS, ("image", "text"))
    dataset = open_dataset(home, "tiny")
    assert dataset.items()["original_id"].tolist() == [str(number) for number in range(ITEMS)]
    np.testing.assert_array_equal(dataset.features("text"), GOOD["text_feat.npy"])
    np.testing.assert_array_equal(dataset.features("image"), GOOD["image_feat.npy"])
    data = ranking_data(dataset)
    assert pairs(data.train["interaction"]) == {(0, 0), (0, 1)}
    assert pairs(data.valid) == {(0, 2), (1, 6), (2, 0)}
    assert pairs(data.test) == {(0, 5), (1, 0), (2, 2)}
    assert fill(home, dataset)["modalities"] == {"image": [ITEMS, IMAGE], "text": [ITEMS, TEXT]}


def test_users_keep_their_ids_where_some_are_missing(home, folder):
    rows = [(user + 30, item, part) for user, item, part in ROWS]
    import_dataset(home, "mmrec", folder({"tiny.inter": text_of(rows)}), "tiny")
    assert open_dataset(home, "tiny").users()["original_id"].tolist() == ["30", "31", "32"]


def test_repairs_and_what_they_leave_are_told(home, folder):
    info = import_dataset(home, "mmrec", folder(), "tiny")
    assert info.split_rule == "source's test pairs"
    for note in (
        "read tiny.inter, image_feat.npy (7 x 3), text_feat.npy (7 x 5)",
        "columns detected: user = userID, item = itemID; split = x_label",
        "interaction: 1 repeated pairs in train removed",
        "interaction: 1 train pairs that are also valid pairs kept in valid only",
        "interaction: 1 train pairs that are also test pairs kept in test only",
        "2 items have features and no interaction, and were kept",
        "2 users have no training pair",
        "3 items that interact have no training pair",
    ):
        assert note in info.notes
    assert len(told(info.notes, "not read: rating")) == 1


def test_as_given_keeps_every_row_and_tells_the_leak(home, folder):
    info = import_dataset(home, "mmrec", folder(), "tiny", split="as-given")
    assert len(open_dataset(home, "tiny").interactions()) == len(ROWS)
    assert info.split_rule == "as-given"
    assert "interaction: 3 rows repeat a pair and were kept as given" in info.notes
    assert "interaction: 1 test pairs are also train pairs" in info.notes
    assert "interaction: 1 valid pairs are also train pairs" in info.notes
    assert not told(info.notes, "2 users")


def test_without_labels_the_rule_splits_by_time_or_at_random(home, folder):
    rows = [(user, item) for user in range(2) for item in (0, 3, 6)]
    plain = "userID\titemID\n" + "".join(f"{user}\t{item}\n" for user, item in rows)
    timed = "userID\titemID\ttimestamp\n" + "".join(f"{u}\t{i}\t{1_430_000_000 - i}\n" for u, i in rows)
    report = check_import(home, "auto", folder({"tiny.inter": plain}), "tiny", seed=11)
    assert report.split_rule == "random, seed 11"
    assert any("no x_label" in note for note in report.notes)
    info = import_dataset(home, "auto", folder({"tiny.inter": timed}), "tiny")
    assert info.split_rule == "last by time"
    assert pairs(ranking_data(open_dataset(home, "tiny")).test) == {(0, 0), (1, 0)}
    for text in (plain, timed):
        with pytest.raises(DataError, match="no split to keep; choose another rule with --split"):
            import_dataset(home, "mmrec", folder({"tiny.inter": text}), "other", split="as-given")


def test_another_rule_forgets_the_labels_and_the_target_can_be_named(home, folder):
    info = import_dataset(home, "mmrec", folder(), "tiny", split="random", target="listen")
    assert (info.behaviors, info.split_rule) == (("listen",), "random, seed 0")
    assert any("x_label was checked and put aside" in note for note in info.notes)
    assert check_import(home, "mmrec", folder(), "other", behaviors=["buy"]).behaviors == ("buy",)
    with pytest.raises(DataError, match="no rows of the behavior 'view'; found: buy; correct --behaviors"):
        check_import(home, "mmrec", folder(), "other", behaviors=["view", "buy"])


def test_a_label_may_be_written_as_a_fraction(home, folder):
    text = text_of([(user, item, f"{part}.0") for user, item, part in ROWS])
    other = check_import(home, "mmrec", folder({"tiny.inter": text}), "tiny")
    assert other.pairs == check_import(home, "mmrec", folder({"tiny.inter": text_of()}), "tiny").pairs


@pytest.mark.parametrize("header", ["itemID\tasin\ttitle", "item_id\tprice\tItem_Name", "i\tx\tproductTitle"])
def test_titles_come_from_the_table_of_items(home, folder, header):
    rows = "".join(f"{item}\tB{item}\tThing, {item}\n" for item in (6, 0, 5, 99))
    info = import_dataset(home, "mmrec", folder({"items.tsv": header + "\n" + rows}), "tiny")
    titles = open_dataset(home, "tiny").items()["title"].tolist()
    assert titles == ["Thing, 0", "", "", "", "", "Thing, 5", "Thing, 6"]
    assert "items.tsv: 1 items without features were left out" in info.notes
    assert "items.tsv: 4 items with features are not described" in info.notes


def test_categories_are_kept_and_a_damaged_table_is_refused(home, folder):
    rows = "itemID,title,categories\n" + "".join(f'{item},"a, b",c\n' for item in range(ITEMS))
    import_dataset(home, "mmrec", folder({"items.csv": rows}), "tiny")
    assert open_dataset(home, "tiny").items()["category"].tolist() == ["c"] * ITEMS
    with pytest.raises(DataError, match=r"items.tsv: row 3: has 1 columns where the header has 2"):
        import_dataset(home, "mmrec", folder({"items.tsv": "itemID\ttitle\n0\tx\n1\n"}), "other")


def test_the_layout_is_found_beside_recboles(folder, tmp_path):
    source = folder()
    assert detect_layout(source) == "mmrec"
    assert detect_layout(source / "tiny.inter") == "mmrec"
    (source / "tiny.inter").write_text("user_id:token\titem_id:token\nu\tx\n")
    assert detect_layout(source) == "recbole"
    (source / "tiny.inter").unlink()
    with pytest.raises(DataError, match="fits no known layout"):
        detect_layout(source)


def test_the_file_of_interactions_alone_is_read_with_what_lies_beside_it(home, folder):
    source = folder({"other.inter": text_of()})
    with pytest.raises(DataError, match=r"found: other\.inter, tiny\.inter; give the path of the one file"):
        import_dataset(home, "mmrec", source, "tiny")
    assert import_dataset(home, "mmrec", source / "tiny.inter", "tiny").num_items == ITEMS


def test_the_first_look_shows_rows_and_shapes(folder):
    seen = preview(folder())
    assert (seen.layout, seen.mapping, seen.ids) == ("mmrec", None, "whole")
    assert seen.columns == ("userID", "itemID", "rating", "x_label")
    assert seen.rows[3] == ("0", "2", "1.0", "1")
    assert seen.notes[1:] == ("image features: 7 x 3", "text features: 7 x 5")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            text_of([*ROWS, (3, 0, 3)]),
            r"tiny.inter: row 13: x_label '3' is not 0 \(train\), 1 \(valid\) or 2",
        ),
        (text_of([(0, 0, "train"), *ROWS]), "row 2: x_label 'train' is not 0"),
        (text_of([(0, 0, ""), *ROWS]), "row 2: x_label '' is not 0"),
        (text_of([(0, 0, "-1"), *ROWS]), "row 2: x_label '-1' is not 0"),
        (
            text_of([*ROWS, (0, ITEMS, 0)]),
            r"tiny.inter: row 13: item 7 has no feature row \(image_feat.npy covers 0..6\), as in 1 rows",
        ),
        (text_of([*ROWS, (0, 2**31, 0)]), "item 2147483648 has no feature row"),
        (text_of([("anna", 0, 0)]), "row 2: user id 'anna' is no whole number"),
        (text_of([(0, -1, 0)]), "row 2: item id '-1' is negative"),
        (text_of([(0, "", 0)]), "row 2: item id is missing"),
        (HEADER, "tiny.inter: has no rows below its header"),
        ("", "tiny.inter: is empty"),
        (HEADER + "0\t0\n", "tiny.inter: row 2: has 2 columns where the header has 4"),
        ("0\t1\t1\t0\n0\t2\t1\t2\n", "its columns are: 0, 1, 1, 0; expected userID, itemID, x_label"),
        (text_of(header="a\tb\tc\tx_label\n"), "its columns are: a, b, c, x_label; expected userID, itemID"),
        (text_of().replace("\t", ","), "its columns are: userID,itemID,rating,x_label; expected .*by tabs"),
        (text_of(header="userID\titemID\tx_label\tx_label\n"), "has 2 columns called x_label"),
        (text_of([(0, 0, 0), (0, 1, 0)]).encode("utf-16"), "is no UTF-8 text"),
        (text_of([(0, 0, 2), (0, 1, 1)]), "no training pair of the target 'interaction' is left"),
        (None, "expected one NAME.inter beside its <modality>_feat.npy files, found: none"),
    ],
)
def test_bad_interactions_are_refused_and_leave_nothing(home, folder, text, message):
    refused(home, folder({"tiny.inter": text}), message)


def test_a_folder_without_features_is_told_what_it_lacks(home, folder):
    source = folder({"text_feat.npy": None, "image_feat.npy": None})
    assert detect_layout(source) == "mmrec"
    refused(home, source, "has no feature file; expected text_feat.npy, image_feat.npy or others")
    refused(home, source / "nowhere", "does not exist; check the path")


@pytest.mark.real_data
def test_scientific_has_the_documented_counts(home, real):
    info = import_dataset(home, "auto", real("scientific"), "scientific")
    assert (info.num_users, info.num_items, info.modalities) == (2_928, 1_585, ("image", "text"))
    dataset = open_dataset(home, "scientific")
    data = ranking_data(dataset)
    assert (data.train["interaction"].nnz, data.valid.nnz, data.test.nnz) == (13_720, 2_920, 2_928)
    removed = [note for note in info.notes if note.endswith(("removed", "only"))]
    assert sum(int(note.split(": ")[1].split()[0]) for note in removed) == 144
    assert "2 users have no training pair" in info.notes
    assert dataset.items()["title"].iloc[0].startswith("Vive Suction Cup Reacher Grabber")
    assert (dataset.items()["title"] != "").all()
    for modality in ("text", "image"):
        source = np.load(real("scientific") / f"{modality}_feat.npy")
        np.testing.assert_array_equal(dataset.features(modality), source)


@pytest.mark.real_data
def test_scientific_as_given_keeps_all_its_rows(home, real):
    info = import_dataset(home, "mmrec", real("scientific"), "scientific", split="as-given")
    assert len(open_dataset(home, "scientific").interactions()) == 19_712
    assert "interaction: 144 rows repeat a pair and were kept as given" in info.notes
    assert "interaction: 19 test pairs are also train pairs" in info.notes


@pytest.mark.real_data
def test_lfm2k_has_the_documented_counts(home, real):
    info = import_dataset(home, "auto", real("lfm2k"), "lfm2k")
    dataset = open_dataset(home, "lfm2k")
    data = ranking_data(dataset)
    assert (info.num_users, info.num_items) == (1_858, 1_425)
    assert (data.train["interaction"].nnz, data.valid.nnz, data.test.nnz) == (44_327, 4_799, 7_219)
    assert fill(home, dataset)["modalities"] == {"audio": [1_425, 128], "text": [1_425, 384]}
    assert any(note.startswith("audio: not centred, not normalised") for note in info.notes)
    standard = import_dataset(home, "mmrec", real("lfm2k"), "standard", features="standard")
    audio = open_dataset(home, "standard").features("audio")
    assert standard.content_hash != info.content_hash
    assert abs(float(audio.mean())) < 1e-5
