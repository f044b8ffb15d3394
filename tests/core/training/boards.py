"""Runs on the tiny checkerboard, ready to train."""

from typing import Any

from core.data.dataset import open_dataset
from core.data.ranking import RankingData, ranking_data
from core.home import Home
from core.recipe import Recipe, make_recipe
from core.runs.folder import RunFolder, create_run
from core.training.tasks import RankingTask
from core.training.trainer import Hooks, Trainer
from tests.core.models import tiny

SMALL: dict[str, dict[str, Any]] = {
    "cigf": {
        "dim": 4,
        "epochs": 5,
        "batch_users": 11,
        "positives_per_user": 3,
        "validate_every": 1,
        "snapshot_every": 2,
    },
    "hgib": {"dim": 4, "epochs": 5, "batch_size": 16, "validate_every": 1, "snapshot_every": 2},
    "lightgcn": {"dim": 4, "epochs": 5, "batch_size": 64, "validate_every": 1},
}


def recipe(home: Home, system: str = "cigf", dataset: str = "board", **changes: Any) -> Recipe:
    info = open_dataset(home, dataset).info
    overrides = SMALL.get(system, {}) | changes.pop("overrides", {})
    settings = {"preset": "small", "protocol": "full", "device": "cpu"} | changes
    return make_recipe(info.name, info.content_hash, system, overrides=overrides, **settings)


def queued(home: Home, run_id: str = "run", system: str = "cigf", **changes: Any) -> RunFolder:
    return create_run(home, recipe(home, system, **changes), run_id)


def trainer(home: Home, run: RunFolder) -> Trainer:
    """A fresh model with a trainer that continues the run where its checkpoint left it."""
    about = run.recipe()
    data: RankingData = ranking_data(open_dataset(home, about.dataset), about.fit_on)
    model = tiny.built(about.system, data, about.variant, about.seed, **about.config)
    return Trainer(model, about, RankingTask(data), run, tiny.CPU)


def stopping_after(epoch: int) -> Hooks:
    """Asks to stop once `epoch` epochs are done."""
    done: list[int] = []
    return Hooks(lambda: epoch in done, lambda progress: done.append(progress.epoch))
