"""Starting a process that outlives whoever asked for it."""

import errno
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
    with log.open("ab") as written:
        shell = subprocess.run(
            ["/bin/sh", "-c", '"$@" >&2 & echo $!', "sh", *command],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=written,
            cwd=PROJECT_ROOT,
            env=dict(os.environ if environment is None else environment),
            pass_fds=tuple(handles),
            start_new_session=True,
            check=False,
        )
    if shell.returncode or not shell.stdout.strip().isdigit():
        raise OSError(errno.EAGAIN, f"a shell could not start {command[0]}", str(log))
    return int(shell.stdout)
