"""Arrays that are computed once and kept in the cache; a damaged or missing file is made again, and nothing fails for it."""

import logging
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.files import DAMAGED_ARCHIVE, replacing

Arrays = dict[str, NDArray[Any]]
log = logging.getLogger("relscope")


def kept(path: Path | None, what: str, build: Callable[[], Mapping[str, NDArray[Any]]]) -> Arrays:
    """The arrays stored at `path`, else those that `build` makes, which are then stored there.

    path: None keeps nothing. what: the arrays in the log's words, a plural.
    """
    if path is None:
        return dict(build())
    try:
        with path.open("rb") as stored, np.load(stored, allow_pickle=False) as arrays:
            return dict(arrays)
    except FileNotFoundError:
        pass
    except DAMAGED_ARCHIVE as error:
        log.warning("%s cannot be read and is built again: %s", path, error)
    built = dict(build())
    try:
        with replacing(path) as file:
            np.savez(file, allow_pickle=False, **built)
    except OSError as error:
        log.warning("%s are not kept: %s", what, error)
    return built
