"""Writing in pieces: whole users, rising, and the same data set whatever the order and size."""

import dataclasses
import itertools
import os
import random
import signal
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from core.data.dataset import list_datasets, open_dataset
from core.data.writing import by_users, refuse_existing, write_dataset
from core.errors import DataError
from core.locks import locked


def rows_of(seed: int, count: int) -> list[tuple[int, int, str, str]]:
    rng = random.Random(seed)
    return [(rng.randrange(5), rng.randrange(7), rng.choice(["view", "buy"]), "train") for _ in range(count)]


@pytest.mark.parametrize("seed", range(10))
@pytest.mark.parametrize("size", [1, 3, 100])
@pytest.mark.parametrize("ascending", [True, False])
def test_pieces_hold_every_row_once_and_rise_by_whole_users(content, seed, size, ascending):
    rows = rows_of(seed, 23)
    frame = content(sorted(rows) if ascending else rows).interactions
    pieces = list(by_users(frame, size))
    users = [set(piece["user"]) for piece in pieces]
    assert sorted(row for piece in pieces for row in piece.itertuples(index=False, name=None)) == sorted(rows)
    assert all(max(before) < min(after) for before, after in itertools.pairwise(users))
    assert all(len(piece) < size + max(np.bincount(frame["user"])) for piece in pieces)
    assert size < 100 or len(pieces) == 1


def test_no_rows_give_no_pieces(content):
    assert list(by_users(content([]).interactions)) == []


def test_the_content_hash_knows_no_pieces(home, content, monkeypatch):
    made = content(rows_of(1, 40))
    whole = write_dataset(home, "whole", made)
    monkeypatch.setattr("core.data.writing.by_users", lambda rows: by_users(rows, 2))
    pieces = write_dataset(home, "pieces", dataclasses.replace(made, interactions=made.interactions[::-1]))
    assert pieces.content_hash == whole.content_hash


def hooked(monkeypatch, target: str, act) -> None:
    """Have `act` called after every rename to a path called `target`."""
    genuine = Path.rename

    def rename(self: Path, to: Path) -> Path:
        moved = genuine(self, to)
        if Path(to).name == target:
            act()
        return moved

    monkeypatch.setattr(Path, "rename", rename)


class Stop(BaseException):
    """What a signal's handler raises."""


def test_a_signal_between_the_renames_of_a_replacement_loses_nothing(home, content, monkeypatch):
    first = write_dataset(home, "tiny", content(rows_of(1, 40)))

    def stop() -> None:
        raise Stop

    with monkeypatch.context() as patched:
        hooked(patched, "previous", stop)
        with pytest.raises(Stop):
            write_dataset(home, "tiny", content(rows_of(2, 40)), replace=True)
    assert [entry.name for entry in home.datasets.iterdir()] == ["tiny"]
    assert open_dataset(home, "tiny").info == first


@pytest.fixture
def killed(home, content, monkeypatch):
    """The description of a data set whose replacement was killed between its two renames."""
    first = write_dataset(home, "tiny", content(rows_of(1, 40)))
    child = os.fork()
    if not child:
        hooked(monkeypatch, "previous", lambda: os.kill(os.getpid(), signal.SIGKILL))
        write_dataset(home, "tiny", content(rows_of(2, 40)), replace=True)
        os._exit(0)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == -signal.SIGKILL
    assert not home.dataset("tiny").exists()
    return first


def test_a_replacement_killed_between_its_renames_is_undone_by_whoever_looks(home, killed):
    with locked(home.supervisor / "datasets.lock"):
        assert list_datasets(home) == []  # somebody may be between the renames right now
    assert list_datasets(home) == [killed]
    assert list(home.datasets.glob(".*.old")) == []


def test_a_killed_replacement_is_undone_before_its_name_is_opened_or_taken(home, killed):
    with pytest.raises(DataError, match="'tiny' exists"):
        refuse_existing(home, "tiny", replace=False)
    assert open_dataset(home, "tiny").info == killed


def test_of_two_writers_of_one_name_one_is_refused(home, content, monkeypatch):
    genuine = Path.rename

    def slowly(self: Path, to: Path) -> Path:
        time.sleep(0.3)
        return genuine(self, to)

    monkeypatch.setattr(Path, "rename", slowly)

    def attempt(seed: int) -> str:
        try:
            return write_dataset(home, "tiny", content(rows_of(seed, 40))).content_hash
        except DataError as error:
            return str(error)

    with ThreadPoolExecutor(2) as pool:
        told = sorted(pool.map(attempt, range(2)), key=len)
    assert "data set 'tiny' exists" in told[1]
    assert open_dataset(home, "tiny").info.content_hash == told[0]
    assert [entry.name for entry in home.datasets.iterdir()] == ["tiny"]
