"""Writing files so that a reader sees the old content or the new, never half of it."""

import errno
import json
import os
import tempfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO
from zipfile import BadZipFile

DISK_IS_FULL = (errno.ENOSPC, errno.EDQUOT)
# What reading a damaged .npz raises; RuntimeError is zipfile's word for flags it does not know.
DAMAGED_ARCHIVE = (OSError, ValueError, KeyError, EOFError, RuntimeError, BadZipFile, zlib.error)
DISK_FULL_STATUS = 74  # EX_IOERR: who cannot even write what happened still has an exit status


@contextmanager
def replacing(path: Path) -> Iterator[BinaryIO]:
    """A binary file that takes the name `path` when the block ends, and vanishes if the block raises."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, temporary = tempfile.mkstemp(prefix=f".{path.name}.", suffix=".part", dir=path.parent)
    try:
        with os.fdopen(handle, "wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        Path(temporary).chmod(0o644)
        Path(temporary).replace(path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise


def write_json(path: Path, value: Any) -> None:
    """Write `value` as indented JSON; NaN is refused (ValueError), since other readers cannot parse it."""
    text = json.dumps(value, indent=2, ensure_ascii=False, allow_nan=False)
    with replacing(path) as file:
        file.write(text.encode() + b"\n")


def read_json(path: Path) -> Any:
    return json.loads(path.read_text(encoding="utf-8"))


def write_with(path: Path, writer: Callable[[BinaryIO], None]) -> None:
    """Write a file through a library call that takes an open binary file (`np.save`, `torch.save`, ...)."""
    with replacing(path) as file:
        writer(file)
