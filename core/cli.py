"""The command line; its names and arguments are stable, since scripts depend on them."""

import json
import sys
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from core.arguments import Act, Arguments, parsed, parser_for
from core.asked import is_described, overrides_of, recipe_of
from core.catalog.systems import CATALOG, system
from core.errors import ConfigError, RelScopeError
from core.files import DISK_FULL_STATUS, DISK_IS_FULL
from core.home import Home, find_home

if TYPE_CHECKING:
    from core.data.importers.report import ImportReport

INTERRUPTED = 130


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return the exit status: 0 done, 1 the work failed, 2 the arguments are wrong, 74 the disk is full,
    130 interrupted."""
    args = parsed(ACTS, arguments)
    home = find_home(args.home)
    try:
        return int(args.act(home, args))
    except RelScopeError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2 if isinstance(error, ConfigError) else 1
    except BrokenPipeError:
        sys.stderr.close()
        return 1
    except OSError as error:
        with suppress(OSError):  # a worker's messages go to the very disk that may be full
            print(f"error: {error}; check the disk and the permissions of {home.root}", file=sys.stderr)
        return DISK_FULL_STATUS if error.errno in DISK_IS_FULL else 1
    except KeyboardInterrupt:
        return INTERRUPTED


def _datasets(home: Home, args: Arguments) -> int:
    from core.data.dataset import list_datasets

    infos = list_datasets(home)
    if args.json:
        print(json.dumps([info.model_dump(mode="json") for info in infos]))
    for info in infos if not args.json else ():
        sizes = f"{info.num_users:>9,} users {info.num_items:>9,} items  {', '.join(info.behaviors)}"
        if not info.behaviors:
            sizes = f"{sum(info.nodes.values()):>9,} nodes {len(info.nodes):>9,} types  target type {info.target_type}"
        print(f"{info.name:24} {sizes}")
    if not infos and not args.json:
        print("no data sets yet: `python -m core demo-data` writes one, `python -m core import` reads yours")
    return 0


def _demo_data(home: Home, args: Arguments) -> int:
    from core.data.planted import DEFAULT_SEED, write_demo

    seed = DEFAULT_SEED if args.seed is None else args.seed
    if args.if_missing and home.dataset(args.name).exists():
        return 0
    info = write_demo(
        home, args.name, seed=seed, num_users=args.users, num_items=args.items, replace=args.replace
    )
    print(f"wrote {info.name}: {info.num_users} users, {info.num_items} items, {', '.join(info.behaviors)}")
    _fill_profile(home, info.name)
    return 0


def _import(home: Home, args: Arguments) -> int:
    from core.data.importers.console import told_progress
    from core.data.importers.registry import check_import, import_dataset
    from core.data.importers.table import parse_map

    asked: dict[str, Any] = {
        "behaviors": args.behaviors.split(",") if args.behaviors else None,
        "target": args.target,
        "split": args.split,
        "seed": args.seed,
        "replace": args.replace,
        "columns": parse_map(args.map) if args.map else None,
        "ids": args.ids,
        "features": args.features,
        "target_type": args.target_type,
        "metapaths": args.metapaths,
        "max_mb": args.max_size,
    }
    reports: list[ImportReport] = []
    with told_progress() as progress:
        common = (home, args.layout, Path(args.source), args.name)
        if args.dry_run:
            reports.append(check_import(*common, **asked, progress=progress))
        else:
            import_dataset(*common, **asked, progress=progress, told=reports.append)
    done = "checked, nothing stored" if args.dry_run else f"imported {args.name}"
    print(f"{done}: " + "\n".join(reports[0].lines()))
    if not args.dry_run:
        _fill_profile(home, args.name)
    return 0


def _import_job(home: Home, args: Arguments) -> int:
    from core.data.import_work import work

    return work(home, args.token)


def _profile(home: Home, args: Arguments) -> int:
    from core.data.dataset import open_dataset
    from core.data.profile_store import fill

    dataset = open_dataset(home, args.name)
    try:
        told = fill(home, dataset)
    except OSError as error:
        from core.data.profile import profile

        print(f"the profile is not kept: {error}", file=sys.stderr)
        told = profile(dataset)
    if not args.quiet:
        print(json.dumps(told, indent=None if args.json else 2))
    return 0


def _fill_profile(home: Home, name: str) -> None:
    """Profile a data set that was just written; if that fails, the data set is still there and the page can try again."""
    from core.data.dataset import open_dataset
    from core.data.profile_store import fill

    try:
        fill(home, open_dataset(home, name))
    except (RelScopeError, OSError) as error:
        print(f"{name} could not be profiled: {error}", file=sys.stderr)


def _systems(home: Home, args: Arguments) -> int:
    if args.json:
        print(json.dumps([_described(key) for key in CATALOG]))
        return 0
    width = max(len(entry.title) for entry in CATALOG.values())
    for entry in CATALOG.values():
        print(f"{entry.key:14} {entry.title:{width}} {entry.summary}")
        print(
            f"{'':14} presets: {', '.join(entry.presets)}"
            + (f"  variants: {', '.join(entry.variants)}" if entry.variants else "")
        )
    return 0


def _described(key: str) -> dict[str, Any]:
    entry = system(key)
    return {
        "key": key,
        "title": entry.title,
        "paper": entry.paper,
        "summary": entry.summary,
        "presets": list(entry.presets),
        "variants": {name: variant.title for name, variant in entry.variants.items()},
        "search": {name: list(values) for name, values in entry.search.items()},
        "default_protocol": entry.default_protocol,
        "settings": entry.config.model_json_schema()["properties"] if entry.config.model_fields else {},
    }


def _train(home: Home, args: Arguments) -> int:
    from core.runs.folder import create_run, open_run
    from core.runs.launch import settle
    from core.runs.worker import running_now, stop_signals

    if args.resume:
        if is_described(args, parser_for(ACTS)):
            raise ConfigError(
                "--resume RUN takes nothing else: the run's recipe says what to train; clone it to change it"
            )
        settle(home)
        run = open_run(home, args.resume)
        state = run.status().state
        if state == "done":
            raise ConfigError(
                f"run {args.resume!r} is done already; `python -m core show {args.resume}` prints its results"
            )
    else:
        run = create_run(home, recipe_of(home, args), args.run_id, running_now())
    with stop_signals() as stopping:  # before torch is imported: an import can swallow an interrupt
        print(run.run_id, flush=True)
        from core.training.console import train_with_progress

        return train_with_progress(home, run, stopping)


def _submit(home: Home, args: Arguments) -> int:
    from core.runs.launch import ensure_supervisor, submit

    run = submit(home, recipe_of(home, args), args.run_id)
    print(run.run_id, flush=True)
    ensure_supervisor(home)
    return 0


def _cancel(home: Home, args: Arguments) -> int:
    from core.runs.launch import cancel

    cancel(home, args.run)
    print(f"cancelling {args.run}")
    return 0


def _supervise(home: Home, args: Arguments) -> int:
    from core.runs.supervise import supervise

    supervise(home)
    return 0


def _evaluate(home: Home, args: Arguments) -> int:
    from core.protocol import parse_protocol
    from core.runs.folder import open_run
    from core.training.worker import evaluate_run

    run = open_run(home, args.run)
    protocol = parse_protocol(args.protocol) if args.protocol else run.recipe().protocol
    print(json.dumps({"run": run.run_id, **evaluate_run(home, run, protocol)}))
    return 0


def _project(home: Home, args: Arguments) -> int:
    from core.runs.folder import open_run
    from core.runs.projections import checked_method
    from core.training.projecting import project

    run = open_run(home, args.run)
    project(run, args.level, checked_method(args.method))
    print(f"mapped {args.level} of {run.run_id} by {args.method}")
    return 0


def _study(home: Home, args: Arguments) -> int:
    from core.data.dataset import open_dataset
    from core.studies.command import grid_of, noise_of, queue, train_here

    stray = {"grid": ("--shares", args.shares), "noise": ("--system", args.system_key)}[args.study]
    if stray[1]:
        raise ConfigError(f"study {args.study} takes no {stray[0]}; leave it out")
    info = open_dataset(home, args.dataset).info
    shared = {
        "preset": args.preset,
        "overrides": overrides_of(args),
        "protocol": args.protocol,
        "fit_on": args.fit_on,
        "selection": args.selection,
        "device": args.device,
    }
    if args.study == "grid":
        study = grid_of(info, args.system_key, args.seeds, shared)
    else:
        study = noise_of(info, args.shares, args.seeds, shared)
    return train_here(home, study) if args.here else queue(home, study)


def _runs(home: Home, args: Arguments) -> int:
    from core.runs.index import list_runs

    summaries = list_runs(home)
    if args.json:
        print(json.dumps([summary.model_dump(mode="json") for summary in summaries]))
        return 0
    for s in summaries:
        value = f"{s.main_metric} {s.main_value:.4f}" if s.main_value is not None else ""
        noise = f"  {100 * s.auxiliary_noise:.4g} % noise" if s.auxiliary_noise else ""
        print(f"{s.run_id:52} {s.state:10} {s.epoch:>4}/{s.epochs:<4} {s.protocol:10} {value}{noise}")
    if not summaries:
        print("no runs yet: `python -m core train cigf demo` makes one")
    return 0


def _show(home: Home, args: Arguments) -> int:
    from core.runs.folder import open_run

    run = open_run(home, args.run)
    shown = {
        "run": run.run_id,
        "recipe": run.recipe().model_dump(),
        "status": run.status().model_dump(),
        "result": run.result() if args.json else _without_repeats(run.result()),
        "environment": run.environment(),
    }
    print(json.dumps(shown, indent=None if args.json else 2))
    return 0


def _without_repeats(result: dict[str, Any] | None) -> dict[str, Any] | None:
    """`result` for reading: the single values of every classifier and clustering fill hundreds of lines."""
    protocols = (result or {}).get("protocols", {})
    told = {key: {k: v for k, v in scored.items() if k != "repeats"} for key, scored in protocols.items()}
    return result and result | {"protocols": told}


def _reindex(home: Home, args: Arguments) -> int:
    from core.runs.index import reindex

    print(f"indexed {reindex(home)} runs")
    return 0


def _bench(home: Home, args: Arguments) -> int:
    from core.bench.registry import run_bench

    return run_bench(args.name, home, args.dataset, args.device, as_json=args.json)


ACTS: dict[str, Act] = {
    "datasets": _datasets,
    "demo-data": _demo_data,
    "import": _import,
    "import-job": _import_job,
    "profile": _profile,
    "systems": _systems,
    "train": _train,
    "submit": _submit,
    "project": _project,
    "study": _study,
    "cancel": _cancel,
    "supervise": _supervise,
    "evaluate": _evaluate,
    "runs": _runs,
    "show": _show,
    "reindex": _reindex,
    "bench": _bench,
}
