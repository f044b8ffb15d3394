"""The layouts that can be imported, by name; nothing is found by string import."""

import dataclasses
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from core.data.importers import behavior_npz, behavior_text, heco, hetero_tables, mbgmn, mmrec, recbole, table
from core.data.importers.archives import unpacked_folder
from core.data.importers.columns import ColumnMap
from core.data.importers.content import ImportOptions, Progress, silent
from core.data.importers.feature_checks import FeatureScale
from core.data.importers.identities import IdKind
from core.data.importers.limits import DEFAULT_MAX_MB, MEGABYTE, Limits
from core.data.importers.report import ImportReport, report_of
from core.data.importers.walks import parse_walks
from core.data.info import DatasetInfo
from core.data.splits import SplitRule
from core.data.writing import DatasetContent, refuse_existing, write_dataset
from core.errors import DataError
from core.home import Home

__all__ = ["LAYOUTS", "ImportReport", "Layout", "check_import", "detect_layout", "import_dataset"]


@dataclass(frozen=True)
class Layout:
    """One importer: `detect` looks at names of files and columns only, `read` checks everything.

    is_table: its columns can be mapped. has_features: it brings feature matrices, which can be scaled. is_graph: it brings
    typed nodes and metapaths, and no behaviors.
    """

    title: str
    detect: Callable[[Path], bool]
    read: Callable[[Path, ImportOptions], DatasetContent]
    is_table: bool = False
    has_features: bool = False
    is_graph: bool = False


LAYOUTS: dict[str, Layout] = {
    "table": Layout(
        "one CSV, TSV or Parquet file with a row per interaction", table.detect, table.read, is_table=True
    ),
    "behavior-text": Layout(
        "one `user item` text file per behavior", behavior_text.detect, behavior_text.read
    ),
    "behavior-npz": Layout("one scipy sparse matrix per behavior", behavior_npz.detect, behavior_npz.read),
    "recbole": Layout("RecBole's atomic files", recbole.detect, recbole.read, is_table=True),
    "mmrec": Layout(
        "MMRec's interactions with feature matrices of items", mmrec.detect, mmrec.read, has_features=True
    ),
    "mbgmn": Layout("MB-GMN's pickled matrices, never run", mbgmn.detect, mbgmn.read),
    "heco": Layout("HeCo's folders: relations, features, labels", heco.detect, heco.read, is_graph=True),
    "hetero": Layout(
        "one table of nodes per type and of edges per relation",
        hetero_tables.detect,
        hetero_tables.read,
        is_graph=True,
    ),
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
    columns: ColumnMap | None = None,
    ids: IdKind = "whole",
    features: FeatureScale = "as-given",
    target_type: str | None = None,
    metapaths: str | None = None,
    max_mb: int = DEFAULT_MAX_MB,
    progress: Progress | None = None,
    told: Callable[[ImportReport], None] | None = None,
    origin: str | None = None,
) -> DatasetInfo:
    """Read `source` by the named layout (`auto` detects it) and store it as data set `name`.

    behaviors: funnel order, target last; by default decreasing number of pairs. target: default `buy`.
    split, seed: see `core.data.splits.split_rows`. columns, ids: of tables; by default detected, whole numbers.
    features: the scale that feature matrices are brought to, see `core.data.importers.feature_checks`.
    target_type, metapaths: of graphs, as typed; see `core.data.importers.walks`.
    max_mb: largest source file. progress: told a share within 0..1 and a sentence. told: given the report before
    anything is stored. origin: what the data set's source is called, by default its path.
    Raises DataError; the home is then as it was.
    """
    refuse_existing(home, name, replace=replace)
    options = _options(
        behaviors, target, split, seed, columns, ids, features, target_type, metapaths, max_mb, progress
    )
    chosen, content = _read_unpacked(layout, source, options)
    if told is not None:
        told(report_of(chosen, content))
    if origin is not None:
        content = dataclasses.replace(
            content, provenance=dataclasses.replace(content.provenance, source=origin)
        )
    rows = f" {len(content.interactions):,} rows" if content.behaviors else ""
    options.progress(0.85, f"writing{rows}")
    info = write_dataset(home, name, content, replace=replace)
    options.progress(1.0, f"stored {name}")
    return info


def check_import(
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
    columns: ColumnMap | None = None,
    ids: IdKind = "whole",
    features: FeatureScale = "as-given",
    target_type: str | None = None,
    metapaths: str | None = None,
    max_mb: int = DEFAULT_MAX_MB,
    progress: Progress | None = None,
) -> ImportReport:
    """The dry run of `import_dataset`: everything is read, checked and split, nothing is stored. Raises the same."""
    refuse_existing(home, name, replace=replace)
    options = _options(
        behaviors, target, split, seed, columns, ids, features, target_type, metapaths, max_mb, progress
    )
    chosen, content = _read_unpacked(layout, source, options)
    options.progress(1.0, "checked; nothing was stored")
    return report_of(chosen, content)


def _options(
    behaviors: Sequence[str] | None,
    target: str | None,
    split: SplitRule | None,
    seed: int,
    columns: ColumnMap | None,
    ids: IdKind,
    features: FeatureScale,
    target_type: str | None,
    metapaths: str | None,
    max_mb: int,
    progress: Progress | None,
) -> ImportOptions:
    if max_mb < 1:
        raise DataError(f"--max-size {max_mb}: expected a whole number of megabytes from 1 up")
    return ImportOptions(
        behaviors=tuple(behaviors) if behaviors is not None else None,
        target=target,
        split=split,
        seed=seed,
        columns=columns,
        ids=ids,
        features=features,
        target_type=target_type,
        metapaths=parse_walks(metapaths) if metapaths else None,
        limits=Limits(max_mb * MEGABYTE),
        progress=progress or silent,
    )


def _read_unpacked(layout: str, source: Path, options: ImportOptions) -> tuple[str, DatasetContent]:
    """The layout found, and the content of a source that may be an archive of several files."""
    if layout == "table":  # reads archives itself
        return _read(layout, source, options)
    with unpacked_folder(source, options.limits) as folder:
        chosen, content = _read(layout, folder, options)
    provenance = dataclasses.replace(content.provenance, source=str(source))
    return chosen, dataclasses.replace(content, provenance=provenance)


def _read(layout: str, source: Path, options: ImportOptions) -> tuple[str, DatasetContent]:
    chosen = detect_layout(source) if layout == "auto" else layout
    if chosen not in LAYOUTS:
        raise DataError(f"unknown layout {layout!r}; expected auto or one of {', '.join(LAYOUTS)}")
    if not LAYOUTS[chosen].is_table and (options.columns is not None or options.ids != "whole"):
        raise DataError(
            f"layout {chosen} has no columns to map and whole-number ids; leave out --map and --ids"
        )
    if LAYOUTS[chosen].is_graph and (options.behaviors is not None or options.target is not None):
        raise DataError(f"layout {chosen} has no behaviors; leave out --behaviors and --target")
    if not LAYOUTS[chosen].is_graph and (options.target_type is not None or options.metapaths is not None):
        raise DataError(f"layout {chosen} has no node types; leave out --target-type and --metapaths")
    if not LAYOUTS[chosen].has_features and options.features != "as-given":
        raise DataError(f"layout {chosen} has no features to scale; leave out --features")
    return chosen, LAYOUTS[chosen].read(source, options)
