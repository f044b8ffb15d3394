"""The worker: carries one run from its recipe to its results, and records however it ends."""

import logging
import threading
import time
import traceback
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from core.catalog.systems import system
from core.data.dataset import open_dataset
from core.errors import DataError, DeviceError, RelScopeError, RunError
from core.home import Home
from core.protocol import Protocol
from core.recipe import Recipe
from core.runs.folder import RunFolder
from core.runs.lock import claimed
from core.runs.worker import device_given, running_now, stop_signals
from core.training.checkpoint import Progress, load_model
from core.training.device import be_deterministic, device_title, pick_device, use_threads
from core.training.environment import write_environment
from core.training.failure import in_words
from core.training.parents import pretrained, stored_embeddings
from core.training.tasks import Task, task_of
from core.training.trainer import Hooks, Stopped, Trainer

_HEARTBEAT_SECONDS = 2.0
log = logging.getLogger("relscope")
OnEpoch = Callable[[Progress], None]


def work(
    home: Home,
    run: RunFolder,
    *,
    on_epoch: OnEpoch = lambda progress: None,
    stopping: threading.Event | None = None,
) -> dict[str, Any]:
    """Train or fit the run, evaluate it under its protocol, write everything, and return the final metrics.

    Continues from the last checkpoint if there is one. Whatever happens, status.json says so: `done`; `cancelled` after
    SIGINT or SIGTERM, or once `stopping` is set (raises Stopped); `failed` with message and traceback (the error is raised again).
    """
    with claimed(run), _logged(run), _Beating(run) as beat, _asked(stopping) as asked:
        try:
            entry = _carry_out(home, run, beat, asked, on_epoch)
        except (Stopped, KeyboardInterrupt) as stop:
            reason = str(stop) or "interrupted"
            log.info("cancelled: %s", reason)
            beat.end(state="cancelled", message=_resume_hint(run, reason))
            raise Stopped(reason) from stop
        except RelScopeError as error:
            log.error("failed: %s", error)
            beat.end(state="failed", error={"message": str(error), "traceback": traceback.format_exc()})
            raise
        except BaseException as error:  # the outermost edge: nothing may end without a status
            log.exception("failed")
            beat.end(state="failed", error={"message": in_words(error), "traceback": traceback.format_exc()})
            raise
        beat.end(state="done", message="")
        return entry


def evaluate_run(home: Home, run: RunFolder, protocol: Protocol) -> dict[str, Any]:
    """Evaluate a finished run under another protocol; its stored results are kept. Raises RunError if it is not done."""
    status = run.status()
    if status.state != "done":
        raise RunError(f"run {run.run_id!r} is {status.state}: only finished runs can be evaluated")
    with claimed(run):
        recipe, task = _prepared(home, run)
        if protocol.task != recipe.protocol.task:
            raise RunError(
                f"run {run.run_id!r} was scored under {recipe.protocol.key}, which scores something else than {protocol.name}; "
                "choose a protocol of its kind"
            )
        use_threads(None)
        task = task.with_parent(stored_embeddings(run))
        model = task.build(recipe, _device(recipe))
        epoch = 0
        if not task.fit(model):
            name = "last" if recipe.selection == "last" else "best"
            epoch = load_model(run.checkpoints / f"{name}.pt", model)
        return task.write_result(run, recipe, model, protocol, epoch)


def _carry_out(
    home: Home, run: RunFolder, beat: "_Beating", stopping: threading.Event, on_epoch: OnEpoch
) -> dict[str, Any]:
    _go_on(stopping)
    recipe, task = _prepared(home, run)
    task.check(recipe.protocol)
    threads = use_threads(run.status().threads)
    be_deterministic()
    device = _device(recipe)
    beat.update(device=str(device), threads=threads)
    write_environment(run, recipe, device_title(device))
    log.info("%s on %s, %s", recipe.system, recipe.dataset, device_title(device))
    task = task.with_parent(_pretrained(home, run, recipe, beat, stopping))
    model = task.build(recipe, device)
    _go_on(stopping)
    epoch = 0
    if not task.fit(model):

        def advance(progress: Progress) -> None:
            beat.epoch = progress.epoch
            on_epoch(progress)

        epoch = Trainer(model, recipe, task, run, device).fit(Hooks(stopping.is_set, advance))
    _go_on(stopping)
    entry = task.write_result(run, recipe, model, recipe.protocol, epoch)
    _go_on(stopping)
    task.write_learned(run, recipe, model)
    return entry


def _pretrained(
    home: Home, run: RunFolder, recipe: Recipe, beat: "_Beating", stopping: threading.Event
) -> NDArray[np.float32] | None:
    """Item embeddings of the run's parent, which is trained here and now if nobody has."""

    def train(parent: RunFolder) -> None:
        beat.update(parent=parent.run_id, message=f"pretraining first, in run {parent.run_id}")
        work(home, parent, stopping=stopping)

    def awaited(parent: str) -> None:
        beat.update(parent=parent, message=f"waits for run {parent}, which pretrains")

    found = pretrained(home, run, recipe, train, stopping, awaited)
    if found is None:
        return None
    beat.update(parent=found.run_id, message="")
    return found.items


def _asked(stopping: threading.Event | None) -> AbstractContextManager[threading.Event]:
    """The caller's event, which it sets by its own handlers; without one, an event that signals set."""
    return stop_signals() if stopping is None else nullcontext(stopping)


def _go_on(stopping: threading.Event) -> None:
    """Raise Stopped between two stages if a signal has come."""
    if stopping.is_set():
        raise Stopped("stopped before the results were complete")


def _device(recipe: Recipe) -> torch.device:
    """The device of the slot, else of the recipe. A run that left the choice to us does not fail for want of a GPU."""
    is_trained = system(recipe.system).is_trained
    given = device_given()
    try:
        return pick_device(given or recipe.device, is_trained)
    except DeviceError as error:
        if recipe.device != "auto":
            raise
        log.warning("the slot %s cannot be used, training on the CPU: %s", given, error)
        return torch.device("cpu")


def _prepared(home: Home, run: RunFolder) -> tuple[Recipe, Task]:
    recipe = run.recipe()
    dataset = open_dataset(home, recipe.dataset)
    if dataset.info.content_hash != recipe.dataset_hash:
        raise DataError(
            f"data set {recipe.dataset!r} has changed since this run was submitted (hash {dataset.info.content_hash[:12]}, "
            f"expected {recipe.dataset_hash[:12]}); clone the run to train on the new content"
        )
    return recipe, task_of(dataset, recipe)


class _Beating:
    """Writes the status: `running` on entry, a heartbeat with the epoch every two seconds, the end exactly once."""

    def __init__(self, run: RunFolder) -> None:
        self._run, self._lock, self._ended = run, threading.Lock(), threading.Event()
        self._thread = threading.Thread(target=self._beat, daemon=True, name="heartbeat")
        self.epoch = 0

    def __enter__(self) -> "_Beating":
        self.epoch = self._run.status().epoch
        self.update(**running_now())
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._thread.join()

    def update(self, **changes: Any) -> None:
        with self._lock:
            self._run.update_status(**{"epoch": self.epoch, "heartbeat": time.time(), **changes})

    def end(self, **changes: Any) -> None:
        self._ended.set()
        self._thread.join()
        self.update(**changes, finished=time.time())

    def _beat(self) -> None:
        while not self._ended.wait(_HEARTBEAT_SECONDS):
            try:
                self.update()
            except OSError as error:  # a full disk must not end the training; the next beat tries again
                log.warning("the heartbeat cannot be written: %s", error)


@contextmanager
def _logged(run: RunFolder) -> Iterator[None]:
    """Send this package's log to the run's log.txt."""
    handler = logging.FileHandler(run.log, encoding="utf-8")
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname).1s %(message)s", "%H:%M:%S"))
    log.addHandler(handler)
    log.setLevel(logging.INFO)
    logging.captureWarnings(True)
    warned = logging.getLogger("py.warnings")
    warned.addHandler(handler)
    try:
        yield
    finally:
        log.removeHandler(handler)
        warned.removeHandler(handler)
        if not warned.handlers:  # a parent run is trained while its child's log is open
            logging.captureWarnings(False)
        handler.close()


def _resume_hint(run: RunFolder, reason: str) -> str:
    if run.is_resumable:
        return f"{reason}; it can be resumed"
    if parent := run.status().parent:
        return f"{reason}; resumed, it goes on with what its parent run {parent} has learned"
    return f"{reason}; no checkpoint was written yet, so it starts again"
