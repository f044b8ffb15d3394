"""From the training form to what a system learned: what journeys over several systems have in common."""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, urlsplit

import pytest

from core.home import Home
from tests.dashboard.stored_runs import tiny_demo
from tests.journeys.browser import running_server
from tests.journeys.processes import end_supervisor
from tests.journeys.watching import shown

if TYPE_CHECKING:
    from playwright.sync_api import Page

A_MINUTE = 60_000
# the page stands still at a new address, the choice is made, and a figure or table stands beneath it
_DRAWN_BENEATH = """([choice, before]) => {
    if (location.href === before) return false;
    const picked = [...document.querySelectorAll("[role=radio][aria-checked=true]")].find(e => e.innerText.includes(choice));
    if (!picked || !document.querySelector("[data-test-script-state=notRunning]")) return false;
    const drawn = document.querySelectorAll(".js-plotly-plot .main-svg, [data-testid=stDataFrame] canvas, [data-testid=stTable]");
    return [...drawn].some(e => e.getBoundingClientRect().top > picked.getBoundingClientRect().bottom);
}"""


@pytest.fixture
def home(tmp_path: Path) -> Home:
    """A home that holds the tiny demo data alone."""
    tiny_demo(Home(tmp_path))
    return Home(tmp_path)


@pytest.fixture
def server(home: Home) -> Iterator[str]:
    """A server over it; what it started ends with the test."""
    try:
        with running_server(home.root) as url:
            yield url
    finally:
        end_supervisor(home)


def trained(page: "Page", address: str) -> str:
    """Train what `address` sets up, wait for its end, and return the run's id."""
    page.goto(address)
    page.get_by_role("button", name="Train 1 run").click()
    shown(page.get_by_role("heading", name="What are my runs doing?"))
    shown(page.get_by_text("Finished after"), 2 * A_MINUTE)
    shown(page.get_by_text("Test metrics", exact=False).first)
    return parse_qs(urlsplit(page.url).query)["run"][0]


def looked_into(page: "Page", *details: str) -> None:
    """Open every detail of the page, and see that something is drawn beneath and nothing is complained of."""
    for detail in details:
        choice = page.get_by_role("radio", name=detail)
        before = "" if choice.is_checked() else page.url
        choice.click()
        page.wait_for_function(_DRAWN_BENEATH, arg=[detail, before], timeout=A_MINUTE)
        assert page.get_by_test_id("stException").count() == 0
        assert page.get_by_test_id("stAlertContentError").count() == 0
