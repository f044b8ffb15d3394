"""What the Import page works out: a name for the data, the order of a funnel, the counts of a check, remedies in its words."""

import re
import unicodedata
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import PurePath
from shlex import quote

import pandas as pd

from core.data.graph_summary import GraphSummary
from core.data.import_folder import ImportRequest, ImportSummary, Source
from core.data.info import SPLITS
from core.errors import ConfigError
from core.home import Home
from dashboard import words

ROLES = {"user": "User", "item": "Item", "behavior": "Behaviour", "time": "Time"}
REQUIRED = ("user", "item")
MAPPED = ("table", "recbole")  # layouts whose columns can be mapped
GRAPHS = ("heco", "hetero")  # layouts of typed nodes, without behaviours
FEATURED = ("mmrec",)  # layouts that bring features of items, and one behaviour without a name
LAYOUTS = {
    "auto": "detect it",
    "table": "one table",
    "recbole": "RecBole files",
    "mmrec": "MMRec folder with features",
    "behavior-text": "one text file per behaviour",
    "behavior-npz": "one sparse matrix per behaviour",
    "mbgmn": "MB-GMN pickles",
    "heco": "HeCo folder, a graph of typed nodes",
    "hetero": "tables of nodes and edges, any graph of typed nodes",
}
FILES = {
    "table": "One `.csv`, `.tsv` or `.parquet` with a row per event, also as `.gz` or `.zip`. Columns may have any names.",
    "recbole": "`name.inter`, with `name.item` and `name.user` if there are any.",
    "mmrec": "`name.inter` with `userID`, `itemID`, `x_label` (0 training, 1 validation, 2 test) together with any number of "
    "`image_feat.npy`, `text_feat.npy`, ..., and `items.tsv` with titles if there is one.",
    "behavior-text": "`train.txt` (the target), `view.txt`, `cart.txt`, ... with `user item` per line, and `valid.txt`, "
    "`test.txt` if there are any.",
    "behavior-npz": "`train_mat_buy.npz`, `train_mat_view.npz`, ... and `test_mat.npz`, as scipy saves them.",
    "mbgmn": "`trn_buy`, `trn_pv`, ... and `tst_int`: sparse matrices, read without running anything they hold.",
    "heco": "`pa.txt`, `ps.txt`, ... (two numbers per line), `p_feat.npz`, ..., `labels.npy`, and `train_20.npy`, `val_20.npy`, "
    "`test_20.npy`, ... if there are any: ACM, DBLP, AMiner and Freebase as HeCo ships them.",
    "hetero": "`nodes/paper.csv` with `id`, and where known `title`, `label` (of the type to learn) and numbers `f_...`; "
    "`edges/paper-written_by-author.csv` with `source`, `destination`; also `.tsv` and `.parquet`. The folders may be left "
    "out; `hetero.json` may name the target type and metapaths.",
}
SCALES = {"as-given": "as given", "unit": "rows of length one", "standard": "columns standardised"}
SPLIT_RULES = {
    "": "automatic",
    "last": "latest of each user",
    "random": "random",
    "as-given": "as given, untouched",
}
GRAPH_SPLIT_RULES = {"": "automatic", "random": "drawn at random", "as-given": "as given"}
LONGEST_NAME = 40
_ALONE = (".csv", ".tsv", ".parquet", ".pq", ".gz", ".zip", ".inter")
# how far down the funnel a behaviour stands, by what its name holds
_STAGES = (
    ("view", "click", "pv", "page", "visit", "play", "impression", "tip"),
    ("fav", "like", "wish", "collect", "save", "share", "follow"),
    ("cart", "basket"),
    ("buy", "bought", "purchase", "order", "transaction", "checkout", "paid", "sale"),
)
_SHOWN_CLASSES = 12
_SPLIT_TITLES = {"train": "training", "valid": "validation", "test": "test"}
# what a remedy of the command line is called on the page, in the order of replacement
_REMEDIES = (
    ("the dry run shows", "Check shows"),
    ("as --behaviors asks", "as the behaviours below ask"),
    (r"say which is which with --map \S+", "choose them below"),
    (r"(read ids as text with|use) --ids text", "set 'Ids' to text"),
    (r"raise the limit with --max-size (\d+)", r"import it on the command line with --max-size \1"),
    (r"use --split (random|as-given|last)", lambda found: f"split by '{SPLIT_RULES[found[1]]}'"),
    (r"--target names it \(default: buy\)", "the target below names it"),
    (r"--features unit or standard would change that", "the setting 'Features' would change that"),
    (r"leave out --features", "leave 'Features' as given"),
    (r"correct --map", "correct the columns below"),
    (r"correct --behaviors", "correct the behaviours below"),
    (r"in --metapaths", "in 'Metapaths' below"),
    (r"choose --split as-given or random", "choose another rule below"),
    (
        r"leave out --target-type and --metapaths|leave out --behaviors and --target",
        "choose another layout below",
    ),
    (r"(leave out|name another|correct) --target-type", "choose another target type below"),
    (r"override it with --metapaths", "override it in 'Metapaths' below"),
    (r"(with|by) --(map|behaviors|split|target-type|target|metapaths)", "below"),
    (r"pass --replace", "replace it"),
    (r"choose another --home", "check the disk and its permissions"),
    (
        r"name one of auto,.*|name one of [a-z, -]+$|expected auto or one of [a-z, -]+$",
        "choose the layout below",
    ),
)


@dataclass(frozen=True)
class Found:
    """What is known of the behaviours before an import: their labels in funnel order, and the likely target."""

    labels: tuple[str, ...]
    target: str | None


def suggested_name(origin: Source, taken: Collection[str]) -> str:
    """A name for the data set: from the file or folder, `uploaded` for a handful of files; never one of `taken`."""
    if origin.path is not None or origin.folder:
        called = PurePath(origin.path or origin.folder).name
    else:
        called = origin.names[0] if len(origin.names) == 1 else "uploaded"
    stem = re.sub(r"(\.[A-Za-z]{2,7})+$", "", called)
    text = "".join(c for c in unicodedata.normalize("NFKD", stem) if not unicodedata.combining(c))
    text = re.sub(r"[^A-Za-z0-9-]+", "_", text)[:LONGEST_NAME].strip("_-").lower() or "uploaded"
    names = (text if number == 1 else f"{text}-{number}" for number in range(1, len(taken) + 2))
    return next(name for name in names if name not in taken)


def name_complaint(home: Home, name: str) -> str:
    """Why a data set cannot be called `name`; empty if it can, or if only another one has that name already."""
    try:
        home.dataset(name)
    except ConfigError as error:
        return str(error).rpartition(": ")[2] if name else "the data set needs a name"
    return ""


def is_table(names: Sequence[str]) -> bool:
    """Whether these files are all there is to wait for: a single table."""
    return len(names) == 1 and names[0].lower().endswith(_ALONE)


def common_folder(names: Sequence[str]) -> str:
    """The folder that all files of an upload lie in; empty if they came one by one."""
    first = {name.partition("/")[0] if "/" in name else "" for name in names}
    folder = first.pop() if len(first) == 1 else ""
    return "" if folder.startswith(".") else folder[:LONGEST_NAME]


def origin_sentence(origin: Source, layout: str) -> str:
    """`events.csv, 9 MB, read as one table`."""
    if origin.path is not None:
        called = origin.path
    elif origin.folder:
        called = f"{origin.folder} with {words.count(len(origin.names), 'file')}"
    else:
        called = ", ".join(origin.names[:6]) + (
            f" and {len(origin.names) - 6} more" if len(origin.names) > 6 else ""
        )
    size = f", {words.size(origin.size)}" if origin.size else ""
    return f"{called}{size}, read as {LAYOUTS.get(layout, layout)}"


def found_behaviors(labels: Iterable[str]) -> Found:
    """`labels` in the order of a shop's funnel as their names tell it; the target only where the last is a purchase."""
    distinct = [label for label in dict.fromkeys(labels) if label]
    ordered = sorted(distinct, key=_stage)
    if len(ordered) == 1:
        return Found(tuple(ordered), ordered[0])
    bought = [label for label in ordered if _stage(label) == len(_STAGES) - 1]
    return Found(tuple(ordered), bought[-1] if bought else None)


def _stage(label: str) -> float:
    places = [place for place, names in enumerate(_STAGES) if any(name in label for name in names)]
    return max(places, default=0.5)


def problems(
    home: Home, request: ImportRequest, *, mapped: bool, target_known: bool, graph: str = ""
) -> list[str]:
    """What the form still lacks, one sentence each. mapped: the layout has columns to map. graph: what is wrong with the
    target type or the metapaths.
    """
    told = []
    columns = request.columns or {}
    if mapped:
        missing = [ROLES[role].lower() for role in REQUIRED if role not in columns]
        if missing:
            told.append(f"Choose the column of the {' and the '.join(missing)}.")
        twice = {name for name in columns.values() if list(columns.values()).count(name) > 1}
        told += [f"The column {name!r} is chosen twice." for name in sorted(twice)]
    if not target_known:
        told.append("Choose the target: the behaviour to recommend.")
    if graph:
        told.append(words.sentence(in_form(graph)))
    complaint = name_complaint(home, request.name)
    if complaint:
        told.append(f"Name: {complaint}.")
    elif home.dataset(request.name).exists() and not request.replace:
        told.append(f"There is a data set {request.name!r} already: choose another name, or replace it.")
    return told


def headings(columns: Sequence[str], role_of: Mapping[str, str]) -> list[str]:
    """A distinct, visible heading per column, with what the column is taken for."""
    found: list[str] = []
    for place, name in enumerate(columns, start=1):
        shown = name.strip()[:60] or f"column {place}"
        shown += f" → {role_of[name]}" if name in role_of else ""
        while shown in found:
            shown += f" ({place})"
        found.append(shown)
    return found


def counts_table(summary: ImportSummary) -> pd.DataFrame:
    """Rows per behaviour (funnel order) and split, and their sum."""
    rows = []
    for behavior, counts in summary.pairs.items():
        parts = {_SPLIT_TITLES[split]: counts.get(split, 0) for split in SPLITS}
        rows.append({"behaviour": behavior, **parts, "pairs": sum(parts.values())})
    return pd.DataFrame(rows, columns=["behaviour", *_SPLIT_TITLES.values(), "pairs"])


def graph_table(graph: GraphSummary) -> pd.DataFrame:
    """What is counted, name and count: nodes per type, edges per relation, entries per metapath."""
    parts = {"nodes": graph.nodes, "edges": graph.edges, "metapath": graph.metapaths}
    rows = [
        {"what": what, "name": name, "count": count}
        for what, counts in parts.items()
        for name, count in counts.items()
    ]
    return pd.DataFrame(rows, columns=["what", "name", "count"])


def setting_table(graph: GraphSummary) -> pd.DataFrame:
    """Labelled nodes per label setting and part."""
    titles = {"train": "training", "val": "validation", "test": "test"}
    rows = [
        {"labels per class": number, **{titles[part]: count for part, count in parts.items()}}
        for number, parts in graph.settings.items()
    ]
    return pd.DataFrame(rows, columns=["labels per class", *titles.values()])


def classes_sentence(graph: GraphSummary) -> str:
    """`3 classes of paper: database (1,994), wireless (1,061), data mining (965); 12 without a label`."""
    shown = [f"{name} ({count:,})" for name, count in list(graph.classes.items())[:_SHOWN_CLASSES]]
    more = len(graph.classes) - len(shown)
    listed = ", ".join(shown) + (f" and {more:,} more" if more else "")
    without = f"; {graph.unlabelled:,} without a label" if graph.unlabelled else ""
    return f"{_classes(graph)} of {graph.target}: {listed}{without}"


def _classes(graph: GraphSummary) -> str:
    return f"{len(graph.classes):,} class{'es' if len(graph.classes) != 1 else ''}"


def summary_sentence(summary: ImportSummary) -> str:
    """`2,003 users, 797 items and 186,210 pairs under view, cart and buy`; of a graph its nodes, edges and classes."""
    if (graph := summary.graph) is not None and not summary.pairs:
        return (
            f"{words.count(sum(graph.nodes.values()), 'node')} of {words.count(len(graph.nodes), 'type')}, "
            f"{words.count(sum(graph.edges.values()), 'edge')} and {_classes(graph)} of {graph.target}"
        )
    pairs = sum(sum(counts.values()) for counts in summary.pairs.values())
    names = list(summary.pairs)
    listed = " and ".join([", ".join(names[:-1]), names[-1]]) if len(names) > 1 else "".join(names)
    return (
        f"{words.count(summary.users, 'user')}, {words.count(summary.items, 'item')} and "
        f"{words.count(pairs, 'pair')} under {listed}"
    )


def in_form(text: str) -> str:
    """A message of the importers with its remedies in the page's words instead of the command line's."""
    for pattern, replacement in _REMEDIES:
        text = re.sub(pattern, replacement, text)
    return text


def command(request: ImportRequest, source: str) -> str:
    """What does the same on the command line."""
    parts = ["python -m core import", request.layout, quote(source), "--name", quote(request.name)]
    if request.columns:
        pairs = [f"{role}={column}" for role, column in request.columns.items()]
        apart = any("," in name or name != name.strip() for name in request.columns.values())
        for mapping in pairs if apart else [",".join(pairs)]:
            parts += ["--map", quote(mapping)]
    if request.ids == "text":
        parts += ["--ids text"]
    if request.features != "as-given":
        parts += ["--features", request.features]
    if request.target_type:
        parts += ["--target-type", quote(request.target_type)]
    if request.metapaths:
        parts += ["--metapaths", quote(request.metapaths)]
    if request.behaviors:
        parts += ["--behaviors", quote(",".join(request.behaviors))]
    elif request.target:
        parts += ["--target", quote(request.target)]
    if request.split:
        parts += ["--split", request.split]
    if request.seed:
        parts += ["--seed", str(request.seed)]
    return " ".join(parts + (["--replace"] if request.replace else []))
