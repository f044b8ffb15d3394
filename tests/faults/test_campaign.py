"""A small version of every part of the fault campaign, with real trainings and real servers."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from core.home import Home
from tests.faults import damage, full_disk, read_only
from tests.faults.kills import Kills
from tests.faults.two_servers import TwoServers

pytestmark = [pytest.mark.journey, pytest.mark.timeout(600)]


@pytest.fixture(autouse=True)
def same_environment() -> Iterator[None]:
    """The parts set variables for the processes that they start."""
    before = dict(os.environ)
    yield
    os.environ.clear()
    os.environ.update(before)


def sound(tally: dict) -> None:
    if tally.get("skipped"):
        pytest.skip(tally["skipped"])
    assert tally["bad"] == 0, tally


def test_three_kills_lose_nothing(tmp_path: Path) -> None:
    tally = Kills(Home(tmp_path), kills=3, seed=1).go()
    assert tally["kills"] >= 3
    sound(tally)


def test_a_disk_that_fills_up_loses_nothing(tmp_path: Path) -> None:
    sound(full_disk.go(tmp_path / "disk", rounds=1))


def test_a_read_only_home_is_shown_and_says_what_to_do(tmp_path: Path) -> None:
    sound(read_only.go(tmp_path))


def test_a_server_survives_damaged_files(tmp_path: Path) -> None:
    tally = damage.go(tmp_path, rounds=6, seed=2)
    assert tally["damaged"] == 6
    sound(tally)


def test_two_servers_share_a_home(tmp_path: Path) -> None:
    tally = TwoServers(Home(tmp_path), seconds=20.0, seed=1).go()
    assert sum(tally["actions"].values()) > 0
    sound(tally)
