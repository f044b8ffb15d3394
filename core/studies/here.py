"""Carrying a study out in this process, one run after another."""

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from core.errors import RelScopeError, RunError
from core.home import Home
from core.recipe import Recipe
from core.runs.standing import taken_here

Say = Callable[[str], None]


@dataclass(frozen=True)
class Trained:
    """done: ids of the runs trained now. failed: run id, or the recipe in words where there is no run to train -> why. stopped: told to stop before the end."""

    done: tuple[str, ...]
    failed: dict[str, str]
    stopped: bool


def train_missing(
    home: Home,
    recipes: Sequence[Recipe],
    stopping: threading.Event,
    say: Say,
    title: Callable[[Recipe], str],
) -> Trained:
    """Train every recipe that no run has done, is doing or waits for, in order; a run that fails does not stop the others.

    say: takes each line of progress. title: a recipe in words. Once `stopping` is set the run at work can be resumed, and
    the same call goes on with it. Raises OSError where the disk refuses.
    """
    done: list[str] = []
    failed: dict[str, str] = {}
    for place, recipe in enumerate(recipes, 1):
        if stopping.is_set():
            return Trained(tuple(done), failed, stopped=True)
        try:
            run = taken_here(home, recipe)
        except RunError as error:  # somebody still holds it, or its files are damaged
            failed[title(recipe)] = str(error)
            say(f"failed: {title(recipe)}: {error}")
            continue
        if run is None:
            continue
        from core.training.console import train_with_bar  # loads torch, which plans do without
        from core.training.trainer import Stopped

        say(f"[{place}/{len(recipes)}] {title(recipe)}: {run.run_id}")
        try:
            train_with_bar(home, run, stopping)
        except Stopped:
            return Trained(tuple(done), failed, stopped=True)
        except OSError:
            raise
        except RelScopeError as error:
            failed[run.run_id] = str(error)
        except Exception as error:  # noqa: BLE001 - recorded in status.json with its traceback
            failed[run.run_id] = f"{type(error).__name__}: {error}"
        else:
            done.append(run.run_id)
            continue
        say(f"failed: {failed[run.run_id]}")
    return Trained(tuple(done), failed, stopped=False)
