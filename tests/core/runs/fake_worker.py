"""A worker without torch: `fake_worker.py RUN_PATH`; `<run>/behave.txt` says how it behaves."""

import json
import os
import signal
import sys
import time
from pathlib import Path

import psutil

run = Path(sys.argv[1])
behave = (run / "behave.txt").read_text().strip() if (run / "behave.txt").exists() else "finish"


def write_status(**changes):
    path = run / "status.json"
    status = json.loads(path.read_text()) | changes
    part = run / f".status.{os.getpid()}.part"
    part.write_text(json.dumps(status))
    part.replace(path)


def cancelled(_number, _frame):
    (run / "checkpoints").mkdir(exist_ok=True)
    (run / "checkpoints" / "last.pt").write_text("from SIGTERM")
    write_status(state="cancelled", finished=time.time(), message="cancelled at epoch 1")
    sys.exit(130)


with (run / "starts.txt").open("a") as starts:
    starts.write(f"{os.getpid()} {os.environ.get('RELSCOPE_SLOT')} {os.environ.get('OMP_NUM_THREADS')}\n")
if behave == "crash before running":
    sys.exit("no such module")

signal.signal(signal.SIGTERM, signal.SIG_IGN if behave == "hang" else cancelled)
if behave == "leave a child":
    child = os.fork()
    if child == 0:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        time.sleep(60)
        os._exit(0)
    (run / "child.txt").write_text(str(child))
write_status(
    state="running",
    pid=os.getpid(),
    pid_started=psutil.Process().create_time(),
    host=os.uname().nodename,
    slot=os.environ.get("RELSCOPE_SLOT", ""),
    device="cpu",
    started=time.time(),
    heartbeat=time.time(),
    epoch=1,
)
print("epoch 1: loss 0.5", flush=True)
if behave == "exit silently":
    sys.exit(3)
if behave in ("work", "hang", "leave a child"):
    while True:
        time.sleep(0.1)
        write_status(heartbeat=time.time())
write_status(state="done", finished=time.time())
