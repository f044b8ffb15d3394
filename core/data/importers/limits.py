"""How much a source may hold: bytes on disk, bytes unpacked, rows. Every importer asks here before it reads."""

import gzip
import io
import zipfile
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import IO, Any, BinaryIO, cast

from core.errors import DataError

MEGABYTE = 1 << 20
DEFAULT_MAX_MB = 200
# a matrix may claim any shape; each user and item costs memory whether it occurs or not
MAX_NODES = 10_000_000
# a deflated bomb reaches 1,000:1; tables of interactions stay below 50:1
_MAX_RATIO = 250
_RATIO_FROM = 64 * MEGABYTE
# a few thousand members; without a bound the list of members alone could fill the memory
_MAX_DIRECTORY = MEGABYTE
_BROKEN_ZIP = (
    OSError,
    ValueError,
    EOFError,
    RuntimeError,
    NotImplementedError,
    zipfile.BadZipFile,
    zlib.error,
)


@dataclass(frozen=True)
class Limits:
    """Bounds that follow from the largest source file allowed, in bytes."""

    max_bytes: int = DEFAULT_MAX_MB * MEGABYTE

    @property
    def unpacked_bytes(self) -> int:
        """What a compressed source may unpack to: ten times the file."""
        return 10 * self.max_bytes

    @property
    def rows(self) -> int:
        """As many rows as a plain text file of the allowed size can hold; binding for compressed ones."""
        return self.max_bytes // 4

    def refuse_larger(self, path: Path, unpacked: int, packed: int) -> None:
        """Raises DataError if `unpacked` bytes are more than a source of `packed` bytes may become."""
        if unpacked > self.unpacked_bytes:
            raise DataError(
                f"{path}: unpacks to more than the {megabytes(self.unpacked_bytes)} allowed; "
                f"check where it came from, or raise the limit with --max-size {_raised(unpacked // 10)}"
            )
        if unpacked > _RATIO_FROM and unpacked > _MAX_RATIO * packed:
            raise DataError(
                f"{path}: {packed} bytes unpack to more than {_MAX_RATIO} times as many, which no table of "
                "interactions does; check where it came from, or unpack it yourself and import the result"
            )

    def refuse_more_rows(self, path: Path, rows: int) -> None:
        """Raises DataError if a table of `rows` rows is too long."""
        if rows > self.rows:
            raise DataError(
                f"{path}: holds more than the {self.rows} rows allowed; check where it came from, "
                f"or raise the limit with --max-size {_raised(4 * rows)}"
            )


DEFAULT_LIMITS = Limits()


def checked_size(path: Path, limits: Limits) -> int:
    """The size of a file in bytes. Raises DataError unless it is a regular, readable file within the limit."""
    try:
        if not path.is_file():
            came = "is a folder" if path.is_dir() else "does not exist or is no regular file"
            raise DataError(f"{path}: {came}, expected a file; check the path of the data to import")
        size = path.stat().st_size
    except OSError as error:
        raise DataError(
            f"{path}: cannot be read ({error.strerror}); check the file's name and permissions"
        ) from error
    if size > limits.max_bytes:
        raise DataError(
            f"{path}: holds {megabytes(size)}, more than the {megabytes(limits.max_bytes)} allowed; "
            f"raise the limit with --max-size {_raised(size)}"
        )
    return size


class Unpacked(io.RawIOBase):
    """The plain bytes of a source, whatever its packing; reading beyond the limits raises DataError."""

    def __init__(self, path: Path, raw: BinaryIO, plain: IO[bytes], limits: Limits) -> None:
        super().__init__()
        self._path, self._raw, self._plain, self._limits = path, raw, plain, limits
        self._size = path.stat().st_size
        self._count = 0

    @property
    def fraction(self) -> float:
        """Share of the file consumed."""
        return min(1.0, self._raw.tell() / max(1, self._size))

    @property
    def is_packed(self) -> bool:
        """Whether the file itself holds something else than these bytes."""
        return self._plain is not self._raw

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        try:
            piece = self._plain.read(len(buffer))
        except _BROKEN_ZIP as error:
            raise DataError(
                f"{self._path}: is truncated or damaged ({error}); copy or export it again"
            ) from error
        buffer[: len(piece)] = piece
        self._count += len(piece)
        if self.is_packed:
            self._limits.refuse_larger(self._path, self._count, self._size)
        return len(piece)


@contextmanager
def unpacked(path: Path, limits: Limits) -> Iterator[Unpacked]:
    """The plain bytes of a file, of a gzip file, or of the one member of a zip archive; nothing is extracted to disk.

    Raises DataError if the file is too large, damaged, or an archive of anything but one table.
    """
    checked_size(path, limits)
    try:
        raw = path.open("rb")
        magic = raw.read(4)
        raw.seek(0)
    except OSError as error:
        raise DataError(
            f"{path}: cannot be read ({error.strerror}); check the file and its permissions"
        ) from error
    with raw:
        if magic.startswith(b"\x1f\x8b"):
            yield Unpacked(path, raw, cast(IO[bytes], gzip.GzipFile(fileobj=raw)), limits)
        elif magic.startswith(b"PK"):
            with _only_member(path, raw, limits) as member:
                yield Unpacked(path, raw, member, limits)
        else:
            yield Unpacked(path, raw, raw, limits)


def checked_members(
    path: Path, raw: BinaryIO, limits: Limits, what: str = "zip archive"
) -> Sequence[zipfile.ZipInfo]:
    """The members of a zip archive, whose names and declared sizes are checked; `what` names it in messages.

    Raises DataError for a damaged archive, too many members, or one that unpacks to too much.
    """
    try:
        _refuse_long_directory(path, raw)
        with zipfile.ZipFile(raw) as archive:
            members = archive.infolist()
    except _BROKEN_ZIP as error:
        raise DataError(f"{path}: is no readable {what} ({error}); copy or export it again") from error
    declared = sum(member.file_size for member in members)
    if declared > limits.unpacked_bytes:
        limits.refuse_larger(path, declared, path.stat().st_size)
    for member in members:
        for shape in (PurePosixPath(member.filename.replace("\\", "/")), PureWindowsPath(member.filename)):
            if shape.is_absolute() or shape.anchor or ".." in shape.parts:
                raise DataError(
                    f"{path}: the member {member.filename[:80]!r} points outside of the archive; pack the table alone"
                )
    return members


@contextmanager
def _only_member(path: Path, raw: BinaryIO, limits: Limits) -> Iterator[IO[bytes]]:
    if path.suffix.lower() in (".xlsx", ".xlsm", ".ods"):
        raise DataError(f"{path}: is a spreadsheet; save it as CSV and import that")
    members = [
        member
        for member in checked_members(path, raw, limits)
        if not member.is_dir() and not member.filename.startswith("__MACOSX/")
    ]
    if len(members) != 1:
        names = ", ".join(member.filename[:40] for member in members[:5]) or "nothing"
        raise DataError(
            f"{path}: holds {len(members)} files ({names}), expected exactly one table; pack the table alone"
        )
    if members[0].flag_bits & 1:
        raise DataError(f"{path}: is encrypted; pack the table without a password")
    with zipfile.ZipFile(raw) as archive:
        try:
            member = archive.open(members[0])
        except _BROKEN_ZIP as error:
            raise DataError(f"{path}: is no readable zip archive ({error}); copy or pack it again") from error
        with member:
            yield member


def _refuse_long_directory(path: Path, raw: BinaryIO) -> None:
    """Raises DataError if the archive's list of members is longer than any honest one."""
    size = raw.seek(0, io.SEEK_END)
    raw.seek(max(0, size - (1 << 16) - 22))
    tail = raw.read()
    raw.seek(0)
    at = tail.rfind(b"PK\x05\x06")
    if at >= 0 and int.from_bytes(tail[at + 12 : at + 16], "little") > _MAX_DIRECTORY:
        raise DataError(f"{path}: lists too many members for one table; pack the table alone")


def megabytes(size: int) -> str:
    """A size in words."""
    return f"{size / MEGABYTE:.0f} MB" if size >= MEGABYTE else f"{size} bytes"


def _raised(needed: int) -> int:
    """The smallest --max-size that allows `needed` bytes."""
    return -(-needed // MEGABYTE)
