"""The first five minutes of a newcomer, in a real browser against the real server and a real training run."""

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from core.data.planted import write_demo
from core.home import Home
from tests.journeys.browser import ARGUMENTS, running_server
from tests.journeys.processes import end_supervisor
from tests.journeys.watching import listen, shown, still

pytestmark = [pytest.mark.journey, pytest.mark.timeout(300)]
TWO_MINUTES = 120_000


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
        still(page)
        picker.click()
        page.keyboard.type("view › buy")
        page.get_by_role("option", name="view › buy › buy").click()
        shown(page.get_by_text("The strongest of the view › buy › buy paths from user"))
        assert "path=view" in page.url

        still(page)
        address = page.url
        page.goto(address)
        shown(page.get_by_text("The strongest of the view › buy › buy paths from user"))
        still(page)

        assert page.get_by_test_id("stException").count() == 0
        assert page.get_by_test_id("stAlert").count() == 0
        assert complaints == []
        browser.close()
