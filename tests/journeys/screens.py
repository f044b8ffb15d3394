"""Photographs every page, light and dark, wide and narrow: `python tests/journeys/screens.py URL FOLDER [RUN_ID [RUN_ID,RUN_ID]]`.

For the eye, not for a machine: look at the pictures, fix what is wrong, take them again.
"""

import sys
from itertools import product
from pathlib import Path

from playwright.sync_api import Page, sync_playwright

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from tests.journeys.browser import ARGUMENTS, chromium_path

PAGES = (
    "home",
    "train",
    "runs",
    "compare",
    "data",
    "import",
    "relations",
    "experts",
    "information",
    "longtail",
    "alignment",
    "structure",
    "nodes",
)
SIZES = {"wide": (1440, 900), "narrow": (800, 900)}


def settle(page: Page) -> None:
    """Wait until the page has drawn and nothing is being computed."""
    page.locator("h1").first.wait_for(timeout=30_000)
    page.wait_for_timeout(1_500)
    page.locator("[data-testid=stSkeleton], [data-testid=stSpinner]").first.wait_for(
        state="hidden", timeout=30_000
    )
    page.wait_for_timeout(500)


def photograph(url: str, folder: Path, run_id: str | None, compared: str | None) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium_path(), args=ARGUMENTS)
        for (size, (width, height)), scheme in product(SIZES.items(), ("light", "dark")):
            context = browser.new_context(viewport={"width": width, "height": height}, color_scheme=scheme)
            page = context.new_page()
            for name in PAGES:
                path = "" if name == "home" else name
                query = (
                    f"?run={run_id}"
                    if run_id
                    and name
                    in (
                        "runs",
                        "relations",
                        "experts",
                        "information",
                        "longtail",
                        "alignment",
                        "structure",
                        "nodes",
                    )
                    else ""
                )
                query = f"?runs={compared}" if compared and name == "compare" else query
                page.goto(f"{url}/{path}{query}")
                settle(page)
                # the app scrolls inside a container: give the window the height of its content
                tall = (
                    page.evaluate("document.querySelector('[data-testid=stMainBlockContainer]').scrollHeight")
                    + 60
                )
                page.set_viewport_size({"width": width, "height": max(height, min(int(tall), 5000))})
                page.wait_for_timeout(700)
                page.screenshot(path=folder / f"{name}-{size}-{scheme}.png")
                page.set_viewport_size({"width": width, "height": height})
            context.close()
        browser.close()


if __name__ == "__main__":
    named = [*sys.argv[3:5], None, None]
    photograph(sys.argv[1].rstrip("/"), Path(sys.argv[2]), named[0], named[1])
