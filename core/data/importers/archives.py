"""Zip archives of several files: unpacked side by side under harmless names, whatever folders they were packed in."""

import re
import shutil
import tempfile
import unicodedata
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from core.data.importers.limits import MEGABYTE, Limits, checked_members, checked_size
from core.errors import DataError

LONGEST_NAME = 60
MOST_FILES = 1_000


def safe_file_name(given: str) -> str:
    """`given` as one harmless path component that keeps its ending; folders in it are dropped."""
    last = unicodedata.normalize("NFKC", given).replace("\\", "/").rstrip("/").rpartition("/")[2]
    name = re.sub(r"[^\w.-]", "_", last).lstrip(".-")
    if len(name) > LONGEST_NAME:
        ending = "".join(Path(name).suffixes[-2:])[-LONGEST_NAME // 2 :]
        name = name[: LONGEST_NAME - len(ending)] + ending
    return name.rstrip(".") or "upload"


def is_litter(given: str) -> bool:
    """Whether a file of a folder or archive was put there by a program, or is hidden: `.DS_Store`, `acm/.git/config`."""
    return any(part.startswith(".") or part == "__MACOSX" for part in given.replace("\\", "/").split("/"))


def packed_files(path: Path, limits: Limits) -> list[zipfile.ZipInfo]:
    """The files in a `.zip` archive of several; empty for anything else.

    Raises DataError for an archive that must not be unpacked.
    """
    if path.suffix.lower() != ".zip" or not path.is_file() or not zipfile.is_zipfile(path):
        return []
    checked_size(path, limits)
    with path.open("rb") as raw:
        members = checked_members(path, raw, limits)
    files = [member for member in members if not member.is_dir() and not is_litter(member.filename)]
    if len(files) < 2:
        return []
    if len(files) > MOST_FILES:
        raise DataError(
            f"{path}: holds {len(files):,} files, at most {MOST_FILES:,} make a data set; pack those of one data set"
        )
    if any(member.flag_bits & 1 for member in files):
        raise DataError(f"{path}: is encrypted; pack the files without a password")
    return files


def unpack(path: Path, files: list[zipfile.ZipInfo], into: Path, limits: Limits) -> list[str]:
    """Write the files of an archive into the folder `into`; their names there. Raises DataError if two would share one."""
    names: list[str] = []
    size, packed = 0, path.stat().st_size
    try:
        with zipfile.ZipFile(path) as archive:
            for member in files:
                name = safe_file_name(member.filename)
                if name.lower() in (known.lower() for known in names):
                    raise DataError(
                        f"{path}: holds two files called {name!r}; folders are left out, so rename one"
                    )
                names.append(name)
                with archive.open(member) as content, (into / name).open("xb") as file:
                    while piece := content.read(MEGABYTE):
                        size += len(piece)
                        limits.refuse_larger(path, size, packed)
                        file.write(piece)
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError, EOFError, ValueError) as error:
        raise DataError(f"{path}: is truncated or damaged ({error}); copy or pack it again") from error
    except OSError as error:
        raise DataError(
            f"{path}: cannot be unpacked to {into} ({error.strerror}); free space there, or unpack it yourself and give "
            "the folder"
        ) from error
    return names


@contextmanager
def unpacked_folder(source: Path, limits: Limits) -> Iterator[Path]:
    """`source` itself, or the files of an archive of several in a folder that is gone afterwards.

    Messages tell of the archive. Raises DataError as `packed_files` and `unpack`.
    """
    files = packed_files(source, limits)
    if not files:
        yield source
        return
    folder = Path(tempfile.mkdtemp(prefix="relscope-"))
    try:
        unpack(source, files, folder, limits)
        yield folder
    except DataError as error:
        raise DataError(str(error).replace(str(folder), str(source))) from error
    finally:
        shutil.rmtree(folder, ignore_errors=True)
