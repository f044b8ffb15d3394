"""Generated cases, counted: addresses on every page and sources for every importer, none may end in a traceback.

python -m tests.faults.cases            2,000 cases and more, about 20 minutes on two idle cores
python -m tests.faults.cases --pages 10 --imports 20
"""

import argparse
import json
import os
import subprocess
import sys

from core.runs.workers import PROJECT_ROOT
from tests.faults.counting import PREFIX

PARTS = {
    "pages": ("RELSCOPE_HOSTILE_CASES", "tests/pages/test_hostile_urls.py", "test_no_address_breaks_a_page"),
    "imports": ("RELSCOPE_EXAMPLES", "tests/core/data/importers/test_generated.py", ""),
}


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.faults.cases", description=__doc__)
    parser.add_argument("--pages", type=int, default=150, help="addresses per page")
    parser.add_argument("--imports", type=int, default=200, help="sources per layout")
    args = parser.parse_args()
    summary: dict[str, int] = {"cases": 0, "failing": 0}
    failed = False
    for name, (variable, tests, only) in PARTS.items():
        command = [
            sys.executable,
            "-m",
            "pytest",
            "-q",
            "-p",
            "tests.faults.counting",
            "--timeout",
            "0",
            tests,
        ]
        command += ["-k", only] if only else []
        done = subprocess.run(
            command,
            cwd=PROJECT_ROOT,
            env=os.environ | {variable: str(getattr(args, name))},
            capture_output=True,
            text=True,
            check=False,
        )
        failed |= done.returncode != 0
        if done.returncode:
            print(done.stdout[-5_000:], file=sys.stderr)
        told = done.stdout.rpartition(PREFIX)[2].partition("\n")[0]
        seen: dict[str, int] = json.loads(told or "{}")
        summary[name] = seen.get("passed", 0) + seen.get("failed", 0)
        summary["cases"] += summary[name]
        summary["failing"] += seen.get("failed", 0)
    print(json.dumps(summary))
    return 1 if failed or summary["failing"] else 0


if __name__ == "__main__":
    sys.exit(main())
