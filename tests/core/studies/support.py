"""Runs of a study without any training: a recipe, a state, and a value of the main metric."""

from typing import Any

from core.files import write_json
from core.home import Home
from core.recipe import Recipe
from core.runs.folder import RunFolder, create_run
from core.studies.noise import planned

HASH = "ab" * 32


def recipes(**changes: Any) -> tuple[Recipe, ...]:
    """A plan of one seed and the shares 0 and 0.2 unless told otherwise: 4 contestants, 8 recipes."""
    asked = {"preset": "small", "shares": (0.0, 0.2), "seeds": (0,)} | changes
    return planned("demo", HASH, **asked)


def stored(
    home: Home, recipe: Recipe, value: float | None = 0.5, state: str = "done", run_id: str | None = None
) -> RunFolder:
    """A run of `recipe` in `state`, with `value` as its result where it is done."""
    run = create_run(home, recipe, run_id)
    if state == "done":
        about = {"selection": recipe.selection, "fit_on": recipe.fit_on, "epoch": 2, "num_users": 5}
        result = about | {"metrics": {recipe.protocol.main_metric: value}}
        write_json(run.path / "result.json", {"protocols": {recipe.protocol.key: result}})
    run.update_status(state=state, started=1.0, finished=3.0)
    return run
