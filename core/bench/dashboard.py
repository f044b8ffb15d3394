"""`bench dashboard`: the first paint of every page and the server's memory, with 200 runs stored."""

import os
import signal
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

import psutil

from core.bench.browser import Paint, chromium, first_paint, server
from core.bench.stored_home import write_stored_home
from core.errors import ConfigError
from core.home import Home
from core.runs.index import reindex
from core.runs.processes import signal_group
from core.runs.state import supervisor_state
from core.runs.workers import PROJECT_ROOT

if TYPE_CHECKING:
    from playwright.sync_api import Browser

RUNS = 200
BUDGET_SECONDS = 1.5
BUDGET_BYTES = 250_000_000
_COLD_ROUNDS, _WARM_ROUNDS = 3, 5


@dataclass(frozen=True)
class PageTimes:
    """Medians in seconds. cold: the first visit after a server's start; warm: a later one, in a fresh browser."""

    cold: float
    warm: float
    cold_settled: float
    warm_settled: float

    @property
    def worst(self) -> float:
        return max(self.cold, self.warm)


@dataclass(frozen=True)
class DashboardReport:
    """Times by page, and the server's resident memory (bytes) after every page was visited."""

    pages: dict[str, PageTimes]
    memory: int
    runs: int
    load: float

    @property
    def seconds(self) -> float:
        """First paint of the slowest page."""
        return max(times.worst for times in self.pages.values())

    def in_words(self) -> str:
        head = f"{'page':16} {'cold':>7} {'warm':>7}   {'cold, settled':>13} {'warm, settled':>13}"
        rows = [
            f"{name:16} {t.cold:6.2f}s {t.warm:6.2f}s   {t.cold_settled:12.2f}s {t.warm_settled:12.2f}s"
            for name, t in self.pages.items()
        ]
        slowest = max(self.pages, key=lambda name: self.pages[name].worst)
        worst = f"slowest first paint {self.seconds:.2f} s ({slowest}), budget {BUDGET_SECONDS} s"
        memory = (
            f"server {self.memory / 1e6:.0f} MB with {self.runs} runs, budget {BUDGET_BYTES / 1e6:.0f} MB"
        )
        return "\n".join([head, *rows, worst, f"{memory}; load average {self.load:.1f}"])

    def as_dict(self) -> dict[str, Any]:
        return {
            "name": "dashboard",
            "unit": "first paint of the slowest page",
            "reference_seconds": BUDGET_SECONDS,
            "seconds": self.seconds,
            "ratio": BUDGET_SECONDS / self.seconds,
            "rounds": _WARM_ROUNDS,
            "device": "cpu",
            "detail": {
                "pages": {name: vars(times) for name, times in self.pages.items()},
                "server_bytes": self.memory,
                "server_bytes_budget": BUDGET_BYTES,
                "runs": self.runs,
                "cores": os.cpu_count(),
                "load_average": self.load,
            },
        }


def bench_dashboard(runs: int = RUNS) -> DashboardReport:
    """Measure every page of the app on a generated home, whose folder is removed afterwards.

    A first visit is cold: the server has just said that it is healthy, no supervisor lives, and the browser has no cache.
    `reference_seconds` is the budget, so a ratio above 1 keeps it. Raises ConfigError where playwright or Chromium is missing.
    """
    with tempfile.TemporaryDirectory(prefix="relscope-bench-") as folder, chromium() as browser:
        home = Home(Path(folder))
        ids = write_stored_home(home, runs)
        reindex(home)
        pages, query = _page_names(), _selection(ids)
        cold = {name: [_cold(browser, home, name, query) for _ in range(_COLD_ROUNDS)] for name in pages}
        with _no_supervisor_after(home), server(home) as (url, process):
            _visit_all(browser, url, pages, query)
            rounds = [_visit_all(browser, url, pages, query) for _ in range(_WARM_ROUNDS)]
            memory = psutil.Process(process.pid).memory_info().rss
            load = os.getloadavg()[0]
        warm = {name: [one[name] for one in rounds] for name in pages}
        return DashboardReport(
            {name: _times(cold[name], warm[name]) for name in pages}, memory, len(ids), load
        )


def _page_names() -> list[str]:
    """Every page of the app by the name of its script, the start page first. Raises ConfigError where there is none."""
    folder = PROJECT_ROOT / "pages"
    names = sorted((path.stem for path in folder.glob("*.py")), key=lambda name: (name != "home", name))
    if not names:
        raise ConfigError(f"{folder}: there are no pages to visit; run the benchmark in a checkout")
    return names


def _selection(ids: list[str]) -> str:
    """A query that selects real content on every page: a finished CIGF run, and three runs to compare."""
    cigf = next((run_id for run_id in ids if run_id.endswith("-cigf")), ids[0])
    return urlencode({"run": cigf, "runs": ",".join(ids[:3]), "dataset": "demo"})


def _address(url: str, page: str, query: str) -> str:
    return f"{url}/?{query}" if page == "home" else f"{url}/{page}?{query}"


def _cold(browser: "Browser", home: Home, page: str, query: str) -> Paint:
    with _no_supervisor_after(home), server(home) as (url, _):
        return first_paint(browser, _address(url, page, query))


def _visit_all(browser: "Browser", url: str, pages: list[str], query: str) -> dict[str, Paint]:
    return {page: first_paint(browser, _address(url, page, query)) for page in pages}


def _times(cold: list[Paint], warm: list[Paint]) -> PageTimes:
    return PageTimes(
        *(median(paint.drawn for paint in paints) for paints in (cold, warm)),
        *(median(paint.settled for paint in paints) for paints in (cold, warm)),
    )


@contextmanager
def _no_supervisor_after(home: Home) -> Iterator[None]:
    """End the supervisor that the visited server has started, or is still starting."""
    try:
        yield
    finally:
        deadline = time.monotonic() + 10.0
        while (state := supervisor_state(home)) is None and time.monotonic() < deadline:
            time.sleep(0.1)
        if state:
            signal_group(state.identity, signal.SIGTERM)
            while supervisor_state(home) and time.monotonic() < deadline:
                time.sleep(0.05)
