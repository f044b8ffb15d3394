"""The first five minutes of a newcomer, in a real browser against the real server and a real training run."""

import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from core.data.planted import write_demo
from core.home import Home
from tests.journeys.browser import ARGUMENTS, chromium_path, running_server
from tests.journeys.processes import end_supervisor

if TYPE_CHECKING:
    from playwright.sync_api import ConsoleMessage, Locator, Page

pytestmark = [pytest.mark.journey, pytest.mark.timeout(300)]
TWO_MINUTES = 120_000


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


@pytest.fixture
def server(tmp_path: Path) -> Iterator[str]:
    """A server over a home that holds the demo data and nothing else; what it started ends with the test."""
    home = Home(tmp_path)
    write_demo(home)
    try:
        with running_server(tmp_path) as url:
            yield url
    finally:
        end_supervisor(home)


def listen(page: "Page") -> list[str]:
    """Errors of the console and of scripts, as they come.

    Streamlit first looks for its server below the page's own path (`/relations/_stcore/health`): that 404 is no error.
    """
    complaints: list[str] = []

    def hear(said: "ConsoleMessage") -> None:
        is_probe = "/_stcore/" in said.location["url"] and "404" in said.text
        if said.type == "error" and not is_probe:
            complaints.append(f"{said.text} {said.location['url']}")

    page.on("console", hear)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    return complaints


def shown(locator: "Locator", timeout: float = 20_000) -> None:
    """Wait until exactly one such element is visible: while Streamlit redraws a page, old and new stand side by side."""
    from playwright.sync_api import expect

    expect(locator).to_have_count(1, timeout=timeout)
    expect(locator).to_be_visible(timeout=timeout)


def test_a_newcomer_trains_cigf_and_sees_its_relations(chromium: str, server: str) -> None:
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=ARGUMENTS)
        page = browser.new_page(viewport={"width": 1440, "height": 900})
        complaints = listen(page)
        begun = time.monotonic()

        page.goto(server)
        page.get_by_role("button", name="Train CIGF on the demo data").click()
        shown(page.get_by_role("heading", name="What are my runs doing?"))

        relations = page.get_by_role("button", name="See its relations")
        shown(page.get_by_text("Finished after"), TWO_MINUTES)
        shown(relations)
        assert time.monotonic() - begun < 120
        shown(page.get_by_text("Test metrics", exact=False).first)

        relations.click()
        shown(page.get_by_role("heading", name="Which relations does the model rely on?"))
        shown(page.get_by_text("weighs most for"))
        shown(page.locator(".js-plotly-plot .heatmaplayer image").first)
        assert "run=" in page.url

        shown(page.get_by_role("heading", name="Through whom does a path reach a recommendation?"))
        picker = page.get_by_role("combobox", name="Path")
        shown(page.get_by_text("paths from user", exact=False).first)
        picker.click()
        page.keyboard.type("view › buy")
        page.get_by_role("option", name="view › buy › buy").click()
        shown(page.get_by_text("The strongest of the view › buy › buy paths from user"))
        assert "path=view" in page.url

        address = page.url
        page.goto(address)
        shown(page.get_by_text("The strongest of the view › buy › buy paths from user"))

        assert page.get_by_test_id("stException").count() == 0
        assert page.get_by_test_id("stAlert").count() == 0
        assert complaints == []
        browser.close()
