"""What makes the app quick to test: each of its starts looks through every installed package, and each test of significance
is a process of its own; both are tested elsewhere."""

import importlib
import json
import os
from functools import cache
from typing import Any

import pytest
from streamlit.components.v2 import manifest_scanner

from core.errors import RunError
from dashboard import paired

_components = cache(manifest_scanner.scan_component_manifests)


@pytest.fixture
def quick_app(monkeypatch: pytest.MonkeyPatch) -> None:
    """Installed packages are looked through once, and nothing is forced to the disk."""
    monkeypatch.setattr(manifest_scanner, "scan_component_manifests", _components)
    monkeypatch.setattr(os, "fsync", lambda file: None)


@pytest.fixture
def tests_answered_here(monkeypatch: pytest.MonkeyPatch) -> None:
    """Paired tests are computed in this process, by the same function."""

    def answered(module: str, asked: bytes) -> dict[str, Any]:
        said: dict[str, Any] = json.loads(json.dumps(importlib.import_module(module).answer(asked)))
        if "refused" in said:
            raise RunError(said["refused"])
        return said

    monkeypatch.setattr(paired, "_answer", answered)
