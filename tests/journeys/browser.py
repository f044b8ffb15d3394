"""The real server and the real browser that journeys drive."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from core.bench.browser import CHROMIUM_ARGUMENTS, chromium_path, server
from core.home import Home

__all__ = ["ARGUMENTS", "chromium_path", "running_server"]
ARGUMENTS = list(CHROMIUM_ARGUMENTS)


@contextmanager
def running_server(home: Path) -> Iterator[str]:
    """The dashboard on a free port of this machine, working on `home`; ended with the block."""
    with server(Home(home)) as (url, _):
        yield url
