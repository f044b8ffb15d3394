"""A detached process outlives the call that started it, in a session of its own."""

import os
import sys
import time

from core.detached import start_detached

SCRIPT = "import os, sys, time; time.sleep(0.3); print(os.getsid(0), os.getpid(), sys.argv[1], flush=True)"


def test_it_goes_on_after_the_call_and_writes_to_its_log(tmp_path) -> None:
    log = tmp_path / "new" / "log.txt"
    log.parent.mkdir()
    log.write_text("before\n")
    pid = start_detached([sys.executable, "-c", SCRIPT, "a b; c"], log)
    assert log.read_text() == "before\n"
    deadline = time.monotonic() + 20
    while log.read_text() == "before\n" and time.monotonic() < deadline:
        time.sleep(0.05)
    session, own, argument = log.read_text().splitlines()[1].split(" ", 2)
    assert int(own) == pid
    assert argument == "a b; c"
    assert int(session) != os.getsid(0)
