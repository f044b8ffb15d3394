"""The dashboard as a user meets it: the real server as a process, and Chromium to look at it."""

import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from core.errors import ConfigError
from core.home import Home
from core.runs.workers import PROJECT_ROOT

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
_ALONE_SECONDS, _DRAW_WITHIN = 4.0, 60_000
_SETTLED = """() => {
  const app = document.querySelector('[data-testid=stApp]');
  const loads = '[data-testid=stAppSkeleton], [data-testid=stSkeleton], [data-testid=stSpinner]';
  return app && app.dataset.testScriptState === 'notRunning' && !document.querySelector(loads);
}"""
# What the browser itself has recorded since the navigation, read afterwards: `buffered` entries of the Performance API.
_RECORDED = """() => new Promise(done => {
  const entries = { paint: [], 'largest-contentful-paint': [], longtask: [] };
  for (const type of Object.keys(entries))
    new PerformanceObserver(list => entries[type].push(...list.getEntries())).observe({ type, buffered: true });
  const inMain = entry => entry.element && entry.element.closest('[data-testid=stMainBlockContainer]');
  setTimeout(() => done({
    first: Math.min(...entries.paint.filter(e => e.name === 'first-contentful-paint').map(e => e.startTime)),
    title: Math.min(...entries['largest-contentful-paint'].filter(inMain).map(e => e.startTime)),
    busy: Math.max(0, ...entries.longtask.map(e => e.startTime + e.duration)),
  }), 200);
})"""


@dataclass(frozen=True)
class Paint:
    """Seconds from the start of the navigation. first: the browser's first contentful paint. title: when the page's own
    title was on screen, or the first larger text of its main part (the browser's first largest contentful paint there).
    busy: the end of the last task that held the page up for 50 ms, 0 if none did.
    """

    first: float
    title: float
    busy: float


def chromium_path() -> str | None:
    """The Chromium of RELSCOPE_CHROMIUM, else the first one on the PATH, else None."""
    return os.environ.get("RELSCOPE_CHROMIUM") or next(filter(None, map(shutil.which, CHROMIUM_NAMES)), None)


def required_chromium() -> str:
    """The path of Chromium. Raises ConfigError where playwright or Chromium is missing, saying how to get it."""
    if find_spec("playwright") is None:
        raise ConfigError(
            "this benchmark looks at the pages in a browser and needs playwright, which only developers install; "
            "`make setup-dev` installs it"
        )
    path = chromium_path()
    if path is None or not Path(path).exists():
        raise ConfigError(
            f"no Chromium is found at {path or 'the usual names on the PATH'}; install it (Debian: `apt-get install "
            "chromium`) or name its file in RELSCOPE_CHROMIUM"
        )
    return path


def painted(address: str) -> Paint:
    """Open `address` in a browser just started (no cache, no cookies), 1440 x 900, and read when it painted.

    Nothing is attached to the browser while it loads: a debugger that follows every request, as playwright does, makes
    a page of a hundred scripts half as slow again. It is asked afterwards what it recorded. Raises ConfigError if the
    page shows no title in that time.
    """
    with (
        tempfile.TemporaryDirectory(prefix="relscope-browser-", ignore_cleanup_errors=True) as profile,
        _browser(Path(profile)) as port,
    ):
        quoted = urllib.parse.quote(address, safe="")
        _ask(f"http://127.0.0.1:{port}/json/new?{quoted}", method="PUT")
        time.sleep(_ALONE_SECONDS)
        recorded = _recorded(port, address)
    if recorded["title"] is None or recorded["title"] > 1000 * _ALONE_SECONDS:
        raise ConfigError(
            f"{address} showed no title within {_ALONE_SECONDS:.0f} s; open it by hand and read the server's log, or "
            "measure on a machine that does nothing else"
        )
    return Paint(*(float(recorded[name] or 0) / 1000 for name in ("first", "title", "busy")))


def _recorded(port: int, address: str) -> dict[str, float | None]:
    """Milliseconds by name; None where the browser saw nothing of the kind."""
    from playwright.sync_api import TimeoutError as PlaywrightTimeoutError
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.connect_over_cdp(f"http://127.0.0.1:{port}")
        pages = [page for context in browser.contexts for page in context.pages]
        page = next((page for page in pages if page.url.startswith("http")), None)
        if page is None:
            raise ConfigError(f"{address} did not open; open it by hand and read the server's log")
        try:
            page.wait_for_function(_SETTLED, timeout=_DRAW_WITHIN)
            return dict(page.evaluate(_RECORDED))
        except PlaywrightTimeoutError as error:
            raise ConfigError(
                f"{address} did not come to rest within {_DRAW_WITHIN / 1000:.0f} s; open it by hand and "
                "read the server's log"
            ) from error


@contextmanager
def _browser(profile: Path) -> Iterator[int]:
    """A headless Chromium of its own at rest, and the port on which it listens."""
    port = _free_port()
    ours = ("--headless=new", f"--remote-debugging-port={port}", f"--user-data-dir={profile}")
    command = [required_chromium(), *ours, "--window-size=1440,900", *CHROMIUM_ARGUMENTS, "about:blank"]
    quiet = subprocess.DEVNULL
    process = subprocess.Popen(command, stdout=quiet, stderr=quiet, start_new_session=True)
    try:
        _await_answer(f"http://127.0.0.1:{port}/json/version", process)
        time.sleep(1.5)  # its own start-up is not the page's
        yield port
    finally:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


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
            try:
                _await_answer(f"http://127.0.0.1:{port}/_stcore/health", process)
            except ConfigError as error:
                tail = said.read_text(errors="replace")[-500:]
                raise ConfigError(f"the dashboard did not start: {tail}; try `make app`") from error
            yield f"http://127.0.0.1:{port}", process
        finally:
            process.terminate()
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def _await_answer(url: str, process: "subprocess.Popen[bytes]") -> None:
    """Wait until `url` answers. Raises ConfigError if the process ends before, or a minute passes."""
    deadline = time.monotonic() + _START_WITHIN
    while process.poll() is None and time.monotonic() < deadline:
        with suppress(urllib.error.URLError, OSError):
            if _ask(url) == 200:
                return
        time.sleep(0.05)
    raise ConfigError(
        f"nothing answered at {url}: the process ended with {process.returncode}"
        if process.returncode is not None
        else f"nothing answered at {url} within {_START_WITHIN:.0f} s"
    )


def _ask(url: str, method: str = "GET") -> int:
    with urllib.request.urlopen(urllib.request.Request(url, method=method), timeout=5) as answer:
        return int(answer.status)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
