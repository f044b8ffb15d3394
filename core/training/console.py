"""Training in the foreground: a progress bar on a terminal, one JSON line of metrics at the end."""

import json
import signal
import sys
import threading
from typing import Any

from tqdm import tqdm

from core.errors import RelScopeError
from core.home import Home
from core.runs.folder import RunFolder
from core.training.checkpoint import Progress
from core.training.trainer import Stopped
from core.training.worker import work


def train_with_bar(home: Home, run: RunFolder, stopping: threading.Event) -> dict[str, Any]:
    """Carry out `run` until `stopping` is set, with a bar on a terminal; its result. Raises what `work` raises."""
    total = int(run.recipe().config.get("epochs", 1))
    with tqdm(total=total, unit="epoch", disable=not sys.stderr.isatty(), leave=False) as bar:

        def advance(progress: Progress) -> None:
            bar.n = progress.epoch
            bar.refresh()

        return work(home, run, on_epoch=advance, stopping=stopping)


def train_with_progress(home: Home, run: RunFolder, stopping: threading.Event) -> int:
    """Carry out `run` until `stopping` is set; exit status 0 only when it is done, 130 when it was stopped."""
    try:
        entry = train_with_bar(home, run, stopping)
    except Stopped as stop:
        print(
            f"stopped: {stop}; continue with `python -m core train --resume {run.run_id}`",
            file=sys.stderr,
        )
        return 128 + signal.SIGINT
    except (RelScopeError, OSError):
        raise
    except Exception as error:  # noqa: BLE001 - recorded in status.json with its traceback
        print(
            f"error: {type(error).__name__}: {error}; the traceback is in {run.path / 'status.json'}",
            file=sys.stderr,
        )
        return 1
    print(
        json.dumps(
            {
                "run": run.run_id,
                "protocol": run.recipe().protocol.key,
                "epoch": entry["epoch"],
                **entry["metrics"],
            }
        )
    )
    return 0
