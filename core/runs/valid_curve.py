"""The validation metric that selects epochs, read on from where the last look ended."""

import json
from pathlib import Path


class ValidCurve:
    """epoch -> value of `valid/<metric>` in metrics.jsonl; after a resume the later row of an epoch counts."""

    def __init__(self) -> None:
        self._cursor = 0
        self._by_epoch: dict[int, float] = {}

    def read_on(self, path: Path, metric: str) -> "ValidCurve":
        """Add the rows written since; a file that shrank or vanished is read from its start."""
        wanted = f'"valid/{metric}"'.encode()
        try:
            with path.open("rb") as file:
                size = file.seek(0, 2)
                if size < self._cursor:
                    self._cursor, self._by_epoch = 0, {}
                file.seek(self._cursor)
                for line in file:
                    if not line.endswith(b"\n"):
                        break
                    self._cursor += len(line)
                    if wanted in line:
                        self._add(line)
        except OSError:
            self._cursor, self._by_epoch = 0, {}
        return self

    def best(self) -> tuple[int | None, float | None]:
        """Epoch and value of the highest, the earliest on ties; (None, None) while there are none."""
        if not self._by_epoch:
            return None, None
        epoch = max(sorted(self._by_epoch), key=self._by_epoch.__getitem__)
        return epoch, self._by_epoch[epoch]

    def _add(self, line: bytes) -> None:
        try:
            row = json.loads(line)
            if row["value"] is not None:
                self._by_epoch[int(row["epoch"])] = float(row["value"])
        except (ValueError, KeyError, TypeError):
            return
