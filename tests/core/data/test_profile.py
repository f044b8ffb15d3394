"""The profile against numbers counted by hand."""

import dataclasses
import json

import numpy as np
import pandas as pd
import pytest

from core.data.dataset import open_dataset, write_dataset
from core.data.planted import write_demo
from core.data.profile import profile

ROWS = [
    (0, 1, "view", "train"),
    (0, 4, "view", "train"),
    (2, 3, "view", "train"),
    (0, 4, "cart", "train"),
    (0, 6, "buy", "train"),
    (0, 2, "buy", "train"),
    (2, 6, "buy", "train"),
    (0, 3, "buy", "valid"),
    (0, 4, "buy", "test"),
    (2, 5, "buy", "test"),
    (4, 6, "buy", "test"),
]


@pytest.fixture
def told(home, content):
    write_dataset(home, "tiny", content(ROWS, behaviors=("view", "cart", "buy")))
    return profile(open_dataset(home, "tiny"))


def test_sizes_and_splits(told):
    assert (told["name"], told["users"], told["items"], told["target"]) == ("tiny", 5, 7, "buy")
    assert told["behaviors"] == {
        "view": {"train": 3},
        "cart": {"train": 1},
        "buy": {"train": 3, "valid": 1, "test": 3},
    }
    assert told["density"] == {"view": 3 / 35, "cart": 1 / 35, "buy": 3 / 35}
    assert told["users_without_train_target"] == 3
    assert "time" not in told
    assert not {"nodes", "edges", "classes", "metapaths", "modalities"} & set(told)


def test_leaks(told):
    assert told["test"] == {
        "pairs": 3,
        "users": 3,
        "seen_under_auxiliary": 1,
        "seen_under": {"view": 1, "cart": 1},
        "inside_train_target": 0,
        "pairs_absent_from_train_target": 2,
        "items_absent_from_train_target": 2,
        "pairs_absent_from_all_train": 1,
    }


def test_degrees(told):
    assert told["degrees"]["view"]["user"] == {"mean": 0.6, "median": 0.0, "p90": 1.6, "p99": 1.96, "max": 2}
    assert told["degrees"]["buy"]["item"]["max"] == 2


def test_the_test_inside_train_is_counted_when_split_as_given(home, content):
    write_dataset(home, "leak", content([*ROWS, (0, 4, "buy", "train")], behaviors=("view", "cart", "buy")))
    assert profile(open_dataset(home, "leak"))["test"]["inside_train_target"] == 1


def test_times_leave_out_the_unknown(home, content):
    made = content(ROWS, behaviors=("view", "cart", "buy"))
    times = [5, 9, 3, 4, 5, 6, 7, 8, -1, -1, -1]
    write_dataset(
        home, "timed", dataclasses.replace(made, interactions=made.interactions.assign(timestamp=times))
    )
    assert profile(open_dataset(home, "timed"))["time"] == {"first": 3, "last": 9}


def test_a_single_behavior_has_nothing_auxiliary(home, content):
    rows = [row for row in ROWS if row[2] == "buy"]
    write_dataset(home, "single", content(rows, behaviors=("buy",)))
    told = profile(open_dataset(home, "single"))
    assert told["test"]["seen_under_auxiliary"] == 0
    assert told["test"]["seen_under"] == {}


def test_the_demo_profile_is_json_and_has_every_part(home):
    write_demo(home, num_users=100, num_items=120, audio=True)
    dataset = open_dataset(home, "demo")
    told = json.loads(json.dumps(profile(dataset), allow_nan=False))
    assert told["modalities"] == {"text": [120, 64], "image": [120, 64], "audio": [120, 32]}
    assert told["nodes"] == {"item": 120, "user": 100, "brand": 60, "tag": 40, "shelf": 25}
    assert told["edges"]["bought_by"] == told["behaviors"]["buy"]["train"]
    assert told["classes"] == 4
    assert list(told["metapaths"]) == ["IUI", "IBI", "ITI", "ISI"]
    shelves = pd.read_parquet(dataset.folder / "edges" / "item-placed_on-shelf.parquet")["destination"]
    assert told["metapaths"]["ISI"] == int((np.bincount(shelves) ** 2).sum())
