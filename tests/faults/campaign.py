"""The fault campaign: break things at random moments, count what was lost, print a JSON summary.

    python -m tests.faults.campaign --kills 200 --minutes-two-servers 10

Parts, each on a home of its own beneath a temporary folder:

    kills          SIGKILL of workers, supervisors, both, servers and imports while small models train; after each one the
                   folder is whole and its state honest, and the resumed run ends bit for bit like an undisturbed one
    full-disk      a disk of 64 MB fills up under training, an import and a page (root only: it mounts a tmpfs)
    read-only      every page and button of a home that cannot be written (root only: it mounts it read-only)
    damage         files of runs and data sets cut short, emptied or scrambled, seen by every reader and a real server
    two-servers    two servers on one home; visitors of both submit, cancel, resume, delete, import and reindex at once

`--only PART ...` runs some of them; `--seed` repeats the same choices (moments depend on the machine, too). At most two
trainings run at a time. The exit status is 0 only if nothing was lost, corrupt, dishonest, hanging or different.
The whole campaign with the numbers above takes about 25 minutes on two idle cores.
"""

import argparse
import json
import os
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from core.home import Home
from tests.faults import damage, full_disk, read_only
from tests.faults.kills import Kills
from tests.faults.two_servers import TwoServers

Part = Callable[[Path, argparse.Namespace], dict[str, Any]]
PARTS: dict[str, Part] = {
    "kills": lambda folder, args: Kills(Home(folder), args.kills, args.seed).go(),
    "full-disk": lambda folder, args: full_disk.go(folder / "disk", args.full_disk),
    "read-only": lambda folder, args: read_only.go(folder),
    "damage": lambda folder, args: damage.go(folder, args.damage, args.seed),
    "two-servers": lambda folder, args: TwoServers(
        Home(folder), 60 * args.minutes_two_servers, args.seed
    ).go(),
}


def main(arguments: list[str] | None = None) -> int:
    args = _parser().parse_args(arguments)
    before = dict(os.environ)
    summary: dict[str, Any] = {}
    for name in args.only or PARTS:
        started = time.monotonic()
        folder = Path(tempfile.mkdtemp(prefix=f"relscope-{name}-"))
        print(f"{name}: {folder}", file=sys.stderr, flush=True)
        summary[name] = PARTS[name](folder, args) | {"seconds": round(time.monotonic() - started)}
        os.environ.clear()
        os.environ.update(before)
        print(
            f"{name}: {summary[name]['bad']} bad in {summary[name]['seconds']} s", file=sys.stderr, flush=True
        )
    summary["bad"] = sum(part["bad"] for part in summary.values())
    print(json.dumps(summary, indent=None if args.json else 2))
    return 1 if summary["bad"] else 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m tests.faults.campaign",
        description=__doc__,
        formatter_class=argparse.RawTextHelpFormatter,
    )
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--minutes-two-servers", type=float, default=1.0)
    parser.add_argument("--damage", type=int, default=60, help="number of damaged files")
    parser.add_argument("--full-disk", type=int, default=3, help="number of trainings whose disk fills up")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--only", nargs="+", choices=PARTS)
    parser.add_argument("--json", action="store_true", help="one line instead of an indented summary")
    return parser


if __name__ == "__main__":
    sys.exit(main())
