"""What a run was made with, so that it can be repeated."""

import platform
import subprocess
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from core.files import write_json
from core.recipe import Recipe
from core.runs.folder import RunFolder, this_host

_PACKAGES = ("torch", "numpy", "scipy", "pandas", "pyarrow", "pydantic")


def write_environment(run: RunFolder, recipe: Recipe, device: str) -> None:
    """Store what the run was made with: command, commit, versions, device, data hash."""
    told = describe_environment(recipe.command(), device, recipe.dataset_hash)
    write_json(run.path / "environment.json", told)


def describe_environment(command: str, device: str, dataset_hash: str) -> dict[str, Any]:
    """Command to repeat the run, git commit (None outside a checkout), versions, platform, device and data hash."""
    return {
        "command": command,
        "git_commit": _git_commit(),
        "python": platform.python_version(),
        "platform": platform.platform(),
        "host": this_host(),
        "packages": {name: _version(name) for name in _PACKAGES},
        "device": device,
        "dataset_hash": dataset_hash,
    }


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None


def _git_commit() -> str | None:
    root = Path(__file__).resolve().parents[2]
    try:
        answer = subprocess.run(
            ["git", "-C", str(root), "describe", "--always", "--dirty", "--abbrev=40"],
            capture_output=True,
            text=True,
            timeout=10,
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return answer.stdout.strip() or None if answer.returncode == 0 else None
