"""`metrics.jsonl`: the append-only rows of a run's losses, validation metrics, times and memory."""

import json
import math
import os
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class MetricRow:
    """One line of metrics.jsonl. Names: `loss/<term>`, `loss/total`, `valid/<metric>`, `seconds/epoch`, `memory/host`,
    `memory/device` (bytes). `epoch` counts from 1; `time` is unix seconds."""

    step: int
    epoch: int
    name: str
    value: float
    time: float


class MetricWriter:
    """Appends rows to metrics.jsonl; a line cut short by a crash is closed first, so that it spoils no other line."""

    def __init__(self, path: Path) -> None:
        cut_short = path.exists() and path.stat().st_size > 0 and not _ends_with_newline(path)
        self._file = path.open("a", encoding="utf-8")
        if cut_short:
            self._file.write("\n")

    def write(self, step: int, epoch: int, values: dict[str, float]) -> None:
        """Append one row per value. Values that are not finite are stored as null (JSON knows no NaN)."""
        now = round(time.time(), 3)
        for name, value in values.items():
            stored = value if math.isfinite(value) else None
            row = {"step": step, "epoch": epoch, "name": name, "value": stored, "time": now}
            self._file.write(json.dumps(row) + "\n")
        self._file.flush()

    def close(self) -> None:
        self._file.flush()
        os.fsync(self._file.fileno())
        self._file.close()


def read_metrics(path: Path, cursor: int = 0) -> tuple[list[MetricRow], int]:
    """Rows written after byte `cursor`, and the cursor to go on from. Only whole lines are read; a damaged line is skipped.

    After a resume an epoch can occur twice: the later row is the valid one (`latest_rows`).
    """
    if not path.exists():
        return [], cursor
    with path.open("rb") as file:
        file.seek(cursor)
        data = file.read()
    whole = data[: data.rfind(b"\n") + 1]
    return list(_parsed(whole.splitlines())), cursor + len(whole)


def latest_rows(rows: Iterable[MetricRow]) -> list[MetricRow]:
    """`rows` without those that a resumed run has written again: the last row of each (name, epoch, step) stays."""
    return list({(row.name, row.epoch, row.step): row for row in rows}.values())


def _parsed(lines: Iterable[bytes]) -> Iterator[MetricRow]:
    for line in lines:
        try:
            row = json.loads(line)
            value = float("nan") if row["value"] is None else float(row["value"])
            yield MetricRow(int(row["step"]), int(row["epoch"]), str(row["name"]), value, float(row["time"]))
        except (ValueError, KeyError, TypeError):
            continue


def _ends_with_newline(path: Path) -> bool:
    with path.open("rb") as file:
        file.seek(-1, os.SEEK_END)
        return file.read(1) == b"\n"
