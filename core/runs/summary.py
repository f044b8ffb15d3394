"""One row of the list of runs: what a run folder says, in a form that is never missing and never an exception."""

from math import isfinite
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict

from core.errors import RelScopeError, RunError
from core.recipe import Recipe
from core.runs.folder import RunFolder, State, Status
from core.runs.notes import read_notes
from core.runs.valid_curve import ValidCurve


class RunSummary(BaseModel):
    """What lists and tables show of a run. Times are unix seconds; texts are empty where nothing is known.

    protocol: key of the run's own protocol; `metrics` are its final test metrics and `results` those of every stored
    protocol by key. `changes`: setting -> (the preset's value, this run's). `damaged`: files of the folder cannot be
    read; `error` says which, and the state is then failed. `stored_state` is what status.json says, None if unreadable.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    run_id: str
    state: State
    system: str = ""
    dataset: str = ""
    dataset_hash: str = ""
    preset: str = ""
    variant: str = ""
    seed: int = 0
    protocol: str = ""
    fit_on: str = ""
    selection: str = ""
    auxiliary_noise: float = 0.0
    device_wanted: str = ""
    device: str = ""
    slot: str = ""
    host: str = ""
    created: float = 0.0
    queued: float = 0.0
    started: float | None = None
    finished: float | None = None
    heartbeat: float | None = None
    epoch: int = 0
    epochs: int = 0
    attempts: int = 0
    parent: str = ""
    message: str = ""
    error: str = ""
    main_metric: str = ""
    main_value: float | None = None
    metrics: dict[str, float] = {}
    results: dict[str, dict[str, float]] = {}
    best_valid: float | None = None
    best_valid_epoch: int | None = None
    tags: tuple[str, ...] = ()
    notes: str = ""
    is_resumable: bool = False
    changes: dict[str, tuple[Any, Any]] = {}
    stored_state: State | None = None
    damaged: bool = False


def summarise(run: RunFolder, curve: ValidCurve | None = None) -> RunSummary:
    """The summary of `run`; damage is reported in it, not raised.

    curve: the run's validation curve as far as it was read before; it is read on from there.
    """
    problems: list[str] = []
    notes = read_notes(run)
    fields: dict[str, Any] = {"tags": notes.tags, "notes": notes.notes, "is_resumable": _is_resumable(run)}
    fields |= _status_fields(run, problems)
    try:
        recipe = run.recipe()
    except RunError as error:
        problems.append(str(error))
    else:
        fields |= _recipe_fields(recipe) | _result_fields(run, recipe, problems)
        epoch, value = (curve or ValidCurve()).read_on(run.metrics, recipe.protocol.main_metric).best()
        fields |= {"best_valid": value, "best_valid_epoch": epoch}
    if problems:
        fields |= {"state": "failed", "error": "; ".join(problems), "damaged": True}
    return RunSummary(run_id=run.run_id, **fields)


def _status_fields(run: RunFolder, problems: list[str]) -> dict[str, Any]:
    try:
        status = run.status()
    except RunError as error:
        problems.append(str(error))
        return {"created": _modified(run.path)}
    shared = RunSummary.model_fields.keys() & Status.model_fields.keys() - {"error", "parent"}
    fields = {name: getattr(status, name) for name in shared}
    fields["stored_state"] = status.state
    return fields | {"error": status.error.message if status.error else "", "parent": status.parent or ""}


def _recipe_fields(recipe: Recipe) -> dict[str, Any]:
    try:
        pairs = {name: (_plain(old), _plain(new)) for name, (old, new) in recipe.changes().items()}
    except RelScopeError:  # the preset has left the catalog
        pairs = {}
    same = ("system", "dataset", "dataset_hash", "preset", "seed", "fit_on", "selection", "auxiliary_noise")
    return {name: getattr(recipe, name) for name in same} | {
        "variant": recipe.variant or "",
        "protocol": recipe.protocol.key,
        "device_wanted": recipe.device,
        "main_metric": recipe.protocol.main_metric,
        "changes": {name: (old, new) for name, (old, new) in pairs.items() if old != new},
    }


def _plain(value: Any) -> Any:
    """A stored setting knows lists where the preset has tuples."""
    return [_plain(v) for v in value] if isinstance(value, list | tuple) else value


def _result_fields(run: RunFolder, recipe: Recipe, problems: list[str]) -> dict[str, Any]:
    try:
        result = run.result()
        stored = {} if result is None else result["protocols"]
        results = {
            str(key): {
                str(k): float(v) for k, v in scored["metrics"].items() if v is not None and isfinite(v)
            }
            for key, scored in stored.items()
        }
    except RunError as error:
        problems.append(str(error))
        return {}
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        problems.append(f"{run.run_id}: result.json cannot be read ({error}); evaluate the run again")
        return {}
    metrics = results.get(recipe.protocol.key, {})
    return {
        "results": results,
        "metrics": metrics,
        "main_value": metrics.get(recipe.protocol.main_metric),
    }


def _is_resumable(run: RunFolder) -> bool:
    try:
        return run.is_resumable
    except OSError:
        return False


def _modified(path: Path) -> float:
    try:
        return path.stat().st_mtime
    except OSError:
        return 0.0
