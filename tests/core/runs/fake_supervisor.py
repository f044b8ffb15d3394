"""A supervisor of fake workers: `fake_supervisor.py HOME [IDLE_EXIT]`; prints why it refuses."""

import sys
from pathlib import Path

from core.errors import RunError
from core.home import Home
from core.runs.devices import Devices, find_slots
from core.runs.supervise import supervise

try:
    supervise(
        Home(Path(sys.argv[1])),
        poll=0.05,
        idle_exit=float(sys.argv[2]) if len(sys.argv) > 2 else None,
        command=lambda run: [sys.executable, str(Path(__file__).with_name("fake_worker.py")), str(run.path)],
        devices=lambda: Devices(find_slots(1)),
        grace=1.0,
    )
except RunError as error:
    sys.exit(f"refused: {error}")
