"""A home with the checkerboard stored in it; one thread; settings that the worker changes are put back."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch

from core.home import Home
from tests.core.models import tiny


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Home:
    """Shared by the tests of a file: give every run an id of its own."""
    home = Home(Path(tmp_path_factory.mktemp("home")))
    tiny.stored(home, tiny.checkerboard())
    return home


@pytest.fixture(autouse=True)
def quiet_torch(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("RELSCOPE_THREADS", "1")
    monkeypatch.setenv("CUBLAS_WORKSPACE_CONFIG", os.environ.get("CUBLAS_WORKSPACE_CONFIG", ":4096:8"))
    yield
    torch.use_deterministic_algorithms(False)
