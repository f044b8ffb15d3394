"""The browser that journeys drive."""

import os
from pathlib import Path

import pytest

from tests.journeys.browser import chromium_path


@pytest.fixture
def chromium() -> str:
    """The browser; without one the journey is skipped, or fails where RELSCOPE_REQUIRE_BROWSER=1."""
    path = chromium_path()
    if path is None or not Path(path).exists():
        reason = "no Chromium found: install it or name it in RELSCOPE_CHROMIUM"
        if os.environ.get("RELSCOPE_REQUIRE_BROWSER") == "1":
            pytest.fail(reason)
        pytest.skip(reason)
    return path
