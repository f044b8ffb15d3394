"""EGRA with its pretraining and SRGFormer, from the training form to what they learned, in a real browser on a tiny demo."""

import pytest

from core.home import Home
from core.runs.folder import open_run
from tests.journeys.browser import ARGUMENTS
from tests.journeys.training import home, looked_into, server, trained
from tests.journeys.watching import listen, shown

__all__ = ["home", "server"]
pytestmark = [pytest.mark.journey, pytest.mark.timeout(300)]


def test_multimodal_systems_are_trained_and_looked_at(chromium: str, server: str, home: Home) -> None:
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=ARGUMENTS)
        page = browser.new_page(viewport={"width": 1440, "height": 900})
        complaints = listen(page)

        egra = trained(
            page, f"{server}/train?dataset=demo&system=egra&set=epochs%3D4&set=pretrain_epochs%3D3"
        )
        shown(page.get_by_text("Builds on"))
        parent = open_run(home, egra).status().parent
        assert parent is not None
        assert [open_run(home, run).status().epochs for run in (egra, parent)] == [4, 3]
        page.get_by_role("button", name="See its alignment").click()
        shown(
            page.get_by_role("heading", name="Do modalities agree with behaviour, and what links the items?")
        )
        shown(page.get_by_text("agreement of users", exact=False).first)
        looked_into(page, "What does the fusion take?", "What links the items?", "What does it build on?")
        shown(page.locator(f"a[href*='run={parent}']").first)

        page.goto(f"{server}/runs?run={egra}")
        page.get_by_role("button", name="See its long tail").click()
        shown(page.get_by_role("heading", name="Who gains: popular items or the long tail?"))
        looked_into(page, "For whom?", "What is recommended?", "Which items?")

        trained(page, f"{server}/train?dataset=demo&system=srgformer&set=epochs%3D3")
        page.get_by_role("button", name="See its structure").click()
        shown(
            page.get_by_role("heading", name="What do hyperedges group, and which past interactions count?")
        )
        looked_into(page, "What defines a hyperedge?", "Do they follow categories?", "One user's history")
        looked_into(page, "Popular or rare items?", "How focused is attention?", "What does each branch add?")

        assert page.get_by_test_id("stException").count() == 0
        assert complaints == []
        browser.close()
