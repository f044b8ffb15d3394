"""Starting a process that outlives whoever asked for it."""

import os
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

PROJECT_ROOT = Path(__file__).resolve().parents[1]


def start_detached(
    command: Sequence[str],
    log: Path,
    environment: Mapping[str, str] | None = None,
    handles: Sequence[int] = (),
) -> int:
    """Start `command` in the project's root and in a session of its own, what it prints appended to `log`; its pid.

    handles: open files that it inherits, such as a lock that it shall hold from its first moment on.
    Its parent is a shell that ends at once, so nobody here must wait for it. Raises OSError.
    """
    log.parent.mkdir(parents=True, exist_ok=True)
    log.open("ab").close()
    shell = subprocess.run(
        ["/bin/sh", "-c", '"$@" >>"$0" 2>&1 & echo $!', str(log.absolute()), *command],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        cwd=PROJECT_ROOT,
        env=dict(os.environ if environment is None else environment),
        pass_fds=tuple(handles),
        start_new_session=True,
        check=True,
    )
    return int(shell.stdout)
