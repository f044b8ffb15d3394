"""Two runs are ticked, compared, saved as pictures and sent on as a link, in a real browser."""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING
from xml.etree import ElementTree

import pytest

from core.home import Home
from tests.dashboard import stored_runs
from tests.journeys.browser import ARGUMENTS, running_server
from tests.journeys.processes import end_supervisor
from tests.journeys.watching import listen

if TYPE_CHECKING:
    from playwright.sync_api import Page

pytestmark = [pytest.mark.journey, pytest.mark.timeout(300)]
A_MINUTE = 60_000


@pytest.fixture
def server(tmp_path: Path) -> Iterator[str]:
    """A server over a home with two finished runs; what it started ends with the test."""
    home = Home(tmp_path)
    data = stored_runs.tiny_demo(home)
    stored_runs.done_run(home, data)
    stored_runs.done_run(home, data, "base-run", variant="base")
    try:
        with running_server(tmp_path) as url:
            yield url
    finally:
        end_supervisor(home)


def saved(page: "Page", kind: str) -> bytes:
    """What the first figure's button `kind` downloads."""
    with page.expect_download(timeout=A_MINUTE) as waiting:
        page.get_by_role("button", name=kind, exact=True).first.click()
    assert waiting.value.suggested_filename.endswith(f".{kind.lower()}")
    return Path(waiting.value.path()).read_bytes()


@pytest.mark.parametrize(
    ("scheme", "surface"), [("light", "rgb(255, 255, 255)"), ("dark", "rgb(18, 22, 28)")]
)
def test_pictures_are_saved_on_the_page_s_own_surface(chromium, server, scheme, surface) -> None:
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=ARGUMENTS)
        page = browser.new_page(viewport={"width": 1440, "height": 900}, color_scheme=scheme)
        complaints = listen(page)
        page.goto(f"{server}/compare?runs=done-run,base-run")
        page.get_by_text("cannot be told apart").wait_for(timeout=A_MINUTE)
        page.locator(".js-plotly-plot .barlayer path").first.wait_for(timeout=A_MINUTE)
        image = saved(page, "PNG")
        assert image.startswith(b"\x89PNG")
        assert int.from_bytes(image[16:20]) > 1000  # twice the width on the page
        drawing = ElementTree.fromstring(saved(page, "SVG"))
        first = next(drawing.iter("{http://www.w3.org/2000/svg}rect"))
        assert f"fill: {surface}" in first.attrib["style"]
        told = "".join(drawing.itertext())
        assert told.count("CIGF") >= 2
        assert "HR@10" in told
        assert "sampled99" in told
        assert saved(page, "CSV").startswith(b"group,metric,part,seeds,mean")
        page.goto(f"{server}/runs?run=done-run")
        page.locator(".js-plotly-plot .scatterlayer path").first.wait_for(timeout=A_MINUTE)
        curves = "".join(ElementTree.fromstring(saved(page, "SVG")).itertext())
        assert "done-run" in curves
        assert "sampled99" in curves
        assert complaints == []
        browser.close()


def test_a_copied_link_restores_ticked_runs_in_a_fresh_browser(chromium, server) -> None:
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=ARGUMENTS)
        rights = ["clipboard-read", "clipboard-write"]
        page = browser.new_context(viewport={"width": 1440, "height": 900}, permissions=rights).new_page()
        page.goto(f"{server}/runs?find=cigf")
        table = page.get_by_test_id("stDataFrame").first
        table.locator("canvas").first.wait_for(timeout=A_MINUTE)
        place = table.bounding_box()
        assert place is not None
        for row, label in ((0, "Untick all"), (1, "Compare 2 runs")):
            page.mouse.click(place["x"] + 16, place["y"] + 55 + 35 * row)
            page.get_by_role("button", name=label).wait_for(timeout=A_MINUTE)
        page.get_by_role("button", name="Copy link").click()
        page.get_by_role("button", name="Copied").wait_for(timeout=A_MINUTE)
        link = page.evaluate("navigator.clipboard.readText()")
        fresh = browser.new_context(viewport={"width": 1440, "height": 900}).new_page()
        fresh.goto(link)
        fresh.get_by_role("button", name="Compare 2 runs").click(timeout=A_MINUTE)
        fresh.get_by_text("cannot be told apart").wait_for(timeout=A_MINUTE)
        browser.close()
