"""The run that another builds on: found by what it learns, trained where nobody has, its item embeddings kept by the child.

I items, D dims.
"""

import logging
import threading
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from core.errors import RelScopeError, RunError
from core.files import DAMAGED_ARCHIVE, DISK_IS_FULL, replacing
from core.home import Home
from core.recipe import Recipe, parent_recipe
from core.runs.folder import RunFolder
from core.runs.lock import Busy
from core.runs.standing import cell_of, known, taken_here
from core.training.failure import in_words
from core.training.trainer import Stopped

log = logging.getLogger("relscope")
_FILE = "pretrained.npz"
_LEVEL = "final"
_SECONDS_BETWEEN_LOOKS = 1.0


class Pretrained(NamedTuple):
    """items: embeddings, [I, D]. run_id: of the parent they came from."""

    items: NDArray[np.float32]
    run_id: str


def pretrained(
    home: Home,
    run: RunFolder,
    recipe: Recipe,
    train: Callable[[RunFolder], None],
    stopping: threading.Event,
    awaited: Callable[[str], None] = lambda run_id: None,
) -> Pretrained | None:
    """What `recipe` builds on; None where it builds on nothing.

    A finished run that learned the same is used whatever started it; one that stopped half-way is resumed, one that another
    process trains is waited for, else a new one is made and given to `train`. The embeddings are copied into `run`, so that
    it can be resumed and evaluated when the parent is gone. awaited: told the id of a run that is waited for.
    Raises RunError if the parent fails or stored no embeddings, Stopped if `stopping` is set while waiting.
    """
    wanted = parent_recipe(recipe)
    if wanted is None:
        return None
    path = run.path / _FILE
    if path.exists():
        return _read(path)
    parent = _finished(home, wanted, train, stopping, awaited)
    items = _item_embeddings(parent)
    with replacing(path) as file:
        np.savez(file, allow_pickle=False, items=items, run_id=np.array(parent.run_id))
    return Pretrained(items, parent.run_id)


def stored_embeddings(run: RunFolder) -> NDArray[np.float32] | None:
    """The item embeddings that `run` keeps of its parent; None for runs without one. Raises RunError if damaged."""
    path = run.path / _FILE
    return _read(path).items if path.exists() else None


def _finished(
    home: Home,
    wanted: Recipe,
    train: Callable[[RunFolder], None],
    stopping: threading.Event,
    awaited: Callable[[str], None],
) -> RunFolder:
    waiting_for = ""
    while not stopping.is_set():
        found = known(home, [wanted]).get(cell_of(wanted))
        if found is not None and found.state == "done":
            return RunFolder(home.run(found.run_id))
        if found is not None and found.run_id == waiting_for and found.state == "cancelled":
            raise RunError(
                f"its parent run {waiting_for} was cancelled while it was waited for; resume this run to have it trained"
            )
        mine = None
        try:
            mine = taken_here(home, wanted, from_queue=True)
            if mine is not None:
                train(mine)
                return mine
        except Busy:  # somebody was faster
            log.info("another process has taken the parent run")
        except Stopped:
            raise
        except Exception as error:
            if isinstance(error, OSError) and error.errno in DISK_IS_FULL:
                raise  # its own exit status says so to whoever started the child
            named = f"run {mine.run_id}" if mine is not None else "run"
            why = str(error) if isinstance(error, RelScopeError) else in_words(error)
            raise RunError(f"its parent {named} failed: {why}") from error
        if found is not None and found.run_id != waiting_for:
            waiting_for = found.run_id
            awaited(waiting_for)
        stopping.wait(_SECONDS_BETWEEN_LOOKS)
    raise Stopped("stopped while its parent run was trained by another process")


def _item_embeddings(parent: RunFolder) -> NDArray[np.float32]:
    path = parent.embeddings / f"{_LEVEL}.npz"
    try:
        with path.open("rb") as file, np.load(file, allow_pickle=False) as stored:
            items: NDArray[np.float32] = stored["values"][int(stored["num_users"]) :].astype(np.float32)
    except DAMAGED_ARCHIVE as error:
        raise RunError(
            f"{path}: the embeddings of the parent run cannot be read ({error}); delete run {parent.run_id}, and it is "
            "trained again"
        ) from error
    return items


def _read(path: Path) -> Pretrained:
    try:
        with path.open("rb") as file, np.load(file, allow_pickle=False) as stored:
            return Pretrained(stored["items"], str(stored["run_id"]))
    except DAMAGED_ARCHIVE as error:
        raise RunError(
            f"{path}: the pretrained embeddings cannot be read ({error}); delete the file and resume the run"
        ) from error
