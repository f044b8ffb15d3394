"""The run that another builds on: found by what it learns, trained where nobody has, its item embeddings kept by the child.

I items, D dims.
"""

import threading
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple
from zipfile import BadZipFile

import numpy as np
from numpy.typing import NDArray

from core.errors import RelScopeError, RunError
from core.files import replacing
from core.home import Home
from core.recipe import Recipe, parent_recipe
from core.runs.folder import RunFolder
from core.runs.standing import cell_of, known, taken_here
from core.training.trainer import Stopped

_FILE = "pretrained.npz"
_LEVEL = "final"
_SECONDS_BETWEEN_LOOKS = 1.0
# What reading a damaged archive raises; RuntimeError is zipfile's word for flags it does not know.
_DAMAGE = (OSError, ValueError, KeyError, EOFError, RuntimeError, BadZipFile, zlib.error)


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
) -> Pretrained | None:
    """What `recipe` builds on; None where it builds on nothing.

    A finished run that learned the same is used whatever started it; one that stopped half-way is resumed, one that another
    process trains is waited for, else a new one is made and given to `train`. The embeddings are copied into `run`, so that
    it can be resumed and evaluated when the parent is gone.
    Raises RunError if the parent fails or stored no embeddings, Stopped if `stopping` is set while waiting.
    """
    wanted = parent_recipe(recipe)
    if wanted is None:
        return None
    path = run.path / _FILE
    if path.exists():
        return _read(path)
    parent = _finished(home, wanted, train, stopping)
    items = _item_embeddings(parent)
    with replacing(path) as file:
        np.savez(file, allow_pickle=False, items=items, run_id=np.array(parent.run_id))
    return Pretrained(items, parent.run_id)


def stored_embeddings(run: RunFolder) -> NDArray[np.float32] | None:
    """The item embeddings that `run` keeps of its parent; None for runs without one. Raises RunError if damaged."""
    path = run.path / _FILE
    return _read(path).items if path.exists() else None


def _finished(
    home: Home, wanted: Recipe, train: Callable[[RunFolder], None], stopping: threading.Event
) -> RunFolder:
    while True:
        found = known(home, [wanted]).get(cell_of(wanted))
        if found is not None and found.state == "done":
            return RunFolder(home.run(found.run_id))
        mine = taken_here(home, wanted, from_queue=True)
        if mine is not None:
            try:
                train(mine)
            except Stopped:
                raise
            except RelScopeError as error:
                raise RunError(f"its parent run {mine.run_id} failed: {error}") from error
            return mine
        if stopping.wait(_SECONDS_BETWEEN_LOOKS):
            raise Stopped("stopped while its parent run was trained by another process")


def _item_embeddings(parent: RunFolder) -> NDArray[np.float32]:
    path = parent.embeddings / f"{_LEVEL}.npz"
    try:
        with path.open("rb") as file, np.load(file, allow_pickle=False) as stored:
            items: NDArray[np.float32] = stored["values"][int(stored["num_users"]) :].astype(np.float32)
    except _DAMAGE as error:
        raise RunError(
            f"{path}: the embeddings of the parent run cannot be read ({error}); delete run {parent.run_id}, and it is "
            "trained again"
        ) from error
    return items


def _read(path: Path) -> Pretrained:
    try:
        with path.open("rb") as file, np.load(file, allow_pickle=False) as stored:
            return Pretrained(stored["items"], str(stored["run_id"]))
    except _DAMAGE as error:
        raise RunError(
            f"{path}: the pretrained embeddings cannot be read ({error}); delete the file and resume the run"
        ) from error
