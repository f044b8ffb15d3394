"""What the README points at exists."""

import re
from pathlib import Path

import pytest

from core.catalog.systems import CATALOG

ROOT = Path(__file__).resolve().parents[1]
PAGES = ("README.md", "assets/docs/benchmarks.md")


def links(page: str) -> list[str]:
    found = re.findall(r"\]\(([^)#\s]+)\)", (ROOT / page).read_text())
    return [link for link in found if "://" not in link]


@pytest.mark.parametrize(("page", "link"), [(page, link) for page in PAGES for link in links(page)])
def test_a_linked_file_exists(page: str, link: str) -> None:
    assert (ROOT / page).parent.joinpath(link).is_file()


def test_every_runtime_package_is_justified_in_the_readme() -> None:
    text = (ROOT / "README.md").read_text()
    lines = (ROOT / "requirements.txt").read_text().splitlines()
    packages = [line.split("==")[0] for line in lines if "==" in line]
    assert len(packages) > 5
    assert [package for package in packages if package not in text] == []


@pytest.mark.parametrize("key", CATALOG)
def test_every_system_is_listed_in_the_readme(key: str) -> None:
    rows = [line for line in (ROOT / "README.md").read_text().splitlines() if line.startswith("| ")]
    assert any(f"`{key}`" in row for row in rows)
