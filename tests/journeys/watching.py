"""What a journey watches: complaints of the browser, and elements that come to be seen."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from playwright.sync_api import ConsoleMessage, Locator, Page

_STILL = """() => {
    if (!document.querySelector("[data-test-script-state=notRunning]")) window.lastDrawing = performance.now();
    return performance.now() - window.lastDrawing > 500;
}"""


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


def still(page: "Page", timeout: float = 60_000) -> None:
    """Wait until the page has been drawn to its end for half a second: what is drawn again closes lists that stand open, and the
    downloads of a page left half drawn are gone before Streamlit, which looks at every one it offers, does so."""
    page.evaluate("window.lastDrawing = performance.now()")
    page.wait_for_function(_STILL, timeout=timeout)
