"""What can be typed after `python -m core`; what each command does is in core/cli.py."""

import argparse
import sys
from collections.abc import Callable, Mapping, Sequence

from core.catalog.systems import CATALOG
from core.data.importers.limits import DEFAULT_MAX_MB
from core.home import Home
from core.protocol import PROTOCOLS, SELECTION_TITLES
from core.runs.projections import METHODS

Arguments = argparse.Namespace
Act = Callable[[Home, Arguments], int]


def parsed(acts: Mapping[str, Act], arguments: Sequence[str] | None) -> argparse.Namespace:
    """The arguments of one command; exits with status 2 if they do not fit.

    argparse misses SYSTEM and DATASET where options stand between them, and --set takes them for settings: both are put
    in place here, in the order in which they were typed.
    """
    typed = sys.argv[1:] if arguments is None else list(arguments)
    parser = parser_for(acts)
    args, left = parser.parse_known_args(typed)
    stray = [*left, *(word for word in getattr(args, "set", ()) if "=" not in word)]
    if stray and hasattr(args, "system") and not any(word.startswith("-") for word in left):
        words = sorted([*filter(None, (args.system, args.dataset)), *stray], key=typed.index)
        args.set = [text for text in args.set if "=" in text]
        args.system, args.dataset, *left = [*words, None, None] if len(words) < 2 else words
        left = [word for word in left if word is not None]
    if left:
        parser.error(
            f"unrecognized arguments: {' '.join(left)}; --set takes key=value, e.g. --set num_layers=3"
        )
    return args


def parser_for(acts: Mapping[str, Act]) -> argparse.ArgumentParser:
    """The parser of every command; `acts` holds what each one does, by its name."""
    common = argparse.ArgumentParser(add_help=False)
    common.add_argument(
        "--home", help="home folder of data sets and runs (default: RELSCOPE_HOME or ./workspace)"
    )
    parser = argparse.ArgumentParser(
        prog="python -m core", description="RelScope: relation-aware recommendation, trained and looked at."
    )
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    def command(name: str, text: str) -> argparse.ArgumentParser:
        added = commands.add_parser(name, help=text, description=text, parents=[common])
        added.set_defaults(act=acts[name])
        return added

    _json(command("datasets", "list the data sets"))
    demo = command("demo-data", "write the planted demo data set")
    demo.add_argument("--name", default="demo")
    demo.add_argument("--seed", type=_seed)
    demo.add_argument("--users", type=int, default=1_500)
    demo.add_argument("--items", type=int, default=1_000)
    demo.add_argument("--replace", action="store_true", help="replace a data set of that name")
    demo.add_argument(
        "--if-missing", action="store_true", help="do nothing if a data set of that name exists"
    )
    _import_arguments(command("import", "read a data set"))
    job = command("import-job", "work off an import that the dashboard has staged")
    job.add_argument("token", help="name of the folder below imports/")
    shown = _json(command("profile", "print a data set's statistics as JSON"))
    shown.add_argument("name")
    shown.add_argument("--quiet", action="store_true", help="fill the cache and print nothing")
    _json(command("systems", "list what can be trained"))
    train = _recipe_arguments(command("train", "train here and now"))
    train.add_argument("--resume", metavar="RUN", help="continue a run from its last checkpoint")
    _recipe_arguments(command("submit", "queue a run; the supervisor trains it"))
    command("cancel", "cancel a queued or running run").add_argument("run")
    command("supervise", "work off the queue until stopped")
    evaluated = command("evaluate", "evaluate a finished run, also under another protocol")
    evaluated.add_argument("run")
    evaluated.add_argument(
        "--protocol", help=f"{', '.join(PROTOCOLS)}, with options as in full:mask_valid=false"
    )
    mapped = command("project", "map a run's embeddings to two dimensions")
    mapped.add_argument("run")
    mapped.add_argument(
        "--level", default="h", help="which of its embeddings (default: h, what is classified)"
    )
    mapped.add_argument("--method", choices=METHODS, default="umap", help="umap, or principal components")
    _study_arguments(command("study", "train a set of runs that answer one question together"))
    _json(command("runs", "list the runs"))
    _json(command("show", "print a run's recipe, status and results")).add_argument("run")
    command("reindex", "rebuild the index of runs from their folders")
    bench = _json(command("bench", "measure a hot path against its plain form"))
    bench.add_argument("name", help="sparse, cigf, hgib, egra, srgformer, hgcvae, evaluate or dashboard")
    bench.add_argument(
        "--dataset",
        help="data set of cigf, hgib and evaluate (default: taobao if imported, else planted data of 20,000 users)",
    )
    bench.add_argument("--device", default="auto", help="auto, cpu, cuda or cuda:N")
    return parser


def _seed(text: str) -> int:
    if not text.isdecimal():
        raise argparse.ArgumentTypeError(f"{text!r} is no seed: expected a whole number from 0 up")
    return int(text)


def _json(parser: argparse.ArgumentParser) -> argparse.ArgumentParser:
    parser.add_argument("--json", action="store_true", help="print JSON for scripts")
    return parser


def _import_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "layout", help="table, behavior-text, behavior-npz, mbgmn, mmrec, recbole, heco, hetero, or auto"
    )
    parser.add_argument("source", help="file or folder to read")
    parser.add_argument("--name", required=True, help="name of the data set")
    parser.add_argument("--behaviors", help="behaviours in funnel order, target last: view,cart,buy")
    parser.add_argument(
        "--target",
        help="name of the behaviour to recommend (default: buy; of a source without names of behaviours: interaction)",
    )
    parser.add_argument("--split", choices=["as-given", "last", "random"], help="how pairs are held out")
    parser.add_argument("--seed", type=_seed, default=0, help="seed of random splits")
    parser.add_argument("--replace", action="store_true", help="replace a data set of that name")
    parser.add_argument(
        "--map",
        action="append",
        metavar="user=COL,item=COL,behavior=COL,time=COL",
        help="columns of a table; behavior and time may be left out (default: detected); repeat it with one ROLE=COL "
        "each where a name holds a comma",
    )
    parser.add_argument(
        "--ids", choices=["whole", "text"], default="whole", help="whole numbers from 0 up, or any texts"
    )
    parser.add_argument(
        "--features",
        choices=["as-given", "unit", "standard"],
        default="as-given",
        help="features of items: untouched, every row of length one, or every column of mean 0 and variance 1",
    )
    parser.add_argument("--target-type", metavar="TYPE", help="node type whose classes are learned (graphs)")
    parser.add_argument(
        "--metapaths",
        metavar="WALKS",
        help="walks of a graph from the target type back to it: 'PAP=paper,author,paper; PVP=paper,venue,paper'; where "
        "several relations join two types, name one: paper:cites:paper",
    )
    parser.add_argument("--dry-run", action="store_true", help="read, check and report; store nothing")
    parser.add_argument(
        "--max-size",
        type=_megabytes,
        default=DEFAULT_MAX_MB,
        metavar="MB",
        help=f"largest source file in megabytes (default: {DEFAULT_MAX_MB})",
    )


def _megabytes(text: str) -> int:
    if not text.isdecimal() or not 1 <= int(text[:9]) < 10**6 or len(text) > 9:
        raise argparse.ArgumentTypeError(f"{text!r} is no size: expected whole megabytes from 1 to 999999")
    return int(text)


def _study_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "study",
        choices=["noise", "grid"],
        help="noise: what random auxiliary pairs cost, and what helps; grid: the settings that a paper searches",
    )
    parser.add_argument("dataset", help="name of a data set")
    parser.add_argument(
        "--system",
        dest="system_key",
        choices=[key for key, entry in CATALOG.items() if entry.search],
        help="whose grid (grid only; default: hgib)",
    )
    parser.add_argument(
        "--seeds", nargs="+", type=_seed, metavar="SEED", help="default: 0 1 2 for noise, 0 for a grid"
    )
    parser.add_argument(
        "--shares",
        nargs="+",
        type=float,
        metavar="SHARE",
        help="of random pairs (noise only; default: 0 0.1 0.2 0.4)",
    )
    _how_arguments(parser, "change a setting of every system that has it; a variant keeps what it is about")
    parser.add_argument(
        "--here", action="store_true", help="train one after another in this process; default: queue them"
    )


def _how_arguments(parser: argparse.ArgumentParser, set_help: str) -> None:
    """How to train, alike for one run and for a set of them."""
    parser.add_argument("--preset", help="paper, small, ...; default: small on planted data, else paper")
    parser.add_argument("--set", nargs="+", action="extend", default=[], metavar="KEY=VALUE", help=set_help)
    parser.add_argument("--epochs", type=int, help="the same as --set epochs=N")
    parser.add_argument("--device", default="auto", help="auto, cpu, cuda or cuda:N")
    parser.add_argument(
        "--protocol", help=f"{', '.join(PROTOCOLS)}, with options as in full:mask_valid=false"
    )
    parser.add_argument("--fit-on", choices=["train", "train+valid"], default="train")
    parser.add_argument("--selection", choices=list(SELECTION_TITLES), help="how the epoch is chosen")


def _recipe_arguments(parser: argparse.ArgumentParser) -> argparse.ArgumentParser:
    parser.add_argument("system", nargs="?", help=", ".join(CATALOG))
    parser.add_argument("dataset", nargs="?", help="name of a data set")
    parser.add_argument("--variant", help="a named ablation of the system")
    parser.add_argument("--seed", type=int, default=0)
    _how_arguments(parser, "change settings; may be repeated")
    parser.add_argument(
        "--auxiliary-noise",
        type=float,
        default=0.0,
        metavar="SHARE",
        help="random pairs to add to every auxiliary behaviour in training, 0.2: a fifth of its own pairs (default: 0)",
    )
    parser.add_argument("--run-id", help="id of the new run (default: made from time, system, data and seed)")
    return parser
