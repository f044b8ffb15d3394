"""Whether a system can learn from a stored data set, told before a run is made."""

from core.catalog.base import System
from core.data.info import DatasetInfo
from core.errors import DataError


def lacking(info: DatasetInfo, entry: System) -> str:
    """What `info` does not have and `entry` needs; empty if it can train on it."""
    return entry.lacks(info.behaviors, info.modalities, "hetero" in info.kind)


def refuse_unfit(info: DatasetInfo, entry: System) -> None:
    """Raise DataError if `entry` cannot train on `info`."""
    if missing := lacking(info, entry):
        has = ", ".join([*info.behaviors, *info.modalities]) or ", ".join(info.kind)
        raise DataError(
            f"{entry.title} needs {missing}, and data set {info.name!r} has none (it has: {has}); train another system on it, or "
            "import data that has it"
        )
