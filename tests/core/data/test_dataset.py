"""Stored data sets: what is written comes back, and a failure leaves nothing."""

import dataclasses
import json
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from core.data.dataset import damaged_datasets, list_datasets, open_dataset, write_dataset
from core.data.info import DatasetInfo, checked_label
from core.data.writing import DatasetWriter, Provenance
from core.errors import DataError
from core.home import Home

ROWS = [
    (4, 6, "buy", "test"),
    (0, 1, "buy", "train"),
    (0, 1, "view", "train"),
    (3, 0, "buy", "valid"),
    (0, 0, "view", "train"),
]


def leftovers(home) -> list[str]:
    return sorted(entry.name for entry in home.datasets.iterdir()) if home.datasets.is_dir() else []


def test_rows_come_back_sorted_with_ordered_categories(home, content):
    info = write_dataset(home, "tiny", content(ROWS))
    frame = open_dataset(home, "tiny").interactions()
    rows = list(frame.astype({"behavior": str, "split": str}).itertuples(index=False, name=None))
    assert rows == [ROWS[4], ROWS[2], ROWS[1], ROWS[3], ROWS[0]]
    assert list(frame["behavior"].cat.categories) == ["view", "buy"]
    assert list(frame["split"].cat.categories) == ["train", "valid", "test"]
    assert frame["user"].dtype == frame["item"].dtype == np.int32
    assert (info.num_users, info.num_items, info.target) == (5, 7, "buy")
    assert open_dataset(home, "tiny").info == info == list_datasets(home)[0]
    assert leftovers(home) == ["tiny"]


def test_original_ids_and_titles_come_back(home, content):
    made = content(ROWS)
    items = made.items.assign(title=[f"Thing {n}" for n in range(7)])
    write_dataset(home, "tiny", dataclasses.replace(made, items=items))
    dataset = open_dataset(home, "tiny")
    assert dataset.users()["original_id"].tolist() == ["u0", "u1", "u2", "u3", "u4"]
    assert dataset.items()["title"][6] == "Thing 6"


def test_features_come_back_and_unknown_modalities_are_named(home, content):
    matrix = np.arange(21, dtype=np.float32).reshape(7, 3)
    info = write_dataset(home, "tiny", dataclasses.replace(content(ROWS), features={"text": matrix}))
    assert info.modalities == ("text",)
    np.testing.assert_array_equal(open_dataset(home, "tiny").features("text"), matrix)
    with pytest.raises(DataError, match=r"no modality 'image'; it has: text"):
        open_dataset(home, "tiny").features("image")


@pytest.mark.parametrize(
    ("matrix", "message"),
    [
        (np.zeros((6, 3), np.float32), "6 feature rows for 7 items"),
        (np.full((7, 3), np.nan, np.float32), "finite float32"),
        (np.zeros((7, 3)), "finite float32"),
    ],
)
def test_bad_features_are_refused_and_leave_nothing(home, content, matrix, message):
    with pytest.raises(DataError, match=message):
        write_dataset(home, "tiny", dataclasses.replace(content(ROWS), features={"text": matrix}))
    assert leftovers(home) == []


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ((5, 0, "buy", "train"), r"column user: expected integers within 0\.\.4"),
        ((0, 7, "buy", "train"), r"column item: expected integers within 0\.\.6"),
        ((-1, 0, "buy", "train"), "column user"),
        ((0, 0, "like", "train"), "'like' is not one of view, buy"),
        ((0, 0, "buy", "dev"), "'dev' is not one of train, valid, test"),
    ],
)
def test_rows_out_of_range_are_refused_and_leave_nothing(home, content, row, message):
    with pytest.raises(DataError, match=message):
        write_dataset(home, "tiny", content([*ROWS, row]))
    assert leftovers(home) == []


def test_hash_sees_content_and_nothing_else(home, content):
    first = write_dataset(home, "first", content(ROWS))
    again = write_dataset(home, "again", content(ROWS[::-1]))
    other = write_dataset(home, "other", content([*ROWS, (1, 1, "view", "train")]))
    wider = write_dataset(home, "wider", content(ROWS, items=8))
    assert first.content_hash == again.content_hash
    assert len({first.content_hash, other.content_hash, wider.content_hash}) == 3


def test_hash_does_not_depend_on_the_pieces(home, content):
    made = content(ROWS)
    whole = write_dataset(home, "whole", made)
    with DatasetWriter(home, "pieces", made.behaviors) as writer:
        writer.nodes(users=made.users, items=made.items)
        for user in range(5):
            writer.interactions(made.interactions[made.interactions["user"] == user])
        pieces = writer.finish(made.provenance)
    assert pieces.content_hash == whole.content_hash
    pd.testing.assert_frame_equal(
        open_dataset(home, "pieces").interactions(), open_dataset(home, "whole").interactions()
    )


def test_pieces_must_ascend(home, content):
    made = content(ROWS)
    with DatasetWriter(home, "tiny", made.behaviors) as writer:
        writer.nodes(users=made.users, items=made.items)
        writer.interactions(made.interactions)
        with pytest.raises(DataError, match="ascending users"):
            writer.interactions(made.interactions)
    assert leftovers(home) == []


def test_noise_flags_go_to_the_truth_only(home, content):
    made = content(ROWS)
    with DatasetWriter(home, "tiny", made.behaviors) as writer:
        writer.nodes(users=made.users, items=made.items)
        writer.interactions(made.interactions.assign(noise=[False, False, True, False, False]))
        writer.truth("users", pd.DataFrame({"segment": ["a"] * 5}))
        info = writer.finish(made.provenance)
    dataset = open_dataset(home, "tiny")
    assert "noise" not in dataset.interactions()
    assert dataset.truth("edges")["noise"].tolist() == [False, True]
    assert info.content_hash == write_dataset(home, "plain", made).content_hash
    with pytest.raises(DataError, match="keeps no truth about 'items'; it has: edges, users"):
        dataset.truth("items")


def test_an_existing_name_is_refused_and_kept(home, content):
    first = write_dataset(home, "tiny", content(ROWS))
    with pytest.raises(DataError, match=r"'tiny' exists .* --replace"):
        write_dataset(home, "tiny", content(ROWS[:2]))
    assert open_dataset(home, "tiny").info == first


def test_replace_takes_the_name(home, content):
    write_dataset(home, "tiny", content(ROWS))
    write_dataset(home, "tiny", content(ROWS[:2]), replace=True)
    assert len(open_dataset(home, "tiny").interactions()) == 2
    assert leftovers(home) == ["tiny"]


def test_a_failed_replacement_keeps_the_old(home, content):
    first = write_dataset(home, "tiny", content(ROWS))
    with pytest.raises(DataError):
        write_dataset(home, "tiny", content([(99, 0, "buy", "train")]), replace=True)
    assert open_dataset(home, "tiny").info == first
    assert leftovers(home) == ["tiny"]


def test_a_failed_last_rename_brings_the_old_back(home, content, monkeypatch):
    first = write_dataset(home, "tiny", content(ROWS))
    genuine = Path.rename

    def rename(self: Path, target: Path) -> Path:
        if self.name.endswith(".part"):
            raise OSError("disk on fire")
        return genuine(self, target)

    monkeypatch.setattr(Path, "rename", rename)
    with pytest.raises(OSError, match="disk on fire"):
        write_dataset(home, "tiny", content(ROWS[:2]), replace=True)
    assert open_dataset(home, "tiny").info == first
    assert leftovers(home) == ["tiny"]


def test_a_set_without_interactions_is_refused(home, content):
    with pytest.raises(DataError, match="no interactions"):
        write_dataset(home, "tiny", content([]))
    assert leftovers(home) == []


def test_a_home_that_cannot_be_written_is_told(tmp_path, content):
    (tmp_path / "file").touch()
    with pytest.raises(DataError, match="cannot be written"):
        write_dataset(Home(tmp_path / "file"), "tiny", content(ROWS))


def test_missing_names_list_the_available_ones(home, content):
    with pytest.raises(DataError, match="no data sets yet"):
        open_dataset(home, "tiny")
    write_dataset(home, "tiny", content(ROWS))
    with pytest.raises(DataError, match=r"'tinny' does not exist .* Available: tiny"):
        open_dataset(home, "tinny")
    with pytest.raises(DataError, match="not allowed"):
        open_dataset(home, "../tiny")


@pytest.mark.parametrize("damage", ["", "{", '{"name": "tiny"}', "\x00"])
def test_a_damaged_description_is_told_and_does_not_hide_the_others(home, content, damage):
    write_dataset(home, "good", content(ROWS))
    write_dataset(home, "tiny", content(ROWS))
    (home.datasets / "tiny" / "dataset.json").write_text(damage)
    with pytest.raises(DataError, match=r"tiny/dataset\.json: damaged"):
        open_dataset(home, "tiny")
    assert [info.name for info in list_datasets(home)] == ["good"]
    assert list(damaged_datasets(home)) == ["tiny"]


def test_damaged_tables_are_told(home, content):
    write_dataset(home, "tiny", content(ROWS))
    path = home.datasets / "tiny" / "interactions.parquet"
    path.write_bytes(path.read_bytes()[:50])
    with pytest.raises(DataError, match=r"interactions\.parquet: missing or damaged"):
        open_dataset(home, "tiny").interactions()
    path.unlink()
    with pytest.raises(DataError, match=r"interactions\.parquet: missing or damaged"):
        open_dataset(home, "tiny").interactions()


def test_the_stored_table_uses_the_documented_types(home, content):
    write_dataset(home, "tiny", content(ROWS))
    schema = pq.read_schema(home.datasets / "tiny" / "interactions.parquet")
    assert schema.field("user").type == schema.field("item").type == pa.int32()
    assert pa.types.is_dictionary(schema.field("behavior").type)


def test_info_refuses_unknown_keys_and_a_wrong_target(home, content):
    stored = json.loads(write_dataset(home, "tiny", content(ROWS)).model_dump_json())
    for change in ({"extra": 1}, {"target": "view"}, {"content_hash": "abc"}, {"kind": []}):
        with pytest.raises(ValueError):
            DatasetInfo.model_validate({**stored, **change})


@pytest.mark.parametrize("label", ["Buy", "", "a-b", "../x", "é", "x" * 61])
def test_labels_that_cannot_be_file_names_are_refused(label):
    with pytest.raises(DataError, match="not allowed"):
        checked_label(label, "behavior")


def test_provenance_reaches_the_description(home, content):
    made = dataclasses.replace(
        content(ROWS), provenance=Provenance(("multi_behavior",), "s", "i", 3, "last", ("note",), True)
    )
    info = write_dataset(home, "tiny", made)
    assert (info.source, info.importer, info.importer_version) == ("s", "i", 3)
    assert (info.split_rule, info.notes, info.planted) == ("last", ("note",), True)
