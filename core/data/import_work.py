"""The worker of one browser import: checks or stores the data, and says how far it is in `status.json`."""

import os
import signal
import sys
import time
import traceback
from dataclasses import dataclass, field
from types import FrameType
from typing import Any

from core.data.dataset import open_dataset
from core.data.import_folder import ImportJob, ImportRequest, ImportStatus, ImportSummary, open_job
from core.data.import_jobs import drop_files, has_stored
from core.data.importers.columns import ColumnMap
from core.data.importers.registry import ImportReport, check_import, import_dataset
from core.data.profile_store import fill
from core.errors import DataError, RelScopeError
from core.home import Home

EVERY = 0.4


class Stopped(BaseException):
    """Somebody asked this process to end; not an error of the import."""


@dataclass
class Teller:
    """Writes what becomes of one import, progress at most once in EVERY seconds."""

    job: ImportJob
    now: ImportStatus
    _last: float = field(default=0.0)

    def progress(self, fraction: float, sentence: str) -> None:
        """The importer's callback: a share within 0..1 and what is being done."""
        if time.monotonic() - self._last >= EVERY:
            self._last = time.monotonic()
            self.tell(fraction=min(max(fraction, 0.0), 1.0), sentence=self.job.plain(sentence))

    def tell(self, **changes: Any) -> None:
        self.now = self.now.model_copy(update=changes)
        self.job.write_status(self.now)

    def failed(self, why: str) -> None:
        """End in failure. Uploads are removed unless the form can repair what is wrong."""
        keep = is_mendable(why)
        self.tell(state="failed", finished=time.time(), error=self.job.plain(why), mendable=keep)
        if not keep:
            drop_files(self.job)


def work(home: Home, token: str) -> int:
    """Do what the request of import `token` asks; the exit status. Raises ConfigError, DataError if there is no import."""
    signal.signal(signal.SIGTERM, _stop)
    job = open_job(home, token)
    request = job.request()
    begun = job.stored_status()
    entered = begun.model_copy(update={"started": time.time()})
    teller = Teller(job, begun.model_copy(update={"state": "running", "pid": os.getpid()}))
    teller.tell(sentence="Opening the data")
    reports: list[ImportReport] = []
    is_stopped = False
    try:
        if request is None:
            raise DataError(f"{job.folder / 'request.json'}: is missing or damaged; start the import over")
        if request.act == "check":
            reports.append(_checked(home, job, request, teller))
        else:
            _store(home, job, request, teller, reports)
        signal.signal(signal.SIGTERM, signal.SIG_IGN)  # what is done is told, whoever asks to stop
    except (RelScopeError, OSError) as error:
        teller.failed(str(error))
        return 1
    except MemoryError:
        teller.failed("the data do not fit into the memory of this machine; import a part of them")
        return 1
    except Stopped:
        is_stopped = True
        if request is None or not (reports and has_stored(home, request, entered)):
            teller.tell(
                state="failed",
                finished=time.time(),
                error="the import was stopped; begin it again",
                mendable=True,
            )
            return 1
    except Exception as error:  # noqa: BLE001  the worker's outermost edge: whatever it is must be told
        traceback.print_exc(file=sys.stderr)
        teller.failed(f"unexpected {type(error).__name__} ({error}); please report it with the log")
        return 1
    summary = _summary(job, reports[0])
    teller.tell(state="done", fraction=1.0, sentence="", finished=time.time(), summary=summary)
    if request.act == "import":
        drop_files(job)
        if not is_stopped:
            _profile(home, request.name)
    return 0


def is_mendable(why: str) -> bool:
    """Whether the remedy of a message is an option of the import, rather than another file."""
    return "--" in why.rpartition(";")[2] and "--max-size" not in why


def _checked(home: Home, job: ImportJob, request: ImportRequest, teller: Teller) -> ImportReport:
    layout, source = request.layout, job.source()
    return check_import(home, layout, source, request.name, **_options(request), progress=teller.progress)


def _store(
    home: Home, job: ImportJob, request: ImportRequest, teller: Teller, reports: list[ImportReport]
) -> None:
    """Import the data; the report is appended before anything is stored."""
    import_dataset(
        home,
        request.layout,
        job.source(),
        request.name,
        **_options(request),
        progress=teller.progress,
        told=reports.append,
        origin=_called(job),
    )


def _profile(home: Home, name: str) -> None:
    """Count the profile of what was just stored; whatever hinders it, the data set is there and its page counts again."""
    try:
        signal.signal(signal.SIGTERM, _stop)
        fill(home, open_dataset(home, name))
    except (RelScopeError, OSError, Stopped) as error:
        print(f"{name} was not profiled: {error}", file=sys.stderr)  # noqa: T201  the log


def _called(job: ImportJob) -> str | None:
    """What an upload was called; a path says so itself."""
    origin = job.origin()
    return f"{origin.folder or ', '.join(origin.names)} (uploaded)" if origin.path is None else None


def _options(request: ImportRequest) -> dict[str, Any]:
    return {
        "behaviors": request.behaviors,
        "target": request.target,
        "split": request.split,
        "seed": request.seed,
        "replace": request.replace,
        "columns": ColumnMap(**request.columns) if request.columns else None,
        "ids": request.ids,
        "features": request.features,
        "target_type": request.target_type,
        "metapaths": request.metapaths,
    }


def _summary(job: ImportJob, report: ImportReport) -> ImportSummary:
    return ImportSummary(
        users=report.users,
        items=report.items,
        pairs=report.pairs,
        split_rule=report.split_rule,
        notes=tuple(job.plain(note) for note in report.notes),
        graph=report.graph,
    )


def _stop(number: int, frame: FrameType | None) -> None:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)  # tidying up is not interrupted once more
    raise Stopped
