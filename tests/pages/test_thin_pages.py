"""Pages stay thin: pick, read, draw. What is longer belongs into a panel."""

from pathlib import Path

import pytest

from dashboard.navigation import SECTIONS, page_file

MOST_LINES = 60
PAGES = sorted((Path(__file__).resolve().parents[2] / "pages").glob("*.py"))


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_a_page_fits_on_a_screen(page: Path) -> None:
    assert len(page.read_text(encoding="utf-8").splitlines()) <= MOST_LINES


def test_every_page_is_listed_and_every_listed_page_exists() -> None:
    listed = {page_file(name) for entries in SECTIONS.values() for name, _, _ in entries}
    assert listed == set(PAGES)
