"""A home like a busy user's: planted data, and many runs copied from a few that were really trained."""

import random
import shutil
import time
from pathlib import Path

from core.catalog.systems import CATALOG
from core.data.dataset import DatasetInfo, open_dataset
from core.data.planted import write_demo
from core.data.profile_store import fill
from core.home import Home
from core.recipe import Recipe, make_recipe
from core.runs.folder import RunFolder, create_run
from core.runs.metrics import MetricWriter, latest_rows, read_metrics
from core.training.worker import work

_TRAINED_EPOCHS = 3
_WRITTEN_EPOCHS = 60
_COPIED = ("environment.json", "log.txt", "result.json", "per_user.parquet", "recommendations.npz")
_COPIED_FOLDERS = ("findings", "embeddings", "checkpoints")
_DATASET = "demo"


def write_stored_home(home: Home, count: int) -> list[str]:
    """Write the demo data and `count` ended runs of every system in turn; their ids, the latest first.

    Each system is trained once for a few epochs on the planted data; the runs are copies with seeds, curves of
    60 epochs, and every eighth failed or cancelled. None is queued, so that no supervisor starts training.
    """
    info = write_demo(home, _DATASET, replace=True)
    fill(home, open_dataset(home, _DATASET))
    templates = [_trained(home, info, key) for key in CATALOG]
    now = time.time()
    ids = [_copied(home, templates[n % len(templates)], n, now - 60.0 * n).run_id for n in range(count)]
    for template in templates:
        shutil.rmtree(template.path)
    return ids


def _trained(home: Home, info: DatasetInfo, system: str) -> RunFolder:
    entry = CATALOG[system]
    epochs = {"epochs": _TRAINED_EPOCHS} if "epochs" in entry.config.model_fields else {}
    recipe = make_recipe(
        info.name, info.content_hash, system, planted=True, preset="small", overrides=epochs, device="cpu"
    )
    run = create_run(home, recipe, f"template-{system.replace('_', '-')}")
    work(home, run)
    return run


def _copied(home: Home, template: RunFolder, number: int, when: float) -> RunFolder:
    recipe: Recipe = template.recipe().model_copy(update={"seed": number})
    ending = ("failed", "cancelled")[number // 8 % 2] if number % 8 == 7 else "done"
    first = template.status().model_dump() | {
        "state": ending,
        "created": when,
        "queued": when,
        "started": when + 1.0,
        "finished": when + 40.0,
        "error": {"message": "loss/total is not finite in epoch 3"} if ending == "failed" else None,
    }
    run = create_run(home, recipe, f"stored-{number:03d}-{recipe.system.replace('_', '-')}", first)
    for name in _COPIED if ending == "done" else _COPIED[:2]:
        _copy_if_there(template.path / name, run.path / name)
    for name in _COPIED_FOLDERS if ending == "done" else ():
        _copy_if_there(template.path / name, run.path / name)
    _write_curves(template, run, number)
    return run


def _copy_if_there(source: Path, target: Path) -> None:
    if source.is_dir():
        shutil.copytree(source, target)
    elif source.exists():
        shutil.copyfile(source, target)


def _write_curves(template: RunFolder, run: RunFolder, seed: int) -> None:
    """The template's metrics, drawn out with noise to as many epochs as real runs have."""
    rows = latest_rows(read_metrics(template.metrics)[0])
    last = {row.name: row.value for row in rows}
    if not last:
        return
    noise, writer = random.Random(seed), MetricWriter(run.metrics)
    for epoch in range(1, _WRITTEN_EPOCHS + 1):
        writer.write(
            epoch * 7, epoch, {name: value * noise.uniform(0.9, 1.1) for name, value in last.items()}
        )
    writer.close()
