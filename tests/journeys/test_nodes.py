"""HGCVAE from the training form to a selection on the map of its nodes, in a real browser on a tiny demo."""

import pytest

from tests.journeys.browser import ARGUMENTS
from tests.journeys.training import A_MINUTE, home, looked_into, server, trained
from tests.journeys.watching import listen, shown

__all__ = ["home", "server"]
pytestmark = [pytest.mark.journey, pytest.mark.timeout(300)]


def test_nodes_are_embedded_and_looked_at(chromium: str, server: str) -> None:
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=ARGUMENTS)
        page = browser.new_page(viewport={"width": 1440, "height": 900})
        complaints = listen(page)

        trained(page, f"{server}/train?dataset=demo&system=hgcvae&set=epochs%3D4&set=num_negatives%3D4")
        page.get_by_role("button", name="See its nodes").click()
        shown(page.get_by_role("heading", name="How well do embeddings tell classes of nodes apart?"))
        shown(page.get_by_text("Scores of 50 linear classifiers").first)
        looked_into(page, "Confused classes", "Clusters", "Metapaths", "Negatives", "Masks and features")
        looked_into(page, "Latent normals", "Map")

        shown(page.get_by_text("Nothing is selected"))
        figure = page.locator(".js-plotly-plot").last
        figure.scroll_into_view_if_needed()
        box = figure.bounding_box()
        assert box is not None
        left, top = box["x"] + 0.1 * box["width"], box["y"] + 0.15 * box["height"]
        right, bottom = box["x"] + 0.9 * box["width"], box["y"] + 0.95 * box["height"]
        page.mouse.move(left, top)
        page.mouse.down()
        for x, y in ((right, top), (right, bottom), (left, bottom), (left, top)):
            page.mouse.move(x, y, steps=8)
        page.mouse.up()
        shown(page.get_by_text("nodes selected of 131", exact=False).first, A_MINUTE)

        assert page.get_by_test_id("stException").count() == 0
        assert complaints == []
        browser.close()
