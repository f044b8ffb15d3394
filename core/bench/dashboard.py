"""`bench dashboard`: the first paint of every page and the server's memory, with 200 runs stored."""

import os
import signal
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from statistics import median
from typing import Any
from urllib.parse import urlencode

import psutil

from core.bench.browser import Paint, painted, required_chromium, server
from core.bench.stored_home import write_stored_home
from core.errors import ConfigError
from core.home import Home
from core.runs.index import reindex
from core.runs.processes import signal_group
from core.runs.state import supervisor_state
from core.runs.workers import PROJECT_ROOT

RUNS = 200
BUDGET_SECONDS = 1.5
BUDGET_BYTES = 250_000_000
_COLD_ROUNDS, _WARM_ROUNDS = 3, 3


@dataclass(frozen=True)
class PageTimes:
    """Medians of `Paint` over the rounds. cold: the first visit after a server's start; warm: a later one."""

    cold: Paint
    warm: Paint

    @property
    def worst(self) -> float:
        """Seconds until the page's own title is on screen, not just the frame around it."""
        return max(self.cold.title, self.warm.title)


@dataclass(frozen=True)
class DashboardReport:
    """Times by page, and the server's resident memory (bytes) after every page was visited."""

    pages: dict[str, PageTimes]
    memory: int
    runs: int
    load: float

    @property
    def seconds(self) -> float:
        """First paint of the title on the slowest page."""
        return max(times.worst for times in self.pages.values())

    def in_words(self) -> str:
        head = f"{'page':12} {'first paint':>13} {'title':>13} {'busy until':>13}    (first visit / later)"
        rows = [
            f"{name:12} "
            + " ".join(
                f"{getattr(t.cold, what):5.2f} / {getattr(t.warm, what):.2f}s".rjust(13)
                for what in ("first", "title", "busy")
            )
            for name, t in self.pages.items()
        ]
        slowest = max(self.pages, key=lambda name: self.pages[name].worst)
        worst = f"slowest title {self.seconds:.2f} s ({slowest}), budget {BUDGET_SECONDS} s"
        memory = (
            f"server {self.memory / 1e6:.0f} MB with {self.runs} runs, budget {BUDGET_BYTES / 1e6:.0f} MB"
        )
        return "\n".join([head, *rows, worst, f"{memory}; load average {self.load:.1f}"])

    def as_dict(self) -> dict[str, Any]:
        return {
            "name": "dashboard",
            "unit": "first paint of the title on the slowest page",
            "reference_seconds": BUDGET_SECONDS,
            "seconds": self.seconds,
            "ratio": BUDGET_SECONDS / self.seconds,
            "rounds": _WARM_ROUNDS,
            "device": "cpu",
            "detail": {
                "pages": {name: asdict(times) for name, times in self.pages.items()},
                "server_bytes": self.memory,
                "server_bytes_budget": BUDGET_BYTES,
                "runs": self.runs,
                "cores": os.cpu_count(),
                "load_average": self.load,
            },
        }


def bench_dashboard(runs: int = RUNS) -> DashboardReport:
    """Measure every page of the app on a generated home, whose folder is removed afterwards.

    Every visit has a browser of its own. A first visit is the first of its server, and no supervisor lives.
    `reference_seconds` is the budget, so a ratio above 1 keeps it. Raises ConfigError where playwright or Chromium is missing.
    """
    required_chromium()
    with tempfile.TemporaryDirectory(prefix="relscope-bench-") as folder:
        home = Home(Path(folder))
        ids = write_stored_home(home, runs)
        reindex(home)
        pages, query = _page_names(), _selection(ids)
        cold = {name: [_cold(home, name, query) for _ in range(_COLD_ROUNDS)] for name in pages}
        with _no_supervisor_after(home), server(home) as (url, process):
            _visit_all(url, pages, query)
            rounds = [_visit_all(url, pages, query) for _ in range(_WARM_ROUNDS)]
            memory = psutil.Process(process.pid).memory_info().rss
            load = os.getloadavg()[0]
        times = {
            name: PageTimes(_middle(cold[name]), _middle([one[name] for one in rounds])) for name in pages
        }
        return DashboardReport(times, memory, len(ids), load)


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


def _cold(home: Home, page: str, query: str) -> Paint:
    with _no_supervisor_after(home), server(home) as (url, _):
        return painted(_address(url, page, query))


def _visit_all(url: str, pages: list[str], query: str) -> dict[str, Paint]:
    return {page: painted(_address(url, page, query)) for page in pages}


def _middle(paints: list[Paint]) -> Paint:
    return Paint(*(median(getattr(paint, field.name) for paint in paints) for field in fields(Paint)))


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
