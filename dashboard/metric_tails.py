"""Metrics files followed from where the last look ended, so that a live page reads only what is new."""

from collections import OrderedDict
from dataclasses import dataclass, field
from pathlib import Path
from threading import Lock

from core.runs.metrics import MetricRow, latest_rows, read_metrics


@dataclass
class MetricTail:
    """What has been read of one metrics.jsonl so far, and where to go on."""

    cursor: int = 0
    rows: list[MetricRow] = field(default_factory=list)


class MetricTails:
    """Follows metrics files from a cursor, so that a live page reads only what is new; the oldest are forgotten."""

    def __init__(self, limit: int = 32) -> None:
        self._tails: OrderedDict[str, MetricTail] = OrderedDict()
        self._limit = limit
        self._lock = Lock()

    def rows(self, path: Path) -> list[MetricRow]:
        """Every row of `path`, rows repeated after a resume only once."""
        with self._lock:
            tail = self._tails.setdefault(str(path), MetricTail())
            if _size(path) < tail.cursor:
                tail.cursor, tail.rows = 0, []
            new, tail.cursor = read_metrics(path, tail.cursor)
            if new:
                tail.rows = latest_rows([*tail.rows, *new])
            self._tails.move_to_end(str(path))
            while len(self._tails) > self._limit:
                self._tails.popitem(last=False)
            return tail.rows


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return 0
