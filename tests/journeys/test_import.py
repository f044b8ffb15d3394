"""A stranger's event log, from the file to its profile, in a real browser against the real server."""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, urlsplit

import pytest

from core.data.dataset import open_dataset
from core.home import Home
from core.runs.folder import open_run
from tests.journeys.browser import ARGUMENTS, running_server
from tests.journeys.made_events import ITEMS, USERS, write_events
from tests.journeys.processes import end_supervisor
from tests.journeys.watching import listen, shown, still

if TYPE_CHECKING:
    from playwright.sync_api import Page

pytestmark = [pytest.mark.journey, pytest.mark.timeout(900)]
A_MINUTE = 60_000
EPOCHS = 8
EXPERTS = "Which experts decide a recommendation, and do the tasks get in each other's way?"


@pytest.fixture
def home(tmp_path: Path) -> Home:
    """A home that holds nothing yet."""
    return Home(tmp_path / "home")


@pytest.fixture
def server(home: Home) -> Iterator[str]:
    """A server over the empty home; what it started ends with the test."""
    home.root.mkdir()
    try:
        with running_server(home.root) as url:
            yield url
    finally:
        end_supervisor(home)


def choose(page: "Page", label: str, value: str) -> None:
    """Pick `value` in the select box `label` once the page stands still: what is drawn again closes its list."""
    from playwright.sync_api import expect

    still(page)
    box = page.get_by_role("combobox", name=label, exact=True)
    box.click()
    page.keyboard.type(value)
    page.get_by_role("option", name=value, exact=True).click()
    expect(page.get_by_role("combobox", name=label, exact=True)).to_have_value(value)


def trained(page: "Page", system: str, preset: str, protocol: str) -> str:
    """Train `system` for a few epochs on the data the page is about, wait for its test metrics, and return the run's id."""
    page.get_by_role("link", name="Train", exact=False).first.click()
    shown(page.get_by_role("heading", name="What should be trained, and how?"))
    for label, value in (("System", system), ("Preset", preset), ("Protocol", protocol)):
        choose(page, label, value)
    still(page)
    page.goto(f"{page.url}&set=epochs%3D{EPOCHS}")
    page.get_by_role("button", name="Train 1 run").click()
    shown(page.get_by_role("heading", name="What are my runs doing?"))
    shown(page.get_by_text("Finished after"), 4 * A_MINUTE)
    shown(page.get_by_text("Test metrics", exact=False).first)
    return parse_qs(urlsplit(page.url).query)["run"][0]


def tick_two_runs(page: "Page") -> None:
    """Tick the first two rows of the table of runs, which is a canvas."""
    table = page.get_by_test_id("stDataFrame").first
    table.locator("canvas").first.wait_for(timeout=A_MINUTE)
    place = table.bounding_box()
    assert place is not None
    for row, label in ((0, "Untick all"), (1, "Compare 2 runs")):
        page.mouse.click(place["x"] + 16, place["y"] + 55 + 35 * row)
        page.get_by_role("button", name=label).wait_for(timeout=A_MINUTE)


def test_a_stranger_imports_a_log_trains_two_systems_and_compares_them(
    chromium: str, server: str, home: Home, tmp_path: Path
) -> None:
    from playwright.sync_api import sync_playwright

    log = write_events(tmp_path / "Bestellungen März.csv")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=ARGUMENTS)
        page = browser.new_page(viewport={"width": 1440, "height": 900})
        complaints = listen(page)

        page.goto(server)
        page.get_by_test_id("stMain").get_by_role("link", name="Import your own data").click()
        shown(page.get_by_role("heading", name="What is in my data, and how should it be read?"))
        page.locator("input[type=file]").set_input_files(log)
        shown(page.get_by_text("The first 20 rows", exact=False))
        shown(page.get_by_text("Choose the column of the user and the item."))
        assert "job=" in page.url

        choose(page, "User", "Besucher")
        choose(page, "Item", "Artikel-Nr")
        choose(page, "Behaviour", "Ereignis")
        choose(page, "Time", "Wann")
        shown(page.get_by_role("combobox", name="Target", exact=True))
        page.get_by_role("button", name="Check", exact=True).click()
        shown(page.get_by_text("It goes on if you close this page", exact=False))
        page.reload()
        shown(page.get_by_text("Nothing stands in the way.", exact=False), A_MINUTE)
        shown(page.get_by_text(f"{USERS:,} users, {ITEMS} items", exact=False))
        assert not home.datasets.exists()

        page.get_by_role("button", name="Import", exact=True).click()
        shown(page.get_by_text("is stored in", exact=False), A_MINUTE)
        page.get_by_role("button", name="Look at the data").click()
        shown(page.get_by_role("heading", name="What is in this data, and what can it teach?"))
        shown(page.locator(".js-plotly-plot").first, A_MINUTE)
        assert "dataset=bestellungen_marz" in page.url

        first = trained(page, "CIGF", "small", "sampled99")
        second = trained(page, "LightGCN_M", "small", "sampled99")
        tick_two_runs(page)
        page.get_by_role("button", name="Compare 2 runs").click()
        shown(page.get_by_role("heading", name="Which of these runs is better, and on what?"))
        shown(page.get_by_text("is ahead of", exact=False).first, A_MINUTE)
        assert {first, second} <= set(parse_qs(urlsplit(page.url).query)["runs"][0].split(","))

        page.goto(f"{server}/runs?run={first}")
        page.get_by_role("button", name="See its experts").click()
        shown(page.get_by_role("heading", name=EXPERTS))
        shown(page.locator(".js-plotly-plot").first, A_MINUTE)
        shown(page.get_by_text("add_to_cart", exact=False).first)

        assert page.get_by_test_id("stException").count() == 0
        assert complaints == []
        browser.close()

    assert {open_run(home, run).recipe().config["epochs"] for run in (first, second)} == {EPOCHS}
    info = open_dataset(home, "bestellungen_marz").info
    assert (info.num_users, info.num_items) == (USERS, ITEMS)
    assert info.behaviors == ("view", "add_to_cart", "buy")
    assert info.source == "Bestellungen_März.csv (uploaded)"
    assert not list(home.imports.glob("*/files"))
