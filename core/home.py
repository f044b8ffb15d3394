"""The home folder: where data sets, runs and caches live, and which names may become paths in it."""

import os
import re
from dataclasses import dataclass
from pathlib import Path

from core.errors import ConfigError

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,79}")


@dataclass(frozen=True)
class Home:
    """A home folder; nothing is created until something is written."""

    root: Path

    @property
    def datasets(self) -> Path:
        return self.root / "datasets"

    @property
    def runs(self) -> Path:
        return self.root / "runs"

    @property
    def cache(self) -> Path:
        return self.root / "cache"

    @property
    def imports(self) -> Path:
        return self.root / "imports"

    @property
    def supervisor(self) -> Path:
        return self.root / "supervisor"

    @property
    def index(self) -> Path:
        return self.root / "index.sqlite"

    def dataset(self, name: str) -> Path:
        return self.datasets / checked_name(name, "data set name")

    def run(self, run_id: str) -> Path:
        return self.runs / checked_name(run_id, "run id")


def find_home(explicit: str | Path | None = None) -> Home:
    """The home named by `explicit`, else by RELSCOPE_HOME, else `./workspace`."""
    chosen = explicit or os.environ.get("RELSCOPE_HOME") or "workspace"
    return Home(Path(chosen).expanduser().resolve())


def checked_name(name: str, what: str) -> str:
    """`name` unchanged if it is safe as one path component. Raises ConfigError otherwise."""
    if not _NAME.fullmatch(name) or name.endswith(".") or ".." in name:
        raise ConfigError(
            f"{what} {name!r} is not allowed: expected 1 to 80 letters, digits, '.', '_' or '-', "
            "starting with a letter or digit and without '..'; choose another name"
        )
    return name
