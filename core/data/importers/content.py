"""From raw rows to the content of a data set: the funnel's order, dense ids, and the split; shared by importers."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from core.data.importers.columns import ColumnMap
from core.data.importers.feature_checks import FeatureScale
from core.data.importers.identities import IdKind
from core.data.importers.limits import DEFAULT_LIMITS, Limits
from core.data.importers.walks import Steps
from core.data.info import MAX_BEHAVIORS, checked_label
from core.data.splits import SplitRule, split_rows
from core.data.writing import DatasetContent, Provenance
from core.errors import DataError

DEFAULT_TARGET = "buy"

Progress = Callable[[float, str], None]


def silent(fraction: float, sentence: str) -> None:
    """Progress that nobody follows."""


@dataclass(frozen=True)
class ImportOptions:
    """What the user may say about a source; None leaves the choice to the importer.

    behaviors: funnel order, target last; behaviours not named are not imported.
    columns, ids: which columns of a table hold what, and whether ids are whole numbers or texts.
    features: the scale that feature matrices are brought to.
    target_type: the node type whose classes are learned. metapaths: the walks of a graph, as written.
    limits: how large a source may be. progress: told a share within 0..1 and what is being done.
    """

    behaviors: tuple[str, ...] | None = None
    target: str | None = None
    split: SplitRule | None = None
    seed: int = 0
    columns: ColumnMap | None = None
    ids: IdKind = "whole"
    features: FeatureScale = "as-given"
    target_type: str | None = None
    metapaths: Mapping[str, Steps] | None = None
    limits: Limits = DEFAULT_LIMITS
    progress: Progress = field(default=silent, compare=False)

    def __post_init__(self) -> None:
        for name in (*(self.behaviors or ()), *([self.target] if self.target is not None else [])):
            checked_label(name, "behavior")
        if self.target_type is not None:
            checked_label(self.target_type, "target type")
        if self.behaviors is None:
            return
        if not self.behaviors or len(set(self.behaviors)) < len(self.behaviors):
            raise DataError(
                f"behaviors {','.join(self.behaviors)!r}: expected distinct names, target last, e.g. view,cart,buy"
            )
        if self.target is not None and self.behaviors[-1] != self.target:
            raise DataError(
                f"behaviors {','.join(self.behaviors)}: the target {self.target!r} must come last"
            )

    @property
    def target_name(self) -> str:
        """The target behaviour: as told, else the last of `behaviors`, else `buy`."""
        return self.target or (self.behaviors[-1] if self.behaviors else DEFAULT_TARGET)


def behavior_files(found: Mapping[str, Path], options: ImportOptions, source: Path) -> dict[str, Path]:
    """The auxiliary files to read by behaviour: those named by `options`, else all of `found` (names checked).

    Raises DataError if a named behaviour has no file, or if there are more than MAX_BEHAVIORS with the target.
    """
    count = len(found) if options.behaviors is None else len(options.behaviors) - 1
    if count >= MAX_BEHAVIORS:
        raise DataError(
            f"{source}: holds {count + 1} behaviors, at most {MAX_BEHAVIORS} can be imported; "
            "name the wanted ones with --behaviors"
        )
    if options.behaviors is None:
        return {checked_label(name, f"{path}: behavior"): path for name, path in sorted(found.items())}
    wanted = options.behaviors[:-1]
    missing = [name for name in wanted if name not in found]
    if missing:
        raise DataError(
            f"{source}: no file for the behavior {missing[0]!r}; found files for: {', '.join(sorted(found)) or 'none'}; "
            "correct --behaviors"
        )
    return {name: found[name] for name in wanted}


def interaction_content(
    rows: pd.DataFrame,
    options: ImportOptions,
    provenance: Provenance,
    *,
    users: Any,
    items: Any,
) -> DatasetContent:
    """Split `rows` (dense ids) and complete `provenance`, whose notes come first.

    users, items: original ids as texts, a list or an Arrow array.

    Raises DataError if the target has no rows or the split leaves nothing to train or test.
    """
    target = options.target_name
    if not (rows["behavior"] == target).any():
        raise DataError(
            f"{provenance.source}: the target behavior {target!r} has no pairs; name another with --target"
        )
    options.progress(0.75, f"splitting {len(rows):,} rows")
    result = split_rows(rows, target, options.split, options.seed)
    return DatasetContent(
        provenance=replace(provenance, split_rule=result.rule, notes=(*provenance.notes, *result.notes)),
        behaviors=options.behaviors or funnel_order(result.rows, target),
        interactions=result.rows,
        users=pd.DataFrame({"original_id": pd.Series(users, dtype="str")}),
        items=pd.DataFrame({"original_id": pd.Series(items, dtype="str")}),
    )


def funnel_order(rows: pd.DataFrame, target: str) -> tuple[str, ...]:
    """Behaviours by decreasing number of rows (ties by name), the target last."""
    counts = rows["behavior"].value_counts()
    auxiliary = [str(name) for name in counts.index if name != target]
    return (*sorted(auxiliary, key=lambda name: (-int(counts[name]), name)), target)


def dense_ids(columns: Sequence[NDArray[np.int64]]) -> tuple[list[str], list[NDArray[np.int32]]]:
    """Original ids in rising order as texts, and each column with every id replaced by its position there."""
    universe = np.unique(np.concatenate(columns))
    positions = [np.searchsorted(universe, column).astype(np.int32) for column in columns]
    return [str(identity) for identity in universe.tolist()], positions
