"""The layouts that can be imported, by name; nothing is found by string import."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from core.data.importers import behavior_npz, behavior_text
from core.data.importers.content import ImportOptions
from core.data.info import DatasetInfo
from core.data.splits import SplitRule
from core.data.writing import DatasetContent, refuse_existing, write_dataset
from core.errors import DataError
from core.home import Home


@dataclass(frozen=True)
class Layout:
    """One importer: `detect` looks at file names only, `read` checks everything."""

    title: str
    detect: Callable[[Path], bool]
    read: Callable[[Path, ImportOptions], DatasetContent]


LAYOUTS: dict[str, Layout] = {
    "behavior-text": Layout(
        "one `user item` text file per behavior", behavior_text.detect, behavior_text.read
    ),
    "behavior-npz": Layout("one scipy sparse matrix per behavior", behavior_npz.detect, behavior_npz.read),
}


def detect_layout(source: Path) -> str:
    """The name of the one layout that `source` looks like. Raises DataError if none or several fit."""
    if not source.exists():
        raise DataError(f"{source}: does not exist; check the path of the data to import")
    fitting = [name for name, layout in LAYOUTS.items() if layout.detect(source)]
    if len(fitting) != 1:
        came = f"fits several layouts ({', '.join(fitting)})" if fitting else "fits no known layout"
        raise DataError(f"{source}: {came}; name one of {', '.join(LAYOUTS)}")
    return fitting[0]


def import_dataset(
    home: Home,
    layout: str,
    source: Path,
    name: str,
    *,
    behaviors: Sequence[str] | None = None,
    target: str | None = None,
    split: SplitRule | None = None,
    seed: int = 0,
    replace: bool = False,
) -> DatasetInfo:
    """Read `source` by the named layout (`auto` detects it) and store it as data set `name`.

    behaviors: funnel order, target last; by default decreasing number of pairs. target: default `buy`.
    split, seed: see `core.data.splits.split_rows`. Raises DataError; the home is then as it was.
    """
    chosen = detect_layout(source) if layout == "auto" else layout
    if chosen not in LAYOUTS:
        raise DataError(f"unknown layout {layout!r}; expected auto or one of {', '.join(LAYOUTS)}")
    refuse_existing(home, name, replace=replace)
    options = ImportOptions(tuple(behaviors) if behaviors is not None else None, target, split, seed)
    content = LAYOUTS[chosen].read(source, options)
    return write_dataset(home, name, content, replace=replace)
