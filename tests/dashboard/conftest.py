"""Quick starts of the app for the tests that open a piece of it."""

import pytest

from tests.quick_apps import quick_app

__all__ = ["quick_app"]


@pytest.fixture(autouse=True)
def _quick(quick_app: None) -> None:
    """Every piece is opened quickly."""
