"""The dashboard as a user meets it: the real server as a process, and Chromium to look at it."""

import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from core.errors import ConfigError
from core.home import Home
from core.runs.workers import PROJECT_ROOT

if TYPE_CHECKING:
    from playwright.sync_api import Browser

CHROMIUM_ARGUMENTS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
CHROMIUM_NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
_START_WITHIN = 60.0
_DRAW_WITHIN = 60_000
# Drawn: the title and two elements of content beneath it, the first being the page's one line of context; what still
# loads does not count as content. Settled: the script has ended and nothing on the page loads. Asked before every frame.
_WATCH = """
(() => {
  const loads = '[data-testid=stAppSkeleton], [data-testid=stSkeleton], [data-testid=stSpinner]';
  window.paint = {};
  const isContent = cell => cell.getBoundingClientRect().height > 1 && !cell.querySelector(loads);
  const look = () => {
    const main = document.querySelector('[data-testid=stMainBlockContainer]');
    const title = main && main.querySelector('h1');
    if (title && title.textContent.trim()) {
      const cells = [...main.querySelectorAll('[data-testid=stElementContainer]')];
      if (cells.filter(isContent).length > 2) window.paint.drawn = window.paint.drawn || performance.now();
      const app = document.querySelector('[data-testid=stApp]');
      const ended = app.dataset.testScriptState === 'notRunning' && !document.querySelector(loads);
      if (window.paint.drawn && ended) window.paint.settled = performance.now();
    }
    if (!window.paint.settled) requestAnimationFrame(look);
  };
  requestAnimationFrame(look);
})()
"""


@dataclass(frozen=True)
class Paint:
    """Seconds from the start of the navigation: to the title and first content, and to the end of the page's script."""

    drawn: float
    settled: float


def chromium_path() -> str | None:
    """The Chromium of RELSCOPE_CHROMIUM, else the first one on the PATH, else None."""
    return os.environ.get("RELSCOPE_CHROMIUM") or next(filter(None, map(shutil.which, CHROMIUM_NAMES)), None)


@contextmanager
def chromium() -> Iterator["Browser"]:
    """A headless browser. Raises ConfigError where playwright or Chromium is missing, saying how to get it."""
    try:
        from playwright.sync_api import sync_playwright
    except ImportError as error:
        raise ConfigError(
            "this benchmark looks at the pages in a browser and needs playwright, which only developers install; "
            "`make setup-dev` installs it"
        ) from error
    path = chromium_path()
    if path is None or not Path(path).exists():
        raise ConfigError(
            f"no Chromium is found at {path or 'the usual names on the PATH'}; install it (Debian: `apt-get install "
            "chromium`) or name its file in RELSCOPE_CHROMIUM"
        )
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=list(CHROMIUM_ARGUMENTS))
        try:
            yield browser
        finally:
            browser.close()


def first_paint(browser: "Browser", address: str) -> Paint:
    """Open `address` in a browser context of its own (no cache, no cookies). Raises ConfigError if it is not drawn."""
    from playwright.sync_api import TimeoutError as PlaywrightTimeoutError

    context = browser.new_context(viewport={"width": 1440, "height": 900})
    try:
        page = context.new_page()
        page.add_init_script(_WATCH)
        page.goto(address, wait_until="commit")
        page.wait_for_function("window.paint && window.paint.settled", timeout=_DRAW_WITHIN)
        paint = page.evaluate("window.paint")
    except PlaywrightTimeoutError as error:
        raise ConfigError(
            f"{address} did not draw a title and content within {_DRAW_WITHIN / 1000:.0f} s; open it by hand and "
            "read the server's log"
        ) from error
    finally:
        context.close()
    return Paint(paint["drawn"] / 1000, paint["settled"] / 1000)


@contextmanager
def server(home: Home, log_file: Path | None = None) -> Iterator[tuple[str, "subprocess.Popen[bytes]"]]:
    """The dashboard on a free port, working on `home`: its address and process, once it answers.

    log_file: where what it prints is appended, by default `server.log` in the home. Raises ConfigError if it does not start.
    """
    port = _free_port()
    command = [sys.executable, "-m", "streamlit", "run", "dashboard/app.py", "--server.port", str(port)]
    environment = os.environ | {"RELSCOPE_HOME": str(home.root)}
    said = log_file or home.root / "server.log"
    with said.open("ab") as log:
        process = subprocess.Popen(command, cwd=PROJECT_ROOT, env=environment, stdout=log, stderr=log)
        try:
            _await_health(f"http://127.0.0.1:{port}", process, said)
            yield f"http://127.0.0.1:{port}", process
        finally:
            process.terminate()
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def _await_health(url: str, process: "subprocess.Popen[bytes]", log: Path) -> None:
    deadline = time.monotonic() + _START_WITHIN
    while process.poll() is None and time.monotonic() < deadline:
        try:
            with urllib.request.urlopen(f"{url}/_stcore/health", timeout=2) as answer:
                if answer.status == 200:
                    return
        except (urllib.error.URLError, OSError):
            time.sleep(0.05)
    raise ConfigError(
        f"the dashboard did not start: {log.read_text(errors='replace')[-500:]}; try `make app`"
    )


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
